//! Replies: JSON, and errors in the wrapper that clients of Google APIs read (AIP-193).

use contact_center_insights::json::{self, Enums};
use contact_center_insights::proto::rpc;
use contact_center_insights::status::code_name;
use contact_center_insights::{Code, Status};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use prost::Message as _;
use serde_json::{Value, json};

use super::stream::JsonBody;
use crate::errors;

/// How a caller wants its JSON.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct JsonStyle {
    pub(super) enums: Enums,
    pub(super) compact: bool,
}

/// Any reply.
pub(super) fn json(style: JsonStyle, status: u16, value: &Value) -> Response<String> {
    text(status, if style.compact { value.to_string() } else { format!("{value:#}") })
}

/// Any reply, printed already.
fn text(status: u16, mut body: String) -> Response<String> {
    body.push('\n');
    of(status, body)
}

/// A reply with a body that is JSON.
pub(super) fn of<B>(status: u16, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// An error, with the HTTP status of its code.
pub(super) fn error(style: JsonStyle, status: &Status) -> Response<String> {
    error_as(style, http_status(status.code()), status)
}

/// The body of that, for those that send it themselves.
pub(crate) fn error_text(status: &Status) -> String {
    error(JsonStyle::default(), status).into_body()
}

/// A path that no method has.
pub(super) fn unknown_path(path: &str, nearest: &[String]) -> Status {
    let hint = if nearest.is_empty() {
        "every path begins with `/v1/projects/`".to_owned()
    } else {
        format!(
            "the nearest are {}",
            nearest.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
        )
    };
    let message = format!("no method has the path `{path}`; {hint}");
    errors::with_reason(Code::NotFound, "UNKNOWN_PATH", message, &[("path", path)])
}

/// A path that only other verbs go with. What the service itself answers is not known; this is HTTP's answer.
pub(super) fn wrong_verb(verb: &str, path: &str, allowed: &[&str]) -> Status {
    let allowed = allowed.join(", ");
    let message = format!("no method has the verb `{verb}` with the path `{path}`; `{allowed}` goes with it");
    let parts = [("verb", verb), ("path", path), ("allowed", allowed.as_str())];
    errors::with_reason(Code::Unimplemented, "WRONG_VERB", message, &parts)
}

/// A method that the REST API has, and no published proto.
pub(super) fn rest_only(method: &str) -> Status {
    let message = format!(
        "`projects.locations.{method}` is a method of the REST API alone: it has no published proto, so that gRPC and this \
         emulator lack it"
    );
    errors::with_reason(Code::Unimplemented, "REST_ONLY_METHOD", message, &[("method", method)])
}

/// The answer to a wrong verb, with the header that names the right ones.
pub(super) fn with_allowed(style: JsonStyle, status: &Status, allowed: &[&str]) -> Response<String> {
    let mut response = error_as(style, 405, status);
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// The HTTP status, which need not be that of the code, and the error.
type Refusal = (u16, Status);

/// A body that could not be read whole.
pub(crate) fn too_large(limit: usize) -> Refusal {
    let limit = limit.to_string();
    let message = format!("the body could not be read, or is longer than {limit} bytes");
    (413, errors::with_reason(Code::InvalidArgument, "BODY_TOO_LARGE", message, &[("limit", &limit)]))
}

/// A body that is packed in a way that nobody here unpacks.
pub(crate) fn encoded(coding: &str) -> Refusal {
    let message = format!(
        "bodies with the content encoding `{coding}` are not read: only `gzip` is, and what is not packed"
    );
    let status =
        errors::with_reason(Code::InvalidArgument, "CONTENT_ENCODING", message, &[("coding", coding)]);
    (415, status)
}

/// The answer to what was refused before it was read.
pub(crate) fn refused(http: u16, status: &Status) -> Response<JsonBody> {
    error_as(JsonStyle::default(), http, status).map(JsonBody::from)
}

/// A packed body that could not be unpacked, or is too large.
pub(crate) fn not_unpacked(status: Status) -> Refusal {
    let http = if status.code() == Code::ResourceExhausted { 413 } else { http_status(status.code()) };
    (http, status)
}

fn error_as(style: JsonStyle, http: u16, status: &Status) -> Response<String> {
    let raw = rpc::Status::from(status.clone()).encode_to_vec();
    let details = json::from_bytes("google.rpc.Status", &raw, style.enums)
        .ok()
        .and_then(|mut printed| printed.get_mut("details").map(Value::take))
        .unwrap_or_else(|| Value::Array(Vec::new()));
    let mut error = json!({
        "code": http,
        "message": status.message(),
        "status": code_name(status.code()),
    });
    if let (Some(error), false) = (error.as_object_mut(), details == json!([])) {
        error.insert("details".to_owned(), details);
    }
    json(style, http, &json!({ "error": error }))
}

/// The HTTP status that each code travels as (`google/rpc/code.proto`).
fn http_status(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(response: &Response<String>) -> Value {
        serde_json::from_str(response.body()).unwrap()
    }

    #[test]
    fn r50_each_code_has_its_http_status() {
        let expected = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
        for (code, http) in (0..).zip(expected) {
            assert_eq!(http_status(Code::from_i32(code)), http, "{code}");
        }
    }

    #[test]
    fn r50_errors_are_wrapped() {
        let response = error(JsonStyle::default(), &errors::not_found("operation", "o"));
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
        let body = body(&response);
        assert_eq!(body["error"]["code"], 404);
        assert_eq!(body["error"]["status"], "NOT_FOUND");
        assert_eq!(body["error"]["details"][0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
        assert_eq!(body["error"]["details"][0]["metadata"]["resource"], "o");
    }

    #[test]
    fn r49_a_wrong_verb_is_json_and_names_the_right_one() {
        let response = {
            let allowed = ["GET", "DELETE"];
            with_allowed(JsonStyle::default(), &wrong_verb("PUT", "/v1/x", &allowed), &allowed)
        };
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &HeaderValue::from_static("GET, DELETE"))
        );
        assert_eq!(body(&response)["error"]["code"], 405);
    }

    #[test]
    fn json_is_pretty_unless_asked_otherwise() {
        let value = json!({"a": 1});
        assert_eq!(json(JsonStyle::default(), 200, &value).body(), "{\n  \"a\": 1\n}\n");
        assert_eq!(
            json(JsonStyle { compact: true, ..JsonStyle::default() }, 200, &value).body(),
            "{\"a\":1}\n"
        );
    }
}
