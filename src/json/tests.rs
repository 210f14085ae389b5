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
        (json!({ "response": [1] }), "response: a list is not an object with `@type`"),
        (json!({ "response": { "@type": "x/a.B", "field": 1 } }), "a.B"),
        (
            json!({ "metadata": { "@type": "x/google.cloud.contactcenterinsights.v1.IssueModel", "state": "GONE" } }),
            "metadata.state: \"GONE\" is not a value of `google.cloud.contactcenterinsights.v1.IssueModel.State`",
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
    for _ in 0..3 * wire::MAX_DEPTH {
        nested = any("google.protobuf.Any", &nested.encode_to_vec());
    }
    round_trip(&operation(nested));
}

/// The wire form of a message that is read from text, and what it prints as.
fn read(name: &str, text: &str) -> Result<(Vec<u8>, String), JsonError> {
    let bytes = Reader::new().bytes(name, text)?.value;
    let printed = Printer::new().text(name, &bytes)?;
    Ok((bytes, printed))
}

fn read_any(kind: &str, value: &str) -> Result<(Vec<u8>, String), JsonError> {
    let text = format!(r#"{{"@type":"type.googleapis.com/google.protobuf.{kind}","value":{value}}}"#);
    let bytes = Reader::new().bytes("google.protobuf.Any", text.as_str())?.value;
    let any = prost_types::Any::decode(bytes.as_slice()).unwrap();
    let printed = Printer::new().text("google.protobuf.Any", &bytes)?;
    assert_eq!(read("google.protobuf.Any", &printed)?.0, bytes, "{printed}");
    let value = printed.split_once(r#""value":"#).map_or("", |(_, rest)| rest.strip_suffix('}').unwrap());
    Ok((any.value, value.to_owned()))
}

#[test]
fn types_with_a_form_of_their_own_are_read_by_it() {
    let cases: [(&str, &str, &[u8]); 12] = [
        ("StringValue", r#""done""#, &[0x0a, 4, b'd', b'o', b'n', b'e']),
        ("BytesValue", r#""/wA=""#, &[0x0a, 2, 0xff, 0]),
        ("Struct", r#"{"a":1.0}"#, &[10, 14, 10, 1, b'a', 18, 9, 17, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
        ("Value", "null", &[8, 0]),
        ("ListValue", "[true,{}]", &[10, 2, 0x20, 1, 10, 2, 0x2a, 0]),
        ("Int64Value", r#""-1""#, &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ("UInt64Value", r#""18446744073709551615""#, &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ("DoubleValue", "-0.0", &[9, 0, 0, 0, 0, 0, 0, 0, 0x80]),
        ("FloatValue", r#""NaN""#, &[13, 0, 0, 0xc0, 0x7f]),
        ("BoolValue", "true", &[8, 1]),
        ("FieldMask", r#""aB,c""#, &[10, 3, b'a', b'_', b'b', 10, 1, b'c']),
        ("Duration", r#""1.500s""#, &[8, 1, 16, 0x80, 0xca, 0xb5, 0xee, 1]),
    ];
    for (kind, value, bytes) in cases {
        let (found, printed) = read_any(kind, value).unwrap();
        assert_eq!((found.as_slice(), printed.as_str()), (bytes, value), "{kind}");
    }
    for (kind, value) in
        [("Duration", "10ms"), ("Timestamp", "20240101"), ("StringValue", "1"), ("Struct", "x")]
    {
        let value = if kind == "StringValue" { value.to_owned() } else { format!("{value:?}") };
        let error = read_any(kind, &value).unwrap_err().to_string();
        assert!(error.starts_with("value: "), "{kind}: {error}");
    }
}

#[test]
fn what_has_no_form_in_json_keeps_its_bytes() {
    let cases: [(&str, &[u8], &str); 9] = [
        // The path is in lowerCamelCase already.
        ("FieldMask", b"\x0a\x0bdisplayName", r#"{"value":"CgtkaXNwbGF5TmFtZQ=="}"#),
        (
            "Timestamp",
            &[16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            r#"{"value":"EP///////////wE="}"#,
        ),
        ("Duration", &[16, 0x80, 0x94, 0xeb, 0xdc, 3], r#"{"value":"EICU69wD"}"#),
        ("Duration", &[0xd7, 0x49, 0xac], r#"{"@bytes":"10ms"}"#),
        ("StringValue", &[10, 200], r#"{"@bytes":"Csg="}"#),
        ("Value", &[17, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], r#"{"@bytes":"EQAAAAAAAPh/"}"#),
        ("Empty", &[10], r#"{"value":"Cg=="}"#),
        ("Any", &[10, 1, 0xff], r#"{"@bytes":"CgH/"}"#),
        ("Nothing", &[1], r#"{"value":"AQ=="}"#),
    ];
    for (kind, bytes, wanted) in cases {
        let printed = round_trip(&operation(any(&format!("google.protobuf.{kind}"), bytes)));
        let mut printed = printed["response"].clone();
        printed.as_object_mut().unwrap().remove("@type");
        assert_eq!(printed.to_string(), wanted, "{kind}");
    }
}

#[test]
fn errors_name_the_path() {
    const UPLOAD: &str = "google.cloud.contactcenterinsights.v1.UploadConversationRequest";
    for (text, wanted) in [
        (
            r#"{"conversation":{"transcript":{"transcriptSegments":[{},{},{},{"messageTime":"yesterday"}]}}}"#,
            "conversation.transcript.transcriptSegments[3].messageTime: \"yesterday\" is not an RFC 3339 time",
        ),
        (r#"{"conversation":{"labels":{"a":1}}}"#, "conversation.labels[\"a\"]: 1 is not a string"),
        (
            r#"{"conversation":{"latestAnalysis":{"satisfiesPzs":true}}}"#,
            "conversation.latestAnalysis.satisfiesPzs: `google.cloud.contactcenterinsights.v1.Analysis` has no such \
             field in gRPC; only the REST API has it",
        ),
        (
            r#"{"conversation":{"ttl":"1s","expireTime":"2024-01-01T00:00:00Z"}}"#,
            "conversation.expireTime: only one of `ttl` and `expireTime` can be there",
        ),
        (
            r#"{"conversation":7}"#,
            "conversation: 7 is not an object with the fields of \
            `google.cloud.contactcenterinsights.v1.Conversation`",
        ),
        (
            "[1]",
            "a list is not an object with the fields of \
            `google.cloud.contactcenterinsights.v1.UploadConversationRequest`",
        ),
        (
            r#"{"conversation":{"turnCount":2147483648}}"#,
            "conversation.turnCount: 2147483648 does not fit into 32 bits",
        ),
        (r#"{"a":1,"a":1}"#, "not JSON: the key \"a\" is there twice at line 1 column 8"),
    ] {
        let error = read(UPLOAD, text).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
    let conversation = insights::Conversation {
        create_time: Some(prost_types::Timestamp { seconds: 0, nanos: -1 }),
        ..Default::default()
    };
    let response =
        insights::ListConversationsResponse { conversations: vec![conversation], ..Default::default() };
    let error = from_message(&response).unwrap_err();
    assert_eq!(error.path(), Some("conversations[0].createTime"));
}

#[test]
fn the_later_spelling_wins_and_messages_merge() {
    const CONVERSATION: &str = "google.cloud.contactcenterinsights.v1.Conversation";
    for (text, wanted) in [
        (r#"{"agentId":"a","agent_id":"b"}"#, r#"{"agentId":"b"}"#),
        (r#"{"agent_id":"b","agentId":null}"#, "{}"),
        (
            r#"{"latestAnalysis":{"name":"a"},"latest_analysis":{"createTime":"1970-01-01T00:00:01Z"}}"#,
            r#"{"latestAnalysis":{"name":"a","createTime":"1970-01-01T00:00:01Z"}}"#,
        ),
        (r#"{"expireTime":null,"ttl":"1s"}"#, r#"{"ttl":"1s"}"#),
        (r#"{"labels":{"b":"1","a":"2"},"name":""}"#, r#"{"labels":{"a":"2","b":"1"}}"#),
        (r#"{"latestAnalysis":[]}"#, r#"{"latestAnalysis":{}}"#),
    ] {
        assert_eq!(read(CONVERSATION, text).unwrap().1, wanted);
    }
}

/// Fields out of order, in pieces, overruled in their oneof, packed and not.
#[test]
fn odd_wire_forms_print_as_what_they_mean() {
    const CONVERSATION: &str = "google.cloud.contactcenterinsights.v1.Conversation";
    let ttl = [0x82, 1, 2, 8, 1];
    let expire = [0x7a, 2, 8, 2];
    let print = |bytes: &[u8]| Printer::new().text(CONVERSATION, bytes).unwrap();
    assert_eq!(print(&[&ttl[..], &expire].concat()), r#"{"expireTime":"1970-01-01T00:00:02Z"}"#);
    assert_eq!(print(&[&expire[..], &ttl].concat()), r#"{"ttl":"1s"}"#);
    assert_eq!(print(&[0x2a, 1, b'x', 10, 1, b'n', 0x2a, 1, b'y']), r#"{"name":"n","agentId":"y"}"#);
    assert_eq!(print(&[0x2a, 0, 0x58, 0]), "{}");
    assert_eq!(print(&[0xf8, 0xff, 0xff, 0x7f, 1]), "{}", "an unknown field");
    assert!(Printer::new().text(CONVERSATION, &[8, 1]).is_err());
}

#[test]
fn all_that_only_rest_has_is_skipped_and_reported() {
    let text = r#"{"name":"x","done":true,"extra":[{}],"response":{"@type":
        "type.googleapis.com/google.cloud.contactcenterinsights.v1.IssueModel","state":"NEW","satisfiesPzs":1,"name":"m"}}"#;
    assert!(from_str::<longrunning::Operation>(text).is_err());
    let read = Reader::new().ignore_unknown(true).message::<longrunning::Operation>(text).unwrap();
    let wanted = IssueModel { name: "m".into(), ..Default::default() };
    assert_eq!(read.value.result, operation(pack(&wanted)).result);
    let skipped: Vec<_> = read.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "extra: `google.longrunning.Operation` has no such field",
            "response.satisfiesPzs: `google.cloud.contactcenterinsights.v1.IssueModel` has no such field",
            "response.state: \"NEW\" is not a value of `google.cloud.contactcenterinsights.v1.IssueModel.State`",
        ]
    );
}
