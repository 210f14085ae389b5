//! The order of a list by fields of its items: numbers, times and durations by what they are.

use std::cmp::Ordering;

use contact_center_insights::prost_types::{Duration, Timestamp};
use serde_json::Value;

/// Fields to sort by, the first before the others.
#[derive(Clone, Debug)]
pub(crate) struct SortBy(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    path: Vec<String>,
    is_descending: bool,
}

impl SortBy {
    /// Reads `createTime`, `metadata.create_time`, `~duration` or `-duration` (descending), or several with commas.
    pub(crate) fn new(text: &str) -> Self {
        let key = |text: &str| {
            let text = text.trim();
            let stripped = text.strip_prefix(['~', '-']);
            let path = stripped.unwrap_or(text).split('.').map(camel).collect();
            Key { path, is_descending: stripped.is_some() }
        };
        Self(text.split(',').filter(|text| !text.trim().is_empty()).map(key).collect())
    }

    /// What lacks a field comes last, whichever way it is sorted.
    pub(crate) fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let compared = self.0.iter().map(|key| match (key.of(a), key.of(b)) {
            (Some(a), Some(b)) if key.is_descending => compare(b, a),
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        compared.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Key {
    fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.path.iter().try_fold(value, |value, name| value.get(name)).filter(|value| !value.is_null())
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    if let (Value::String(a), Value::String(b)) = (a, b) {
        if let (Ok(a), Ok(b)) = (a.parse::<Timestamp>(), b.parse::<Timestamp>()) {
            return (a.seconds, a.nanos).cmp(&(b.seconds, b.nanos));
        }
        if let (Ok(a), Ok(b)) = (a.parse::<Duration>(), b.parse::<Duration>()) {
            return (a.seconds, a.nanos).cmp(&(b.seconds, b.nanos));
        }
    }
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        // Words come after numbers.
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => text(a).cmp(&text(b)),
    }
}

/// ProtoJSON has 64-bit numbers as strings.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `createTime` for `create_time`.
fn camel(name: &str) -> String {
    let mut upper = false;
    let letter = |letter: char| match letter {
        '_' => {
            upper = true;
            None
        }
        letter if std::mem::take(&mut upper) => Some(letter.to_ascii_uppercase()),
        letter => Some(letter),
    };
    name.trim().chars().filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sorted(by: &str, mut items: Vec<Value>) -> Vec<Value> {
        let sort = SortBy::new(by);
        items.sort_by(|a, b| sort.compare(a, b));
        items.into_iter().map(|item| item["n"].clone()).collect()
    }

    #[test]
    fn values_are_compared_by_what_they_are() {
        for [small, large] in [
            [json!(9), json!(10)],
            [json!("9"), json!("10")],
            [json!("9s"), json!("10.5s")],
            [json!("2026-01-02T03:04:05Z"), json!("2026-01-02T03:04:05.100Z")],
            [json!("a"), json!("b")],
            [json!("10"), json!("a")],
            [json!(false), json!(true)],
        ] {
            let items = vec![
                json!({"n": 1, "x_y": 0, "xY": {"z": large}}),
                json!({"n": 2, "xY": {"z": small}}),
                json!({"n": 3}),
            ];
            assert_eq!(sorted("x_y.z", items.clone()), [2, 1, 3], "{small} {large}");
            assert_eq!(sorted("~xY.z", items.clone()), [1, 2, 3], "{small} {large}");
            assert_eq!(sorted("-xY.z", items), [1, 2, 3]);
        }
        let items =
            vec![json!({"n": 1, "a": 1, "b": 2}), json!({"n": 2, "a": 1, "b": 1}), json!({"n": 3, "a": 0})];
        assert_eq!(sorted("a, b", items), [3, 2, 1]);
    }
}
