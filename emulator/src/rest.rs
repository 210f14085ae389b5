//! JSON over HTTP, transcoded from `google.api.http` for every method alike.

pub(crate) mod admin;
mod body;
mod durations;
mod query;
mod reply;
mod request;
mod rest_only;
mod routes;
mod template;

use contact_center_insights::json::Printer;
use contact_center_insights::{Code, Status};
use http::Response;

use self::body::Reading;
use self::query::Query;
use self::reply::JsonStyle;
pub(crate) use self::reply::{encoded, not_unpacked, refused, too_large};
pub(crate) use self::request::RestRequest;
use self::routes::{Found, Routes};
use crate::errors;
use crate::pipeline::{CallRecord, Extras};

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
    let found = Routes::get().find(verb, path);
    if let (Found::WrongVerb(_) | Found::Nothing(_), Some(refusal)) = (&found, rest_only::refusal(verb, path))
    {
        return refuse(record, style, &refusal);
    }
    let (route, variables) = match found {
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
    let mut reading = Reading::new(record.is_strict());
    let request = match reading.request(route, &variables, &query, call.body) {
        Ok(request) => request,
        Err(status) => return refuse(record, style, &status),
    };
    reading.ignored.into_iter().for_each(|ignored| record.warn(ignored));
    let extras = Extras { fields: query.selection, rest_only: reading.rest_only };
    let answer = record.run(&route.method.path, call.headers, &request, &extras).await;
    let printed = answer.result.and_then(|response| {
        let printer = Printer::new().enums(style.enums).pretty(!style.compact);
        printer
            .text(route.method.output.full_name(), &response)
            .map_err(|error| record.shown(&errors::internal(error.to_string())))
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
