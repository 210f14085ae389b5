//! Walks JSON beside its descriptor: unfolds every `Any` to `@type` and fields, or folds it back to bytes;
//! sorts the keys of maps on the way.

use base64::Engine as _;
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::schema::{self, OPAQUE_ANY};
use super::{Enums, JsonError, parse, print};
use crate::any::{Payload, Unpack as _, type_name};
use crate::status::BASE64;

/// Protobuf's own limit on nested messages; an `Any` restarts the count of its decoder, so it is kept here.
pub(super) const MAX_DEPTH: usize = 100;

/// Replaces the fallback form of every `Any` under `value` by the readable one, where its type is known and
/// its bytes decode.
pub(super) fn unfold(
    descriptor: &MessageDescriptor,
    value: &mut Value,
    enums: Enums,
    depth: usize,
) -> Result<(), JsonError> {
    if descriptor.full_name() == OPAQUE_ANY {
        if let Some(readable) = readable(value, enums, depth) {
            *value = readable;
        }
        return Ok(());
    }
    shorten_floats(descriptor, value);
    each_child(descriptor, value, depth, &mut |child, value, depth| unfold(child, value, enums, depth))
}

/// The reverse of [`unfold`]: leaves only the fallback form, which the parser takes as a plain message.
pub(super) fn fold(descriptor: &MessageDescriptor, value: &mut Value, depth: usize) -> Result<(), JsonError> {
    if descriptor.full_name() == OPAQUE_ANY {
        return fold_any(value, depth);
    }
    each_child(descriptor, value, depth, &mut fold)
}

/// A `float` prints with as many digits as tell it from other floats: 0.1, where the double next to it would be
/// 0.10000000149011612.
fn shorten_floats(descriptor: &MessageDescriptor, value: &mut Value) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let field = descriptor.get_field_by_json_name(name);
        if field.is_none_or(|field| field.kind() != Kind::Float) {
            continue;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(shorten),
            value => shorten(value),
        }
    }
}

fn shorten(value: &mut Value) {
    #[allow(clippy::cast_possible_truncation, reason = "the number was a float before it was a double")]
    let short = value.as_f64().and_then(|double| (double as f32).to_string().parse::<f64>().ok());
    if let Some(short) = short.and_then(serde_json::Number::from_f64) {
        *value = Value::Number(short);
    }
}

/// `None` keeps the fallback form: no information is lost by it, so every reason is good enough.
fn readable(value: &Value, enums: Enums, depth: usize) -> Option<Value> {
    let url = value.get("@type")?.as_str()?;
    if depth >= MAX_DEPTH {
        return None;
    }
    let bytes = match value.get("value") {
        Some(text) => BASE64.decode(text.as_str()?).ok()?,
        None => Vec::new(),
    };
    let descriptor = schema::message(type_name(url)).ok()?;
    let mut out = Map::new();
    out.insert("@type".into(), url.into());
    match print(&descriptor, &bytes, enums, depth + 1).ok()? {
        Value::Object(fields) if !has_own_form(&descriptor) => out.extend(fields),
        own_form => {
            out.insert("value".into(), own_form);
        }
    }
    Some(Value::Object(out))
}

fn fold_any(value: &mut Value, depth: usize) -> Result<(), JsonError> {
    let Value::Object(fields) = value else {
        return if value.is_null() { Ok(()) } else { Err(JsonError::Any(format!("found {value}"))) };
    };
    if depth >= MAX_DEPTH {
        // So deep, `unfold` left the fallback form, which is taken as it is.
        let is_opaque = fields.len() <= 2 && fields.get("value").is_some_and(Value::is_string);
        return if is_opaque { Ok(()) } else { Err(JsonError::TooDeep) };
    }
    let url = match fields.remove("@type") {
        Some(Value::String(url)) => url,
        Some(other) => return Err(JsonError::Any(format!("`@type` is {other}"))),
        // An `Any` without a type is legal on the wire, and prints without one.
        None => return Ok(()),
    };
    // Read before the typed attempt, which consumes the fields.
    let opaque = opaque_bytes(fields);
    let bytes = match schema::message(type_name(&url)) {
        Ok(descriptor) => match (fold_typed(descriptor, std::mem::take(fields), depth), opaque) {
            (Ok(bytes), _) | (Err(_), Some(bytes)) => bytes,
            (Err(error), None) => return Err(error),
        },
        Err(error) => opaque.ok_or(error)?,
    };
    *value = serde_json::json!({ "@type": url, "value": BASE64.encode(bytes) });
    Ok(())
}

fn fold_typed(
    descriptor: MessageDescriptor,
    mut fields: Map<String, Value>,
    depth: usize,
) -> Result<Vec<u8>, JsonError> {
    let mut inner = if has_own_form(&descriptor) {
        match fields.remove("value") {
            Some(inner) => inner,
            None => return Ok(Vec::new()),
        }
    } else {
        if descriptor.full_name() == EMPTY
            && fields.get("value").is_some_and(|v| v == &Value::Object(Map::new()))
        {
            fields.remove("value");
        }
        Value::Object(fields)
    };
    fold(&descriptor, &mut inner, depth + 1)?;
    let name = descriptor.full_name().to_owned();
    let any = prost_types::Any { type_url: name, value: parse(descriptor, inner)? };
    // Reflection keeps maps unordered; generated types put the same message into the same bytes.
    Ok(Payload::unpack(&any).map_or(any.value, |payload| payload.to_any().value))
}

/// The bytes of the fallback form: nothing but a base64 `value`, or nothing at all.
fn opaque_bytes(fields: &Map<String, Value>) -> Option<Vec<u8>> {
    match (fields.len(), fields.get("value")) {
        (0, None) => Some(Vec::new()),
        (1, Some(Value::String(text))) => BASE64.decode(text).ok(),
        _ => None,
    }
}

const EMPTY: &str = "google.protobuf.Empty";

/// Whether ProtoJSON gives the type a form of its own, which inside an `Any` stands under `value`.
fn has_own_form(descriptor: &MessageDescriptor) -> bool {
    matches!(
        descriptor.full_name(),
        OPAQUE_ANY | "google.protobuf.Duration" | "google.protobuf.Timestamp" | "google.protobuf.FieldMask"
    )
}

type Visit<'a> = dyn FnMut(&MessageDescriptor, &mut Value, usize) -> Result<(), JsonError> + 'a;

/// Visits every message directly under `value`, in fields, lists and maps.
fn each_child(
    descriptor: &MessageDescriptor,
    value: &mut Value,
    depth: usize,
    visit: &mut Visit<'_>,
) -> Result<(), JsonError> {
    let Value::Object(fields) = value else { return Ok(()) };
    for (name, value) in fields {
        let field = descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name));
        let Some(field) = field else { continue };
        let Kind::Message(mut child) = field.kind() else { continue };
        match value {
            Value::Object(entries) if field.is_map() => {
                entries.sort_keys();
                let Kind::Message(of_values) = child.map_entry_value_field().kind() else { continue };
                child = of_values;
                entries.values_mut().try_for_each(|value| visit(&child, value, depth))?;
            }
            Value::Array(items) => items.iter_mut().try_for_each(|item| visit(&child, item, depth))?,
            value => visit(&child, value, depth)?,
        }
    }
    Ok(())
}
