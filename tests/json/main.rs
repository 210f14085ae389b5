//! Operations print as protobuf's own JSON printer prints them.
//!
//! `tests/data/operations.json` was written by `interop/python/fixtures.py` with protobuf for Python; the
//! interoperability step checks that the installed release still prints the same.
#![cfg(feature = "json")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod cases;
mod corpus;
mod reflect;

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contact_center_insights::json;
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Outcome, Payload};
use proptest::prelude::*;
use prost::Message;
use serde_json::Value;

/// One operation, as bytes and as protobuf prints it.
struct Case {
    title: String,
    bytes: Vec<u8>,
    json: Value,
}

fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(read_cases)
}

fn read_cases() -> Vec<Case> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../data/operations.json")).unwrap();
    let text = |case: &Value, key: &str| case.get(key).and_then(Value::as_str).unwrap().to_owned();
    cases
        .iter()
        .map(|case| Case {
            title: format!("{} {}", text(case, "method"), text(case, "state")),
            bytes: STANDARD.decode(text(case, "bytes")).unwrap(),
            json: case.get("json").unwrap().clone(),
        })
        .collect()
}

/// Where two documents differ first, and how.
fn difference(ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b))
            if a.keys().all(|key| b.contains_key(key)) && a.len() == b.len() =>
        {
            a.iter().find_map(|(key, value)| Some(format!("{key}.{}", difference(value, b.get(key)?)?)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).find_map(|(a, b)| Some(format!("[].{}", difference(a, b)?)))
        }
        _ => (ours != theirs).then(|| format!(" ours {ours}, theirs {theirs}")),
    }
}

#[test]
fn all_17_methods_in_all_4_states_print_as_protobuf_prints_them() {
    let cases = cases();
    assert_eq!(cases.len(), 17 * 4);
    for case in cases {
        let operation = Operation::decode(case.bytes.as_slice()).unwrap();
        let printed = json::from_operation(&operation).unwrap();
        assert_eq!(difference(&printed, &case.json), None, "{}", case.title);
    }
}

#[test]
fn what_protobuf_prints_reads_back_to_the_same_operation() {
    for case in cases() {
        let operation = json::to_operation(&case.json).unwrap();
        let printed = json::from_operation(&operation).unwrap();
        assert_eq!(difference(&printed, &case.json), None, "{}", case.title);
        // NaN is unequal to itself, so the bytes are compared, not the messages.
        let typed = |bytes: &[u8]| Operation::decode(bytes).unwrap().encode_to_vec();
        assert_eq!(operation.encode_to_vec(), typed(&case.bytes), "{}", case.title);
    }
}

#[test]
fn their_metadata_and_responses_are_known_payloads() {
    for case in cases() {
        let operation = contact_center_insights::Operation::<Payload, Payload>::from(
            Operation::decode(case.bytes.as_slice()).unwrap(),
        );
        assert!(
            !matches!(operation.metadata(), Some(Ok(Payload::Unknown(_)) | Err(_)) | None),
            "{}",
            case.title
        );
        let state = case.title.rsplit(' ').next().unwrap();
        let outcome = operation.outcome();
        let is_right = match outcome {
            None => state == "running",
            Some(Outcome::Succeeded(Ok(payload))) => {
                state == "done" && !matches!(payload, Payload::Unknown(_))
            }
            Some(Outcome::Failed(_)) => state == "failed",
            Some(Outcome::Cancelled(_)) => state == "cancelled",
            Some(_) => false,
        };
        assert!(is_right, "{}", case.title);
    }
}

/// As documented, but with timestamps in canonical form: three digits where three suffice.
#[test]
fn the_documented_operation_prints_in_canonical_form() {
    let documented = include_str!("../data/documented_operation.json");
    let operation = json::to_operation(&serde_json::from_str(documented).unwrap()).unwrap();
    let canonical: Value = serde_json::from_str(&documented.replace("000Z", "Z")).unwrap();
    let printed = json::from_operation(&operation).unwrap();
    assert_eq!(printed, canonical);
    assert_eq!(printed.pointer("/metadata/createTime").unwrap(), "2021-01-20T10:10:10.123Z");
    assert_eq!(json::to_operation(&printed).unwrap(), operation);
}

/// What a hostile or torn file gives: an error or a document, which then reads back; never a panic.
fn survives(bytes: &[u8]) {
    let Ok(operation) = Operation::decode(bytes) else { return };
    let typed = contact_center_insights::Operation::<Payload, Payload>::from(operation.clone());
    let _ = (typed.metadata(), typed.outcome());
    if let Ok(printed) = json::from_operation(&operation) {
        json::to_operation(&printed).unwrap();
    }
}

/// A valid operation with some bytes changed, cut out or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8);
    (0..17 * 4_usize, edits).prop_map(|(index, edits)| {
        let mut bytes = cases().get(index).unwrap().bytes.clone();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len().max(1));
            match kind {
                0 if at < bytes.len() => drop(bytes.remove(at)),
                1 => bytes.insert(at, byte),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|b| *b = byte),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn mutated_operations_never_panic(bytes in mutated()) {
        survives(&bytes);
    }
}
