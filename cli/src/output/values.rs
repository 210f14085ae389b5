//! Tables of anything: the id first, then what is short and telling, one line a row, within 80 columns.

use contact_center_insights::prost_types::Timestamp;
use serde_json::Value;

use super::table::{print, table};
use crate::escape::line_within;

/// How wide a table is by default.
const WIDTH: usize = 80;
/// Of a cell, in characters.
const MOST_OF_CELL: usize = 28;
const MOST_OF_WIDE_CELL: usize = 1000;
/// Between columns.
const GAP: usize = 2;

/// A row an item: at 80 columns, or with all that is short in it.
pub(super) fn many(items: &[Value], is_wide: bool) -> String {
    let (now, share) = (now(), shared_parent(items));
    let most = if is_wide { MOST_OF_WIDE_CELL } else { MOST_OF_CELL };
    let mut columns = vec![named(items, if is_wide { None } else { share })];
    for key in keys(items) {
        let Some(cells) = column(items, &key, now, most) else { continue };
        columns.push((heading(&key), cells));
    }
    if !is_wide {
        let mut left = WIDTH;
        columns.retain(|(heading, cells)| {
            let width =
                cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).max(heading.len()) + GAP;
            let fits = width <= left + GAP || left == WIDTH;
            if fits {
                left = left.saturating_sub(width);
            }
            fits
        });
    }
    let mut table = table();
    table.set_header(columns.iter().map(|(heading, _)| heading.clone()));
    for row in 0..items.len() {
        table.add_row(columns.iter().map(|(_, cells)| cells.get(row).cloned().unwrap_or_default()));
    }
    print(&table)
}

/// A fact a line: what is short; of what is long, that it is there.
pub(super) fn one(value: &Value) -> String {
    let mut table = table();
    for (key, value) in value.as_object().into_iter().flatten() {
        table.add_row([heading(key), line_within(&cell(Some(value)), MOST_OF_WIDE_CELL)]);
    }
    print(&table)
}

/// What a cell shows of a value, in full.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The names; only what they end in, where all are in one place.
fn named(items: &[Value], share: Option<&str>) -> (String, Vec<String>) {
    let cells = items.iter().map(|item| {
        let name = cell(item.get("name"));
        let short = share.and_then(|share| name.strip_prefix(share)).map(str::to_owned);
        line_within(&short.unwrap_or(name), MOST_OF_WIDE_CELL)
    });
    ("NAME".to_owned(), cells.collect())
}

/// What all names begin with, up to the collection that they are in.
fn shared_parent(items: &[Value]) -> Option<&str> {
    let mut parents = items.iter().map(|item| {
        let name = item.get("name")?.as_str()?;
        name.rfind('/').and_then(|slash| name.get(..=slash))
    });
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
        key if key.ends_with("Time") => 4,
        key if key == "type" || key.ends_with("Type") => 2,
        _ => 3,
    });
    keys
}

/// The cells of a field, if they are short enough to be read in a table.
fn column(items: &[Value], key: &str, now: i64, most: usize) -> Option<Vec<String>> {
    let mut cells = Vec::with_capacity(items.len());
    for item in items {
        let value = item.get(key);
        if matches!(value, Some(Value::Array(_) | Value::Object(_))) {
            return None;
        }
        let text = cell(value);
        let text = if key.ends_with("Time") { age(&text, now).unwrap_or(text) } else { text };
        cells.push(line_within(&text, most));
    }
    Some(cells)
}

/// `DISPLAY NAME` for `displayName`; of a time, what its age is that of.
fn heading(key: &str) -> String {
    let mut words = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_uppercase());
    }
    words
}

/// How long ago a time was: `5m`, or `in 5m`.
fn age(text: &str, now: i64) -> Option<String> {
    let then = text.parse::<Timestamp>().ok()?.seconds;
    let apart = now.checked_sub(then)?;
    let seconds = apart.unsigned_abs();
    let span = match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    };
    Some(if apart < 0 { format!("in {span}") } else { format!("{span} ago") })
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.ok().and_then(|now| i64::try_from(now.as_secs()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_fit_a_terminal() {
        let long = "x".repeat(200);
        let items = [
            json!({"name": "projects/p/locations/l/views/1", "displayName": "late", "value": long, "createTime": "2020-01-01T00:00:00Z", "tags": ["a"]}),
            json!({"name": "projects/p/locations/l/views/2", "displayName": long, "updateTime": "2020-01-01T00:00:00Z"}),
        ];
        let table = many(&items, false);
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
        assert!(table.starts_with("NAME  DISPLAY NAME"), "{table}");
        assert!(table.lines().nth(1).unwrap().starts_with("1     late"), "{table}");
        assert!(many(&items, true).contains("projects/p/locations/l/views/1"));
        assert_eq!(many(&[], false), "NAME\n");
    }

    #[test]
    fn times_are_ages() {
        for (text, now, wanted) in [
            ("1970-01-01T00:00:00Z", 5, "5s ago"),
            ("1970-01-01T00:05:00Z", 0, "in 5m"),
            ("1970-01-01T00:00:00Z", 86400 * 30, "30d ago"),
        ] {
            assert_eq!(age(text, now).as_deref(), Some(wanted));
        }
        assert_eq!(age("then", 0), None);
    }
}
