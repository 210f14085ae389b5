//! Messages of the admin API from JSON, as people write it by hand: an error names the path, and what could stand there.
//!
//! It is ProtoJSON, with one addition: a duration may be written as profiles have it, such as `500ms` or `1h`.

use contact_center_insights::json::Reader;
use contact_center_insights::{Code, Status};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Field,
};
use serde_json::{Map, Value, json};

use crate::edit_distance::edit_distance;
use crate::{errors, profile};

const DURATION: &str = "google.protobuf.Duration";
/// Those whose JSON has a form of its own.
const WELL_KNOWN: [&str; 3] = [DURATION, "google.protobuf.Timestamp", "google.protobuf.Any"];

/// Reads a message.
pub(super) fn message(descriptor: &MessageDescriptor, value: &Value) -> Result<DynamicMessage, Status> {
    object(descriptor, value, "").map_err(Problem::status)
}

/// What is wrong, and where.
#[derive(Debug)]
struct Problem {
    path: String,
    why: String,
}

impl Problem {
    fn new(path: &str, why: impl Into<String>) -> Self {
        Self { path: path.to_owned(), why: why.into() }
    }

    fn status(self) -> Status {
        let Self { path, why } = self;
        let message = if path.is_empty() { why } else { format!("{path}: {why}") };
        errors::with_reason(Code::InvalidArgument, "MALFORMED_JSON", message, &[("field", &path)])
    }
}

type Result1<T> = Result<T, Problem>;

fn object(descriptor: &MessageDescriptor, value: &Value, path: &str) -> Result1<DynamicMessage> {
    if WELL_KNOWN.contains(&descriptor.full_name()) {
        return well_known(descriptor, value, path);
    }
    let Value::Object(entries) = value else {
        return Err(Problem::new(path, format!("{value} is not an object with {}", fields(descriptor))));
    };
    let mut message = DynamicMessage::new(descriptor.clone());
    for (key, value) in entries {
        let found = descriptor.get_field_by_json_name(key).or_else(|| descriptor.get_field_by_name(key));
        let path = join(path, key);
        let field = found.ok_or_else(|| Problem::new(&path, unknown(descriptor, key)))?;
        if value.is_null() {
            continue;
        }
        if let Some(other) = other_choice(&message, &field) {
            let why = format!("`{other}` is there already, and only one of them can be");
            return Err(Problem::new(&path, why));
        }
        let value = self::field(&field, value, &path)?;
        message.set_field(&field, value);
    }
    Ok(message)
}

/// What of the same `oneof` is set.
fn other_choice(message: &DynamicMessage, field: &FieldDescriptor) -> Option<String> {
    let choice = field.containing_oneof()?;
    let set = choice.fields().find(|other| message.has_field(other))?;
    Some(set.json_name().to_owned())
}

fn field(field: &FieldDescriptor, value: &Value, path: &str) -> Result1<Field> {
    if field.is_map() {
        let Value::Object(entries) = value else {
            return Err(Problem::new(path, format!("{value} is not an object")));
        };
        let Kind::Message(entry) = field.kind() else { return Err(Problem::new(path, "is not a map")) };
        let kind = entry.map_entry_value_field().kind();
        let entries = entries
            .iter()
            .map(|(key, value)| Ok((MapKey::String(key.clone()), single(&kind, value, &join(path, key))?)));
        return entries.collect::<Result1<_>>().map(Field::Map);
    }
    if field.is_list() {
        let Value::Array(items) = value else {
            return Err(Problem::new(path, format!("{value} is not a list")));
        };
        let items = items.iter().enumerate();
        let items = items.map(|(index, item)| single(&field.kind(), item, &format!("{path}[{index}]")));
        return items.collect::<Result1<_>>().map(Field::List);
    }
    single(&field.kind(), value, path)
}

fn single(kind: &Kind, value: &Value, path: &str) -> Result1<Field> {
    let problem = |wanted: &str| Problem::new(path, format!("{value} is not {wanted}"));
    match kind {
        Kind::Message(inner) => object(inner, value, path).map(Field::Message),
        Kind::Enum(names) => enumerated(names, value, path),
        Kind::String => {
            value.as_str().map(|text| Field::String(text.to_owned())).ok_or_else(|| problem("a string"))
        }
        Kind::Bool => flag(value).map(Field::Bool).ok_or_else(|| problem("`true` or `false`")),
        Kind::Double => number(value).map(Field::F64).ok_or_else(|| problem("a number")),
        Kind::Int32 => whole(value)
            .and_then(|number| i32::try_from(number).ok())
            .map(Field::I32)
            .ok_or_else(|| problem("a whole number")),
        Kind::Uint32 => whole(value)
            .and_then(|number| u32::try_from(number).ok())
            .map(Field::U32)
            .ok_or_else(|| problem(&format!("a whole number from 0 to {}", u32::MAX))),
        Kind::Uint64 => whole(value)
            .and_then(|number| u64::try_from(number).ok())
            .map(Field::U64)
            .ok_or_else(|| problem(&format!("a whole number from 0 to {}", u64::MAX))),
        Kind::Bytes => read_as("google.protobuf.BytesValue", value)
            .map(|bytes| {
                Field::Bytes(
                    crate::message::wire::last(&bytes, 1)
                        .map_or_else(Default::default, |field| field.bytes().to_vec().into()),
                )
            })
            .map_err(|_| Problem::new(path, "is not base64")),
        other => Err(Problem::new(path, format!("is of the kind {other:?}, which this API does not have"))),
    }
}

fn enumerated(names: &EnumDescriptor, value: &Value, path: &str) -> Result1<Field> {
    let found = match value {
        Value::String(name) => names.get_value_by_name(name),
        value => whole(value).and_then(|number| names.get_value(i32::try_from(number).ok()?)),
    };
    // The first stands for nothing at all.
    let found = found.filter(|found| found.number() != 0);
    found.map(|found| Field::EnumNumber(found.number())).ok_or_else(|| {
        let choices = names.values().filter(|choice| choice.number() != 0);
        let choices: Vec<_> = choices.map(|choice| choice.name().to_owned()).collect();
        Problem::new(path, format!("{value} is not one of {}", choices.join(", ")))
    })
}

/// Numbers may be written as strings, as those of 64 bits are.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(|| {
                format!("{:.0}", number.as_f64().filter(|number| number.fract() == 0.0)?).parse().ok()
            })
        }
        _ => None,
    }
}

/// A query has nothing but strings.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_bool(),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    }
}

fn well_known(descriptor: &MessageDescriptor, value: &Value, path: &str) -> Result1<DynamicMessage> {
    let name = descriptor.full_name();
    let handwritten = value.as_str().filter(|_| name == DURATION).and_then(profile::parse_duration);
    let bytes = match handwritten {
        Some(time) => {
            let text = format!("{}.{:09}s", time.as_secs(), time.subsec_nanos());
            read_as(name, &json!(text)).map_err(|_| Problem::new(path, format!("{value} is too long")))?
        }
        None => read_as(name, value).map_err(|error| {
            let choices = "a duration such as `500ms`, `1.5s`, `2m` or `1h`";
            match name {
                DURATION => Problem::new(path, format!("{value} is not {choices}")),
                _ => Problem::new("", error.within(path).to_string()),
            }
        })?,
    };
    DynamicMessage::decode(descriptor.clone(), bytes.as_slice())
        .map_err(|error| Problem::new(path, error.to_string()))
}

fn read_as(name: &str, value: &Value) -> Result<Vec<u8>, contact_center_insights::json::JsonError> {
    Reader::new().bytes(name, value).map(|read| read.value)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn unknown(descriptor: &MessageDescriptor, key: &str) -> String {
    let names = descriptor.fields().map(|field| field.json_name().to_owned());
    let nearest = names.min_by_key(|name| edit_distance(name, key));
    match nearest {
        Some(nearest) => {
            format!("there is no such field; the nearest is `{nearest}`, of {}", fields(descriptor))
        }
        None => "there is no such field: it has none".to_owned(),
    }
}

fn fields(descriptor: &MessageDescriptor) -> String {
    let names: Vec<_> = descriptor.fields().map(|field| format!("`{}`", field.json_name())).collect();
    if names.is_empty() { "nothing in it".to_owned() } else { names.join(", ") }
}

/// The fields of a query.
pub(super) fn fields_of(pairs: impl Iterator<Item = (String, String)>) -> Value {
    Value::Object(pairs.map(|(name, text)| (name, Value::from(text))).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests;
