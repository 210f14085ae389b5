//! Inputs that strangers had, and what is right.

use contact_center_insights::any::pack;
use contact_center_insights::json::{self, Reader};
use contact_center_insights::proto::insights::qa_answer::{AnswerValue, answer_value};
use contact_center_insights::proto::insights::{Conversation, SentimentData};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::json;

fn response(text: &str) -> prost_types::Any {
    let operation: Operation = json::from_str(text).unwrap();
    match operation.result {
        Some(Outcome::Response(any)) => any,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mask_without_a_form_in_json_comes_back_as_it_was() {
    let any = prost_types::Any {
        type_url: "type.googleapis.com/google.protobuf.FieldMask".into(),
        value: b"\x0a\x0bdisplayName".to_vec(),
    };
    let operation = Operation { result: Some(Outcome::Response(any.clone())), ..Default::default() };
    let printed = json::to_string(&operation).unwrap();
    assert!(printed.contains(r#""value":"CgtkaXNwbGF5TmFtZQ==""#), "{printed}");
    assert_eq!(response(&printed), any);
}

#[test]
fn wrappers_and_structures_are_not_base64() {
    let text = |kind: &str, value: &str| {
        format!(r#"{{"response":{{"@type":"type.googleapis.com/google.protobuf.{kind}","value":{value}}}}}"#)
    };
    assert_eq!(response(&text("StringValue", "\"done\"")).value, b"\x0a\x04done");
    assert_eq!(response(&text("BytesValue", "\"/wA=\"")).value, b"\x0a\x02\xff\x00");
    let structure = response(&text("Struct", r#"{"a":1}"#));
    assert!(!structure.value.is_empty());
    for (kind, value) in [("Duration", "\"10ms\""), ("Timestamp", "\"20240101\"")] {
        let error = json::from_str::<Operation>(&text(kind, value)).unwrap_err();
        assert_eq!(error.path(), Some("response.value"), "{error}");
    }
}

#[test]
fn what_only_rest_has_is_named_as_that_or_skipped() {
    let text = r#"{"name":"o","done":true,"response":{"@type":
        "type.googleapis.com/google.cloud.contactcenterinsights.v1.Analysis","name":"a","satisfiesPzs":true}}"#;
    let error = json::from_str::<Operation>(text).unwrap_err().to_string();
    assert!(error.starts_with("response.satisfiesPzs: ") && error.contains("only the REST API"), "{error}");
    let read = Reader::new().ignore_unknown(true).message::<Operation>(text).unwrap();
    assert_eq!(read.skipped.len(), 1);
    assert!(read.skipped[0].is_rest_only);
    let strict: Operation = json::from_str(&text.replace(",\"satisfiesPzs\":true", "")).unwrap();
    assert_eq!(read.value, strict);
}

#[test]
fn the_largest_float_is_read_as_it_is_printed() {
    let data = SentimentData { magnitude: f32::MAX, score: f32::MIN };
    let text = json::to_string(&data).unwrap();
    assert_eq!(text, r#"{"magnitude":3.4028235e+38,"score":-3.4028235e+38}"#);
    assert_eq!(json::from_str::<SentimentData>(&text).unwrap(), data);
    assert!(json::from_str::<SentimentData>(r#"{"magnitude":3.5e38}"#).is_err());
}

#[test]
fn numbers_come_as_people_write_them() {
    for (text, wanted) in [
        (r#"{"turnCount":"1.0"}"#, 1),
        (r#"{"turnCount":"1e3"}"#, 1000),
        (r#"{"turnCount":1e3}"#, 1000),
        (r#"{"turn_count":7}"#, 7),
        (r#"{"turnCount":7,"turn_count":8}"#, 8),
    ] {
        assert_eq!(json::from_str::<Conversation>(text).unwrap().turn_count, wanted, "{text}");
    }
    let medium: Conversation = json::from_str(r#"{"medium":"4"}"#).unwrap();
    assert_eq!(medium.medium, 4);
    assert!(json::from_str::<Conversation>(r#"{"turnCount":1,"turnCount":1}"#).is_err());
}

#[test]
fn values_and_text_print_alike() {
    let conversation = Conversation { turn_count: 2, agent_id: "é\"".into(), ..Default::default() };
    let operation = Operation { metadata: Some(pack(&conversation)), ..Default::default() };
    let text = json::to_string(&operation).unwrap();
    assert_eq!(json::value_from_str(&text).unwrap(), json::from_operation(&operation).unwrap());
    assert_eq!(json::value_from_str("[1,{\"a\":1.5}]").unwrap(), json!([1, {"a": 1.5}]));
    assert!(json::value_from_str("NaN").is_err());
}

proptest! {
    /// One in ten random doubles changed its last digit.
    #[test]
    fn doubles_come_back_to_the_last_bit(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(!number.is_nan());
        let answer = AnswerValue { value: Some(answer_value::Value::NumValue(number)), ..Default::default() };
        let text = json::to_string(&answer).unwrap();
        prop_assert_eq!(json::from_str::<AnswerValue>(&text).unwrap().encode_to_vec(), answer.encode_to_vec());
        let value = json::from_message(&answer).unwrap();
        prop_assert_eq!(json::to_message::<AnswerValue>(&value).unwrap().encode_to_vec(), answer.encode_to_vec());
        let reread: serde_json::Value = serde_json::from_str(&value.to_string()).unwrap();
        prop_assert_eq!(json::to_message::<AnswerValue>(&reread).unwrap().encode_to_vec(), answer.encode_to_vec());
    }
}
