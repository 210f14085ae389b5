//! The `rest` room: JSON over HTTP, transcoded from `google.api.http` for every method alike.

mod query;
mod reply;
mod routes;
mod template;

use contact_center_insights::{Code, Status, json};
use http::Response;
use prost_reflect::MessageDescriptor;
use serde_json::{Map, Value};

use self::query::Query;
use self::reply::Form;
pub(crate) use self::reply::too_large;
use self::routes::{Found, Route, Routes};
use crate::dispatch::Service;
use crate::fault;

/// Answers one request. Neither its content type nor its other headers are looked at: curl's form is JSON too.
pub(crate) fn answer(
    service: &Service,
    verb: &str,
    path: &str,
    query: &str,
    body: &[u8],
) -> Response<String> {
    let query = match Query::read(query) {
        Ok(query) => query,
        Err(status) => return reply::error(Form::default(), &status),
    };
    let form = query.form;
    match Routes::get().find(verb, path) {
        Found::Route(route, variables) => match call(service, route, &variables, &query, body, form) {
            Ok(value) => reply::json(form, 200, &value),
            Err(status) => reply::error(form, &status),
        },
        Found::WrongVerb(allowed) => reply::wrong_verb(form, verb, path, &allowed),
        Found::Nothing(nearest) => reply::unknown_path(form, path, &nearest),
    }
}

fn call(
    service: &Service,
    route: &Route,
    variables: &[(&str, &str)],
    query: &Query,
    body: &[u8],
    form: Form,
) -> Result<Value, Status> {
    let request = request(route, variables, query, body)?;
    let response = service.dispatch(&route.method.path, &request)?;
    json::from_bytes(route.method.output.full_name(), &response, form.enums)
        .map_err(|error| fault::internal(error.to_string()))
}

/// The serialized request: body, query and path one after the other. Serialized messages merge when they are joined,
/// and the last value of a field counts, so that the path decides.
fn request(route: &Route, variables: &[(&str, &str)], query: &Query, body: &[u8]) -> Result<Vec<u8>, Status> {
    let input = &route.method.input;
    let mut bytes = read_body(input, &route.body, body)?;
    let taken: Vec<&str> = variables.iter().map(|(field, _)| *field).collect();
    bytes.extend(encode(input, query.fields(input, &route.body, &taken)?)?);
    let mut path = Map::new();
    for (field, value) in variables {
        query::place(&mut path, &field.split('.').collect::<Vec<_>>(), Value::from(template::decode(value)?));
    }
    bytes.extend(encode(input, path)?);
    Ok(bytes)
}

/// Without a place for it in the route, a body is not looked at.
fn read_body(input: &MessageDescriptor, place: &str, body: &[u8]) -> Result<Vec<u8>, Status> {
    if place.is_empty() || body.is_empty() {
        return Ok(Vec::new());
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let (message, error) = (format!("the body is not JSON: {error}"), error.to_string());
        fault::fault(Code::InvalidArgument, "MALFORMED_JSON", message, &[("error", &error)])
    })?;
    match (place, value) {
        ("*", Value::Object(fields)) => encode(input, fields),
        ("*", _) => {
            Err(fault::fault(Code::InvalidArgument, "MALFORMED_JSON", "the body is not a JSON object", &[]))
        }
        (field, value) => encode(input, Map::from_iter([(field.to_owned(), value)])),
    }
}

fn encode(input: &MessageDescriptor, fields: Map<String, Value>) -> Result<Vec<u8>, Status> {
    json::to_bytes(input.full_name(), &Value::Object(fields)).map_err(|error| {
        let error = error.to_string();
        fault::fault(Code::InvalidArgument, "MALFORMED_REQUEST", error.clone(), &[("error", &error)])
    })
}
