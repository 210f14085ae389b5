//! Whether a request has left, noted while it is under way.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::Request;
use tonic::body::Body;
use tower::Service;

use crate::error::BoxError;
use crate::transport::{Sending, Transport};

/// The transport, for one request: it notes when the request has left, which nobody could tell of a future that was
/// dropped because its time was over.
pub(super) struct SentProbe<'a> {
    pub(super) transport: Transport,
    pub(super) has_left: &'a AtomicBool,
}

impl<'a> Service<Request<Body>> for SentProbe<'a> {
    type Response = <Transport as Service<Request<Body>>>::Response;
    type Error = BoxError;
    type Future = ProbedSending<'a>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.transport.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> ProbedSending<'a> {
        ProbedSending { sending: self.transport.call(request), has_left: self.has_left }
    }
}

pub(super) struct ProbedSending<'a> {
    sending: Sending,
    has_left: &'a AtomicBool,
}

impl Future for ProbedSending<'_> {
    type Output = <Sending as Future>::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.sending).poll(cx);
        self.has_left.store(self.sending.is_sent(), Ordering::Relaxed);
        polled
    }
}
