//! Examples for the help of a method's command, made of its own fields.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::filters;
use super::flags::{behaves, flags};
use crate::api::{Place, Rpc, kebab};

/// `REQUIRED` of `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;
/// How deep a message in JSON is filled.
const DEPTH: usize = 4;

/// What help ends with.
pub(super) fn examples(rpc: &Rpc, place: &Place) -> String {
    let command = place.group.join(" ");
    let verb = &place.verb;
    let pattern = rpc.target().map(|target| target.pattern).unwrap_or_default();
    let ids = pattern.split('/').skip(4).filter(|part| *part == "*").count();
    let name = (1..=ids).map(|id| format!("{id}00")).collect::<Vec<_>>().join("/");
    let mut line = format!("cci {command} {verb} {name}").trim_end().to_owned();
    for (flag, value) in given(rpc) {
        line = format!("{line} --{flag} {value}");
    }
    if rpc.deletes() {
        line += " --yes";
    }
    if rpc.items().is_some() {
        line += " --output table";
    }
    let completed = format!("{line} --project my-project --location us-central1");
    let mut text = format!("Examples:\n  {}", folded(&completed));
    if let Some(target) = rpc.target().filter(|target| target.fixed_end().is_none()) {
        let mut id = 0;
        let full: Vec<String> = target
            .pattern
            .split('/')
            .enumerate()
            .map(|(at, part)| match (part, at) {
                ("*", 1) => "my-project".to_owned(),
                ("*", 3) => "us-central1".to_owned(),
                ("*", _) => {
                    id += 1;
                    format!("{id}00")
                }
                (part, _) => part.to_owned(),
            })
            .collect();
        let line = line.replacen(&format!(" {verb} {name}"), &format!(" {verb} {}", full.join("/")), 1);
        text = format!("{text}\n  {}", folded(&line));
    }
    if rpc.request().get_field_by_name("filter").is_some_and(|field| field.kind() == Kind::String) {
        text = format!("{text}\n\n{}", filters::fields(rpc));
    }
    text
}

/// The flags of an example: what has to be given; of an update, one field that changes.
fn given(rpc: &Rpc) -> Vec<(String, String)> {
    let flags = flags(rpc);
    let mut shown: Vec<&FieldDescriptor> =
        flags.iter().map(|(_, field)| field).filter(|field| behaves(field, REQUIRED)).collect();
    if shown.is_empty() && rpc.body().is_some() {
        // A title says more than most fields do.
        let title = flags.iter().map(|(_, field)| field).find(|field| field.name() == "display_name");
        let simple = flags.iter().map(|(_, field)| field).find(|field| field.kind().as_message().is_none());
        shown.extend(title.or(simple).or_else(|| flags.first().map(|(_, field)| field)));
    }
    shown.into_iter().map(|field| (kebab(field.name()), quoted(&value(field)))).collect()
}

/// A value for a flag, as it is typed.
fn value(field: &FieldDescriptor) -> String {
    match sample(field, DEPTH) {
        Value::String(text) => text,
        // Of a list, one item: the flag may be given again.
        Value::Array(items) => match items.into_iter().next() {
            Some(Value::String(text)) => text,
            Some(item) => item.to_string(),
            None => String::new(),
        },
        other => other.to_string(),
    }
}

fn sample(field: &FieldDescriptor, depth: usize) -> Value {
    if field.is_map() {
        return json!({"team": "blue"});
    }
    let one = match field.kind() {
        Kind::Bool => true.into(),
        Kind::Enum(known) => {
            // Of the fields that stand for a choice, the last value is the newest.
            let value = known.values().filter(|value| value.number() > 0).last();
            value.map(|value| Value::from(value.name())).unwrap_or_default()
        }
        Kind::Message(message) => of_message(&message, depth),
        Kind::String => text(field.name()).into(),
        Kind::Bytes => "AAEC".into(),
        Kind::Float | Kind::Double => 0.5.into(),
        _ => 10.into(),
    };
    if field.is_list() { Value::Array(vec![one]) } else { one }
}

fn of_message(message: &MessageDescriptor, depth: usize) -> Value {
    match message.full_name() {
        "google.protobuf.Timestamp" => return "2026-01-31T00:00:00Z".into(),
        "google.protobuf.Duration" => return "3600s".into(),
        "google.protobuf.FieldMask" => return "displayName".into(),
        name if name.starts_with("google.protobuf.") => return json!({}),
        _ if depth == 0 => return json!({}),
        _ => {}
    }
    let fields: Vec<FieldDescriptor> =
        message.fields().filter(|field| !super::flags::is_output(field)).collect();
    let required: Vec<_> = fields.iter().filter(|field| behaves(field, REQUIRED)).collect();
    let shown = if required.is_empty() { fields.iter().take(1).collect() } else { required };
    let filled =
        shown.into_iter().map(|field| (field.json_name().to_owned(), sample(field, depth.saturating_sub(1))));
    Value::Object(filled.collect::<Map<_, _>>())
}

fn text(name: &str) -> &'static str {
    match name {
        "display_name" | "title" => "Late parcels",
        "filter" | "annotation_filter" => "medium=\"CHAT\"",
        name if name.contains("uri") => "gs://my-bucket/calls",
        name if name.contains("kms_key") => {
            "projects/my-project/locations/us-central1/keyRings/my-ring/cryptoKeys/my-key"
        }
        name if name.ends_with("_id") || name == "name" => "my-id",
        "value" => "medium=\"CHAT\"",
        _ => "text",
    }
}

/// Longer lines are folded by help, and then cannot be pasted.
const LINE: usize = 92;

/// The command in lines that are not too long, each but the last of which says that it goes on.
fn folded(command: &str) -> String {
    let mut parts = command.split(" --");
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut length = text.len();
    if length > LINE
        && let Some((before, name)) = text.rsplit_once(' ')
    {
        length = name.len().saturating_add(6);
        text = format!("{before} \\\n      {name}");
    }
    for part in parts {
        let added = part.len().saturating_add(3);
        if length.saturating_add(added) > LINE {
            text = format!("{text} \\\n      --{part}");
            length = added.saturating_add(6);
        } else {
            text = format!("{text} --{part}");
            length = length.saturating_add(added);
        }
    }
    text
}

/// As a shell takes it.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}
