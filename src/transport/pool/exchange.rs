//! One request and its reply on a connection. All of it happens in the caller's own task: no task is spawned for a call,
//! and no message is passed between tasks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use tokio::runtime::Handle;
use tonic::body::Body;

use super::connection::Unsent;
use super::progress::{Progress, Stage};
use super::pulse::Watch;
use super::slot::Slot;
use super::state::Grant;
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
        request: Request<Body>,
        waiter: Option<Box<Waiter>>,
    },
    Sent(Sent),
    Done,
}

struct Sent {
    reply: ResponseFuture,
    upload: Option<Upload>,
    slot: Slot,
    watch: Option<Box<Watch>>,
}

impl Exchange {
    pub(super) fn new(pool: Pool, request: Request<Body>) -> Self {
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
                State::Sent(mut sent) => {
                    let polled = sent.poll(cx);
                    if let Poll::Ready(result) = polled {
                        return Poll::Ready(result.map(|reply| reply.map(|stream| sent.into_body(stream))));
                    }
                    if poll_watch(&mut sent.watch, cx).is_pending() {
                        self.state = State::Sent(sent);
                        return Poll::Pending;
                    }
                    return Poll::Ready(Err(sent.give_up()));
                }
                State::Done => return Poll::Ready(Err("an exchange was polled after its end".into())),
            }
        }
    }
}

/// Sends the request on the connection that has a place for it; if that closes just now, it waits for another.
fn send(
    pool: Pool,
    slot: Slot,
    request: Request<Body>,
    here: Option<&Handle>,
    cx: &mut Context<'_>,
) -> Result<State, BoxError> {
    let (head, body) = pool.address(request)?;
    let watch = here.and_then(|here| slot.watch(here));
    match slot.connection.send(head, cx) {
        Ok((reply, stream)) => {
            let upload = Some(Upload { body, stream, held: None, has_begun: false });
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
        poll_upload(&mut self.upload, cx)?;
        Pin::new(&mut self.reply).poll(cx).map_err(|error| self.slot.explain(error))
    }

    fn into_body(self, stream: RecvStream) -> ReplyBody {
        ReplyBody { stream, upload: self.upload, slot: Some(self.slot), watch: self.watch }
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

/// Sends what there is of the request's body; forgets it when it is sent.
fn poll_upload(upload: &mut Option<Upload>, cx: &mut Context<'_>) -> Result<(), BoxError> {
    if let Some(sending) = upload
        && let Poll::Ready(sent) = sending.poll(cx)
    {
        *upload = None;
        sent?;
    }
    Ok(())
}

/// The body of a request on its way.
struct Upload {
    body: Body,
    stream: SendStream<Bytes>,
    /// Waits to be known as the last, so that it can end the stream: a frame fewer for every unary call.
    held: Option<Bytes>,
    has_begun: bool,
}

impl Upload {
    /// Ready when all is sent, or when the stream takes no more: then the reply tells why. Only an error of the body
    /// itself is one here.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            // No more of a stream of messages is taken than the server has room for.
            if self.has_begun && !ready!(self.poll_room(cx)) {
                return Poll::Ready(Ok(()));
            }
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                return if self.send_held() { Poll::Pending } else { Poll::Ready(Ok(())) };
            };
            match frame.transpose() {
                Ok(None) => {
                    let last = self.held.take().unwrap_or_default();
                    let _ = self.stream.send_data(last, true);
                    return Poll::Ready(Ok(()));
                }
                Ok(Some(frame)) => {
                    if !self.send_held() {
                        return Poll::Ready(Ok(()));
                    }
                    match frame.into_data() {
                        Ok(data) => self.held = Some(data),
                        Err(frame) => {
                            let trailers = frame.into_trailers().unwrap_or_default();
                            let _ = self.stream.send_trailers(trailers);
                            return Poll::Ready(Ok(()));
                        }
                    }
                }
                Err(error) => {
                    self.stream.send_reset(Reason::CANCEL);
                    return Poll::Ready(Err(error.into()));
                }
            }
        }
    }

    /// Whether there is room for more; `false` if there will never be.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.stream.reserve_capacity(1);
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    }

    /// Sends what is held, if anything is; `false` if the stream takes no more.
    fn send_held(&mut self) -> bool {
        let Some(data) = self.held.take() else { return true };
        self.has_begun = true;
        self.stream.send_data(data, false).is_ok()
    }
}

/// The body of a reply, as it arrives. It holds its place on the connection to its end.
pub(crate) struct ReplyBody {
    stream: RecvStream,
    upload: Option<Upload>,
    slot: Option<Slot>,
    watch: Option<Box<Watch>>,
}

impl ReplyBody {
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        poll_upload(&mut self.upload, cx)?;
        let explain = |error| {
            self.slot
                .as_ref()
                .map_or_else(|| BoxError::from("the stream has ended"), |slot| slot.explain(error))
        };
        match ready!(self.stream.poll_data(cx)) {
            Some(Ok(data)) => {
                // Fails only on a stream that has ended, whose window matters no more.
                let _ = self.stream.flow_control().release_capacity(data.len());
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            Some(Err(error)) => return Poll::Ready(Some(Err(explain(error)))),
            None => {}
        }
        let trailers = ready!(self.stream.poll_trailers(cx)).map_err(explain);
        (self.slot, self.watch) = (None, None);
        Poll::Ready(trailers.transpose().map(|trailers| trailers.map(Frame::trailers)))
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
        self.stream.is_end_stream()
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
            .field("is_end_stream", &self.stream.is_end_stream())
            .finish_non_exhaustive()
    }
}
