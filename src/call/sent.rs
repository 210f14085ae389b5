//! How far a request has come, noted while it is under way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Request;
use tonic::body::Body;
use tower::Service;

use crate::error::BoxError;
use crate::transport::{ProgressCell, Sending, Transport};

/// The transport, for one request: it notes how far the request has come, which nobody could tell of a future
/// that was dropped because its time was over.
pub(super) struct SentProbe<'a> {
    pub(super) transport: Transport,
    pub(super) progress: &'a ProgressCell,
}

impl<'a> Service<Request<Body>> for SentProbe<'a> {
    type Response = <Transport as Service<Request<Body>>>::Response;
    type Error = BoxError;
    type Future = ProbedSending<'a>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.transport.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> ProbedSending<'a> {
        ProbedSending { sending: self.transport.call(request), progress: self.progress }
    }
}

pub(super) struct ProbedSending<'a> {
    sending: Sending,
    progress: &'a ProgressCell,
}

impl Future for ProbedSending<'_> {
    type Output = <Sending as Future>::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.sending).poll(cx);
        self.progress.set(self.sending.progress());
        polled
    }
}
