//! Messages as the REST API prints them, and back.
//!
//! The form is canonical ProtoJSON: names in lowerCamelCase, 64-bit integers as strings, enums by name,
//! timestamps with 0, 3, 6 or 9 digits of fraction, keys of maps sorted. An `Any` whose type is unknown, or
//! whose bytes are not of its type, prints as `@type` and base64 `value`, and reads back from that form with
//! nothing lost. What ProtoJSON has no place for is the unknown field: a field that these protos lack is not
//! printed; the bytes of the message still hold it.

mod any;
mod schema;
mod typed;

use prost::{Message, Name};
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

pub use typed::{Json, deserialize, serialize};

use crate::proto::longrunning;

/// How enum values are printed. Both forms are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enums {
    /// `"UNDEPLOYED"`; a number where the name is unknown. The default of ProtoJSON.
    #[default]
    Names,
    /// `1`: what REST calls ask for with `$alt=json;enum-encoding=int`.
    Numbers,
}

/// Prints an operation.
///
/// ```
/// use contact_center_insights::{json, proto::longrunning::Operation};
///
/// let operation = Operation { name: "projects/p/locations/l/operations/1".into(), ..Default::default() };
/// assert_eq!(json::from_operation(&operation)?["name"], "projects/p/locations/l/operations/1");
/// # Ok::<(), json::JsonError>(())
/// ```
///
/// # Errors
/// None in practice: what does not decode inside an `Any` prints in the fallback form.
pub fn from_operation(operation: &longrunning::Operation) -> Result<Value, JsonError> {
    from_message(operation)
}

/// Reads an operation that [`from_operation`] or the REST API printed.
///
/// # Errors
/// [`JsonError`] names the field or type that cannot be read.
pub fn to_operation(value: &Value) -> Result<longrunning::Operation, JsonError> {
    to_message(value)
}

/// Prints any message of the API.
///
/// # Errors
/// [`JsonError`] if the message holds a value that ProtoJSON cannot express, such as a timestamp past 9999.
pub fn from_message<T: Message + Name>(message: &T) -> Result<Value, JsonError> {
    from_bytes(&T::full_name(), &message.encode_to_vec(), Enums::Names)
}

/// Reads any message of the API.
///
/// # Errors
/// [`JsonError`] names the field or type that cannot be read; unknown fields are errors.
pub fn to_message<T: Message + Name + Default>(value: &Value) -> Result<T, JsonError> {
    let bytes = to_bytes(&T::full_name(), value)?;
    T::decode(bytes.as_slice()).map_err(|e| JsonError::Decode { name: T::full_name(), source: e })
}

/// Prints a serialized message of the named type.
///
/// # Errors
/// [`JsonError`] if the type is unknown, the bytes are not of it, or ProtoJSON cannot express a value.
pub fn from_bytes(name: &str, bytes: &[u8], enums: Enums) -> Result<Value, JsonError> {
    print(&schema::message(name)?, bytes, enums, 0)
}

/// Reads a message of the named type, and serializes it.
///
/// # Errors
/// [`JsonError`] names the field or type that cannot be read; unknown fields are errors.
pub fn to_bytes(name: &str, value: &Value) -> Result<Vec<u8>, JsonError> {
    let descriptor = schema::message(name)?;
    let mut value = value.clone();
    any::fold(&descriptor, &mut value, 0)?;
    parse(descriptor, value)
}

/// Why JSON could not be printed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// No message of this name is in the descriptors.
    #[error("no message type `{0}` in this API")]
    UnknownType(String),
    /// The bytes are not of the named type.
    #[error("the bytes are not a valid `{name}`")]
    #[non_exhaustive]
    Decode {
        /// Full name of the type.
        name: String,
        /// Where decoding stopped.
        #[source]
        source: prost::DecodeError,
    },
    /// The JSON is not of the named type, or the message has no JSON form.
    #[error("not a valid `{name}`: {source}")]
    #[non_exhaustive]
    Mapping {
        /// Full name of the type.
        name: String,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// An `Any` in JSON without a usable `@type`, or a fallback form whose `value` is not base64.
    #[error("an `Any` needs `@type`, and either the fields of that type or a base64 `value`: {0}")]
    Any(String),
    /// Nested deeper than protobuf allows.
    #[error("nested more than {} levels deep", any::MAX_DEPTH)]
    TooDeep,
}

fn print(
    descriptor: &MessageDescriptor,
    bytes: &[u8],
    enums: Enums,
    depth: usize,
) -> Result<Value, JsonError> {
    let name = descriptor.full_name();
    let message = DynamicMessage::decode(descriptor.clone(), bytes)
        .map_err(|source| JsonError::Decode { name: name.to_owned(), source })?;
    let options = SerializeOptions::new().use_enum_numbers(enums == Enums::Numbers);
    let mut value = message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|source| JsonError::Mapping { name: name.to_owned(), source })?;
    any::unfold(descriptor, &mut value, enums, depth)?;
    Ok(value)
}

fn parse(descriptor: MessageDescriptor, value: Value) -> Result<Vec<u8>, JsonError> {
    let name = descriptor.full_name().to_owned();
    DynamicMessage::deserialize_with_options(descriptor, value, &DeserializeOptions::new())
        .map(|message| message.encode_to_vec())
        .map_err(|source| JsonError::Mapping { name, source })
}

#[cfg(test)]
mod tests;
