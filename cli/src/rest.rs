//! Calls of the REST API over the client of gRPC: a layer below it turns each request into one of HTTP with JSON, and its
//! answer back. Credentials, connections, deadlines, retries and errors are those of any other call.

mod path;

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use contact_center_insights::call::Method;
use contact_center_insights::json::Reader;
use contact_center_insights::status::code_name;
use contact_center_insights::tonic::{self, body::Body};
use contact_center_insights::{Code, http};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use serde_json::{Value, json};
use tower::{Layer, Service};

pub(crate) use self::path::Place;
use crate::web::{BoxError, MAX_BODY};

/// Requests below this are of REST: the rest of the path is the verb.
const PREFIX: &str = "/google.cloud.contactcenterinsights.v1.Rest/";
/// The verbs; what only reads is retried as reads are.
pub(crate) static VERBS: [Method; 5] = [
    Method::new("/google.cloud.contactcenterinsights.v1.Rest/GET", true),
    Method::new("/google.cloud.contactcenterinsights.v1.Rest/POST", false),
    Method::new("/google.cloud.contactcenterinsights.v1.Rest/PUT", false),
    Method::new("/google.cloud.contactcenterinsights.v1.Rest/PATCH", false),
    Method::new("/google.cloud.contactcenterinsights.v1.Rest/DELETE", false),
];
/// Where the path travels, down to the layer.
pub(crate) const PATH: HeaderName = HeaderName::from_static("cci-rest-path");
/// Before a message of gRPC: whether it is compressed, and its length.
const FRAME_HEAD: usize = 5;

/// Makes [`Rest`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestLayer;

impl<S> Layer<S> for RestLayer {
    type Service = Rest<S>;

    fn layer(&self, inner: S) -> Rest<S> {
        Rest { inner }
    }
}

/// Sends requests of REST as such, and all others as they are.
#[derive(Clone, Debug)]
pub(crate) struct Rest<S> {
    inner: S,
}

impl<S, B> Service<Request<Body>> for Rest<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    B: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that was polled ready goes into the future; an unpolled clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            if !request.uri().path().starts_with(PREFIX) {
                let answer = inner.call(request).await.map_err(Into::into)?;
                return Ok(answer.map(Body::new));
            }
            let answer = inner.call(outgoing(request).await?).await.map_err(Into::into)?;
            incoming(answer).await
        })
    }
}

/// The request as REST has it.
async fn outgoing(request: Request<Body>) -> Result<Request<Body>, BoxError> {
    let (mut head, body) = request.into_parts();
    let verb = head.uri.path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
    head.method = verb.parse()?;
    let path = head.headers.remove(PATH).ok_or("a request of REST has no path")?;
    let mut uri = head.uri.into_parts();
    uri.path_and_query = Some(PathAndQuery::try_from(path.as_bytes())?);
    head.uri = uri.try_into()?;
    for name in [TE, CONTENT_TYPE, CONTENT_LENGTH] {
        head.headers.remove(name);
    }
    for name in ["grpc-timeout", "grpc-accept-encoding", "grpc-encoding"] {
        head.headers.remove(name);
    }
    head.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let mut body = body.collect().await?.to_bytes();
    let json = body.split_off(FRAME_HEAD.min(body.len()));
    if !json.is_empty() {
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if !json.is_empty() || head.method != http::Method::GET {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(json.len()));
    }
    Ok(Request::from_parts(head, Body::new(Full::new(json))))
}

/// The answer as gRPC has it. What is neither an answer nor an error of the API is left for the client to name.
async fn incoming<B>(answer: Response<B>) -> Result<Response<Body>, BoxError>
where
    B: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let (head, body) = answer.into_parts();
    if head.status.is_redirection() {
        return Ok(redirected(head.status, &head.headers).into_http());
    }
    let is_json =
        head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !head.status.is_success() && !is_json {
        return Ok(Response::from_parts(head, Body::new(body)));
    }
    let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
    if head.status.is_success() {
        return succeeded(&body);
    }
    match serde_json::from_slice(&body).ok().and_then(|document| failed(head.status, &document)) {
        Some(status) => Ok(status.into_http()),
        None => Ok(Response::from_parts(head, Body::new(Full::new(body)))),
    }
}

fn succeeded(body: &[u8]) -> Result<Response<Body>, BoxError> {
    let mut frame = BytesMut::with_capacity(body.len().saturating_add(FRAME_HEAD));
    frame.put_u8(0);
    frame.put_u32(u32::try_from(body.len())?);
    frame.put_slice(body);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(frame.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let answer = Response::builder().header(CONTENT_TYPE, "application/grpc").body(Body::new(body))?;
    Ok(answer)
}

fn redirected(status: StatusCode, headers: &HeaderMap) -> tonic::Status {
    let to = headers.get(LOCATION).and_then(|to| to.to_str().ok());
    let to = to.map(|to| format!(" to `{to}`")).unwrap_or_default();
    let message = format!("the server redirects{to} (HTTP {}); redirects are not followed", status.as_u16());
    tonic::Status::failed_precondition(message)
}

/// The status that an error of the API says in JSON.
fn failed(http: StatusCode, document: &Value) -> Option<tonic::Status> {
    // A stream of answers is an array, and so is its error.
    let error = document.get("error").or_else(|| document.get(0)?.get("error"))?;
    let name = error.get("status").and_then(Value::as_str).unwrap_or_default();
    let named = (0..=16).map(Code::from_i32).find(|code| code_name(*code) == name);
    let code = named.unwrap_or_else(|| code_of(http));
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    let reader = Reader::new().ignore_unknown(true);
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    let details: Vec<_> =
        details.filter(|detail| reader.bytes("google.protobuf.Any", *detail).is_ok()).collect();
    let whole = json!({ "code": code as i32, "message": message, "details": details });
    let bytes = reader.bytes("google.rpc.Status", &whole).map(|read| read.value).unwrap_or_default();
    Some(tonic::Status::with_details(code, message, bytes.into()))
}

/// Of an error that does not name its code (`google.rpc.Code` has what each is over HTTP).
fn code_of(http: StatusCode) -> Code {
    match http.as_u16() {
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        409 => Code::Aborted,
        412 => Code::FailedPrecondition,
        429 => Code::ResourceExhausted,
        501 => Code::Unimplemented,
        503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        500..=599 => Code::Internal,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::Status;
    use contact_center_insights::proto::rpc;
    use prost::Message as _;

    use super::*;

    #[tokio::test]
    async fn a_request_travels_as_json() {
        let request = Request::post("http://h:1/google.cloud.contactcenterinsights.v1.Rest/PATCH")
            .header(PATH, "/v1/projects/p?x=1")
            .header(TE, "trailers")
            .header("grpc-timeout", "1S")
            .header("x-goog-user-project", "quota")
            .body(Body::new(Full::new(Bytes::from_static(b"\0\0\0\0\x02{}"))))
            .unwrap();
        let sent = outgoing(request).await.unwrap();
        assert_eq!(
            (sent.method().as_str(), sent.uri().to_string().as_str()),
            ("PATCH", "http://h:1/v1/projects/p?x=1")
        );
        let headers = sent.headers();
        assert!(
            headers.get(TE).is_none() && headers.get("grpc-timeout").is_none() && headers.get(PATH).is_none()
        );
        assert_eq!(headers["x-goog-user-project"], "quota");
        assert_eq!(
            (&headers[CONTENT_TYPE], &headers[CONTENT_LENGTH]),
            (&"application/json".parse().unwrap(), &HeaderValue::from(2))
        );
        assert_eq!(sent.into_body().collect().await.unwrap().to_bytes(), "{}");
    }

    #[tokio::test]
    async fn answers_and_errors_come_back_as_those_of_grpc() {
        let answer = |status: u16, kind: &str, body: &'static str| {
            let answer = Response::builder()
                .status(status)
                .header(CONTENT_TYPE, kind)
                .header(LOCATION, "https://evil.test/");
            incoming(answer.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap())
        };
        let fine = answer(200, "application/json", "{}").await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(fine.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(fine.to_bytes(), "\0\0\0\0\u{2}{}");
        let redirected = answer(302, "text/html", "").await.unwrap();
        let status = tonic::Status::from_header_map(redirected.headers()).unwrap();
        assert!(status.message().contains("`https://evil.test/` (HTTP 302); redirects are not followed"));
        let error = r#"{"error": {"code": 404, "message": "gone", "status": "NOT_FOUND", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R"}, {"@type": "type.googleapis.com/no.Such"}]}}"#;
        let status = tonic::Status::from_header_map(
            answer(404, "application/json; charset=UTF-8", error).await.unwrap().headers(),
        );
        let status = rpc::Status::decode(status.unwrap().details()).unwrap();
        let status = Status::from(status);
        assert_eq!((status.code(), status.message()), (Code::NotFound, "gone"));
        assert_eq!(status.detail::<rpc::ErrorInfo>().unwrap().reason, "R");
        // A page of a proxy, and JSON of somebody else.
        for (kind, body) in [("text/html", "<html>"), ("application/json", "[]")] {
            let page = answer(502, kind, body).await.unwrap();
            assert_eq!(
                (page.status().as_u16(), &page.headers()[CONTENT_TYPE]),
                (502, &kind.parse::<HeaderValue>().unwrap())
            );
        }
        assert_eq!(
            failed(StatusCode::FORBIDDEN, &json!({"error": {}})).unwrap().code(),
            Code::PermissionDenied
        );
    }
}
