//! The `screen` room: what `google.api.field_behavior` asks of every request, before its method sees it.
//!
//! Fields that are `OUTPUT_ONLY` are dropped, and a request that lacks `REQUIRED` ones is refused with the names of
//! all of them (AIP-203). A number or a flag without presence is never missing: its zero is a value.

use contact_center_insights::{Code, Status};
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};

use crate::contract::{Behavior, Contract};
use crate::fault;

/// The request as its method may see it.
pub(crate) fn screen(input: &MessageDescriptor, request: &[u8]) -> Result<Vec<u8>, Status> {
    let mut message = DynamicMessage::decode(input.clone(), request).map_err(|error| {
        let message = format!("the request is not a valid `{}`: {error}", input.full_name());
        let (name, error) = (input.full_name(), error.to_string());
        fault::fault(
            Code::InvalidArgument,
            "MALFORMED_REQUEST",
            message,
            &[("type", name), ("error", &error)],
        )
    })?;
    scrub(&mut message);
    let mut missing = Vec::new();
    collect_missing(&message, "", &mut missing);
    if missing.is_empty() {
        return Ok(message.encode_to_vec());
    }
    Err(fault::invalid_fields("REQUIRED_FIELD_MISSING", &missing))
}

fn scrub(message: &mut DynamicMessage) {
    let set: Vec<FieldDescriptor> = message.fields().map(|(field, _)| field).collect();
    for field in set {
        if Contract::get().behaves(&field, Behavior::OutputOnly) {
            message.clear_field(&field);
        }
    }
    for (_, value) in message.fields_mut() {
        match value {
            Value::Message(inner) => scrub(inner),
            Value::List(list) => list.iter_mut().filter_map(Value::as_message_mut).for_each(scrub),
            Value::Map(map) => map.values_mut().filter_map(Value::as_message_mut).for_each(scrub),
            _ => {}
        }
    }
}

fn collect_missing(message: &DynamicMessage, path: &str, missing: &mut Vec<(String, String)>) {
    for field in message.descriptor().fields() {
        if Contract::get().behaves(&field, Behavior::Required) && is_missing(message, &field) {
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

    fn run(method: &str, bytes: &[u8]) -> Result<Vec<u8>, Status> {
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
        let bytes = run("CreateConversation", &request.encode_to_vec()).unwrap();
        let seen = CreateConversationRequest::decode(bytes.as_slice()).unwrap().conversation.unwrap();
        assert_eq!((seen.turn_count, seen.agent_id.as_str()), (0, "7"));
    }

    #[test]
    fn torn_bytes_are_an_invalid_argument() {
        assert_eq!(run("CreateConversation", &[10, 200]).unwrap_err().code(), Code::InvalidArgument);
    }
}
