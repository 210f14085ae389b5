//! JSON over HTTP, transcoded from `google.api.http` for every method alike.

pub(crate) mod admin;
mod body;
mod durations;
mod escapes;
mod query;
mod reply;
mod request;
mod rest_only;
mod routes;
mod stream;
mod template;

use bytes::Bytes;
use contact_center_insights::json::Printer;
use contact_center_insights::{Code, Status};
use http::Response;

use self::body::Reading;
use self::query::Query;
use self::reply::JsonStyle;
pub(crate) use self::reply::{encoded, error_text, not_unpacked, refused, too_large};
pub(crate) use self::request::RestRequest;
use self::routes::{Found, Route, Routes};
pub(crate) use self::stream::JsonBody;
use crate::apart::LARGE;
use crate::errors;
use crate::pipeline::{CallRecord, Extras};

/// Answers one request. Its content type is not looked at: a body that curl labels as a form is JSON too.
pub(crate) async fn answer(record: &mut CallRecord, call: RestRequest<'_>) -> Response<JsonBody> {
    let refuse = |record: &mut CallRecord, style, status: &Status| {
        record.end(status.code());
        reply::error(style, &record.shown(status)).map(JsonBody::from)
    };
    let query = match Query::read(call.query) {
        Ok(query) => query,
        Err(status) => return refuse(record, JsonStyle::default(), &status),
    };
    let (style, verb, path) = (query.style, call.verb(), call.path);
    let (route, variables) = match Routes::get().find(verb, path) {
        Found::Route(route, variables) => (route, variables),
        nowhere => {
            if let Some(refusal) = rest_only::refusal(verb, path) {
                return refuse(record, style, &refusal);
            }
            return astray(record, style, verb, path, nowhere).map(JsonBody::from);
        }
    };
    let extras = Extras { fields: query.selection.clone(), ..Extras::default() };
    let mut reading = Reading::new(record.is_strict());
    let request = if call.body.len() > LARGE {
        let (path, body) = (path.to_owned(), call.body);
        let read = record.apart(move || {
            let request = reading.request(route, &route.variables(&path), &query, &body);
            (reading, request)
        });
        match read.await {
            Ok((read, request)) => {
                reading = read;
                request
            }
            Err(status) => return refuse(record, style, &status),
        }
    } else {
        reading.request(route, &variables, &query, &call.body)
    };
    let request = match request {
        Ok(request) => request,
        Err(status) => return refuse(record, style, &status),
    };
    reading.ignored.into_iter().for_each(|ignored| record.warn(ignored));
    let extras = Extras { rest_only: reading.rest_only, ..extras };
    let answer = record.run(&route.method.path, call.headers, request.into(), &extras).await;
    let printed = match answer.result {
        Ok(wire) => printed(record, route, style, wire).await,
        Err(status) => Err(status),
    };
    let mut response = match printed {
        Ok(body) => reply::of(200, body),
        Err(status) => reply::error(style, &status).map(JsonBody::from),
    };
    if let Some(injected) = answer.injected {
        response.extensions_mut().insert(injected);
    }
    if let Some(held) = answer.held {
        response.extensions_mut().insert(held);
    }
    response
}

/// The answer to a request that leads to no method.
fn astray(
    record: &mut CallRecord,
    style: JsonStyle,
    verb: &str,
    path: &str,
    found: Found<'_>,
) -> Response<String> {
    match found {
        Found::WrongVerb(allowed) => {
            record.end(Code::Unimplemented);
            let refusal = reply::wrong_verb(verb, path, &allowed);
            reply::with_allowed(style, &record.shown(&refusal), &allowed)
        }
        Found::Nothing(nearest) => {
            record.end(Code::NotFound);
            reply::error(style, &record.shown(&reply::unknown_path(path, &nearest)))
        }
        // That leads to one.
        Found::Route(..) => reply::error(style, &errors::internal("a path leads to a method and to none")),
    }
}

/// An answer as JSON: a small one at once, a list item by item as it is read, and what is large and none apart.
async fn printed(
    record: &CallRecord,
    route: &'static Route,
    style: JsonStyle,
    wire: Bytes,
) -> Result<JsonBody, Status> {
    let printer = Printer::new().enums(style.enums).pretty(!style.compact);
    let output = &route.method.output;
    let whole = move |wire: &[u8]| {
        let mut text = String::with_capacity(wire.len().saturating_mul(3));
        printer.append(output.full_name(), wire, 0, &mut text).map(|()| {
            text.push('\n');
            JsonBody::from(text)
        })
    };
    let text = if wire.len() <= LARGE {
        whole(&wire)
    } else if let Some(list) = stream::List::of(output, &wire, printer, !style.compact) {
        list.map(JsonBody::from)
    } else {
        record.apart(move || whole(&wire)).await?
    };
    text.map_err(|error| record.shown(&errors::internal(error.to_string())))
}
