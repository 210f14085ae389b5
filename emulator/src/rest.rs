//! JSON over HTTP, transcoded from `google.api.http` for every method alike.

pub(crate) mod admin;
mod query;
mod reply;
mod request;
mod routes;
mod template;

use contact_center_insights::json::{self, JsonError, Printer, Reader, Source};
use contact_center_insights::{Code, Status};
use http::Response;
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Map, Value};

use self::query::Query;
use self::reply::JsonStyle;
pub(crate) use self::reply::{encoded, not_unpacked, too_large};
pub(crate) use self::request::RestRequest;
use self::routes::{Found, Route, Routes};
use crate::errors;
use crate::message::splice;
use crate::pipeline::CallRecord;

/// Answers one request. Its content type is not looked at: a body that curl labels as a form is JSON too.
pub(crate) async fn answer(record: &mut CallRecord, call: &RestRequest<'_>) -> Response<String> {
    let refuse = |record: &mut CallRecord, style, status: &Status| {
        record.end(status.code());
        reply::error(style, status)
    };
    let query = match Query::read(call.query) {
        Ok(query) => query,
        Err(status) => return refuse(record, JsonStyle::default(), &status),
    };
    let (style, verb, path) = (query.style, call.verb(), call.path);
    let (route, variables) = match Routes::get().find(verb, path) {
        Found::Route(route, variables) => (route, variables),
        Found::WrongVerb(allowed) => {
            record.end(Code::Unimplemented);
            return reply::wrong_verb(style, verb, path, &allowed);
        }
        Found::Nothing(nearest) => {
            record.end(Code::NotFound);
            return reply::unknown_path(style, path, &nearest);
        }
    };
    let request = match request(route, &variables, &query, call.body) {
        Ok(request) => request,
        Err(status) => return refuse(record, style, &status),
    };
    let answer = record.run(&route.method.path, call.headers, &request).await;
    let printed = answer.result.and_then(|response| {
        let printer = Printer::new().enums(style.enums).pretty(!style.compact);
        printer
            .text(route.method.output.full_name(), &response)
            .map_err(|error| errors::internal(error.to_string()))
    });
    let mut response = match printed {
        Ok(text) => reply::text(200, text),
        Err(status) => reply::error(style, &status),
    };
    if let Some(injected) = answer.injected {
        response.extensions_mut().insert(injected);
    }
    response
}

/// The serialized request: body, query and path one after the other. Serialized messages merge when they are joined,
/// and the last value of a field counts, so that the path decides.
fn request(route: &Route, variables: &[(&str, &str)], query: &Query, body: &[u8]) -> Result<Vec<u8>, Status> {
    let input = &route.method.input;
    let mut bytes = read_body(input, &route.body, body)?;
    let taken: Vec<&str> = variables.iter().map(|(field, _)| *field).collect();
    bytes.extend(encode(input, query.fields(input, &route.body, &taken)?)?);
    for (field, value) in variables {
        let names: Vec<&str> = field.split('.').collect();
        bind(&mut bytes, input, &names, &template::decode(value)?);
    }
    Ok(bytes)
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

/// Without a place for it in the route, a body is not looked at.
fn read_body(input: &MessageDescriptor, place: &str, body: &[u8]) -> Result<Vec<u8>, Status> {
    if place.is_empty() || body.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8", "not UTF-8"))?;
    if place == "*" {
        if !text.trim_start().starts_with('{') {
            json::value_from_str(text).map_err(|error| unreadable(&error))?;
            return Err(malformed("the body is not a JSON object", "not an object"));
        }
        return decode(input, text).map_err(|error| unreadable(&error));
    }
    let field = input.get_field_by_name(place);
    let Some((field, Kind::Message(inner))) = field.map(|field| (field.clone(), field.kind())) else {
        return Err(errors::internal(format!("`{place}` is not a message of `{}`", input.full_name())));
    };
    let mut bytes = Vec::new();
    if text.trim() != "null" {
        let resource = decode(&inner, text).map_err(|error| unreadable(&error.within(field.json_name())))?;
        splice::put_bytes(&mut bytes, field.number(), &resource);
    }
    Ok(bytes)
}

/// Reads a message. Fields that the REST API has and gRPC lacks are left out with a warning; Node's client keeps the
/// names of the proto in field masks, and sends an empty string for a resource without fields.
fn decode<'a>(message: &MessageDescriptor, source: impl Into<Source<'a>>) -> Result<Vec<u8>, JsonError> {
    let reader = Reader::new().snake_case_masks(true).ignore_unknown(true);
    let read = reader.bytes(message.full_name(), source)?;
    for skipped in read.skipped {
        if !skipped.is_rest_only {
            return Err(skipped.into());
        }
        tracing::warn!(path = %skipped.path, message = %skipped.of, "a field that gRPC lacks is left out");
    }
    Ok(read.value)
}

fn encode(input: &MessageDescriptor, fields: Map<String, Value>) -> Result<Vec<u8>, Status> {
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    decode(input, &Value::Object(fields)).map_err(|error| unreadable(&error))
}

fn unreadable(error: &JsonError) -> Status {
    let text = error.to_string();
    if let JsonError::Syntax { .. } = error {
        return malformed(&format!("the body is {text}"), &text);
    }
    errors::with_reason(Code::InvalidArgument, "MALFORMED_REQUEST", text.clone(), &[("error", &text)])
}

fn malformed(message: &str, error: &str) -> Status {
    errors::with_reason(Code::InvalidArgument, "MALFORMED_JSON", message.to_owned(), &[("error", error)])
}
