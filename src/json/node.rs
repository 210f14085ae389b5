//! JSON as it is read: numbers as they were written, and every key in its place.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Number, Value};

use super::number::Shortest;

/// A value of JSON. Whole numbers keep all their digits, up to 128 bits.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Double(f64),
    /// A whole number of more than 128 bits.
    Huge(f64),
    String(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Deeper than any message in JSON can be, and well within every stack.
pub(super) const MAX_NESTING: usize = 400;

impl<'a> Node<'a> {
    /// The same document; `None` if it is nested too deeply.
    pub(super) fn of(value: &'a Value, depth: usize) -> Option<Self> {
        if depth > MAX_NESTING {
            return None;
        }
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => {
                let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
                whole.map_or_else(|| Self::Double(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
            Value::String(text) => Self::String(Cow::Borrowed(text)),
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::of(item, depth + 1)).collect::<Option<_>>()?)
            }
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, value)| Some((Cow::Borrowed(key.as_str()), Self::of(value, depth + 1)?)));
                Self::Object(fields.collect::<Option<_>>()?)
            }
        })
    }

    /// The document as `serde_json` has it; `None` if it holds a number that is not finite.
    pub(super) fn into_value(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => {
                let whole = i64::try_from(value)
                    .map(Number::from)
                    .or_else(|_| u64::try_from(value).map(Number::from));
                #[allow(clippy::cast_precision_loss, reason = "serde_json has nothing wider than a double")]
                Value::Number(whole.ok().or_else(|| Number::from_f64(value as f64))?)
            }
            Self::Double(value) | Self::Huge(value) => Value::Number(Number::from_f64(value)?),
            Self::String(text) => Value::String(text.into_owned()),
            Self::List(items) => {
                Value::Array(items.into_iter().map(Self::into_value).collect::<Option<_>>()?)
            }
            Self::Object(fields) => {
                let fields =
                    fields.into_iter().map(|(key, node)| Some((key.into_owned(), node.into_value()?)));
                Value::Object(fields.collect::<Option<_>>()?)
            }
        })
    }
}

/// As errors show it: short, and on one line.
impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 60;
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) | Self::Huge(value) => Shortest(*value).fmt(f),
            Self::String(text) if text.chars().nth(LONGEST).is_none() => write!(f, "{text:?}"),
            Self::String(text) => {
                let start: String = text.chars().take(LONGEST).collect();
                write!(f, "{:?}", start + "…")
            }
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_what_they_are() {
        let value = serde_json::json!({"a": [null, true, -1, u64::MAX, 1.0, "x"], "b": {}});
        let wanted = Node::Object(vec![
            (
                "a".into(),
                Node::List(vec![
                    Node::Null,
                    Node::Bool(true),
                    Node::Int(-1),
                    Node::Int(u64::MAX.into()),
                    Node::Double(1.0),
                    Node::String("x".into()),
                ]),
            ),
            ("b".into(), Node::Object(vec![])),
        ]);
        assert_eq!(Node::of(&value, 0), Some(wanted.clone()));
        assert_eq!(wanted.into_value(), Some(value));
        assert_eq!(Node::Double(f64::NAN).into_value(), None);
    }

    #[test]
    fn a_tower_is_not_climbed() {
        let tower = (0..2 * MAX_NESTING).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert_eq!(Node::of(&tower, 0), None);
    }

    #[test]
    fn errors_show_little_of_it() {
        assert_eq!(Node::String("a\n\"".into()).to_string(), r#""a\n\"""#);
        assert_eq!(Node::String("ä".repeat(100).into()).to_string().chars().count(), 63);
        assert_eq!(Node::Double(1.0).to_string(), "1.0");
        assert_eq!(Node::List(vec![]).to_string(), "a list");
    }
}
