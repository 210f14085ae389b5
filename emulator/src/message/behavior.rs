//! What `google.api.field_behavior` asks of every request, before its method sees it, and of every answer.
//!
//! Fields that are `OUTPUT_ONLY` are dropped, and a request that lacks `REQUIRED` ones is refused with the names of
//! all of them (AIP-203). A number or a flag without presence is never missing: its zero is a value. What is
//! `INPUT_ONLY` is never stored, nor shown in an echo.

use std::borrow::Cow;

use contact_center_insights::{Code, Status};
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};

use super::wire::{self, Wire};
use crate::contract::{Contract, Trait};
use crate::fault;

/// The request as its method may see it.
pub(crate) fn screen<'a>(input: &MessageDescriptor, request: &'a [u8]) -> Result<Cow<'a, [u8]>, Status> {
    if let Some(required) = Contract::get().shape(input.full_name()).and_then(|shape| shape.flat()) {
        return screen_flat(required, request);
    }
    let mut message = decode(input, request)?;
    clear(&mut message, Trait::OutputOnly);
    let mut missing = Vec::new();
    collect_missing(&message, "", &mut missing);
    if missing.is_empty() {
        return Ok(Cow::Owned(message.encode_to_vec()));
    }
    Err(fault::invalid_fields("REQUIRED_FIELD_MISSING", &missing))
}

/// Of a request that holds no messages, only the required fields are looked for; most reads are such.
fn screen_flat<'a>(required: &[(u32, String)], request: &'a [u8]) -> Result<Cow<'a, [u8]>, Status> {
    let has = |number: u32| match wire::last(request, number) {
        Some(Wire::Bytes(bytes)) => !bytes.is_empty(),
        Some(_) => true,
        None => false,
    };
    let missing: Vec<(String, String)> = required
        .iter()
        .filter(|(number, _)| !has(*number))
        .map(|(_, name)| (name.clone(), "is required".to_owned()))
        .collect();
    if missing.is_empty() {
        Ok(Cow::Borrowed(request))
    } else {
        Err(fault::invalid_fields("REQUIRED_FIELD_MISSING", &missing))
    }
}

/// A message of this type, or `INVALID_ARGUMENT`.
pub(crate) fn decode(input: &MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, Status> {
    DynamicMessage::decode(input.clone(), bytes).map_err(|error| malformed(input.full_name(), &error))
}

/// The refusal of bytes that are not of the type they should be.
pub(crate) fn malformed(name: &str, error: &prost::DecodeError) -> Status {
    let message = format!("the request is not a valid `{name}`: {error}");
    let error = error.to_string();
    fault::fault(Code::InvalidArgument, "MALFORMED_REQUEST", message, &[("type", name), ("error", &error)])
}

/// Takes all fields out that behave so, those of messages within too.
pub(crate) fn clear(message: &mut DynamicMessage, behavior: Trait) {
    let Some(shape) = Contract::get().shape(message.descriptor().full_name()) else { return };
    if !shape.has_within(behavior) {
        return;
    }
    let set: Vec<FieldDescriptor> = message.fields().map(|(field, _)| field).collect();
    for field in set {
        if shape.has(field.number(), behavior) {
            message.clear_field(&field);
        }
    }
    for (_, value) in message.fields_mut() {
        match value {
            Value::Message(inner) => clear(inner, behavior),
            Value::List(list) => {
                list.iter_mut().filter_map(Value::as_message_mut).for_each(|inner| clear(inner, behavior));
            }
            Value::Map(map) => {
                map.values_mut().filter_map(Value::as_message_mut).for_each(|inner| clear(inner, behavior));
            }
            _ => {}
        }
    }
}

fn collect_missing(message: &DynamicMessage, path: &str, missing: &mut Vec<(String, String)>) {
    for field in message.descriptor().fields() {
        if Contract::get().behaves(&field, Trait::Required) && is_missing(message, &field) {
            missing.push((format!("{path}{}", field.name()), "is required".to_owned()));
        }
    }
    for (field, value) in message.fields() {
        match value {
            Value::Message(inner) => collect_missing(inner, &format!("{path}{}.", field.name()), missing),
            Value::List(list) => {
                for (index, inner) in list.iter().enumerate() {
                    let Some(inner) = inner.as_message() else { break };
                    collect_missing(inner, &format!("{path}{}[{index}].", field.name()), missing);
                }
            }
            Value::Map(map) => {
                for (key, inner) in map {
                    let Some(inner) = inner.as_message() else { break };
                    let key = key.as_str().unwrap_or_default();
                    collect_missing(inner, &format!("{path}{}[{key:?}].", field.name()), missing);
                }
            }
            _ => {}
        }
    }
}

fn is_missing(message: &DynamicMessage, field: &FieldDescriptor) -> bool {
    let zero_is_absence = field.supports_presence()
        || field.is_list()
        || field.is_map()
        || matches!(field.kind(), Kind::String | Kind::Bytes | Kind::Enum(_));
    zero_is_absence && !message.has_field(field)
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::{
        Conversation, CreateConversationRequest, CreatePhraseMatcherRequest, PhraseMatchRuleGroup,
        PhraseMatcher,
    };
    use contact_center_insights::proto::rpc::BadRequest;

    use super::*;
    use crate::contract::INSIGHTS;

    fn run<'a>(method: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Status> {
        screen(&Contract::get().method(&format!("{INSIGHTS}/{method}")).unwrap().input, bytes)
    }

    #[test]
    fn r38_every_missing_field_is_named() {
        let error = run("CreateConversation", &[]).unwrap_err();
        let violations = error.detail::<BadRequest>().unwrap().field_violations;
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["parent", "conversation"]);
        assert_eq!(error.code(), Code::InvalidArgument);
    }

    #[test]
    fn r38_fields_inside_are_named_with_their_path() {
        let group = PhraseMatchRuleGroup::default();
        let matcher = PhraseMatcher { phrase_match_rule_groups: vec![group], ..PhraseMatcher::default() };
        let request = CreatePhraseMatcherRequest { parent: "p".into(), phrase_matcher: Some(matcher) };
        let message = run("CreatePhraseMatcher", &request.encode_to_vec()).unwrap_err().message().to_owned();
        assert!(message.contains("`phrase_matcher.type`"), "{message}");
        assert!(message.contains("`phrase_matcher.phrase_match_rule_groups[0].type`"), "{message}");
    }

    #[test]
    fn r36_output_only_fields_are_dropped_without_error() {
        let conversation = Conversation { turn_count: 3, agent_id: "7".into(), ..Conversation::default() };
        let request = CreateConversationRequest {
            parent: "p".into(),
            conversation: Some(conversation),
            ..CreateConversationRequest::default()
        };
        let request = request.encode_to_vec();
        let bytes = run("CreateConversation", &request).unwrap();
        let seen = CreateConversationRequest::decode(&*bytes).unwrap().conversation.unwrap();
        assert_eq!((seen.turn_count, seen.agent_id.as_str()), (0, "7"));
    }

    #[test]
    fn torn_bytes_are_an_invalid_argument() {
        assert_eq!(run("CreateConversation", &[10, 200]).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn r38_requests_that_hold_no_message_are_asked_too() {
        let error = run("GetConversation", &[]).unwrap_err();
        assert!(error.message().contains("`name`"), "{error}");
        assert!(run("GetConversation", &[10, 0]).is_err(), "an empty name is none");
        assert_eq!(&*run("GetConversation", &[10, 1, b'x']).unwrap(), [10, 1, b'x']);
    }
}
