//! The obvious way to evaluate a filter, for tests alone: the parser's tree, asked of a decoded message by name. It
//! shares no code with the way that is served.

use aip_160::{Comparable, Comparator, Expression, Restriction};
use prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage as _, Value};

/// Whether `message` is one that `filter` asks for. Panics where the filter does not fit.
pub(super) fn matches(filter: &str, message: &DynamicMessage) -> bool {
    let parsed = aip_160::parse_filter(filter).unwrap();
    parsed.expression.is_none_or(|expression| evaluate(&expression, message))
}

fn evaluate(expression: &Expression, message: &DynamicMessage) -> bool {
    match expression {
        Expression::And(parts) | Expression::Sequence(parts) => {
            parts.iter().filter(|part| evaluate(part, message)).count() == parts.len()
        }
        Expression::Or(parts) => parts.iter().filter(|part| evaluate(part, message)).count() > 0,
        Expression::Not(part) => !evaluate(part, message),
        Expression::Restriction(restriction) => compare(restriction, message),
        Expression::Global(_) => panic!("no global restrictions"),
    }
}

/// A value, its field's enum if it has one, and whether its zero stands for absence.
struct Found {
    value: Value,
    kind: Kind,
    zero_is_absence: bool,
}

fn compare(restriction: &Restriction, message: &DynamicMessage) -> bool {
    let Comparable::Member(member) = &restriction.comparable else { panic!("no functions") };
    let names: Vec<&str> =
        std::iter::once(&member.value).chain(&member.fields).map(aip_160::Value::as_str).collect();
    let literal = restriction.arg.as_value().unwrap().as_str();
    let found = reach(message, &names);
    if restriction.comparator == Comparator::Has && literal == "*" {
        return found.iter().any(|found| !(found.zero_is_absence && found.value.is_default(&found.kind)));
    }
    found.iter().any(|found| holds(found, restriction.comparator, literal))
}

fn reach(message: &DynamicMessage, names: &[&str]) -> Vec<Found> {
    let (name, rest) = names.split_first().unwrap();
    let field = message.descriptor().get_field_by_name(name).unwrap();
    let value = message.get_field(&field).into_owned();
    let kind = field.kind();
    match value {
        Value::Map(map) => {
            let Kind::Message(entry) = kind else { unreachable!() };
            let kind = entry.map_entry_value_field().kind();
            let Some((key, rest)) = rest.split_first() else {
                let keys = map.into_keys().map(|key| Value::String(key.as_str().unwrap().to_owned()));
                return keys
                    .map(|value| Found { value, kind: Kind::String, zero_is_absence: false })
                    .collect();
            };
            let Some(value) = map.get(&MapKey::String((*key).to_owned())) else { return Vec::new() };
            match value {
                Value::Message(inner) if !rest.is_empty() => reach(inner, rest),
                value => vec![Found { value: value.clone(), kind, zero_is_absence: false }],
            }
        }
        Value::List(items) if rest.is_empty() => items
            .into_iter()
            .map(|value| Found { value, kind: kind.clone(), zero_is_absence: false })
            .collect(),
        Value::List(items) => items.iter().flat_map(|item| reach(item.as_message().unwrap(), rest)).collect(),
        _ if field.supports_presence() && !message.has_field(&field) => Vec::new(),
        Value::Message(inner) if !rest.is_empty() => reach(&inner, rest),
        value => vec![Found { value, kind, zero_is_absence: !field.supports_presence() }],
    }
}

fn holds(found: &Found, comparator: Comparator, literal: &str) -> bool {
    let order = match (&found.value, &found.kind) {
        (Value::Bool(value), _) => value.to_string().as_str().cmp(literal),
        (Value::I32(value), _) => value.cmp(&literal.parse().unwrap()),
        (Value::I64(value), _) => value.cmp(&literal.parse().unwrap()),
        (Value::F32(value), _) => value.partial_cmp(&literal.parse().unwrap()).unwrap(),
        (Value::F64(value), _) => value.partial_cmp(&literal.parse().unwrap()).unwrap(),
        (Value::EnumNumber(number), Kind::Enum(values)) => {
            let name = values.get_value(*number).unwrap();
            name.name().cmp(literal)
        }
        (Value::String(value), _) => {
            let start = literal.strip_prefix('*');
            let end = start.unwrap_or(literal).strip_suffix('*');
            let equal = match (start, end) {
                (None, None) => value == literal,
                (Some(suffix), None) => value.ends_with(suffix),
                (None, Some(prefix)) => value.starts_with(prefix),
                (Some(_), Some(within)) => value.contains(within),
            };
            if equal { std::cmp::Ordering::Equal } else { value.as_str().cmp(literal) }
        }
        (Value::Message(message), _) => {
            let part = |name: &str| {
                let value = message.get_field_by_name(name).unwrap().into_owned();
                value.as_i64().unwrap_or_else(|| value.as_i32().unwrap_or_default().into())
            };
            let wanted = if message.descriptor().name() == "Timestamp" {
                let time: prost_types::Timestamp = literal.parse().unwrap();
                (time.seconds, i64::from(time.nanos))
            } else {
                let span: prost_types::Duration = literal.parse().unwrap();
                (span.seconds, i64::from(span.nanos))
            };
            (part("seconds"), part("nanos")).cmp(&wanted)
        }
        _ => panic!("no such value"),
    };
    match comparator {
        Comparator::Equal | Comparator::Has => order.is_eq(),
        Comparator::NotEqual => order.is_ne(),
        Comparator::LessThan => order.is_lt(),
        Comparator::LessThanOrEqual => order.is_le(),
        Comparator::GreaterThan => order.is_gt(),
        Comparator::GreaterThanOrEqual => order.is_ge(),
    }
}
