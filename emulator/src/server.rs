//! The `server` room: one port, on which gRPC and JSON are told apart by content type.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::serve::ListenerExt as _;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::dispatch::Service;
use crate::{grpc, rest};

/// Of a JSON request, in bytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Serves until `stop` is sent or dropped, then lets the calls in flight end. HTTP/1.1 and HTTP/2 without TLS both
/// come to the same port.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>, stop: oneshot::Receiver<()>) {
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    let router = Router::new().fallback(answer).with_state(service);
    let stopped = async move {
        // Dropped without a word means the same.
        let _ = stop.await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the emulator stopped serving");
    }
}

async fn answer(State(service): State<Arc<Service>>, request: Request<Body>) -> Response<Body> {
    match content(&request) {
        Content::Grpc => grpc::answer(service, request).await,
        Content::OtherGrpc => {
            let mut refusal = Response::new(Body::empty());
            *refusal.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            refusal
        }
        Content::Json => json(&service, request).await.map(Body::from),
    }
}

async fn json(service: &Service, request: Request<Body>) -> Response<String> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else { return rest::too_large(MAX_BODY) };
    let query = head.uri.query().unwrap_or_default();
    rest::answer(service, head.method.as_str(), head.uri.path(), query, &body.to_bytes())
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    /// gRPC with protobuf messages.
    Grpc,
    /// gRPC with other messages, or for browsers: refused, as the protocol asks.
    OtherGrpc,
    /// All else is taken for JSON.
    Json,
}

fn content<B>(request: &Request<B>) -> Content {
    let given = request.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let Some(rest) = given.strip_prefix(b"application/grpc") else { return Content::Json };
    match rest.strip_prefix(b"+proto").unwrap_or(rest) {
        [] | [b';' | b' ', ..] => Content::Grpc,
        _ => Content::OtherGrpc,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_choose_the_transport() {
        for (given, wanted) in [
            ("application/grpc", Content::Grpc),
            ("application/grpc+proto", Content::Grpc),
            ("application/grpc; charset=utf-8", Content::Grpc),
            ("application/grpc+json", Content::OtherGrpc),
            ("application/grpc-web+proto", Content::OtherGrpc),
            ("application/json", Content::Json),
            ("application/x-www-form-urlencoded", Content::Json),
        ] {
            let request = Request::builder().header(CONTENT_TYPE, given).body(()).unwrap();
            assert_eq!(content(&request), wanted, "{given}");
        }
        assert_eq!(content(&Request::new(())), Content::Json);
    }
}
