//! Projects have an id and a number, and both name the same project: which number an id has.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The lowest of the numbers that are made up, which have twelve digits as those of real projects have.
const FIRST: u64 = 100_000_000_000;
const COUNT: u64 = 900_000_000_000;

/// The numbers of projects: those that were set, and for all others one that follows from the id, so that the same id
/// has the same number in every process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProjectNumbers {
    set: BTreeMap<String, String>,
    is_echo: bool,
}

impl ProjectNumbers {
    /// Gives an id its number.
    pub(crate) fn set(&mut self, id: impl Into<String>, number: u64) {
        self.set.insert(id.into(), number.to_string());
    }

    /// Takes names as they are: an id and a number are two projects, and answers echo what was asked for.
    pub(crate) fn echo(&mut self) {
        self.is_echo = true;
    }

    /// Whether names are taken as they are.
    pub(crate) fn is_echo(&self) -> bool {
        self.is_echo
    }

    /// The number of a project that is named by its id or by its number; the name itself if names are taken as they are.
    pub(crate) fn of<'a>(&'a self, project: &'a str) -> Cow<'a, str> {
        if self.is_echo || is_number(project) {
            return Cow::Borrowed(project);
        }
        match self.set.get(project) {
            Some(number) => Cow::Borrowed(number),
            None => Cow::Owned((FIRST + fnv(project) % COUNT).to_string()),
        }
    }

    /// A resource name with the number of its project; `None` if that is how it is written already.
    pub(crate) fn numbered(&self, name: &str) -> Option<String> {
        let (project, below) = split(name)?;
        let number = self.of(project);
        (number != project).then(|| format!("projects/{number}/{below}"))
    }

    /// Why these numbers cannot be used, if they cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, number) in &self.set {
            if id.is_empty() || id.contains('/') || is_number(id) {
                return Err(format!("`{id}` is not the id of a project"));
            }
            if let Some(other) = owners.insert(number, id) {
                return Err(format!("`{other}` and `{id}` have the same number, {number}"));
            }
        }
        Ok(())
    }
}

/// The project of `projects/P/...`, and what follows.
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("projects/")?.split_once('/').filter(|(project, _)| !project.is_empty())
}

fn is_number(project: &str) -> bool {
    !project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit())
}

/// FNV-1a with 64 bits: the standard library's hashes may change from one version to the next.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_follows_from_the_id_and_stays() {
        let numbers = ProjectNumbers::default();
        assert_eq!(numbers.of("my-project"), numbers.of("my-project"));
        assert_eq!(numbers.of("my-project"), "642627587659", "the same in every process and version");
        assert_ne!(numbers.of("my-project"), numbers.of("my-project2"));
        assert_eq!(numbers.of("123"), "123", "a number is one already");
        for id in ["a", "example.com:shop", "ä"] {
            assert_eq!(numbers.of(id).len(), 12, "{id}");
        }
    }

    #[test]
    fn numbers_can_be_set_or_left_out() {
        let mut numbers = ProjectNumbers::default();
        numbers.set("shop", 42);
        assert_eq!(numbers.of("shop"), "42");
        assert_eq!(
            numbers.numbered("projects/shop/locations/eu/views/1").as_deref(),
            Some("projects/42/locations/eu/views/1")
        );
        for same in ["projects/42/locations/eu", "", "shop", "projects/shop", "projects//x"] {
            assert_eq!(numbers.numbered(same), None, "{same}");
        }
        numbers.echo();
        assert_eq!((numbers.of("shop"), numbers.numbered("projects/shop/x")), ("shop".into(), None));
    }

    #[test]
    fn two_ids_with_one_number_are_refused() {
        let mut numbers = ProjectNumbers::default();
        numbers.set("a", 1);
        assert_eq!(numbers.check(), Ok(()));
        numbers.set("b", 1);
        assert!(numbers.check().unwrap_err().contains("`a` and `b`"));
        for bad in ["", "a/b", "12"] {
            let mut numbers = ProjectNumbers::default();
            numbers.set(bad, 7);
            assert!(numbers.check().unwrap_err().contains("not the id"), "{bad}");
        }
    }
}
