//! One request and its reply on a connection. All of it happens in the caller's own task: no task is spawned for a unary
//! call, and no message is passed between tasks. Only a stream of requests has a task of its own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::ResponseFuture;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;

use super::super::outbound::Outbound;
use super::connection::Unsent;
use super::progress::{Progress, Stage};
use super::pulse::Watch;
use super::slot::Slot;
use super::state::Grant;
use super::upload::Upload;
use super::waiter::Waiter;
use super::{Entered, Pool};
use crate::error::{BoxError, ClosedBeforeSend, Undriven};

/// The reply to a request, as a future. Dropping it resets the stream, which the server sees as a cancellation.
pub(crate) struct Exchange {
    state: State,
    /// For a place, before it was sent.
    waited: Duration,
}

enum State {
    /// The request waits to be polled, or for a connection.
    Unsent {
        pool: Pool,
        request: Request<Outbound>,
        waiter: Option<Box<Waiter>>,
    },
    Sent(Sent),
    Done,
}

struct Sent {
    reply: ResponseFuture,
    upload: Upload,
    slot: Slot,
    watch: Option<Box<Watch>>,
}

impl Exchange {
    pub(super) fn new(pool: Pool, request: Request<Outbound>) -> Self {
        Self { state: State::Unsent { pool, request, waiter: None }, waited: Duration::ZERO }
    }

    /// How far the request has come.
    pub(crate) fn progress(&self) -> Progress {
        match &self.state {
            State::Unsent { waiter: Some(waiter), .. } => {
                Progress { stage: waiter.stage(), waited: waiter.waited() }
            }
            State::Unsent { waiter: None, .. } => Progress::default(),
            State::Sent(_) | State::Done => Progress { stage: Stage::Sent, waited: self.waited },
        }
    }
}

impl Future for Exchange {
    type Output = Result<Response<ReplyBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            // Where it is, for it is large to be moved.
            if let State::Sent(sent) = &mut self.state {
                let ended = match sent.poll(cx) {
                    Poll::Ready(result) => Some(result),
                    Poll::Pending if poll_watch(&mut sent.watch, cx).is_pending() => return Poll::Pending,
                    Poll::Pending => None,
                };
                let State::Sent(sent) = std::mem::replace(&mut self.state, State::Done) else { continue };
                return Poll::Ready(match ended {
                    Some(result) => result.map(|reply| reply.map(|stream| sent.into_body(stream))),
                    None => Err(sent.give_up()),
                });
            }
            match std::mem::replace(&mut self.state, State::Done) {
                State::Unsent { pool, request, waiter } => {
                    let again = match waiter {
                        None => None,
                        Some(mut waiter) => match waiter.poll(cx) {
                            Poll::Pending => {
                                self.state = State::Unsent { pool, request, waiter: Some(waiter) };
                                return Poll::Pending;
                            }
                            Poll::Ready(Grant::Slot(slot)) => {
                                self.waited = waiter.waited();
                                let here = Handle::try_current().ok();
                                self.state = send(pool, slot, request, here.as_ref(), cx)?;
                                continue;
                            }
                            Poll::Ready(Grant::Failed(error)) => return Poll::Ready(Err(error.into())),
                            Poll::Ready(Grant::Again) => Some(waiter.place()),
                        },
                    };
                    let here = Handle::try_current().ok();
                    self.state = match pool.enter(again, here.as_ref())? {
                        Entered::Slot(slot) => send(pool, slot, request, here.as_ref(), cx)?,
                        Entered::Waiting(waiter) => {
                            State::Unsent { pool, request, waiter: Some(Box::new(waiter)) }
                        }
                    };
                }
                State::Sent(_) | State::Done => {
                    return Poll::Ready(Err("an exchange was polled after its end".into()));
                }
            }
        }
    }
}

/// Sends the request on the connection that has a place for it; if that closes just now, it waits for another.
fn send(
    pool: Pool,
    slot: Slot,
    request: Request<Outbound>,
    here: Option<&Handle>,
    cx: &mut Context<'_>,
) -> Result<State, BoxError> {
    let (head, body) = pool.address(request)?;
    let watch = here.and_then(|here| slot.watch(here));
    match slot.connection.send(head, cx) {
        Ok((reply, stream)) => {
            let upload = Upload::begin(body, stream, here, cx)?;
            Ok(State::Sent(Sent { reply, upload, slot, watch }))
        }
        Err(Unsent::Closing(head)) => {
            let request = head.map(|()| body);
            Ok(State::Unsent { pool, request, waiter: None })
        }
        Err(Unsent::ClosedBeforeSend(error)) => Err(ClosedBeforeSend(error).into()),
    }
}

/// Ready when nobody drives the connection.
fn poll_watch(watch: &mut Option<Box<Watch>>, cx: &mut Context<'_>) -> Poll<()> {
    watch.as_mut().map_or(Poll::Pending, |watch| watch.poll(cx))
}

impl Sent {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<RecvStream>, BoxError>> {
        self.upload.poll(cx)?;
        match ready!(Pin::new(&mut self.reply).poll(cx)) {
            Ok(reply) => Poll::Ready(Ok(reply)),
            // It may be the end of a body that has failed meanwhile.
            Err(error) => {
                Poll::Ready(Err(self.upload.poll(cx).err().unwrap_or_else(|| self.slot.explain(error))))
            }
        }
    }

    fn into_body(self, stream: RecvStream) -> ReplyBody {
        let Self { upload, slot, watch, .. } = self;
        ReplyBody { stream: Some(stream), unreleased: 0, upload, slot: Some(slot), watch }
    }

    /// Nobody drives the connection.
    fn give_up(self) -> BoxError {
        let Self { reply, upload, slot, watch } = self;
        slot.pass_over();
        // First the stream, so that nothing is sent of it after the question.
        drop((reply, upload));
        let is_sent = !watch.is_some_and(|watch| watch.is_untouched());
        Undriven { is_sent }.into()
    }
}

/// Of what was read, so much may go unsaid to HTTP/2's windows: less than half of the smallest.
const UNRELEASED: usize = 16 << 10;

/// The body of a reply, as it arrives. It holds its place on the connection to its end.
pub(crate) struct ReplyBody {
    /// `None` after the end, which releases what was not.
    stream: Option<RecvStream>,
    /// Bytes that were read and still count in the window. Most replies are small: to release them one by one would take
    /// the lock of the connection once more for each.
    unreleased: usize,
    upload: Upload,
    slot: Option<Slot>,
    watch: Option<Box<Watch>>,
}

impl ReplyBody {
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.upload.poll(cx)?;
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        match ready!(stream.poll_data(cx)) {
            Some(Ok(data)) => {
                self.unreleased = self.unreleased.saturating_add(data.len());
                if self.unreleased >= UNRELEASED {
                    // Fails only on a stream that has ended, whose window matters no more.
                    let _ = stream.flow_control().release_capacity(std::mem::take(&mut self.unreleased));
                }
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            Some(Err(error)) => return Poll::Ready(Some(Err(self.explain(error, cx)))),
            None => {}
        }
        match ready!(stream.poll_trailers(cx)) {
            Ok(trailers) => {
                // With the reply the call is over, whatever the request still has to say.
                (self.stream, self.upload, self.slot, self.watch) = (None, Upload::Done, None, None);
                Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Err(error) => Poll::Ready(Some(Err(self.explain(error, cx)))),
        }
    }

    /// Why the stream ended: it may be the end of a body that has failed.
    fn explain(&mut self, error: h2::Error, cx: &mut Context<'_>) -> BoxError {
        match (self.upload.poll(cx), &self.slot) {
            (Err(failed), _) => failed,
            (Ok(()), Some(slot)) => slot.explain(error),
            (Ok(()), None) => BoxError::from("the stream has ended"),
        }
    }

    /// Nobody drives the connection.
    fn give_up(&mut self) -> BoxError {
        if let Some(slot) = self.slot.take() {
            slot.pass_over();
        }
        self.watch = None;
        Undriven { is_sent: true }.into()
    }
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let polled = this.poll_stream(cx);
        if polled.is_pending() && poll_watch(&mut this.watch, cx).is_ready() {
            return Poll::Ready(Some(Err(this.give_up())));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("stage", &self.progress().stage).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody")
            .field("is_end_stream", &http_body::Body::is_end_stream(self))
            .finish_non_exhaustive()
    }
}
