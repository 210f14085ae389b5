//! The admin API's replies: those of the API itself in form.

use std::sync::Arc;

use http::Response;

use super::Asked;
use super::reply::{self, Form};
use crate::admin::{self, Found};
use crate::exchange::Front;

/// Answers, if the path is one of the admin API.
pub(crate) fn answer(front: &Arc<Front>, asked: &Asked<'_>) -> Response<String> {
    let form = Form::default();
    match admin::find(asked.verb, asked.path) {
        Found::Method(method) => match admin::answer(front, method, asked.query, asked.body) {
            Ok(value) => reply::json(form, 200, &value),
            Err(status) => reply::error(form, &status),
        },
        Found::WrongVerb(allowed) => reply::wrong_verb(form, asked.verb, asked.path, &allowed),
        Found::Nothing(all) => reply::unknown_path(form, asked.path, &all),
    }
}

/// Refuses one that its guard does not let in.
pub(crate) fn refuse(status: &contact_center_insights::Status) -> Response<String> {
    reply::error(Form::default(), status)
}
