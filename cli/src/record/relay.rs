//! Passes a REST call on as it came, and its answer back.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::json;

use super::book::{Book, Seen};
use super::guard::Guard;
use crate::terminal::eprint_line;
use crate::web::{BoxError, MAX_BODY, Web, collect};

/// Headers about one connection (RFC 9110, section 7.6.1), which are not passed on.
const HOP_BY_HOP: [HeaderName; 6] = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH];

/// Between callers on this machine and the service.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) guard: Guard,
    pub(super) web: Web,
    pub(super) book: Mutex<Book>,
}

impl Relay {
    /// Answers one request, whatever comes.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        if is_grpc(&head.headers) {
            return Ok(no_grpc());
        }
        if let Err(why) = self.guard.check(&head.uri, &head.headers) {
            return Ok(refusal(StatusCode::FORBIDDEN, "PERMISSION_DENIED", &why));
        }
        if head.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            let why = "a compressed body cannot be recorded: turn compression of requests off";
            return Ok(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "INVALID_ARGUMENT", why));
        }
        let Ok(body) = collect(body).await else {
            let why = format!("the body broke off, or has more than {MAX_BODY} bytes");
            return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, "INVALID_ARGUMENT", &why));
        };
        let answer = match self.pass_on(&head, body.clone()).await {
            Ok(answer) => answer,
            Err(error) => {
                let why = format!("no answer from {}: {}", self.web.endpoint(), causes(error.as_ref()));
                eprint_line(format_args!("{} {}: {why}", head.method, head.uri.path()));
                return Ok(refusal(StatusCode::BAD_GATEWAY, "UNAVAILABLE", &why));
            }
        };
        let (answer_head, answer) = answer.into_parts();
        let seen = Seen {
            verb: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
            status: answer_head.status.as_u16(),
            answer_headers: answer_head.headers.clone(),
            answer: answer.clone(),
        };
        let written = self.book.lock().unwrap_or_else(PoisonError::into_inner).write(&seen);
        if let Err(error) = written {
            eprint_line(format_args!("an exchange could not be written: {error}"));
        }
        let mut response = Response::new(Full::new(answer));
        *response.status_mut() = answer_head.status;
        *response.headers_mut() = passed_on(&answer_head.headers);
        Ok(response)
    }

    async fn pass_on(&self, head: &http::request::Parts, body: Bytes) -> Result<Response<Bytes>, BoxError> {
        let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = self.web.uri(path)?;
        let mut headers = passed_on(&head.headers);
        // The answer is to be read here, and the service has its own name.
        for own in [ACCEPT_ENCODING, HOST, ORIGIN] {
            headers.remove(own);
        }
        *request.headers_mut() = headers;
        self.web.send(request).await
    }
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> =
        named.flat_map(|names| names.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    let is_kept = |name: &HeaderName| {
        !HOP_BY_HOP.contains(name)
            && name != "keep-alive"
            && name != "proxy-connection"
            && !named.iter().any(|own| own == name.as_str())
    };
    headers
        .iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// As gRPC's clients read it: the status is among the headers of a reply without a body.
fn no_grpc() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let words =
        "cci record passes on REST and JSON only%3A a recording is of JSON. Use the client's REST transport";
    for (name, value) in
        [("content-type", "application/grpc"), ("grpc-status", "12"), ("grpc-message", words)]
    {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(http: StatusCode, status: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({"error": {"code": http.as_u16(), "message": format!("cci record: {message}"), "status": status}});
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = http;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
