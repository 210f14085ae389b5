//! How an answer differs from the recorded one. Left open are the details of errors, times, ids that the server makes,
//! and fields that no published proto has.

use contact_center_insights::prost_types;
use serde_json::{Map, Value};

use super::values::Values;
use crate::recording::{Contract, Method};

/// Times that come from what was sent, and are compared.
const EXACT: [&str; 1] = ["messageTime"];

/// One place in which they differ; `None` is nothing there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// Such as `status`, or `body.transcript.transcriptSegments[0].text`.
    pub(crate) place: String,
    pub(crate) recorded: Option<Value>,
    pub(crate) emulator: Option<Value>,
}

/// All differences of two bodies.
pub(super) fn bodies(
    values: &mut Values,
    contract: &Contract,
    method: Option<&Method>,
    recorded: Option<&Value>,
    emulator: Option<&Value>,
) -> Vec<Difference> {
    let open = |body: Option<&Value>| {
        let mut body = body.cloned();
        let inner = body.as_mut().and_then(Value::as_object_mut).and_then(|fields| fields.get_mut("error"));
        let is_error = inner.is_some();
        if let Some(error) = inner.and_then(Value::as_object_mut) {
            let _ = error.shift_remove("details");
        }
        if let (Some(method), Some(body), false) = (method, body.as_mut(), is_error) {
            contract.strip_unknown(&method.output, body);
        }
        body
    };
    let mut found = Vec::new();
    compare(values, "body", open(recorded).as_ref(), open(emulator).as_ref(), &mut found);
    found
}

fn compare(
    values: &mut Values,
    place: &str,
    recorded: Option<&Value>,
    emulator: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    let is_alike = match (recorded, emulator) {
        (None, None) => true,
        (Some(Value::Object(recorded)), Some(Value::Object(emulator))) => {
            return objects(values, place, recorded, emulator, found);
        }
        (Some(Value::Array(recorded)), Some(Value::Array(emulator))) => {
            for index in 0..recorded.len().max(emulator.len()) {
                let place = format!("{place}[{index}]");
                compare(values, &place, recorded.get(index), emulator.get(index), found);
            }
            return;
        }
        (Some(Value::String(recorded)), Some(Value::String(emulator))) => {
            let is_exact = EXACT.iter().any(|key| place.ends_with(&format!(".{key}")));
            (!is_exact && is_time(recorded) && is_time(emulator)) || values.meet(recorded, emulator)
        }
        // 4 and 4.0 are the same number.
        (Some(Value::Number(recorded)), Some(Value::Number(emulator))) => {
            recorded == emulator || recorded.as_f64() == emulator.as_f64()
        }
        (recorded, emulator) => recorded == emulator,
    };
    if !is_alike {
        let recorded = recorded.map(|recorded| filled(values, recorded));
        found.push(Difference { place: place.to_owned(), recorded, emulator: emulator.cloned() });
    }
}

fn objects(
    values: &mut Values,
    place: &str,
    recorded: &Map<String, Value>,
    emulator: &Map<String, Value>,
    found: &mut Vec<Difference>,
) {
    let mut matched = Vec::new();
    // `name` first: it tells ids which others repeat.
    let (names, others): (Vec<_>, Vec<_>) = recorded.iter().partition(|(key, _)| *key == "name");
    for (key, value) in names.into_iter().chain(others) {
        let known = values.known(key);
        let is_free = |actual: &&String| !recorded.contains_key(*actual) && !matched.contains(*actual);
        let actual = match emulator.get_key_value(&known) {
            Some((actual, _)) => Some(actual),
            None => emulator.keys().filter(is_free).find(|actual| values.meet(key, actual)),
        };
        let inner = actual.and_then(|actual| emulator.get(actual));
        matched.extend(actual.cloned());
        compare(values, &format!("{place}.{known}"), Some(value), inner, found);
    }
    for (key, value) in emulator.iter().filter(|(key, _)| !matched.contains(*key)) {
        compare(values, &format!("{place}.{key}"), None, Some(value), found);
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<prost_types::Timestamp>().is_ok()
}

/// A value with the placeholders filled in that are known, to be shown beside the emulator's.
fn filled(values: &Values, value: &Value) -> Value {
    match value {
        Value::String(text) => values.known(text).into(),
        Value::Array(list) => list.iter().map(|value| filled(values, value)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, value)| (values.known(key), filled(values, value))).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(recorded: &Value, emulator: &Value) -> Vec<String> {
        let contract = Contract::new();
        let method = contract.method("GET", "/v1/projects/p/locations/l/conversations/c");
        let found = bodies(&mut Values::default(), &contract, method, Some(recorded), Some(emulator));
        found.into_iter().map(|difference| difference.place).collect()
    }

    #[test]
    fn what_is_left_open_does_not_differ() {
        let recorded = json!({"agentId": "ID_1", "createTime": "2024-04-01T12:34:56.123456Z", "correlationInfo": {"a": 1},
            "name": "projects/PROJECT_NUMBER/locations/l/conversations/ID_1", "turnCount": 2});
        let emulator = json!({"turnCount": 2.0, "name": "projects/700000000001/locations/l/conversations/9",
            "createTime": "2026-11-26T00:00:00Z", "agentId": "9"});
        assert!(places(&recorded, &emulator).is_empty(), "{:?}", places(&recorded, &emulator));
        let error = |details: Value| json!({"error": {"code": 404, "message": "m", "status": "NOT_FOUND", "details": details}});
        assert!(places(&error(json!([])), &error(json!([1]))).is_empty());
    }

    #[test]
    fn what_differs_is_named_by_its_place() {
        let segment = |time: &str| json!({"transcript": {"transcriptSegments": [{"messageTime": time}]}});
        let time = "body.transcript.transcriptSegments[0].messageTime";
        for (recorded, emulator, wanted) in [
            (json!({"agentId": "2"}), json!({}), vec!["body.agentId"]),
            (json!({}), json!({"agentId": "2"}), vec!["body.agentId"]),
            (
                json!({"createTime": "2024-04-01T12:34:56Z"}),
                json!({"createTime": "today"}),
                vec!["body.createTime"],
            ),
            (segment("1970-01-01T00:00:01Z"), segment("1970-01-01T00:00:02Z"), vec![time]),
            (
                json!({"labels": {"a": "1", "b": "2"}}),
                json!({"labels": {"a": "x", "c": "2"}}),
                vec!["body.labels.a", "body.labels.b", "body.labels.c"],
            ),
            (
                json!({"dialogflowIntents": [1]}),
                json!({"dialogflowIntents": [1, 2]}),
                vec!["body.dialogflowIntents[1]"],
            ),
            (json!({"turnCount": 2}), json!({"turnCount": "2"}), vec!["body.turnCount"]),
        ] {
            assert_eq!(places(&recorded, &emulator), wanted, "{recorded} {emulator}");
        }
    }

    #[test]
    fn keys_of_maps_can_be_ids() {
        let (mut values, contract) = (Values::default(), Contract::default());
        let recorded = json!({"stats": {"ID_1": 1}, "id": "ID_1"});
        let emulator = json!({"stats": {"77": 1}, "id": "77"});
        assert!(bodies(&mut values, &contract, None, Some(&recorded), Some(&emulator)).is_empty());
        let recorded = bodies(&mut values, &contract, None, Some(&json!(["ID_1"])), None).remove(0).recorded;
        assert_eq!(recorded, Some(json!(["77"])));
    }
}
