//! What a subscriber of `tracing` sees: one span a call, one a wait, an event for each failed attempt and for each call
//! that ended. Names are those of OpenTelemetry's conventions for RPCs. No payload and no token is in any of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::attempts::Attempts;
use super::methods::Method;
use crate::error::{Error, Fault};
use crate::status::code_name;
use crate::transport::Endpoint;

/// The span of one call, attempts and waits between them included.
pub(super) fn call_span(method: &'static Method, endpoint: &Endpoint) -> Span {
    tracing::info_span!(
        "call",
        otel.name = method.full_name(),
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        error.type = Empty,
        rpc.system = "grpc",
        rpc.service = method.service(),
        rpc.method = method.name(),
        rpc.grpc.status_code = Empty,
        server.address = endpoint.host(),
    )
}

/// How a call went.
#[derive(Clone, Copy)]
pub(super) struct CallEnd<'a> {
    pub(super) method: &'static Method,
    pub(super) attempts: &'a Attempts,
    pub(super) is_poll: bool,
}

/// Records how a call ended. It is a warning if somebody should know: its retries or its time are used up, or nobody can
/// know whether the server acted. A poller says itself when it gives up, so that each poll is none.
pub(super) fn call_ended(span: &Span, end: CallEnd<'_>, error: Option<&Error>) {
    let CallEnd { method, attempts, is_poll } = end;
    // Asked only where somebody listens.
    let elapsed_ms = || attempts.elapsed().as_millis();
    let attempts = attempts.made();
    let Some(error) = error else {
        span.record("rpc.grpc.status_code", Code::Ok as i32);
        tracing::debug!(
            rpc.method = method.name(),
            code = "OK",
            attempts,
            elapsed_ms = elapsed_ms(),
            "call succeeded"
        );
        return;
    };
    let code = error.code();
    let kind = code.map_or(if error.is_credentials() { "credentials" } else { "_OTHER" }, code_name);
    span.record("rpc.grpc.status_code", code.unwrap_or(Code::Unknown) as i32);
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", tracing::field::display(error));
    span.record("error.type", kind);
    let method = method.name();
    if !is_poll && (error.is_transient() || error.may_have_been_applied()) {
        tracing::warn!(rpc.method = method, code = kind, attempts, elapsed_ms = elapsed_ms(), %error, "call failed");
    } else {
        tracing::debug!(rpc.method = method, code = kind, attempts, elapsed_ms = elapsed_ms(), %error, "call failed");
    }
}

/// Records that an attempt failed and another follows.
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

/// Records that a poll failed and the waiting goes on.
pub(crate) fn poll_failed(operation: &str, error: &Error, outage: Duration, wait: Duration) {
    let (outage_ms, wait_ms) = (outage.as_millis(), wait.as_millis());
    tracing::debug!(operation, %error, outage_ms, wait_ms, "poll failed, waiting goes on");
}

/// Records that the waiting for an operation was given up.
pub(crate) fn poller_gave_up(operation: &str, error: &Error, outage: Duration, polls: u32) {
    let code = error.code().map_or("_OTHER", code_name);
    let outage_ms = outage.as_millis();
    tracing::warn!(operation, code, polls, outage_ms, %error, "gave up waiting; the operation may go on");
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
