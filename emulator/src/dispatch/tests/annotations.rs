//! Tests made from the descriptors: each annotated field of the API, one by one.

use std::collections::BTreeSet;

use contact_center_insights::proto::rpc::BadRequest;
use contact_center_insights::{Code, Status};
use prost::Message as _;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value,
};

use crate::contract::{Contract, Method, Trait};
use crate::message::behavior::validate_and_strip;
use crate::message::mask::Mask;

/// The way to a field from a request: the fields on it, the last one included.
type Way = Vec<FieldDescriptor>;

fn inner(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => {
            entry.map_entry_value_field().kind().as_message().cloned()
        }
        Kind::Message(message) => Some(message),
        _ => None,
    }
}

/// Every way from a request to an annotated field; a message that holds itself is entered once.
fn ways(message: &MessageDescriptor, behavior: Trait) -> Vec<Way> {
    fn go(message: &MessageDescriptor, behavior: Trait, way: &Way, found: &mut Vec<Way>) {
        for field in message.fields() {
            let mut next = way.clone();
            next.push(field.clone());
            if Contract::get().behaves(&field, behavior) {
                found.push(next.clone());
            }
            let is_circle = way.iter().any(|f| f.parent_message() == message);
            if let (Some(inner), false) = (inner(&field), is_circle) {
                go(&inner, behavior, &next, found);
            }
        }
    }
    let mut found = Vec::new();
    go(message, behavior, &Vec::new(), &mut found);
    found
}

/// Something else than the default.
fn some(field: &FieldDescriptor) -> Value {
    let one = match field.kind() {
        Kind::String => Value::String("x".into()),
        Kind::Bool => Value::Bool(true),
        Kind::Double => Value::F64(0.5),
        Kind::Float => Value::F32(0.5),
        Kind::Enum(values) => {
            Value::EnumNumber(values.values().map(|v| v.number()).find(|n| *n != 0).unwrap())
        }
        Kind::Int64 => Value::I64(7),
        Kind::Message(entry) if entry.is_map_entry() => {
            let value = some(&entry.map_entry_value_field());
            return Value::Map([(MapKey::String("k".into()), value)].into());
        }
        Kind::Message(message) => {
            let mut made = DynamicMessage::new(message);
            // A mask without paths is none.
            if made.descriptor().full_name() == "google.protobuf.FieldMask" {
                made.set_field_by_name("paths", Value::List(vec![Value::String("*".into())]));
            }
            Value::Message(made)
        }
        _ => Value::I32(7),
    };
    if field.is_list() { Value::List(vec![one]) } else { one }
}

/// A message in which the way leads somewhere: with `value` at its end, or with nothing there.
fn along(message: &MessageDescriptor, way: &[FieldDescriptor], value: Option<Value>) -> DynamicMessage {
    let mut built = DynamicMessage::new(message.clone());
    match way {
        [] => {}
        [last] => value.into_iter().for_each(|value| built.set_field(last, value)),
        [field, rest @ ..] => {
            let inner = Value::Message(along(&inner(field).unwrap(), rest, value));
            let held = match () {
                () if field.is_map() => Value::Map([(MapKey::String("k".into()), inner)].into()),
                () if field.is_list() => Value::List(vec![inner]),
                () => inner,
            };
            built.set_field(field, held);
        }
    }
    built
}

/// The way as errors write it.
fn path(way: &[FieldDescriptor]) -> String {
    let mut path = String::new();
    for (place, field) in way.iter().enumerate() {
        path.push_str(field.name());
        if place + 1 < way.len() {
            path.push_str(if field.is_map() {
                "[\"k\"]."
            } else if field.is_list() {
                "[0]."
            } else {
                "."
            });
        }
    }
    path
}

/// The value at the end of a way, if there is one.
fn at_end(message: &DynamicMessage, way: &[FieldDescriptor]) -> Option<Value> {
    let [field, rest @ ..] = way else { return None };
    let value = message.has_field(field).then(|| message.get_field(field))?;
    if rest.is_empty() {
        return Some(value.into_owned());
    }
    match value.as_ref() {
        Value::Message(inner) => at_end(inner, rest),
        Value::List(list) => at_end(list.first()?.as_message()?, rest),
        Value::Map(map) => at_end(map.values().next()?.as_message()?, rest),
        _ => None,
    }
}

fn insights() -> impl Iterator<Item = &'static Method> {
    Contract::get().methods().filter(|method| method.path.starts_with("google.cloud."))
}

fn label(field: &FieldDescriptor) -> String {
    let message = field.parent_message();
    let short = message.full_name().strip_prefix("google.cloud.contactcenterinsights.v1.");
    format!("{}.{}", short.unwrap_or_default(), field.name())
}

/// All annotated fields of the API, and those that a request can hold.
fn all(behavior: Trait) -> BTreeSet<String> {
    let pool = insights().next().unwrap().input.parent_pool().clone();
    let messages = pool.all_messages().filter(|m| m.full_name().starts_with("google.cloud."));
    let fields = messages.flat_map(|message| message.fields().collect::<Vec<_>>());
    fields.filter(|field| Contract::get().behaves(field, behavior)).map(|field| label(&field)).collect()
}

#[test]
fn r38_each_of_105_required_fields_is_asked_for_by_its_path() {
    let mut seen = BTreeSet::new();
    for method in insights() {
        for way in ways(&method.input, Trait::Required) {
            let last = way.last().unwrap();
            let request = along(&method.input, &way, None).encode_to_vec();
            let error: Status = validate_and_strip(&method.input, &request).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{} {}", method.name, path(&way));
            // An error names ten fields at most, and a request lacks more than that in places.
            let named: Vec<String> =
                error.detail::<BadRequest>().unwrap().field_violations.into_iter().map(|v| v.field).collect();
            if last.kind() != Kind::Float {
                assert!(named.contains(&path(&way)), "{} {} {named:?}", method.name, path(&way));
            }
            // With all else that is required missing, it is no longer named once it is there.
            let request = along(&method.input, &way, Some(some(last))).encode_to_vec();
            let error = validate_and_strip(&method.input, &request).err();
            let named =
                error.map(|error| error.detail::<BadRequest>().unwrap().field_violations).unwrap_or_default();
            assert!(named.iter().all(|violation| violation.field != path(&way)), "{}", path(&way));
            seen.insert(label(last));
        }
    }
    let unseen: Vec<String> = all(Trait::Required).difference(&seen).cloned().collect();
    assert_eq!(unseen, ["QueryMetricsResponse.location"], "only what no request holds is not tried");
    assert_eq!(seen.len() + unseen.len(), 105);
}

#[test]
fn r36_each_of_100_output_only_fields_is_dropped_without_error() {
    let mut seen = BTreeSet::new();
    for method in insights() {
        for way in ways(&method.input, Trait::OutputOnly) {
            let message = along(&method.input, &way, Some(some(way.last().unwrap())));
            assert!(at_end(&message, &way).is_some(), "the test itself");
            // Whatever is missing is missing with and without it.
            let bare = along(&method.input, &way, None).encode_to_vec();
            let full = message.encode_to_vec();
            match (validate_and_strip(&method.input, &full), validate_and_strip(&method.input, &bare)) {
                (Ok(full), bare) => {
                    let shown = DynamicMessage::decode(method.input.clone(), &*full).unwrap();
                    assert_eq!(at_end(&shown, &way), None, "{} {}", method.name, path(&way));
                    assert_eq!(full, bare.unwrap());
                }
                (Err(full), bare) => assert_eq!(Some(full), bare.err(), "{} {}", method.name, path(&way)),
            }
            seen.insert(label(way.last().unwrap()));
        }
    }
    // Metadata and results are in no request, so that none of theirs can be sent.
    let unseen: Vec<String> = all(Trait::OutputOnly).difference(&seen).cloned().collect();
    let is_answer = |label: &String| {
        let message = label.split('.').next().unwrap();
        message.ends_with("Metadata") || ["QaAnswer", "QaScorecardResult"].contains(&message)
    };
    assert!(unseen.iter().all(is_answer), "{unseen:?}");
    assert_eq!(seen.len() + unseen.len(), 100);
}

#[test]
fn r36_output_only_fields_in_masks_are_ignored() {
    let mut tried = 0;
    for resource in Contract::get().resources() {
        for way in ways(&resource.message, Trait::OutputOnly) {
            if way.iter().take(way.len() - 1).any(|field| field.is_list() || field.is_map()) {
                continue;
            }
            let path = way.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".");
            let mask = Mask::read("update_mask", std::slice::from_ref(&path), &resource.message).unwrap();
            let given = along(&resource.message, &way, Some(some(way.last().unwrap())));
            let mut target = DynamicMessage::new(resource.message.clone());
            mask.apply("resource", &given, &mut target).unwrap();
            assert_eq!(at_end(&target, &way), None, "{} {path}", resource.kind);
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn r39_each_of_13_immutable_fields_is_kept() {
    let mut refused = BTreeSet::new();
    let mut kept = BTreeSet::new();
    for resource in Contract::get().resources() {
        for way in ways(&resource.message, Trait::Immutable) {
            if way.iter().take(way.len() - 1).any(|field| field.is_list() || field.is_map()) {
                continue;
            }
            let last = way.last().unwrap();
            let there = along(&resource.message, &way, Some(some(last)));
            // A name says which resource is meant: another name means another resource.
            let other = match some(last) {
                Value::String(_) => Value::String("y".into()),
                Value::EnumNumber(number) => Value::EnumNumber(number + 1),
                other => other,
            };
            let given = along(&resource.message, &way, Some(other));
            let path = way.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".");
            for paths in [vec![path], vec![], vec!["*".to_owned()]] {
                let mask = Mask::read("update_mask", &paths, &resource.message).unwrap();
                let mut target = there.clone();
                mask.apply("resource", &there, &mut target).unwrap();
                assert_eq!(at_end(&target, &way), at_end(&there, &way), "the same value is fine");
                if let Err(error) = mask.apply("resource", &given, &mut target) {
                    assert_eq!(error.code(), Code::InvalidArgument);
                    refused.insert(label(last));
                } else {
                    assert_eq!(at_end(&target, &way), at_end(&there, &way), "{} {paths:?}", label(last));
                    kept.insert(label(last));
                }
            }
        }
    }
    assert!(
        refused.contains("Conversation.medium") && refused.contains("GcsSource.transcript_uri"),
        "{refused:?}"
    );
    let seen: BTreeSet<String> = refused.union(&kept).cloned().collect();
    let unseen: Vec<String> = all(Trait::Immutable).difference(&seen).cloned().collect();
    assert_eq!(unseen, ["IssueAssignment.display_name"], "it is only in lists of results");
    assert_eq!(seen.len() + unseen.len(), 13);
}

#[test]
fn r40_two_fields_are_input_only() {
    let inputs: Vec<String> = all(Trait::InputOnly).into_iter().collect();
    assert_eq!(inputs, ["Conversation.metadata_json", "Conversation.ttl"]);
}
