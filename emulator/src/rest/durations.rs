//! Durations as Google's pages print them in places: `{"seconds": "60"}`, where ProtoJSON has `"60s"`.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

const DURATION: &str = "google.protobuf.Duration";

/// Rewrites the durations of a message that are objects; says whether there were any.
pub(super) fn rewrite(message: &MessageDescriptor, value: &mut Value) -> bool {
    let Some(fields) = value.as_object_mut() else { return false };
    let mut is_changed = false;
    for (key, value) in fields {
        let field = message.get_field_by_json_name(key).or_else(|| message.get_field_by_name(key));
        if let Some(field) = field {
            is_changed |= rewrite_field(&field, value);
        }
    }
    is_changed
}

fn rewrite_field(field: &FieldDescriptor, value: &mut Value) -> bool {
    let kind = match field.kind() {
        Kind::Message(entry) if field.is_map() => entry.map_entry_value_field().kind(),
        kind => kind,
    };
    let Kind::Message(inner) = kind else { return false };
    let one = |value: &mut Value| match value.as_object().and_then(text) {
        Some(text) if inner.full_name() == DURATION => {
            *value = Value::String(text);
            true
        }
        _ => rewrite(&inner, value),
    };
    match value {
        Value::Object(entries) if field.is_map() => {
            entries.values_mut().map(one).fold(false, |any, one| any | one)
        }
        Value::Array(items) => items.iter_mut().map(one).fold(false, |any, one| any | one),
        value => one(value),
    }
}

/// What ProtoJSON has for an object of seconds and nanoseconds; `None` if it is not one, or cannot be right.
fn text(object: &Map<String, Value>) -> Option<String> {
    if object.is_empty() || object.keys().any(|key| key != "seconds" && key != "nanos") {
        return None;
    }
    let number = |key: &str| match object.get(key) {
        None => Some(0),
        Some(Value::String(text)) => text.parse::<i64>().ok(),
        Some(value) => value.as_i64(),
    };
    let (seconds, nanos) = (number("seconds")?, number("nanos")?);
    let agree = seconds.signum() * nanos.signum() >= 0;
    if !agree || nanos.unsigned_abs() >= 1_000_000_000 {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    Some(format!("{sign}{}.{:09}s", seconds.unsigned_abs(), nanos.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use contact_center_insights::json;
    use contact_center_insights::proto::insights::Conversation;
    use contact_center_insights::proto::insights::conversation::Expiration;
    use serde_json::json;

    use super::*;
    use crate::contract::Contract;

    #[test]
    fn p22_durations_that_are_objects_are_rewritten() {
        let conversation = &Contract::get().resource("Conversation").unwrap().message;
        for (object, seconds, nanos) in [
            (json!({"seconds": "60"}), 60, 0),
            (json!({"seconds": 5, "nanos": 250}), 5, 250),
            (json!({"nanos": -7}), 0, -7),
        ] {
            let mut value = json!({"agentId": "7", "ttl": object});
            assert!(rewrite(conversation, &mut value), "{object}");
            let read: Conversation = json::to_message(&value).unwrap();
            let Some(Expiration::Ttl(ttl)) = read.expiration else { panic!("{read:?}") };
            assert_eq!((ttl.seconds, ttl.nanos), (seconds, nanos));
        }
    }

    #[test]
    fn everything_else_stays() {
        let conversation = &Contract::get().resource("Conversation").unwrap().message;
        for same in [
            json!({"ttl": "60s"}),
            json!({"ttl": {"minutes": 1}}),
            json!({"ttl": {"seconds": 1, "nanos": -1}}),
            json!({"ttl": {}}),
            json!({"labels": {"seconds": "60"}}),
            json!([]),
        ] {
            let mut value = same.clone();
            assert!(!rewrite(conversation, &mut value), "{same}");
            assert_eq!(value, same);
        }
        let mut within =
            json!({"transcript": {"transcriptSegments": [{"words": [{"startOffset": {"seconds": "1"}}]}]}});
        assert!(rewrite(conversation, &mut within), "lists and messages are looked into");
    }
}
