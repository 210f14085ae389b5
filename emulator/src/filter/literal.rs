//! Literals as the field beside them wants them, and the comparison of the two.

use std::cmp::Ordering;

use aip_160::Comparator;
use contact_center_insights::Code;
use contact_center_insights::status::code_name;
use prost_types::{Duration, Timestamp};

use super::path::{Cell, LeafKind};

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Test {
    pub(crate) relation: Relation,
    pub(crate) literal: Literal,
}

/// How a value must stand to the literal. `:` on a single value is equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A literal of a filter, once its field is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Bool(bool),
    Int(i128),
    Number(f64),
    Text(Pattern),
    /// Seconds and nanoseconds, of a time or of a duration.
    Time((i64, i32)),
}

/// A string with a wildcard at its start, its end, or both; AIP-160 knows no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    open_start: bool,
    open_end: bool,
}

impl From<Comparator> for Relation {
    fn from(comparator: Comparator) -> Self {
        match comparator {
            Comparator::Equal | Comparator::Has => Self::Equal,
            Comparator::NotEqual => Self::NotEqual,
            Comparator::LessThan => Self::Less,
            Comparator::LessThanOrEqual => Self::LessOrEqual,
            Comparator::GreaterThan => Self::Greater,
            Comparator::GreaterThanOrEqual => Self::GreaterOrEqual,
        }
    }
}

impl Relation {
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let (open_start, rest) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        let (open_end, rest) = rest.strip_suffix('*').map_or((false, rest), |rest| (true, rest));
        Self { text: rest.to_owned(), open_start, open_end }
    }

    pub(crate) fn matches(&self, value: &str) -> bool {
        let text = self.text.as_str();
        match (self.open_start, self.open_end) {
            (false, false) => value == text,
            (false, true) => value.starts_with(text),
            (true, false) => value.ends_with(text),
            (true, true) => value.contains(text),
        }
    }

    fn is_open(&self) -> bool {
        self.open_start || self.open_end
    }
}

impl Test {
    /// Reads `text` as a value of `kind`. The service's documentation puts even numbers and times in quotes, so that
    /// quotes make no difference here.
    pub(crate) fn read(kind: &LeafKind, relation: Relation, text: &str) -> Result<Self, String> {
        let literal = match kind {
            LeafKind::Bool => match text {
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                _ => return Err(format!("`{text}` is neither `true` nor `false`")),
            },
            LeafKind::Int | LeafKind::Uint | LeafKind::Zigzag => {
                Literal::Int(text.parse().map_err(|_| format!("`{text}` is not a whole number"))?)
            }
            LeafKind::Float => Literal::Number(
                text.parse().ok().filter(|n: &f32| n.is_finite()).ok_or_else(|| no_number(text))?.into(),
            ),
            LeafKind::Double => Literal::Number(
                text.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| no_number(text))?,
            ),
            LeafKind::Text => Literal::Text(Pattern::new(text)),
            LeafKind::Enum(values) => {
                let value = values.get_value_by_name(text).ok_or_else(|| {
                    let names: Vec<_> = values.values().map(|value| value.name().to_owned()).collect();
                    format!("`{text}` is not one of {}", names.join(", "))
                })?;
                Literal::Int(value.number().into())
            }
            LeafKind::Time => Literal::Time(time(text)?),
            LeafKind::Span => Literal::Time(span(text)?),
            LeafKind::Message(message) => {
                return Err(format!(
                    "a `{}` is compared with nothing; `:\"*\"` asks whether it is set",
                    message.name()
                ));
            }
        };
        let unordered = matches!(kind, LeafKind::Bool | LeafKind::Enum(_))
            || matches!(&literal, Literal::Text(pattern) if pattern.is_open());
        if relation.is_order() && unordered {
            return Err(format!("`{text}` has no order: use `=`, `!=` or `:`"));
        }
        Ok(Self { relation, literal })
    }

    /// A status code, by its number or by its name.
    pub(crate) fn code(relation: Relation, text: &str) -> Result<Self, String> {
        let named = (0..=16).find(|code| code_name(Code::from_i32(*code)) == text);
        let code = text.parse().ok().filter(|code| (0..=16).contains(code)).or(named);
        let code = code.ok_or_else(|| format!("`{text}` is not a code of `google.rpc.Code`"))?;
        Ok(Self { relation, literal: Literal::Int(code.into()) })
    }

    /// Whether `cell` passes. One of another kind does not.
    pub(crate) fn passes(&self, cell: Cell<'_>) -> bool {
        let order = match (cell, &self.literal) {
            (Cell::Bool(found), Literal::Bool(wanted)) => found.cmp(wanted),
            (Cell::Int(found), Literal::Int(wanted)) => found.cmp(wanted),
            (Cell::Time(found), Literal::Time(wanted)) => found.cmp(wanted),
            (Cell::Number(found), Literal::Number(wanted)) => {
                let Some(order) = found.partial_cmp(wanted) else {
                    return self.relation == Relation::NotEqual;
                };
                order
            }
            (Cell::Text(found), Literal::Text(pattern)) => match self.relation {
                Relation::Equal => return pattern.matches(found),
                Relation::NotEqual => return !pattern.matches(found),
                _ => found.cmp(pattern.text.as_str()),
            },
            _ => return false,
        };
        self.relation.holds(order)
    }
}

fn no_number(text: &str) -> String {
    format!("`{text}` is not a number")
}

/// RFC 3339 with its date, its time and its zone; prost would accept less.
fn time(text: &str) -> Result<(i64, i32), String> {
    let wrong =
        || format!("`{text}` is not a time like \"2025-01-31T09:30:00Z\" or \"2025-01-31T09:30:00-08:00\"");
    let bytes = text.as_bytes();
    let zoned = text.ends_with(['Z', 'z'])
        || bytes.len().checked_sub(6).and_then(|at| bytes.get(at)).is_some_and(|sign| b"+-".contains(sign));
    if !zoned || !matches!(bytes.get(10), Some(b'T' | b't')) {
        return Err(wrong());
    }
    let time: Timestamp = text.parse().map_err(|_| wrong())?;
    Ok((time.seconds, time.nanos))
}

fn span(text: &str) -> Result<(i64, i32), String> {
    let span: Duration =
        text.parse().map_err(|_| format!("`{text}` is not a duration like \"20s\" or \"1.5s\""))?;
    Ok((span.seconds, span.nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_any_offset() {
        assert_eq!(time("1970-01-01T00:00:01Z"), Ok((1, 0)));
        assert_eq!(time("1970-01-01t01:00:01.5+01:00"), Ok((1, 500_000_000)));
        assert_eq!(time("1969-12-31T16:00:00-08:00"), Ok((0, 0)));
        for bad in ["", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "now", "ééééééééééééZ"]
        {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(span("20s"), Ok((20, 0)));
        assert_eq!(span("1.5s"), Ok((1, 500_000_000)));
        for bad in ["", "20", "1h", "s"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn codes_have_numbers_and_names() {
        for (text, code) in [("0", 0), ("OK", 0), ("ABORTED", 10), ("DEADLINE_EXCEEDED", 4), ("16", 16)] {
            let test = Test::code(Relation::Equal, text).unwrap();
            assert_eq!(test.literal, Literal::Int(code), "{text}");
        }
        for bad in ["17", "-1", "aborted", "SUCCESSFUL", ""] {
            assert!(Test::code(Relation::Equal, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn wildcards_are_at_the_ends_only() {
        for (pattern, value, matches) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*b*", "abc", true),
            ("*", "", true),
            ("a*c", "abc", false),
            ("a*c", "a*c", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(value), matches, "{pattern} {value}");
        }
    }
}
