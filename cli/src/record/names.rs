//! Projects and ids in recordings: `PROJECT_ID`, `PROJECT_NUMBER`, and ids by number.

use std::collections::HashMap;

/// Ids that the API itself has, and parts of names that are no ids.
const OWN: [&str; 4] = ["-", "latest", "default", "deployed"];
/// What may stand before a name: `//HOST/`.
const HOST: &str = "//";

/// What stands for which project and id. The same stands for the same throughout a file.
#[derive(Debug, Default)]
pub(super) struct Names {
    projects: Vec<Project>,
    ids: HashMap<String, String>,
    /// Whether ids that were not seen before are the service's own.
    are_made: bool,
}

/// One project, by what is known of it.
#[derive(Debug, Default)]
struct Project {
    id: Option<String>,
    number: Option<String>,
}

impl Names {
    /// From now on, ids that were not seen before are those that the service makes, or those that a caller chose.
    pub(super) fn ids_are_made(&mut self, are_made: bool) {
        self.are_made = are_made;
    }

    /// Takes note of the names in a request and its answer, in this order, before anything is replaced: an answer names
    /// by number the project that the request may have named by id.
    pub(super) fn learn<'a>(&mut self, asked: &str, strings: impl IntoIterator<Item = &'a str>) {
        let own = parts(asked).map(|name| name.project.to_owned());
        for text in strings {
            let Some(name) = parts(text) else { continue };
            match &own {
                Some(own) if is_number(name.project) != is_number(own) => self.pair(own, name.project),
                _ => drop(self.project(name.project)),
            }
            let _ = self.name(text);
        }
    }

    /// One project has this id and this number, in either order.
    pub(super) fn pair(&mut self, one: &str, other: &str) {
        let (id, number) = if is_number(one) { (other, one) } else { (one, other) };
        let by_id = self.projects.iter().position(|project| project.id.as_deref() == Some(id));
        let by_number = self.projects.iter().position(|project| project.number.as_deref() == Some(number));
        match (by_id, by_number) {
            (Some(at), None) => self.complete(at, |project| project.number.get_or_insert(number.to_owned())),
            (None, Some(at)) => self.complete(at, |project| project.id.get_or_insert(id.to_owned())),
            (None, None) => {
                self.projects.push(Project { id: Some(id.to_owned()), number: Some(number.to_owned()) });
            }
            (Some(_), Some(_)) => {}
        }
    }

    fn complete<'a>(&'a mut self, at: usize, with: impl FnOnce(&'a mut Project) -> &'a mut String) {
        if let Some(project) = self.projects.get_mut(at) {
            with(project);
        }
    }

    /// What stands for a project, named by id or number. A file is mostly of one project: what is missing of it is
    /// taken to be what comes.
    pub(super) fn project(&mut self, named: &str) -> String {
        if OWN.contains(&named) {
            return named.to_owned();
        }
        if let Some(known) = self.known_project(named) {
            return known;
        }
        let is_number = is_number(named);
        match self.projects.as_mut_slice() {
            [only] if is_number && only.number.is_none() => only.number = Some(named.to_owned()),
            [only] if !is_number && only.id.is_none() => only.id = Some(named.to_owned()),
            _ if is_number => self.projects.push(Project { number: Some(named.to_owned()), id: None }),
            _ => self.projects.push(Project { id: Some(named.to_owned()), number: None }),
        }
        self.known_project(named).unwrap_or_default()
    }

    fn known_project(&self, named: &str) -> Option<String> {
        let is_it = |project: &Project| {
            [&project.id, &project.number].into_iter().any(|known| known.as_deref() == Some(named))
        };
        let at = self.projects.iter().position(is_it)?;
        let kind = if is_number(named) { "PROJECT_NUMBER" } else { "PROJECT_ID" };
        Some(if at == 0 { kind.to_owned() } else { format!("{kind}_{}", at + 1) })
    }

    /// What stands for an id. One with letters in it that a caller chose still has some, since the service tells them
    /// apart, and one of an unusual form keeps it.
    pub(super) fn id(&mut self, id: &str) -> String {
        if OWN.contains(&id) || id.is_empty() {
            return id.to_owned();
        }
        if let Some(known) = self.ids.get(id) {
            return known.clone();
        }
        let number = self.ids.len() + 1;
        let made = if self.are_made || is_number(id) {
            format!("ID_{number}")
        } else if is_usual(id) {
            format!("id-ID_{number}")
        } else {
            format!("{}-ID_{number}", id.chars().map(shape).collect::<String>())
        };
        self.ids.insert(id.to_owned(), made.clone());
        made
    }

    /// What stands for this word, if it is a project or an id that was seen.
    pub(super) fn known(&self, word: &str) -> Option<String> {
        self.ids.get(word).cloned().or_else(|| self.known_project(word))
    }

    /// A resource name with its project and ids replaced; `None` if the text is not one.
    pub(super) fn name(&mut self, text: &str) -> Option<String> {
        let name = parts(text)?;
        let mut neutral = format!("{}projects/{}", name.host, self.project(name.project));
        let mut collection = "";
        for (index, part) in name.rest.iter().enumerate() {
            neutral.push('/');
            if index % 2 == 0 {
                collection = part;
                neutral.push_str(part);
            } else if collection == "locations" && is_usual(part) {
                neutral.push_str(part);
            } else {
                let ids: Vec<String> = part.split('@').map(|id| self.id(id)).collect();
                neutral.push_str(&ids.join("@"));
            }
        }
        Some(neutral)
    }
}

/// The parts of a resource name.
struct Parts<'a> {
    /// Empty, or as in `//host/`.
    host: &'a str,
    project: &'a str,
    /// Collections and ids in turn.
    rest: Vec<&'a str>,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let start = match text.strip_prefix(HOST) {
        Some(rest) => rest.find('/')? + HOST.len() + 1,
        None => 0,
    };
    let (host, name) = text.split_at_checked(start)?;
    let mut rest = name.strip_prefix("projects/")?.split('/');
    let project = rest.next().filter(|project| !project.is_empty())?;
    let rest: Vec<&str> = rest.collect();
    let is_collection = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_name = !text.contains(char::is_whitespace)
        && rest.iter().step_by(2).all(is_collection)
        && rest.iter().skip(1).step_by(2).all(|id| !id.is_empty());
    is_name.then_some(Parts { host, project, rest })
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What AIP-122 recommends for ids.
fn is_usual(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    id.len() <= 63
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.bytes().all(is_plain)
        && !id.ends_with('-')
}

fn shape(character: char) -> char {
    match character {
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        '0'..='9' => '0',
        other if other.is_alphabetic() => 'ä',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_and_the_number_of_a_project_are_one_project() {
        let mut names = Names::default();
        let asked = "projects/acme/locations/l/views/a";
        names.learn(asked, [asked, "projects/900/locations/l/views/7", "no name"]);
        assert_eq!(names.name(asked).unwrap(), "projects/PROJECT_ID/locations/l/views/id-ID_1");
        assert_eq!(
            names.name("projects/900/locations/l/views/7").unwrap(),
            "projects/PROJECT_NUMBER/locations/l/views/ID_2"
        );
        let other = "projects/other/locations/l";
        names.learn(other, [other, "projects/901/locations/l"]);
        assert_eq!(
            (names.project("other"), names.project("901")),
            ("PROJECT_ID_2".into(), "PROJECT_NUMBER_2".into())
        );
        assert_eq!(names.known("acme"), Some("PROJECT_ID".into()));
        assert_eq!(names.known("unseen"), None);
    }

    #[test]
    fn an_id_that_the_service_made_is_a_number() {
        let mut names = Names::default();
        assert_eq!(names.id("mine"), "id-ID_1");
        names.ids_are_made(true);
        assert_eq!((names.id("28fc6e9e"), names.id("mine")), ("ID_2".into(), "id-ID_1".into()));
        names.ids_are_made(false);
        assert_eq!((names.id("28fc6e9e"), names.id("other")), ("ID_2".into(), "id-ID_3".into()));
    }

    #[test]
    fn names_keep_their_form() {
        let mut names = Names::default();
        for (name, wanted) in [
            ("projects/p/locations/us-central1", "projects/PROJECT_ID/locations/us-central1"),
            (
                "projects/p/locations/l/phraseMatchers/7@a1b2",
                "projects/PROJECT_ID/locations/l/phraseMatchers/ID_1@id-ID_2",
            ),
            (
                "projects/p/locations/l/qaScorecards/-/revisions/latest",
                "projects/PROJECT_ID/locations/l/qaScorecards/-/revisions/latest",
            ),
            (
                "projects/p/locations/l/conversations/Foo_9",
                "projects/PROJECT_ID/locations/l/conversations/Aaa_0-ID_3",
            ),
            ("projects/p/locations/l/settings", "projects/PROJECT_ID/locations/l/settings"),
            (
                "//pubsub.googleapis.com/projects/p/topics/orders",
                "//pubsub.googleapis.com/projects/PROJECT_ID/topics/id-ID_4",
            ),
            ("projects/example.com:p/locations/l", "projects/PROJECT_ID_2/locations/l"),
        ] {
            assert_eq!(names.name(name).as_deref(), Some(wanted), "{name}");
        }
        for text in [
            "projects/",
            "projects/p/ x/y",
            "about projects/p",
            "projects/p//x",
            "",
            "//x",
            "projects/p/a-b/c",
        ] {
            assert_eq!(names.name(text), None, "{text}");
        }
    }
}
