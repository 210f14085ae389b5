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
use crate::errors;

/// The request as its method may see it.
pub(crate) fn validate_and_strip<'a>(
    input: &MessageDescriptor,
    request: &'a [u8],
) -> Result<Cow<'a, [u8]>, Status> {
    if let Some(required) = Contract::get().shape(input.full_name()).and_then(|shape| shape.flat()) {
        return validate_and_strip_flat(required, request);
    }
    let mut message = decode(input, request)?;
    clear(&mut message, Trait::OutputOnly);
    let mut missing = Vec::new();
    collect_missing(&message, "", &mut missing);
    if !missing.is_empty() {
        return Err(errors::invalid_fields("REQUIRED_FIELD_MISSING", &missing));
    }
    let mut beyond = Vec::new();
    collect_beyond(&message, "", &mut beyond);
    if !beyond.is_empty() {
        return Err(errors::invalid_fields("VALUE_OUT_OF_RANGE", &beyond));
    }
    Ok(Cow::Owned(message.encode_to_vec()))
}

/// Times and durations that protobuf has bytes for, but no meaning: JSON could not print them.
fn collect_beyond(message: &DynamicMessage, path: &str, beyond: &mut Vec<(String, String)>) {
    let number = |name: &str| {
        let value = message.get_field_by_name(name);
        value.and_then(|value| value.as_i64().or_else(|| value.as_i32().map(i64::from))).unwrap_or_default()
    };
    let within = match message.descriptor().full_name() {
        "google.protobuf.Timestamp" => {
            (-62_135_596_800..=253_402_300_799).contains(&number("seconds"))
                && (0..1_000_000_000).contains(&number("nanos"))
        }
        "google.protobuf.Duration" => {
            let (seconds, nanos) = (number("seconds"), number("nanos"));
            seconds.unsigned_abs() <= 315_576_000_000
                && nanos.unsigned_abs() < 1_000_000_000
                && seconds.signum() * nanos.signum() >= 0
        }
        _ => {
            within(message, path, &mut |inner, path| collect_beyond(inner, path, beyond));
            return;
        }
    };
    if !within {
        let why = format!("is not a value of `{}`", message.descriptor().full_name());
        beyond.push((path.trim_end_matches('.').to_owned(), why));
    }
}

/// Of a request that holds no messages, only the required fields are looked for; most reads are such.
fn validate_and_strip_flat<'a>(
    required: &[(u32, String)],
    request: &'a [u8],
) -> Result<Cow<'a, [u8]>, Status> {
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
        Err(errors::invalid_fields("REQUIRED_FIELD_MISSING", &missing))
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
    errors::with_reason(
        Code::InvalidArgument,
        "MALFORMED_REQUEST",
        message,
        &[("type", name), ("error", &error)],
    )
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
    within(message, path, &mut |inner, path| collect_missing(inner, path, missing));
}

/// The messages that a message holds, each with its path, which ends in a dot.
fn within(message: &DynamicMessage, path: &str, see: &mut dyn FnMut(&DynamicMessage, &str)) {
    for (field, value) in message.fields() {
        match value {
            Value::Message(inner) => see(inner, &format!("{path}{}.", field.name())),
            Value::List(list) => {
                for (index, inner) in list.iter().enumerate() {
                    let Some(inner) = inner.as_message() else { break };
                    see(inner, &format!("{path}{}[{index}].", field.name()));
                }
            }
            Value::Map(map) => {
                for (key, inner) in map {
                    let Some(inner) = inner.as_message() else { break };
                    let key = key.as_str().unwrap_or_default();
                    see(inner, &format!("{path}{}[{key:?}].", field.name()));
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
    zero_is_absence && (!message.has_field(field) || is_empty_mask(&message.get_field(field)))
}

/// A mask without paths is none: over REST the two cannot be told apart.
fn is_empty_mask(value: &Value) -> bool {
    let mask = value.as_message().filter(|mask| mask.descriptor().full_name() == "google.protobuf.FieldMask");
    mask.is_some_and(|mask| mask.fields().next().is_none())
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
        validate_and_strip(&Contract::get().method(&format!("{INSIGHTS}/{method}")).unwrap().input, bytes)
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

    #[test]
    fn times_that_are_none_are_refused_by_path() {
        for (seconds, nanos, good) in
            [(0, 0, true), (253_402_300_800, 0, false), (0, -1, false), (-62_135_596_801, 0, false)]
        {
            let start_time = Some(prost_types::Timestamp { seconds, nanos });
            let conversation = Some(Conversation { start_time, ..Conversation::default() });
            let request = CreateConversationRequest {
                parent: "p".into(),
                conversation,
                ..CreateConversationRequest::default()
            };
            let result = run("CreateConversation", &request.encode_to_vec()).map(drop);
            let named = result.err().map(|error| error.message().contains("`conversation.start_time`"));
            assert_eq!(named, (!good).then_some(true), "{seconds} {nanos}");
        }
    }
}
