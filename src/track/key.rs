//! Which operations can be looked for together: those of one location, told apart by their ids.

use std::collections::HashMap;

use crate::names::OperationName;

/// The parent of an operation, whose list has it, and its id there; `None` for names of other services, whose lists may
/// be anywhere.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    OperationName::check(name).ok()?;
    name.rsplit_once("/operations/")
}

/// The project in a parent, and what follows it.
fn project(parent: &str) -> Option<(&str, &str)> {
    parent.strip_prefix("projects/")?.split_once('/')
}

/// The spellings of projects, id and number, that answers have shown to be the same.
#[derive(Debug, Default)]
pub(super) struct Spellings(HashMap<Box<str>, Box<str>>);

/// So that a server that answers with invented names cannot fill the memory.
const MOST: usize = 1_024;

impl Spellings {
    /// `parent` as it was spelled first.
    pub(super) fn first(&self, parent: &str) -> String {
        let known = project(parent).and_then(|(id, rest)| Some((self.0.get(id)?, rest)));
        known.map_or_else(|| parent.to_owned(), |(first, rest)| format!("projects/{first}/{rest}"))
    }

    /// Learns from an answer about `asked`, a parent as spelled first, that has a name under `answered`. The other
    /// spelling, if that is news.
    pub(super) fn learn(&mut self, asked: &str, answered: &str) -> Option<String> {
        let ((first, asked_in), (other, answered_in)) = project(asked).zip(project(answered))?;
        // Another location is another list, whatever a server says.
        let is_news = first != other && asked_in == answered_in && !self.0.contains_key(other);
        if !is_news || self.0.len() >= MOST || self.0.contains_key(first) {
            return None;
        }
        self.0.insert(other.into(), first.into());
        Some(answered.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_service_are_looked_for_by_location() {
        assert_eq!(split("projects/p/locations/l/operations/1"), Some(("projects/p/locations/l", "1")));
        for name in ["operations/1", "projects/p/operations/1", "projects/p/locations/l/operations/", ""] {
            assert_eq!(split(name), None, "{name}");
        }
    }

    #[test]
    fn id_and_number_are_one_project_once_an_answer_has_shown_it() {
        let mut spellings = Spellings::default();
        let (id, number) = ("projects/p/locations/l", "projects/123/locations/l");
        assert_eq!(spellings.first(number), number);
        assert_eq!(spellings.learn(id, id), None);
        assert_eq!(spellings.learn(id, "projects/5/locations/other"), None);
        assert_eq!(spellings.learn(id, "nonsense"), None);
        assert_eq!(spellings.learn(id, number).as_deref(), Some(number));
        assert_eq!(spellings.learn(id, number), None, "no news");
        assert_eq!(spellings.first(number), id);
        assert_eq!(spellings.first("projects/123/locations/m"), "projects/p/locations/m");
        assert_eq!(spellings.learn(number, id), None, "no circle");
    }
}
