//! JSON over HTTP, transcoded from `google.api.http` for every method alike.

pub(crate) mod admin;
mod query;
mod reply;
mod request;
mod routes;
mod template;

use contact_center_insights::{Code, Status, json};
use http::Response;
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Map, Value};

use self::query::Query;
use self::reply::JsonStyle;
pub(crate) use self::reply::{encoded, refused, too_large};
pub(crate) use self::request::RestRequest;
use self::routes::{Found, Route, Routes};
use crate::errors;
use crate::message::splice;
use crate::pipeline::CallRecord;

/// Answers one request. Its content type is not looked at: a body that curl labels as a form is JSON too.
pub(crate) async fn answer(record: &mut CallRecord, call: &RestRequest<'_>) -> Response<String> {
    let refuse = |record: &mut CallRecord, style, status: &Status| {
        record.end(status.code());
        reply::error(style, &record.shown(status))
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
            let refusal = reply::wrong_verb(verb, path, &allowed);
            return reply::with_allowed(style, &record.shown(&refusal), &allowed);
        }
        Found::Nothing(nearest) => {
            record.end(Code::NotFound);
            return reply::error(style, &record.shown(&reply::unknown_path(path, &nearest)));
        }
    };
    let request = match request(route, &variables, &query, call.body) {
        Ok(request) => request,
        Err(status) => return refuse(record, style, &status),
    };
    let answer = record.run(&route.method.path, call.headers, &request).await;
    let printed = answer.result.and_then(|response| {
        json::from_bytes(route.method.output.full_name(), &response, style.enums)
            .map_err(|error| record.shown(&errors::internal(error.to_string())))
    });
    let mut response = match printed {
        Ok(value) => reply::json(style, 200, &value),
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
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let (message, error) = (format!("the body is not JSON: {error}"), error.to_string());
        errors::with_reason(Code::InvalidArgument, "MALFORMED_JSON", message, &[("error", &error)])
    })?;
    match (place, value) {
        ("*", Value::Object(mut fields)) => {
            query::camel_masks(input, &mut fields);
            encode(input, fields)
        }
        ("*", _) => Err(errors::with_reason(
            Code::InvalidArgument,
            "MALFORMED_JSON",
            "the body is not a JSON object",
            &[],
        )),
        (field, value) => {
            // Node's client sends an empty string for a resource without fields.
            let value = if value == "" { Value::Object(Map::new()) } else { value };
            encode(input, Map::from_iter([(field.to_owned(), value)]))
        }
    }
}

fn encode(input: &MessageDescriptor, fields: Map<String, Value>) -> Result<Vec<u8>, Status> {
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    json::to_bytes(input.full_name(), &Value::Object(fields)).map_err(|error| {
        let error = error.to_string();
        errors::with_reason(Code::InvalidArgument, "MALFORMED_REQUEST", error.clone(), &[("error", &error)])
    })
}
