//! The flags of a method: one for each field of its request that a caller can set.

use clap::{Arg, ArgAction};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::api::{Rpc, kebab};

/// Fields of requests that flags of their own stand for.
const NOT_FLAGS: [&str; 3] = ["page_size", "page_token", "update_mask"];

/// The fields that have a flag, each by its dotted path: those of the request, and those of the message that its body
/// is. Where both have one of the same name, that of the request stands alone.
pub(super) fn flags(rpc: &Rpc) -> Vec<(String, FieldDescriptor)> {
    let target = rpc.target().map(|target| target.field).unwrap_or_default();
    let body = rpc.body();
    let is_free = |path: &str, field: &FieldDescriptor| {
        path != target
            && !NOT_FLAGS.contains(&field.name())
            && body.as_ref() != Some(field)
            && !is_output(field)
    };
    let request = rpc.request();
    let mut found: Vec<(String, FieldDescriptor)> = request
        .fields()
        .filter(|field| is_free(field.name(), field))
        .map(|field| (field.name().to_owned(), field))
        .collect();
    let inner = body.as_ref().and_then(|field| Some((field.name().to_owned(), message_of(field)?)));
    if let Some((name, message)) = inner {
        for field in message.fields() {
            let path = format!("{name}.{}", field.name());
            let is_taken = found.iter().any(|(_, known)| known.name() == field.name());
            if is_free(&path, &field) && field.name() != "name" && !is_taken {
                found.push((path, field));
            }
        }
    }
    found
}

/// Whether the server sets a field, whatever is sent (AIP-203).
pub(super) fn is_output(field: &FieldDescriptor) -> bool {
    const OUTPUT_ONLY: i32 = 3;
    behaves(field, OUTPUT_ONLY)
}

/// Whether a field has this `google.api.FieldBehavior`.
pub(super) fn behaves(field: &FieldDescriptor, wanted: i32) -> bool {
    let Some(behavior) = field.parent_pool().get_extension_by_name("google.api.field_behavior") else {
        return false;
    };
    let stated = field.options().get_extension(&behavior).into_owned();
    stated.as_list().is_some_and(|stated| stated.iter().any(|value| value.as_enum_number() == Some(wanted)))
}

fn message_of(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    field.kind().as_message().cloned()
}

/// The flag of a field.
pub(super) fn flag(path: &str, field: &FieldDescriptor) -> Arg {
    let (value, help) = match field.kind() {
        Kind::Bool => ("true|false", String::new()),
        Kind::Enum(known) => {
            let names: Vec<_> = known.values().skip(1).map(|value| value.name().to_owned()).collect();
            ("NAME", format!("One of {}", names.join(", ")))
        }
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" => ("TIME", "Such as 2026-01-31T00:00:00Z".to_owned()),
            "google.protobuf.Duration" => ("DURATION", String::new()),
            "google.protobuf.FieldMask" => ("FIELDS", "Names of fields, with commas".to_owned()),
            _ if field.is_map() => ("JSON", "An object, in JSON".to_owned()),
            _ => ("JSON", format!("{}, in JSON", message.name())),
        },
        Kind::String => ("TEXT", String::new()),
        Kind::Bytes => ("BASE64", String::new()),
        _ => ("NUMBER", String::new()),
    };
    let help = if field.is_list() { format!("{help}. May be given more than once") } else { help };
    let help = help.trim_start_matches(". ").to_owned();
    let action = if field.is_list() { ArgAction::Append } else { ArgAction::Set };
    let mut arg = Arg::new(path.to_owned()).long(kebab(field.name())).value_name(value).action(action);
    if field.kind() == Kind::Bool && !field.is_list() {
        arg = arg.num_args(0..=1).default_missing_value("true");
    }
    if help.is_empty() { arg } else { arg.help(help) }
}
