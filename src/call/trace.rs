//! What a subscriber of `tracing` sees: one span a call, one a wait, an event for each failed attempt. Names are those
//! of OpenTelemetry's conventions for RPCs. No payload and no token is in any of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::methods::Method;
use crate::error::Fault;
use crate::status::code_name;
use crate::transport::Endpoint;

/// The span of one call, attempts and waits between them included.
pub(super) fn call_span(method: &'static Method, endpoint: &Endpoint) -> Span {
    tracing::info_span!(
        "call",
        otel.name = method.full_name(),
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = method.service(),
        rpc.method = method.name(),
        rpc.grpc.status_code = Empty,
        server.address = endpoint.host(),
    )
}

/// Notes how a call ended.
pub(super) fn record_end(span: &Span, code: Code) {
    span.record("rpc.grpc.status_code", code as i32);
    if code != Code::Ok {
        span.record("otel.status_code", "ERROR");
    }
}

/// Notes that an attempt failed and another follows.
pub(super) fn attempt_failed(attempt: u32, code: Code, fault: Fault, wait: Duration) {
    tracing::debug!(
        attempt,
        code = code_name(code),
        effect = ?fault.effect,
        wait_ms = wait.as_millis(),
        "attempt failed, trying again"
    );
}

/// The span of waiting for an operation; the calls made meanwhile are within it.
pub(crate) fn wait_span(operation: &str) -> Span {
    tracing::info_span!("wait", otel.kind = "internal", gcp.longrunning.operation = operation)
}

/// Where the `traceparent` of the current span comes from: the caller's bridge to its tracing system, which this crate
/// does not depend on.
#[derive(Clone)]
pub(super) struct TraceContext(Arc<dyn Fn() -> Option<HeaderValue> + Send + Sync>);

impl TraceContext {
    pub(super) fn new(current: impl Fn() -> Option<HeaderValue> + Send + Sync + 'static) -> Self {
        Self(Arc::new(current))
    }

    /// Asked within the span of the call.
    pub(super) fn traceparent(&self) -> Option<HeaderValue> {
        (self.0)()
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceContext")
    }
}
