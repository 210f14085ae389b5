//! What the placeholders of a recording stand for: projects are given, ids are learnt from answers.

use std::collections::BTreeMap;

/// Project ids and numbers of the emulator; those of further projects end in `-2`, or are that much higher.
const PROJECT: &str = "recorded-project";
const NUMBER: u64 = 700_000_000_000;
/// Ids that a request has before an answer has told them: as many digits as the service's own.
const FIRST_ID: u64 = 1_000_000_000_000_000_000;

/// Placeholders and their values.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<String, String>);

/// A piece of text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

impl Values {
    /// The text with every placeholder filled in, for a request.
    pub(super) fn fill(&mut self, text: &str) -> String {
        let filled = pieces(text).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Placeholder(name) => {
                let value = self.value(name).unwrap_or_else(|| made_up(name));
                self.0.entry(name.to_owned()).or_insert(value).clone()
            }
        });
        filled.collect()
    }

    /// The text with the placeholders filled in whose value is known.
    pub(super) fn known(&self, text: &str) -> String {
        let filled = pieces(text).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Placeholder(name) => self.value(name).unwrap_or_else(|| name.to_owned()),
        });
        filled.collect()
    }

    /// Whether `actual` is what was recorded; a placeholder that is met first takes what stands in its place.
    pub(super) fn meet(&mut self, recorded: &str, actual: &str) -> bool {
        let pieces = pieces(recorded);
        let mut rest = actual;
        let mut learnt: Vec<(String, String)> = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let value = match piece {
                Piece::Text(text) => (*text).to_owned(),
                Piece::Placeholder(name) => {
                    let known =
                        learnt.iter().find(|(learnt, _)| learnt == name).map(|(_, value)| value.clone());
                    if let Some(value) = known.or_else(|| self.value(name)) {
                        value
                    } else {
                        let end = match pieces.get(index + 1) {
                            Some(Piece::Text(text)) => rest.find(text).unwrap_or(rest.len()),
                            _ => rest.len(),
                        };
                        let found = rest.get(..end).unwrap_or_default();
                        if found.is_empty() || found.contains(['/', ' ']) {
                            return false;
                        }
                        learnt.push(((*name).to_owned(), found.to_owned()));
                        found.to_owned()
                    }
                }
            };
            match rest.strip_prefix(value.as_str()) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        if rest.is_empty() {
            self.0.extend(learnt);
        }
        rest.is_empty()
    }

    fn value(&self, name: &str) -> Option<String> {
        let project = |kind: &str| {
            let index = name.strip_prefix(kind)?.trim_start_matches('_');
            if index.is_empty() { Some(1) } else { index.parse::<u64>().ok() }
        };
        if let Some(index) = project("PROJECT_NUMBER") {
            return Some(NUMBER.saturating_add(index).to_string());
        }
        match project("PROJECT_ID") {
            Some(1) => Some(PROJECT.to_owned()),
            Some(index) => Some(format!("{PROJECT}-{index}")),
            None => self.0.get(name).cloned(),
        }
    }

    /// Id and number of every project in `text`, for an emulator to know.
    pub(super) fn projects(&self, text: &str) -> BTreeMap<String, u64> {
        let indices = pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Placeholder(name) => {
                name.strip_prefix("PROJECT_ID").or_else(|| name.strip_prefix("PROJECT_NUMBER"))
            }
            Piece::Text(_) => None,
        });
        let ids = indices.filter_map(|index| {
            let id = self.value(&format!("PROJECT_ID{index}"))?;
            Some((id, self.value(&format!("PROJECT_NUMBER{index}"))?.parse().ok()?))
        });
        ids.collect()
    }
}

fn made_up(name: &str) -> String {
    let number: u64 = name.trim_start_matches("ID_").parse().unwrap_or_default();
    FIRST_ID.saturating_add(number).to_string()
}

/// Text and placeholders in turn.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match placeholder(rest) {
            Some(length) => {
                if start < at {
                    found.push(Piece::Text(text.get(start..at).unwrap_or_default()));
                }
                found.push(Piece::Placeholder(rest.get(..length).unwrap_or_default()));
                at += length;
                start = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    if start < text.len() {
        found.push(Piece::Text(text.get(start..).unwrap_or_default()));
    }
    found
}

/// How long the placeholder is that `text` begins with.
fn placeholder(text: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    for kind in ["PROJECT_ID", "PROJECT_NUMBER"] {
        if let Some(rest) = text.strip_prefix(kind) {
            let index = rest.strip_prefix('_').map_or(0, digits);
            return Some(kind.len() + if index > 0 { index + 1 } else { 0 });
        }
    }
    let count = digits(text.strip_prefix("ID_")?);
    (count > 0).then_some(count + "ID_".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_learnt_from_answers_and_then_hold() {
        let mut values = Values::default();
        let name = "projects/PROJECT_NUMBER/locations/l/views/ID_2";
        assert!(values.meet(name, "projects/700000000001/locations/l/views/42"));
        assert!(!values.meet(name, "projects/700000000001/locations/l/views/43"));
        assert_eq!(values.fill("x-ID_2/ID_22"), "x-42/1000000000000000022");
        assert_eq!(values.known("ID_2, ID_3"), "42, ID_3");
        assert!(values.meet("a ID_5. b", "a 77. b") && values.meet("ID_5", "77"));
        assert!(!values.meet("a ID_6. b", "a . b"), "an id is not empty");
        assert!(!values.meet("views/ID_7", "views/1/2"));
        assert!(values.meet("ID_8 and ID_8", "1 and 1") && !values.meet("ID_9 and ID_9", "1 and 2"));
        assert!(values.meet("ID_9", "free"), "what did not fit was not learnt");
    }

    #[test]
    fn projects_are_given() {
        let mut values = Values::default();
        assert_eq!(values.fill("PROJECT_ID PROJECT_NUMBER_2"), "recorded-project 700000000002");
        assert!(!values.meet("PROJECT_NUMBER", "5"));
        let projects = values.projects("gs://PROJECT_ID-bucket/PROJECT_NUMBER_2");
        let wanted =
            [("recorded-project".to_owned(), NUMBER + 1), ("recorded-project-2".to_owned(), NUMBER + 2)];
        assert_eq!(projects, BTreeMap::from(wanted));
    }

    #[test]
    fn pieces_are_found_anywhere() {
        use Piece::{Placeholder, Text};
        assert_eq!(pieces("arminID_1."), [Text("armin"), Placeholder("ID_1"), Text(".")]);
        assert_eq!(pieces("PROJECT_ID_x"), [Placeholder("PROJECT_ID"), Text("_x")]);
        assert_eq!(pieces("ID_ äID_9"), [Text("ID_ ä"), Placeholder("ID_9")]);
        assert!(pieces("").is_empty());
    }
}
