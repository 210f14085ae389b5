//! Messages as the REST API prints them, and back.
//!
//! The form is canonical ProtoJSON: names in lowerCamelCase, 64-bit integers as strings, enums by name, timestamps with
//! 0, 3, 6 or 9 digits of fraction, keys of maps sorted. Wire bytes are printed and parsed by tables that are made once
//! from the descriptors; what protobuf's own printer and parser for Python accept, refuse and print, so do these, with
//! these exceptions:
//!
//! - An `Any` whose type is unknown, or whose bytes are not of its type, prints as `@type` and base64 `value` (or
//!   `@bytes`, where `value` has a meaning of its own), and reads back from that form with nothing lost. So does an
//!   `Any` without a type, as `@bytes` alone. An `Any` of `Empty` may have `"value": {}`, as the specification has it.
//! - [`f32::MAX`] is read, though it is written as a number that is a little larger.
//! - Digits are those of ASCII. Whole numbers too large for a double are refused wherever they stand.
//!
//! What ProtoJSON has no place for is the unknown field: a field that these protos lack is not printed; the bytes of
//! the message still hold it.

mod error;
mod node;
mod number;
mod parse;
mod path;
mod print;
mod printer;
mod reader;
mod rest_only;
mod scan;
mod table;
mod text;
mod typed;
mod wire;

use prost::{Message, Name};
use serde_json::Value;

pub use self::error::JsonError;
pub use self::printer::{Enums, Printer};
pub use self::reader::{Read, Reader, Skipped, Source};
pub use self::typed::{Json, deserialize, serialize};
use crate::proto::longrunning;

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
/// [`JsonError`] only if the details of a failed operation hold no UTF-8: what does not decode inside an `Any` prints
/// in the fallback form.
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
/// [`JsonError`] names the path of what cannot be read; unknown fields are errors.
pub fn to_message<T: Message + Name + Default>(value: &Value) -> Result<T, JsonError> {
    Reader::new().message(value).map(|read| read.value)
}

/// Prints any message of the API as text on one line, without a [`Value`] on the way.
///
/// ```
/// use contact_center_insights::{json, proto::insights::IssueModel};
///
/// let model = IssueModel { display_name: "billing".into(), issue_count: 3, ..Default::default() };
/// let text = json::to_string(&model)?;
/// assert_eq!(text, r#"{"displayName":"billing","issueCount":"3"}"#);
/// assert_eq!(json::from_str::<IssueModel>(&text)?, model);
/// # Ok::<(), json::JsonError>(())
/// ```
///
/// # Errors
/// [`JsonError`] if the message holds a value that ProtoJSON cannot express, such as a timestamp past 9999.
pub fn to_string<T: Message + Name>(message: &T) -> Result<String, JsonError> {
    Printer::new().message(message)
}

/// Reads any message of the API from text. Doubles are exact, and a key that stands twice in an object is refused.
///
/// # Errors
/// [`JsonError`] names the place of what is not JSON, or the path of what cannot be read; unknown fields are errors.
pub fn from_str<T: Message + Name + Default>(text: &str) -> Result<T, JsonError> {
    Reader::new().message(text).map(|read| read.value)
}

/// Reads JSON of any kind from text. Unlike `serde_json`'s own reader it refuses a key that stands twice in an object.
///
/// # Errors
/// [`JsonError`] names the place of what is not JSON.
pub fn value_from_str(text: &str) -> Result<Value, JsonError> {
    text::read(text)?.into_value().ok_or_else(|| JsonError::Field {
        path: String::new(),
        problem: "NaN and Infinity are not JSON".to_owned(),
    })
}

/// Prints a serialized message of the named type.
///
/// # Errors
/// [`JsonError`] if the type is unknown, the bytes are not of it, or ProtoJSON cannot express a value.
pub fn from_bytes(name: &str, bytes: &[u8], enums: Enums) -> Result<Value, JsonError> {
    Printer::new().enums(enums).value(name, bytes)
}

/// Reads a message of the named type, and serializes it: fields by number, maps by key, as the generated types do.
///
/// # Errors
/// [`JsonError`] names the path of what cannot be read; unknown fields are errors.
pub fn to_bytes(name: &str, value: &Value) -> Result<Vec<u8>, JsonError> {
    Reader::new().bytes(name, value).map(|read| read.value)
}

#[cfg(test)]
mod tests;
