//! What people write, and what they are told.

use prost::Message as _;

use super::super::descriptor;
use super::*;
use crate::admin::proto;

fn faults(value: &Value) -> Result<proto::Faults, String> {
    let input = descriptor("AddFaults").unwrap().input();
    let message = message(&input, value).map_err(|status| status.message().to_owned())?;
    Ok(proto::Faults::decode(message.encode_to_vec().as_slice()).unwrap())
}

fn error(fault: &Value) -> String {
    faults(&json!({ "faults": [fault] })).unwrap_err()
}

#[test]
fn errors_name_the_path_and_the_choices() {
    for (fault, words) in [
        (json!({"transport": "Reset"}), "faults[0].transport: \"Reset\" is not one of CLOSE, ABORT, FREEZE"),
        (json!({"transport": 99}), "faults[0].transport: 99 is not one of CLOSE"),
        (json!({"transport": "PLAIN_UNSPECIFIED"}), "is not one of CLOSE"),
        (json!({"tims": 2}), "faults[0].tims: there is no such field; the nearest is `times`"),
        (json!({"times": -1}), "faults[0].times: -1 is not a whole number from 0 to 4294967295"),
        (json!({"times": 1.5}), "faults[0].times: 1.5 is not a whole number"),
        (json!({"always": "yes"}), "faults[0].always: \"yes\" is not `true` or `false`"),
        (json!({"method": 7}), "faults[0].method: 7 is not a string"),
        (json!({"probability": "x"}), "faults[0].probability: \"x\" is not a number"),
        (json!({"delay": "soon"}), "faults[0].delay: \"soon\" is not a duration such as `500ms`"),
        (json!({"delay": 5}), "faults[0].delay: 5 is not a duration"),
        (json!({"slowBody": {"every": "1d"}}), "faults[0].slowBody.every: \"1d\" is not a duration"),
        (json!({"fields": {"name": 7}}), "faults[0].fields.name: 7 is not a string"),
        (json!({"fields": []}), "faults[0].fields: [] is not an object"),
        (json!({"reset": 7, "transport": "CLOSE"}), "faults[0].transport: `reset` is there already"),
        (json!({"status": 14}), "faults[0].status: 14 is not an object with `code`, `message`, `details`"),
        (
            json!({"status": {"code": "UNAVAILABLE"}}),
            "faults[0].status.code: \"UNAVAILABLE\" is not a whole number",
        ),
        (json!({"status": {"details": [{"reason": "x"}]}}), "faults[0].status.details[0]"),
        (json!(7), "faults[0]: 7 is not an object"),
    ] {
        let found = error(&fault);
        assert!(found.contains(words), "{fault}: {found}");
    }
    assert!(faults(&json!({"faults": {}})).unwrap_err().starts_with("faults: {} is not a list"));
    assert!(faults(&json!([])).unwrap_err().starts_with("[] is not an object with `faults`"));
}

#[test]
fn durations_are_as_profiles_have_them_and_as_protojson_has_them() {
    for (text, seconds, nanos) in [
        ("500ms", 0, 500_000_000),
        ("5s", 5, 0),
        ("1.5s", 1, 500_000_000),
        ("0.000000001s", 0, 1),
        ("2m", 120, 0),
        ("1h", 3600, 0),
        ("-3s", -3, 0),
    ] {
        let read = faults(&json!({"faults": [{"delay": text}]})).unwrap();
        assert_eq!(read.faults[0].delay, Some(prost_types::Duration { seconds, nanos }), "{text}");
    }
    for text in ["", "h", "1 h", "1H", "1.5h", "9999999999999999h", "999999999999s", "1d"] {
        assert!(error(&json!({"delay": text})).contains("faults[0].delay: "), "{text}");
    }
}

#[test]
fn details_have_the_fallback_form_too() {
    let read = |detail: Value| {
        let read = faults(&json!({"faults": [{"status": {"code": 9, "details": [detail]}}]})).unwrap();
        let Some(proto::fault::Effect::Status(status)) = read.faults[0].effect.clone() else { panic!() };
        status.details[0].clone()
    };
    let known = read(json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}));
    assert_eq!(known.value, [10, 2, 8, 3]);
    let unknown = read(json!({"@type": "type.googleapis.com/acme.Unknown", "value": "CgIIAw=="}));
    assert_eq!(
        (unknown.type_url.as_str(), unknown.value.as_slice()),
        ("type.googleapis.com/acme.Unknown", &[10, 2, 8, 3][..])
    );
}

#[test]
fn what_is_left_out_and_what_is_null_is_the_same() {
    let read = faults(
        &json!({"faults": [{"method": "GetOperation", "times": "2", "delay": null, "after_execution": true}]}),
    );
    let fault = &read.unwrap().faults[0];
    assert_eq!((fault.method.as_str(), fault.times, fault.after_execution), ("GetOperation", 2, true));
    assert_eq!(fault.delay, None);
}
