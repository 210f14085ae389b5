//! What other people's stubs get besides: the deadline of a request is enforced, and a request that the server has not
//! processed is sent again. Typed calls see to both themselves, and do not pass here.

mod deadline;
mod replay;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tower::Service;

use super::classify::ClassifiedBody;
use super::outbound::Outbound;
use super::pool::{Progress, Stage};
use super::resends::Resends;
use super::{Sending, Stack};
use crate::error::{BoxError, TransportFault, find};
use deadline::Deadline;
use replay::Replay;

/// A request of a stub on its way, until the head of its reply is there.
#[must_use = "futures do nothing unless polled"]
pub struct StubCall {
    stack: Stack,
    /// `None` until the layers are ready to take the request again.
    sending: Option<Sending>,
    deadline: Option<Deadline>,
    request: Repeatable,
}

/// What it takes to send a request again.
struct Repeatable {
    /// Taken when it can no longer be sent again.
    head: Option<Box<Parts>>,
    body: Replay,
    resends: Resends,
}

impl StubCall {
    /// `stack` is ready.
    pub(super) fn new(stack: &mut Stack, request: Request<Body>) -> Self {
        let deadline = Deadline::of(request.headers());
        let (head, body) = request.into_parts();
        let body = Replay::new(body);
        let request = Repeatable { head: Some(Box::new(head)), body, resends: Resends::default() };
        let sending = request.send(stack);
        Self { stack: stack.clone(), sending, deadline, request }
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<ClassifiedBody>, BoxError>> {
        loop {
            let Some(sending) = &mut self.sending else {
                ready!(Service::<Request<Outbound>>::poll_ready(&mut self.stack, cx))?;
                self.sending = self.request.send(&mut self.stack);
                if self.sending.is_none() {
                    return Poll::Ready(Err("a call was polled after its end".into()));
                }
                continue;
            };
            match ready!(Pin::new(sending).poll(cx)) {
                Err(error) if self.request.allows_another(&error) => self.sending = None,
                result => return Poll::Ready(result),
            }
        }
    }

    fn progress(&self) -> Progress {
        self.sending.as_ref().map(Sending::progress).unwrap_or_default()
    }
}

impl Repeatable {
    fn send(&self, stack: &mut Stack) -> Option<Sending> {
        let head = Parts::clone(self.head.as_deref()?);
        Some(Sending(stack.call(Request::from_parts(head, Outbound::Stream(self.body.play())))))
    }

    fn allows_another(&mut self, error: &BoxError) -> bool {
        let unprocessed = find::<TransportFault>(error.as_ref()).and_then(TransportFault::unprocessed);
        unprocessed.is_some_and(|how| self.body.is_whole() && self.resends.allow(how))
    }

    /// Lets go of what is kept.
    fn settle(&mut self) {
        self.head = None;
        self.body.settle();
    }
}

impl Future for StubCall {
    type Output = Result<Response<StubBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let result = match this.poll_reply(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => {
                let progress = this.progress();
                let Some(deadline) = &mut this.deadline else { return Poll::Pending };
                ready!(deadline.poll(cx));
                let starving = this.stack.inner().tokens().and_then(|tokens| deadline.starving(tokens));
                let passed = deadline.passed(progress, starving);
                // Resets the stream.
                this.sending = None;
                Err(passed)
            }
        };
        this.request.settle();
        Poll::Ready(match (result, this.deadline.take()) {
            (Ok(reply), deadline) => Ok(reply.map(|body| StubBody { body: Some(body), deadline })),
            (Err(error), Some(deadline)) => Err(deadline.judge(error, this.progress())),
            (Err(error), None) => Err(error),
        })
    }
}

/// The body of a reply to a stub.
#[derive(Debug)]
pub struct StubBody {
    /// `None` when the time is over.
    body: Option<ClassifiedBody>,
    deadline: Option<Deadline>,
}

impl StubBody {
    fn expire(&mut self) -> Option<BoxError> {
        self.body = None;
        let progress = Progress { stage: Stage::Sent, ..Progress::default() };
        self.deadline.take().map(|deadline| deadline.passed(progress, None))
    }
}

impl http_body::Body for StubBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        let Some(deadline) = &mut this.deadline else { return polled };
        match polled {
            Poll::Ready(Some(Err(error))) => {
                let progress = Progress { stage: Stage::Sent, ..Progress::default() };
                Poll::Ready(Some(Err(deadline.judge(error, progress))))
            }
            // The end of the reply counts, even if it is late.
            Poll::Ready(Some(Ok(frame))) if !frame.is_data() => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Ok(_))) | Poll::Pending if deadline.poll(cx).is_ready() => {
                Poll::Ready(this.expire().map(Err))
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

impl fmt::Debug for StubCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubCall")
            .field("sending", &self.sending)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
