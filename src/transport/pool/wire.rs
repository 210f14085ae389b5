//! The byte stream under HTTP/2. What h2 writes is kept here, and sent by whoever drives the connection when h2 has let go of
//! its lock: h2 writes while it holds the lock that every call on the connection takes, and a call on another thread would
//! wait for the system call, or for a thread that the woken server has put to sleep. For the same reason little is kept: h2
//! holds its lock for as long as it can write, and makes the frames of all requests that wait.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::health::Health;
use super::inbound::Inbound;
use crate::transport::connect::Io;

/// What is kept at most, the heads of some forty requests; then h2 waits until that is sent. What is larger by itself is
/// written at once. The memory stays with the connection: a busy one would take it anew for each batch of requests.
const MAX_KEPT: usize = 16 << 10;

/// One for h2, and one for the driver. Only the driver's task uses them, so that the lock is always free.
pub(super) struct Wire(Arc<Mutex<Shared>>);

struct Shared {
    io: Io,
    inbound: Inbound,
    outbound: Outbound,
}

/// What waits to be sent.
#[derive(Default)]
struct Outbound {
    kept: Vec<u8>,
    /// Of that, what the stream has taken.
    taken: usize,
    /// h2 has more to write, and waits.
    is_awaited: bool,
    /// How writing failed, until h2 hears of it.
    failure: Option<io::Error>,
}

impl Wire {
    pub(super) fn new(io: Io, health: Arc<Health>) -> (Self, Self) {
        let (inbound, outbound) = (Inbound::new(health), Outbound::default());
        let shared = Arc::new(Mutex::new(Shared { io, inbound, outbound }));
        (Self(shared.clone()), Self(shared))
    }

    /// Sends what is kept. Unless that is all, h2 is to be polled again: it has more to write, or hears of a failure, once it
    /// has read what there is to be read.
    pub(super) fn poll_send(&self, cx: &mut Context<'_>) -> Sent {
        let shared = &mut *self.lock();
        if shared.outbound.kept.is_empty() {
            return Sent::AsFarAsPossible;
        }
        match shared.poll_send(cx) {
            Poll::Ready(Ok(())) if std::mem::take(&mut shared.outbound.is_awaited) => Sent::ForMore,
            Poll::Ready(Ok(())) | Poll::Pending => Sent::AsFarAsPossible,
            Poll::Ready(Err(error)) => {
                shared.outbound.kept.clear();
                shared.outbound.failure = Some(error);
                Sent::Failed
            }
        }
    }

    /// A poisoned lock only means that a stream of the caller's panicked.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far sending has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All; or the task is woken when the stream takes more.
    AsFarAsPossible,
    /// All that was kept, and h2 waits to write more.
    ForMore,
    Failed,
}

impl Shared {
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Outbound { kept, taken, .. } = &mut self.outbound;
        while let Some(rest) = kept.get(*taken..)
            && !rest.is_empty()
        {
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => *taken = taken.saturating_add(more),
            }
        }
        *taken = 0;
        kept.clear();
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Ready when there is space for `more`, or when nothing is kept. Else the driver polls again, once it has sent.
    fn poll_space(&mut self, more: usize) -> Poll<io::Result<()>> {
        if let Some(failure) = self.outbound.failure.take() {
            return Poll::Ready(Err(failure));
        }
        let kept = self.outbound.kept.len();
        if kept == 0 || kept.saturating_add(more) <= MAX_KEPT {
            return Poll::Ready(Ok(()));
        }
        self.outbound.is_awaited = true;
        Poll::Pending
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Shared { io, inbound, outbound } = &mut *self.lock();
        let before = buf.filled().len();
        let read = Pin::new(io).poll_read(cx, buf);
        if let Some(bytes) = buf.filled().get(before..)
            && !bytes.is_empty()
        {
            inbound.note(bytes);
        }
        match outbound.failure.take_if(|_| read.is_pending()) {
            Some(failure) => Poll::Ready(Err(failure)),
            None => read,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let shared = &mut *self.lock();
        ready!(shared.poll_space(buf.len()))?;
        if buf.len() > MAX_KEPT {
            return Pin::new(&mut shared.io).poll_write(cx, buf);
        }
        shared.outbound.kept.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let shared = &mut *self.lock();
        let length = bufs.iter().map(|buf| buf.len()).sum();
        ready!(shared.poll_space(length))?;
        if length > MAX_KEPT {
            return Pin::new(&mut shared.io).poll_write_vectored(cx, bufs);
        }
        for buf in bufs {
            shared.outbound.kept.extend_from_slice(buf);
        }
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What is kept is sent by the driver, after this poll.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.lock().outbound.failure.take().map_or(Ok(()), Err))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shared = &mut *self.lock();
        ready!(shared.poll_send(cx))?;
        Pin::new(&mut shared.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
