//! The serialized request, out of the body, the query and the path of a JSON request.

use contact_center_insights::json::{self, JsonError, Reader, Source};
use contact_center_insights::{Code, Status};
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::durations;
use super::query::{self, Query};
use super::routes::Route;
use super::template;
use crate::errors;
use crate::message::splice;
use crate::methods::RestOnly;

/// The field of an export that gRPC lacks, and that matters here all the same.
const SCHEMA_VERSION: &str = "exportSchemaVersion";

/// A request that is being read, and what is found in it beside.
#[derive(Debug)]
pub(super) struct Reading {
    /// Whether what only the REST API has is refused.
    is_strict: bool,
    /// What was left out, for people.
    pub(super) ignored: Vec<String>,
    pub(super) rest_only: RestOnly,
}

impl Reading {
    pub(super) fn new(is_strict: bool) -> Self {
        Self { is_strict, ignored: Vec::new(), rest_only: RestOnly::default() }
    }

    /// The serialized request: body, query and path one after the other. Serialized messages merge when they are joined,
    /// and the last value of a field counts, so that the path decides.
    pub(super) fn request(
        &mut self,
        route: &Route,
        variables: &[(&str, &str)],
        query: &Query,
        body: &[u8],
    ) -> Result<Vec<u8>, Status> {
        let input = &route.method.input;
        let mut bytes = self.read_body(input, &route.body, body)?;
        let taken: Vec<&str> = variables.iter().map(|(field, _)| *field).collect();
        for parameter in query.rest_only(input) {
            let why =
                format!("the query parameter `{parameter}` is one of the REST API alone, and gRPC lacks it");
            if self.is_strict {
                return Err(only_in_rest(&why));
            }
            self.ignored.push(format!("{why}: it is ignored"));
        }
        bytes.extend(self.encode(input, query.fields(input, &route.body, &taken)?)?);
        for (field, value) in variables {
            let names: Vec<&str> = field.split('.').collect();
            bind(&mut bytes, input, &names, &template::decode(value)?);
        }
        Ok(bytes)
    }

    /// Without a place for it in the route, a body is not looked at.
    fn read_body(&mut self, input: &MessageDescriptor, place: &str, body: &[u8]) -> Result<Vec<u8>, Status> {
        if place.is_empty() || body.is_empty() {
            return Ok(Vec::new());
        }
        let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8", "not UTF-8"))?;
        if place == "*" {
            if !text.trim_start().starts_with('{') {
                json::value_from_str(text).map_err(|error| unreadable(&error, text))?;
                return Err(malformed("the body is not a JSON object", "not an object"));
            }
            return self.decode_text(input, text).map_err(|error| unreadable(&error, text));
        }
        let field = input.get_field_by_name(place);
        let Some((field, Kind::Message(inner))) = field.map(|field| (field.clone(), field.kind())) else {
            return Err(errors::internal(format!("`{place}` is not a message of `{}`", input.full_name())));
        };
        let mut bytes = Vec::new();
        if text.trim() != "null" {
            let resource = self.decode_text(&inner, text);
            let resource = resource.map_err(|error| unreadable(&error.within(field.json_name()), text))?;
            splice::put_bytes(&mut bytes, field.number(), &resource);
        }
        Ok(bytes)
    }

    /// Reads a message. Google's pages print durations as objects too, which ProtoJSON does not have.
    fn decode_text(&mut self, message: &MessageDescriptor, text: &str) -> Result<Vec<u8>, JsonError> {
        let error = match self.decode(message, text) {
            Err(error @ JsonError::Field { .. }) => error,
            read => return read,
        };
        let Ok(mut value) = json::value_from_str(text) else { return Err(error) };
        if durations::rewrite(message, &mut value) { self.decode(message, &value) } else { Err(error) }
    }

    /// Fields that the REST API has and gRPC lacks are left out; Node's client keeps the names of the proto in field
    /// masks, and sends an empty string for a resource without fields.
    fn decode<'a>(
        &mut self,
        message: &MessageDescriptor,
        source: impl Into<Source<'a>>,
    ) -> Result<Vec<u8>, JsonError> {
        let source = source.into();
        let reader = Reader::new().snake_case_masks(true).ignore_unknown(true);
        let read = reader.bytes(message.full_name(), source)?;
        for skipped in read.skipped {
            if !skipped.is_rest_only || self.is_strict {
                return Err(skipped.into());
            }
            if skipped.path == SCHEMA_VERSION {
                self.rest_only.export_schema_version = version(source)?;
                continue;
            }
            self.ignored.push(format!("{skipped}: it is ignored"));
        }
        Ok(read.value)
    }

    fn encode(&mut self, input: &MessageDescriptor, fields: Map<String, Value>) -> Result<Vec<u8>, Status> {
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        self.decode(input, &Value::Object(fields)).map_err(|error| misfit(&error))
    }
}

/// The version of the schema that an export asks for.
fn version(source: Source<'_>) -> Result<String, JsonError> {
    let value = match source {
        Source::Text(text) => json::value_from_str(text)?,
        Source::Value(value) => value.clone(),
        _ => Value::Null,
    };
    match value.get(SCHEMA_VERSION) {
        Some(Value::String(version)) => Ok(version.clone()),
        Some(Value::Null) | None => Ok(String::new()),
        // One that no version is named.
        Some(other) => Ok(other.to_string()),
    }
}

/// Adds a string that the path binds, at a dotted field.
fn bind(bytes: &mut Vec<u8>, message: &MessageDescriptor, names: &[&str], value: &str) {
    let [name, rest @ ..] = names else { return };
    let Some(field) = message.get_field_by_name(name) else { return };
    match field.kind() {
        Kind::Message(inner) => {
            let mut within = Vec::new();
            bind(&mut within, &inner, rest, value);
            splice::put_bytes(bytes, field.number(), &within);
        }
        _ => splice::put_bytes(bytes, field.number(), value.as_bytes()),
    }
}

fn unreadable(error: &JsonError, body: &str) -> Status {
    let text = error.to_string();
    if let JsonError::Syntax { line, column, .. } = error {
        let hint = if is_after_comma(body, *line, *column) {
            ": a comma is the last thing in an object or a list"
        } else {
            ""
        };
        return malformed(&format!("the body is {text}{hint}"), &text);
    }
    if let JsonError::UnknownField { is_rest_only: true, .. } = error {
        return only_in_rest(&text);
    }
    malformed(&text, &text)
}

/// The refusal of query parameters that are fields of the request, of which one has a value that does not fit.
fn misfit(error: &JsonError) -> Status {
    match error {
        JsonError::UnknownField { is_rest_only: true, .. } => only_in_rest(&error.to_string()),
        JsonError::Field { path, problem, .. } => query::bad(path, &format!("does not fit: {problem}")),
        JsonError::UnknownField { path, .. } => query::bad(path, "is not a field of the request"),
        JsonError::TooDeep { path, .. } => query::bad(path, "is nested too deep"),
        other => query::bad("", &format!("cannot be read: {other}")),
    }
}

/// Whether there is a comma before this place, and something closes at it.
fn is_after_comma(body: &str, line: usize, column: usize) -> bool {
    let start: usize = body.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = start.saturating_add(column).saturating_sub(1);
    let (Some(before), Some(after)) = (body.get(..at), body.get(at..)) else { return false };
    before.trim_end().ends_with(',') && after.starts_with(['}', ']'])
}

fn only_in_rest(why: &str) -> Status {
    let message = format!("{why}; this emulator is told to refuse it");
    errors::with_reason(Code::InvalidArgument, "REST_ONLY_FIELD", message, &[("error", why)])
}

fn malformed(message: &str, error: &str) -> Status {
    errors::with_reason(Code::InvalidArgument, "MALFORMED_JSON", message.to_owned(), &[("error", error)])
}
