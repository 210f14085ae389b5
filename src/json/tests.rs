//! What the printer promises, on messages made by hand; `tests/json.rs` compares with protobuf's own printer.

use serde_json::json;

use super::*;
use crate::any::pack;
use crate::proto::insights::{self, IssueModel};
use crate::proto::{longrunning::operation::Result as Outcome, rpc};

fn operation(response: prost_types::Any) -> longrunning::Operation {
    longrunning::Operation {
        name: "projects/p/locations/l/operations/1".into(),
        done: true,
        result: Some(Outcome::Response(response)),
        ..Default::default()
    }
}

fn any(name: &str, value: &[u8]) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value: value.to_vec() }
}

fn round_trip(operation: &longrunning::Operation) -> Value {
    let printed = from_operation(operation).unwrap();
    assert_eq!(&to_operation(&printed).unwrap(), operation, "{printed:#}");
    printed
}

#[test]
fn a_known_type_prints_its_fields() {
    let model = IssueModel { state: 1, issue_count: 3, ..Default::default() };
    let printed = round_trip(&operation(pack(&model)));
    assert_eq!(printed["response"]["state"], "UNDEPLOYED");
    assert_eq!(printed["response"]["issueCount"], "3");
    let numbers =
        from_bytes("google.longrunning.Operation", &operation(pack(&model)).encode_to_vec(), Enums::Numbers);
    assert_eq!(numbers.unwrap()["response"]["state"], 1);
}

#[test]
fn an_unknown_type_and_torn_bytes_print_as_base64() {
    for name in ["google.cloud.contactcenterinsights.v1main.Dataset", "google.longrunning.Operation"] {
        let printed = round_trip(&operation(any(name, &[255, 1])));
        assert_eq!(printed["response"]["value"], "/wE=", "{name}");
        assert!(printed["response"]["@type"].as_str().unwrap().ends_with(name));
    }
}

#[test]
fn empty_prints_its_type_alone() {
    let printed = round_trip(&operation(pack(&())));
    assert_eq!(printed["response"], json!({ "@type": "type.googleapis.com/google.protobuf.Empty" }));
    let go_style =
        json!({ "response": { "@type": "type.googleapis.com/google.protobuf.Empty", "value": {} } });
    assert_eq!(to_operation(&go_style).unwrap().result, operation(pack(&())).result);
}

#[test]
fn types_with_a_form_of_their_own_stand_under_value() {
    let printed = round_trip(&operation(pack(&prost_types::Duration { seconds: 1, nanos: 500_000_000 })));
    assert_eq!(printed["response"]["value"], "1.500s");
    let inner = pack(&IssueModel { display_name: "x".into(), ..Default::default() });
    let printed = round_trip(&operation(any("google.protobuf.Any", &inner.encode_to_vec())));
    assert_eq!(printed["response"]["value"]["displayName"], "x");
}

#[test]
fn details_inside_metadata_unfold_too() {
    let failed = rpc::Status {
        code: 3,
        message: "bad".into(),
        details: vec![pack(&rpc::ErrorInfo { reason: "R".into(), ..Default::default() }), any("a.B", &[7])],
    };
    let metadata =
        insights::BulkAnalyzeConversationsMetadata { partial_errors: vec![failed], ..Default::default() };
    let running = longrunning::Operation { metadata: Some(pack(&metadata)), ..Default::default() };
    let printed = round_trip(&running);
    assert_eq!(printed["metadata"]["partialErrors"][0]["details"][0]["reason"], "R");
    assert_eq!(printed["metadata"]["partialErrors"][0]["details"][1]["value"], "Bw==");
    assert!(printed.get("done").is_none());
}

#[test]
fn keys_of_maps_are_sorted_and_may_look_like_an_any() {
    let labels = [("zoo", "1"), ("@type", "type.googleapis.com/google.protobuf.Empty"), ("value", "CgA=")];
    let labels = labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let conversation = insights::Conversation { labels, ..Default::default() };
    let printed = round_trip(&operation(pack(&conversation)));
    let keys: Vec<_> = printed["response"]["labels"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["@type", "value", "zoo"]);
}

#[test]
fn fields_come_in_order_of_number() {
    let keys: Vec<_> =
        round_trip(&operation(pack(&()))).as_object().unwrap().keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["name", "done", "response"]);
}

#[test]
fn an_any_without_a_type_keeps_its_bytes() {
    round_trip(&operation(prost_types::Any { type_url: String::new(), value: vec![1, 2] }));
    round_trip(&operation(prost_types::Any::default()));
}

#[test]
fn bad_json_is_refused_by_name() {
    let cases = [
        (json!({ "nam": 1 }), "nam"),
        (json!({ "response": { "@type": 5 } }), "`@type` is 5"),
        (json!({ "response": [1] }), "an `Any`"),
        (json!({ "response": { "@type": "x/a.B", "field": 1 } }), "a.B"),
        (
            json!({ "metadata": { "@type": "x/google.cloud.contactcenterinsights.v1.IssueModel", "state": "GONE" } }),
            "IssueModel",
        ),
    ];
    for (value, part) in cases {
        let error = to_operation(&value).unwrap_err().to_string();
        assert!(error.contains(part), "{value}: {error}");
    }
    assert!(matches!(from_bytes("a.B", &[], Enums::Names), Err(JsonError::UnknownType(_))));
}

#[test]
fn an_any_in_an_any_in_an_any_ends() {
    let mut nested = pack(&());
    for _ in 0..3 * any::MAX_DEPTH {
        nested = any("google.protobuf.Any", &nested.encode_to_vec());
    }
    round_trip(&operation(nested));
}
