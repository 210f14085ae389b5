//! The admin API as JSON: its replies look like those of the API itself.

use std::sync::Arc;

use http::Response;

use super::reply::{self, JsonStyle};
use super::request::RestRequest;
use super::stream::JsonBody;
use crate::admin::{self, Found};
use crate::pipeline::Pipeline;

/// Answers, if the path is one of the admin API.
pub(crate) fn answer(pipeline: &Arc<Pipeline>, call: &RestRequest<'_>) -> Response<JsonBody> {
    let style = JsonStyle::default();
    let error = |status| reply::error(style, &pipeline.shown(status));
    let response = match admin::find(call.verb, call.path) {
        Found::Method(method) => match admin::answer(pipeline, method, call.query, &call.body) {
            Ok(value) => reply::json(style, 200, &value),
            Err(status) => error(status),
        },
        Found::WrongVerb(allowed) => {
            let refusal = pipeline.shown(reply::wrong_verb(call.verb, call.path, &allowed));
            reply::with_allowed(style, &refusal, &allowed)
        }
        Found::Nothing(all) => error(reply::unknown_path(call.path, &all)),
    };
    response.map(JsonBody::from)
}
