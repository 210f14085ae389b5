//! What names tell: the location whose list has an operation, its project, and the key by which a receiver knows that it
//! has had a result already.

use std::fmt;

/// The same for every attempt to hand over the end of one operation, on every machine and after every crash: a receiver
/// that remembers it can do its work once. It is the operation's name, as it was registered.
///
/// ```
/// use contact_center_insights_worker::Key;
///
/// let key = Key::from("projects/p/locations/l/operations/1".to_owned());
/// assert_eq!(key.as_str(), "projects/p/locations/l/operations/1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The location in the name of an operation, `projects/P/locations/L`; empty if it is in none, so that no list has it.
pub(crate) fn parent(name: &str) -> &str {
    let Some((parent, id)) = name.rsplit_once("/operations/") else { return "" };
    let is_location = location(parent).is_some_and(|found| found == parent);
    if is_location && !id.is_empty() && !id.contains('/') { parent } else { "" }
}

/// What `name` begins with, if that is `projects/P/locations/L`.
pub(crate) fn location(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("projects/")?;
    let (project, rest) = rest.split_once('/')?;
    let rest = rest.strip_prefix("locations/")?;
    let id = rest.split('/').next()?;
    let length = ["projects/", "/locations/"].iter().map(|part| part.len()).sum::<usize>();
    (!project.is_empty() && !id.is_empty()).then(|| name.get(..length + project.len() + id.len()))?
}

/// The project in a name; empty if it names none.
pub(crate) fn project(name: &str) -> &str {
    name.strip_prefix("projects/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

/// A name without its project: equal for the two spellings of one, by id and by number.
pub(crate) fn within_project(name: &str) -> &str {
    name.strip_prefix("projects/").and_then(|rest| rest.split_once('/')).map_or(name, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(parent("projects/p/locations/l/operations/1"), "projects/p/locations/l");
        for name in [
            "operations/1",
            "projects/p/operations/1",
            "projects/p/locations/l/operations/",
            "a/operations/1",
            "",
        ] {
            assert_eq!(parent(name), "", "{name}");
        }
        assert_eq!(location("projects/p/locations/l/conversations/c"), Some("projects/p/locations/l"));
        assert_eq!(location("projects/p/locations/l"), Some("projects/p/locations/l"));
        assert_eq!((location("projects//locations/l"), location("projects/p/locations/")), (None, None));
        assert_eq!((project("projects/p/locations/l"), project("operations/1")), ("p", ""));
        assert_eq!(within_project("projects/1/locations/l/operations/2"), "locations/l/operations/2");
    }
}
