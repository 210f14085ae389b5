//! Messages of the admin API as JSON: ProtoJSON, with an `Any` of an unknown type in the form of the library.

use contact_center_insights::Status;
use contact_center_insights::json::{self, Enums};
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value as Field};
use serde_json::{Map, Value};

use crate::errors;

const ANY: &str = "google.protobuf.Any";
const TIMES: [&str; 2] = ["google.protobuf.Duration", "google.protobuf.Timestamp"];

/// Prints a message.
pub(super) fn message(message: &DynamicMessage) -> Result<Value, Status> {
    let name = message.descriptor().full_name().to_owned();
    if name == ANY || TIMES.contains(&name.as_str()) {
        return json::from_bytes(&name, &message.encode_to_vec(), Enums::Names)
            .map_err(|error| errors::internal(error.to_string()));
    }
    let fields =
        message.fields().map(|(field, value)| Ok((field.json_name().to_owned(), print(&field, value)?)));
    fields.collect::<Result<Map<_, _>, Status>>().map(Value::Object)
}

fn print(field: &FieldDescriptor, value: &Field) -> Result<Value, Status> {
    let kind = match field.kind() {
        Kind::Message(entry) if field.is_map() => entry.map_entry_value_field().kind(),
        kind => kind,
    };
    match value {
        Field::List(items) => items.iter().map(|item| single(&kind, item)).collect(),
        Field::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let key = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
                Ok((key, single(&kind, value)?))
            });
            let mut sorted = entries.collect::<Result<Vec<_>, Status>>()?;
            sorted.sort_by(|one, other| one.0.cmp(&other.0));
            Ok(Value::Object(sorted.into_iter().collect()))
        }
        value => single(&kind, value),
    }
}

fn single(kind: &Kind, value: &Field) -> Result<Value, Status> {
    Ok(match value {
        Field::Message(inner) => return message(inner),
        Field::Bool(flag) => (*flag).into(),
        Field::I32(number) => (*number).into(),
        Field::U32(number) => (*number).into(),
        Field::I64(number) => number.to_string().into(),
        Field::U64(number) => number.to_string().into(),
        Field::F32(number) => f64::from(*number).into(),
        Field::F64(number) => (*number).into(),
        Field::String(text) => text.as_str().into(),
        Field::Bytes(bytes) => {
            use base64::Engine as _;

            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
        Field::EnumNumber(number) => match kind {
            Kind::Enum(names) => {
                names.get_value(*number).map_or_else(|| (*number).into(), |name| name.name().into())
            }
            _ => (*number).into(),
        },
        Field::List(_) | Field::Map(_) => return Err(errors::internal("a list within a list")),
    })
}
