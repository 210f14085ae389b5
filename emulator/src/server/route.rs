//! Who answers a request: gRPC and JSON by content type, health, reflection and the page by path.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use contact_center_insights::Status;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use tokio::sync::watch;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tonic_reflection::pb::v1::server_reflection_server::ServerReflectionServer;
use tower::Service;

use super::body::{Body, BoxError, Sent, boxed, unread};
use super::control::ConnectionControl;
use super::guard::Guard;
use super::inject::inject;
use super::unpack::unpacked;
use super::upload::{self, MAX_BODY};
use crate::journal::Transport;
use crate::outbox::Outbox;
use crate::pipeline::{InjectedFault, Pipeline};
use crate::reflection::{self, Reflection};
use crate::rest::JsonBody;
use crate::{grpc, page, rest};

/// Where the admin API is, over gRPC and as JSON.
const ADMIN_GRPC: &str = "/contactcenterinsights.emulator.v1.EmulatorAdmin/";
const ADMIN_JSON: &str = "/_emulator/";
/// Where a container's health check asks.
const HEALTH: &str = "/healthz";

/// All that answers on the port.
#[derive(Clone)]
pub(super) struct Router {
    pipeline: Arc<Pipeline>,
    health: HealthServer<HealthService>,
    reflection: ServerReflectionServer<Reflection>,
    guard: Guard,
    /// Turns `true` when it stops.
    leave: watch::Receiver<bool>,
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}

impl Router {
    pub(super) fn new(
        pipeline: Arc<Pipeline>,
        health: HealthReporter,
        guard: Guard,
        leave: watch::Receiver<bool>,
    ) -> Self {
        let health = HealthServer::new(HealthService::from_health_reporter(health));
        Self { pipeline, health, reflection: Reflection::server(), guard, leave }
    }

    /// The same, on one connection; `is_local`: with a client on this machine.
    pub(super) fn on(&self, control: Arc<ConnectionControl>, is_local: bool) -> Routed {
        Routed { router: self.clone(), control, is_local }
    }

    /// Answers what the guard lets in.
    async fn guarded(
        self,
        control: Arc<ConnectionControl>,
        is_local: bool,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, BoxError> {
        let cors = match self.guard.check(&request, is_local) {
            Ok(cors) => cors,
            Err(status) => {
                let status = self.pipeline.shown(status);
                return Ok(match content(&request) {
                    Content::Grpc => boxed(grpc::refuse(status)),
                    Content::OtherGrpc | Content::Json => boxed(rest::refused(403, &status)),
                });
            }
        };
        if let Some(reply) = cors.preflight::<_, Empty<Bytes>>(&request) {
            return Ok(boxed(reply));
        }
        let is_leaving = *self.leave.borrow();
        let mut response = match health(&request, is_leaving).or_else(|| page::answer(&request)) {
            Some(reply) => boxed(reply),
            None => self.answer(control, request).await?,
        };
        cors.show(response.headers_mut());
        Ok(response)
    }

    async fn answer(
        mut self,
        control: Arc<ConnectionControl>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, BoxError> {
        let version = request.version();
        let path = request.uri().path();
        if path.starts_with("/grpc.health.v1.Health/") {
            let response = self.health.call(unpacked(request)).await?;
            return Ok(boxed(grpc::shown(&self.pipeline, response)));
        }
        if path == reflection::ALPHA_PATH {
            *request.uri_mut() = Uri::from_static(reflection::PATH);
        }
        if request.uri().path() == reflection::PATH {
            let response = self.reflection.call(unpacked(request)).await?;
            return Ok(boxed(grpc::shown(&self.pipeline, response)));
        }
        request.extensions_mut().insert(control.outbox.clone());
        let response = match content(&request) {
            Content::Grpc if request.uri().path().starts_with(ADMIN_GRPC) => {
                boxed(grpc::admin(&self.pipeline, unpacked(request)).await)
            }
            Content::Grpc => boxed(grpc::answer(&self.pipeline, unpacked(request)).await),
            Content::OtherGrpc => {
                let mut refusal = boxed(Response::new(Empty::new()));
                *refusal.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                refusal
            }
            Content::Json => boxed(self.json(request).await),
        };
        let response = unread(response);
        match response.extensions().get::<InjectedFault>().cloned() {
            None => Ok(response),
            Some(injected) => inject(&injected.0, response, control, version == Version::HTTP_2).await,
        }
    }

    async fn json(&self, request: Request<Incoming>) -> Response<JsonBody> {
        let (head, body) = request.into_parts();
        let is_admin = head.uri.path().starts_with(ADMIN_JSON);
        let mut record = (!is_admin).then(|| {
            self.pipeline.begin(Transport::Rest, head.uri.path(), &head.headers, head.extensions.get())
        });
        let mut refuse = |(http, status): (u16, Status)| {
            if let Some(record) = &mut record {
                record.end(status.code());
            }
            rest::refused(http, &self.pipeline.shown(status))
        };
        let limit = if is_admin { rest::admin::limit(head.uri.path(), MAX_BODY) } else { MAX_BODY };
        let upload = match upload::read(&self.pipeline.apart, &head.headers, body, limit).await {
            Ok(upload) => upload,
            Err(refusal) => return refuse(refusal),
        };
        let call = rest::RestRequest {
            verb: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            body: upload.body.clone(),
        };
        if let Some(record) = &mut record {
            return rest::answer(record, call).await;
        }
        let outbox = head.extensions.get::<Outbox>().cloned().unwrap_or_default();
        rest::admin::answer(&self.pipeline, call, &outbox).await
    }
}

/// The router of one connection.
#[derive(Clone, Debug)]
pub(super) struct Routed {
    router: Router,
    control: Arc<ConnectionControl>,
    is_local: bool,
}

impl Service<Request<Incoming>> for Routed {
    type Response = Response<Sent>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Sent>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let call = self.control.calls.begin();
        let reply = self.router.clone().guarded(Arc::clone(&self.control), self.is_local, request);
        Box::pin(async move { Ok(reply.await?.map(|body| Sent::new(body, call))) })
    }
}

/// Whether it serves, for those that ask over plain HTTP, in the words of gRPC's health protocol.
fn health<B>(request: &Request<B>, is_leaving: bool) -> Option<Response<Full<Bytes>>> {
    let is_asked = request.uri().path() == HEALTH && [Method::GET, Method::HEAD].contains(request.method());
    if !is_asked {
        return None;
    }
    let (status, text) = if is_leaving {
        (StatusCode::SERVICE_UNAVAILABLE, "{\"status\": \"NOT_SERVING\"}\n")
    } else {
        (StatusCode::OK, "{\"status\": \"SERVING\"}\n")
    };
    let mut reply = Response::new(Full::from(text));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    Some(reply)
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
    fn health_is_told_to_whoever_asks_as_it_is() {
        let ask = |verb: &str, path: &str, is_leaving| {
            let request = Request::builder().method(verb).uri(path).body(()).unwrap();
            health(&request, is_leaving).map(|reply| reply.status().as_u16())
        };
        assert_eq!(ask("GET", "/healthz", false), Some(200));
        assert_eq!(ask("HEAD", "/healthz?x", false), Some(200));
        assert_eq!(ask("GET", "/healthz", true), Some(503));
        for (verb, path) in [("POST", "/healthz"), ("GET", "/healthz/"), ("GET", "/v1/healthz")] {
            assert_eq!(ask(verb, path, false), None, "{verb} {path}");
        }
    }

    #[test]
    fn content_types_choose_the_transport() {
        for (given, wanted) in [
            ("application/grpc", Content::Grpc),
            ("application/grpc+proto", Content::Grpc),
            ("application/grpc; charset=utf-8", Content::Grpc),
            ("application/grpc+json", Content::OtherGrpc),
            ("application/grpc-web+proto", Content::OtherGrpc),
            ("application/json", Content::Json),
            ("application/x-www-style-urlencoded", Content::Json),
        ] {
            let request = Request::builder().header(CONTENT_TYPE, given).body(()).unwrap();
            assert_eq!(content(&request), wanted, "{given}");
        }
        assert_eq!(content(&Request::new(())), Content::Json);
    }
}
