//! How far a request has come, noted while it is under way.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::Service;

use crate::error::BoxError;
use crate::transport::{ClassifiedBody, ProgressCell, Sending, Transport};

/// The transport, for one request: it notes how far the request has come, which nobody could tell of a future
/// that was dropped because its time was over.
pub(super) struct SentProbe<'a> {
    pub(super) transport: Transport,
    pub(super) progress: &'a ProgressCell,
}

impl<'a> Service<Request<Body>> for SentProbe<'a> {
    type Response = Response<ClassifiedBody>;
    type Error = BoxError;
    type Future = ProbedSending<'a>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.transport.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> ProbedSending<'a> {
        ProbedSending { sending: self.transport.send(request), progress: self.progress }
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
