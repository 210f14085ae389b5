//! What a recording may show of an exchange: walks bodies by the types of their fields.

use std::collections::BTreeSet;

use contact_center_insights::prost_types;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::names::Names;
use super::text::{self, Said};
use super::words::Words;
use crate::recording::Contract;

/// Strings that say nothing of anybody, by the end of their field's full name.
const KEPT: [&str; 6] = [
    ".language_code",
    ".order_by",
    ".type_url",
    "google.rpc.ErrorInfo.reason",
    "google.rpc.ErrorInfo.domain",
    "google.rpc.BadRequest.FieldViolation.field",
];
/// Filters, by the end of their field's name; a view's is its value.
const FILTERS: [&str; 2] = ["filter", "google.cloud.contactcenterinsights.v1.View.value"];
/// Words of the service.
const MESSAGES: [&str; 2] = ["google.rpc.Status.message", "google.rpc.BadRequest.FieldViolation.description"];

/// Replaces what is somebody's own; the same throughout a file.
#[derive(Debug, Default)]
pub(super) struct Neutral {
    pub(super) contract: Contract,
    pub(super) names: Names,
    words: Words,
    keeps_text: bool,
    /// Of the request that is being written.
    said: Said,
}

impl Neutral {
    pub(super) fn new(contract: Contract, keeps_text: bool) -> Self {
        Self { contract, keeps_text, ..Self::default() }
    }

    /// Begins another exchange.
    pub(super) fn begin(&mut self) {
        self.said.clear();
    }

    /// A body of this type, if it has one.
    pub(super) fn body(&mut self, of: Option<&MessageDescriptor>, body: Value) -> Value {
        match of {
            Some(of) => self.message(of, body),
            None => self.unknown(body),
        }
    }

    /// The body of a call that failed: `{"error": {...}}`, where the status is a word.
    pub(super) fn error(&mut self, body: Value) -> Value {
        let status = self.contract.status();
        let Value::Object(fields) = body else { return self.unknown(body) };
        let neutral = fields.into_iter().map(|(key, value)| {
            let value = match (key.as_str(), value) {
                ("error", Value::Object(error)) => {
                    let word =
                        error.get("status").filter(|word| word.as_str().is_some_and(is_constant)).cloned();
                    let mut error = self.body(status.as_ref(), Value::Object(error));
                    if let (Some(word), Some(fields)) = (word, error.as_object_mut()) {
                        fields.insert("status".into(), word);
                    }
                    error
                }
                (_, value) => self.unknown(value),
            };
            (key, value)
        });
        Value::Object(neutral.collect())
    }

    fn message(&mut self, of: &MessageDescriptor, value: Value) -> Value {
        match (of.full_name(), value) {
            ("google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue", value) => {
                self.unknown(value)
            }
            ("google.protobuf.Any", Value::Object(mut fields)) => {
                let url = fields.get("@type").cloned();
                let inner =
                    url.as_ref().and_then(Value::as_str).and_then(|url| self.contract.message_of_url(url));
                match inner {
                    Some(inner) if inner.full_name() != "google.protobuf.Any" => {
                        let _ = fields.shift_remove("@type");
                        let Value::Object(rest) = self.message(&inner, Value::Object(fields)) else {
                            return Value::Null;
                        };
                        let first = url.map(|url| ("@type".to_owned(), url));
                        Value::Object(first.into_iter().chain(rest).collect())
                    }
                    _ => self.unknown(Value::Object(fields)),
                }
            }
            (_, Value::Object(fields)) => {
                let neutral = fields.into_iter().map(|(key, value)| {
                    let field = of.get_field_by_json_name(&key).or_else(|| of.get_field_by_name(&key));
                    let value = match field {
                        Some(field) => self.field(&field, value),
                        None => self.unknown(value),
                    };
                    (key, value)
                });
                Value::Object(neutral.collect())
            }
            (name, Value::String(text)) => match name {
                "google.protobuf.Timestamp" if text.parse::<prost_types::Timestamp>().is_ok() => text.into(),
                "google.protobuf.Duration" if text.parse::<prost_types::Duration>().is_ok() => text.into(),
                "google.protobuf.FieldMask" => self.mask(&text).into(),
                _ => self.unknown(Value::String(text)),
            },
            (_, value) => self.unknown(value),
        }
    }

    fn field(&mut self, field: &FieldDescriptor, value: Value) -> Value {
        match (field.kind(), value) {
            (Kind::Message(entry), Value::Object(entries)) if field.is_map() => {
                let of = entry.map_entry_value_field();
                let neutral =
                    entries.into_iter().map(|(key, value)| (self.key(&key), self.field(&of, value)));
                let neutral: Vec<_> = neutral.collect();
                Value::Object(neutral.into_iter().collect())
            }
            (_, Value::Array(list)) => list.into_iter().map(|value| self.field(field, value)).collect(),
            (Kind::Message(of), value) => self.message(&of, value),
            (Kind::String, Value::String(text)) => self.string(field, text).into(),
            (Kind::Enum(_), Value::String(text)) if is_constant(&text) => text.into(),
            (Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Bool, value) => self.unknown(value),
            // A number of 64 bits is a string.
            (_, Value::String(text)) if text.parse::<f64>().is_ok() => text.into(),
            (_, value) => self.unknown(value),
        }
    }

    /// A string of a known field, as its value in a query is too.
    pub(super) fn string(&mut self, field: &FieldDescriptor, text: String) -> String {
        if let Some(name) = self.names.name(&text) {
            return name;
        }
        let name = field.name();
        let is_person = ["agent", "user", "participant"].iter().any(|word| name.contains(word));
        if (KEPT.iter().any(|end| field.full_name().ends_with(end)) && is_plain(&text)) || text.is_empty() {
            return text;
        }
        if name == "page_token" || name == "next_page_token" {
            return self.names.id(&text);
        }
        if name == "project_id" || name == "project" {
            return self.names.project(&text);
        }
        if (name == "id" || name.ends_with("_id")) && !is_person {
            return self.names.id(&text);
        }
        if MESSAGES.contains(&field.full_name()) {
            return self.service_text(&text);
        }
        if let Some(known) = self.names.known(&text) {
            return known;
        }
        if FILTERS.iter().any(|end| field.full_name().ends_with(end)) && !self.keeps_text {
            let Self { contract, names, words, .. } = self;
            let neutral = text::filter(names, words, &|word| contract.knows(word), &text);
            self.said.push((text, neutral.clone()));
            return neutral;
        }
        self.free(text)
    }

    /// The words of the service, such as an error's.
    fn service_text(&mut self, text: &str) -> String {
        text::message(&mut self.names, &mut self.words, &self.said, text)
    }

    /// Somebody's own text.
    pub(super) fn free(&mut self, text: String) -> String {
        if let Some(known) = self.names.known(&text).or_else(|| self.names.name(&text)) {
            return known;
        }
        if self.keeps_text {
            return text::message(&mut self.names, &mut self.words, &Said::new(), &text);
        }
        let neutral = self.words.uri(&text).unwrap_or_else(|| self.words.text(&text));
        self.said.push((text, neutral.clone()));
        neutral
    }

    fn key(&mut self, key: &str) -> String {
        let is_id = super::names::is_number(key);
        if is_id { self.names.id(key) } else { self.free(key.to_owned()) }
    }

    /// What is of no known type: its strings could be anything.
    fn unknown(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => self.free(text).into(),
            Value::Array(list) => list.into_iter().map(|value| self.unknown(value)).collect(),
            Value::Object(fields) => {
                let mut neutral = Map::new();
                for (key, value) in fields {
                    let key = if key == "@type" || self.contract.knows(&key) { key } else { self.key(&key) };
                    let value = match (key.as_str(), value) {
                        ("@type", Value::String(url)) if is_url(&url) => Value::String(url),
                        (_, value) => self.unknown(value),
                    };
                    neutral.insert(key, value);
                }
                Value::Object(neutral)
            }
            scalar => scalar,
        }
    }

    /// A list of fields, as masks and `fields` are; the keys of labels in it are people's own.
    pub(super) fn mask(&mut self, text: &str) -> String {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let mut neutral = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|character| is_part(character) != is_part(first)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            if is_part(first) && !self.contract.knows(run) {
                neutral.push_str(&self.free(run.to_owned()));
            } else {
                neutral.push_str(run);
            }
            rest = after;
        }
        neutral
    }
}

/// All strings of a body.
pub(super) fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(list) => list.iter().for_each(|value| strings(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// A constant, as enum values are written.
fn is_constant(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// One word or a list of fields.
fn is_plain(text: &str) -> bool {
    let allowed: BTreeSet<char> = "-_., ".chars().collect();
    text.len() <= 64
        && text.chars().all(|character| character.is_ascii_alphanumeric() || allowed.contains(&character))
}

fn is_url(text: &str) -> bool {
    text.starts_with("type.googleapis.com/") && is_plain(text.trim_start_matches("type.googleapis.com/"))
}

#[cfg(test)]
mod tests;
