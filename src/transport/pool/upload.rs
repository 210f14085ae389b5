//! The body of a request on its way. A unary one is sent in one step; a stream of messages gets a task of its own, so that
//! it goes on while nobody polls the reply.

use std::future::{Future as _, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body as _;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::super::outbound::Outbound;
use crate::error::{BoxError, RequestBody, UploadLost};

/// What is left of a request's body. Dropping it ends the stream of messages at once, and the request with it unless all
/// was sent.
pub(super) enum Upload {
    /// Nothing: all is sent, or the server wants no more.
    Done,
    /// There is no runtime for a task: whoever polls the reply sends.
    Here(Box<Sender>),
    Task(Task),
}

impl Upload {
    /// Sends what there is of the body. That is all of a unary request; what is left of another is sent by a task on
    /// `runtime`.
    pub(super) fn begin(
        body: Outbound,
        mut stream: SendStream<Bytes>,
        runtime: Option<&Handle>,
        cx: &mut Context<'_>,
    ) -> Result<Self, BoxError> {
        let body = match body {
            Outbound::Whole(message) => {
                // Fails only on a stream that has ended: then the reply tells why.
                let _ = stream.send_data(message.unwrap_or_default(), true);
                return Ok(Self::Done);
            }
            streamed @ Outbound::Stream(_) => streamed,
        };
        let mut sender = Sender { body, stream, held: None, has_begun: false };
        match sender.poll(cx) {
            Poll::Ready(sent) => sent.map(|()| Self::Done).inspect_err(|_| sender.reset()),
            Poll::Pending => Ok(match runtime {
                Some(runtime) => Self::Task(Task::spawn(sender, runtime)),
                None => Self::Here(Box::new(sender)),
            }),
        }
    }

    /// Looks whether the body has failed, and sends what there is of it if no task does.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Result<(), BoxError> {
        let ended = match self {
            Self::Done => return Ok(()),
            Self::Here(sender) => match sender.poll(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(sent) => sent.inspect_err(|_| sender.reset()),
            },
            Self::Task(task) => match Pin::new(&mut task.outcome).poll(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(told) => told.unwrap_or_else(|_| Err(UploadLost.into())),
            },
        };
        *self = Self::Done;
        ended
    }
}

/// Sends a body as far as there is room for it.
pub(super) struct Sender {
    body: Outbound,
    stream: SendStream<Bytes>,
    /// Waits to be known as the last, so that it can end the stream: a frame fewer for every unary call.
    held: Option<Bytes>,
    has_begun: bool,
}

impl Sender {
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
                Err(error) => return Poll::Ready(Err(RequestBody(error).into())),
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

    fn reset(&mut self) {
        self.stream.send_reset(Reason::CANCEL);
    }
}

/// A task that sends the rest of a body. It ends with this.
pub(super) struct Task {
    shared: Arc<Shared>,
    /// How the body ended; nothing if the task ended before it.
    outcome: oneshot::Receiver<Result<(), BoxError>>,
    abort: AbortHandle,
}

/// What the task and its owner both reach: the owner ends it at once, wherever the task is.
struct Shared {
    sender: Mutex<Option<Sender>>,
    is_over: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Sender>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let mut sender = self.lock();
        let polled = sender.as_mut().map_or(Poll::Ready(Ok(())), |sender| sender.poll(cx));
        drop(sender);
        // The owner found the lock taken.
        if polled.is_pending() && self.is_over.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(()));
        }
        polled
    }

    /// Lets go of the body and of the stream.
    fn take(&self) -> Option<Sender> {
        mem::take(&mut *self.lock())
    }
}

impl Task {
    fn spawn(sender: Sender, runtime: &Handle) -> Self {
        let shared = Arc::new(Shared { sender: Mutex::new(Some(sender)), is_over: AtomicBool::new(false) });
        let (tell, outcome) = oneshot::channel();
        let sending = shared.clone();
        let task = runtime.spawn(async move {
            let sent = poll_fn(|cx| sending.poll(cx)).await;
            let has_failed = sent.is_err();
            // Before the stream is reset, so that whoever sees the one finds the other. Nobody may want it any more.
            let _ = tell.send(sent);
            if let Some(mut sender) = sending.take()
                && has_failed
            {
                sender.reset();
            }
        });
        Self { shared, outcome, abort: task.abort_handle() }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // If the task is at work just now, it sees the flag when it is done. To wait for it could be to wait for oneself:
        // the stream of messages may be what drops this.
        let sender = match self.shared.sender.try_lock() {
            Ok(mut sender) => mem::take(&mut *sender),
            Err(TryLockError::Poisoned(sender)) => mem::take(&mut *sender.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        drop(sender);
        self.abort.abort();
    }
}
