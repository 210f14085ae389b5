//! Tables of anything: the id first, then what is short and telling.

use contact_center_insights::prost_types::Timestamp;
use serde_json::Value;

use super::layout::{Column, Look, cut};
use crate::escape::line_within;

/// Of a cell, in columns and in characters.
const MOST_OF_CELL: usize = 40;
const MOST_OF_WIDE_CELL: usize = 1000;
/// Texts are cut to no less than this.
const LEAST: usize = 12;

/// What a table of items has, found out from the first of them.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    /// What all names begin with, and is not shown.
    share: String,
    keys: Vec<String>,
    is_wide: bool,
}

impl Fields {
    pub(super) fn of(items: &[Value], is_wide: bool) -> Self {
        let names = items.iter().map(|item| item.get("name").and_then(Value::as_str).unwrap_or_default());
        let share = shared_parent(names).filter(|_| !is_wide).unwrap_or_default().to_owned();
        let keys = keys(items).into_iter().filter(|key| is_short(items, key)).collect();
        Self { share, keys, is_wide }
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        let others = self.keys.iter().map(|key| {
            let (rank, least) = place(key);
            Column::new(heading(key), rank, least)
        });
        std::iter::once(Column::new("NAME", 0, 0)).chain(others).collect()
    }

    pub(super) fn rows(&self, items: &[Value], look: Look) -> Vec<Vec<String>> {
        let row = |item: &Value| {
            let name = cell(item.get("name"));
            let name = line_within(name.strip_prefix(&self.share).unwrap_or(&name), MOST_OF_WIDE_CELL);
            let others = self.keys.iter().map(|key| {
                let text = cell(item.get(key));
                if self.is_wide {
                    return line_within(&text, MOST_OF_WIDE_CELL);
                }
                let text = if key.ends_with("Time") { age(&text, look.now).unwrap_or(text) } else { text };
                cut(&line_within(&text, MOST_OF_WIDE_CELL), MOST_OF_CELL, look.is_utf8)
            });
            std::iter::once(name).chain(others).collect()
        };
        items.iter().map(row).collect()
    }
}

/// A fact a line: what is short; of what is long, that it is there.
pub(super) fn one(value: &Value) -> String {
    let fields: Vec<_> =
        value.as_object().into_iter().flatten().map(|(key, value)| (spelled(key), value)).collect();
    let width = fields.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default();
    let line = |(key, value): &(String, &Value)| {
        let value = line_within(&cell(Some(value)), MOST_OF_WIDE_CELL);
        format!("{}  {value}", format_args!("{key:width$}")).trim_end().to_owned() + "\n"
    };
    fields.iter().map(line).collect()
}

/// What a cell shows of a value, in full.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// What all names begin with, up to the collection that they are in.
pub(super) fn shared_parent<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut parents = names.map(|name| name.rfind('/').and_then(|slash| name.get(..=slash)));
    let first = parents.next()??;
    parents.all(|parent| parent == Some(first)).then_some(first)
}

/// The fields that any item has, in the order of the first that has them; what is short of words comes first.
fn keys(items: &[Value]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for item in items {
        for key in item.as_object().into_iter().flat_map(|fields| fields.keys()) {
            if key != "name" && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    keys.sort_by_key(|key| match key.as_str() {
        "displayName" => 0,
        "state" => 1,
        key if key == "type" || key.ends_with("Type") => 2,
        key if key.ends_with("Time") => 4,
        _ => 3,
    });
    keys
}

/// How long a column stays, and to what it is cut.
fn place(key: &str) -> (u8, usize) {
    match key {
        "displayName" => (1, LEAST),
        "state" => (2, 0),
        "createTime" => (3, 0),
        "type" => (4, 0),
        "updateTime" => (6, 0),
        key if key.ends_with("Type") => (5, 0),
        key if key.ends_with("Time") => (8, 0),
        _ => (7, LEAST),
    }
}

/// Whether what is in a field can be read in a table.
fn is_short(items: &[Value], key: &str) -> bool {
    !items.iter().any(|item| matches!(item.get(key), Some(Value::Array(_) | Value::Object(_))))
}

/// What a column is called; of a time, what its age is that of.
fn heading(key: &str) -> String {
    match key {
        "createTime" => "AGE".to_owned(),
        "updateTime" => "UPDATED".to_owned(),
        other => spelled(other),
    }
}

/// `DISPLAY NAME` for `displayName`.
fn spelled(key: &str) -> String {
    let mut words = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_uppercase());
    }
    words
}

/// How long ago a time was: `5m`; of one that comes, `in 5m`.
pub(super) fn age(text: &str, now: i64) -> Option<String> {
    let then = text.parse::<Timestamp>().ok()?.seconds;
    let apart = now.checked_sub(then)?;
    let seconds = apart.unsigned_abs();
    let span = match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    };
    Some(if apart < 0 { format!("in {span}") } else { span })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ages() {
        for (text, now, wanted) in [
            ("1970-01-01T00:00:00Z", 5, "5s"),
            ("1970-01-01T00:05:00Z", 0, "in 5m"),
            ("1970-01-01T00:00:00Z", 7200, "2h"),
            ("1970-01-01T00:00:00Z", 86400 * 30, "30d"),
        ] {
            assert_eq!(age(text, now).as_deref(), Some(wanted));
        }
        assert_eq!(age("then", 0), None);
        assert_eq!(age("0001-01-01T00:00:00Z", i64::MAX), None);
    }

    #[test]
    fn one_document_is_a_fact_a_line() {
        let value = serde_json::json!({"name": "x/1", "displayName": "late\n", "tags": ["a"]});
        assert_eq!(one(&value), "NAME          x/1\nDISPLAY NAME  late\nTAGS          [\"a\"]\n");
    }
}
