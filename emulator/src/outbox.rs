//! What a connection has been answered and has not read: bounded, so that a reader who stalls fills no memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

/// What a connection may leave unread, in bytes, and still be answered.
const MOST: usize = 64 * 1024 * 1024;
/// What the HTTP library is given at a time: it takes over all of that, whether the other side reads it or not.
const PIECE: usize = 16 * 1024;

/// The answers of one connection that are not read yet; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox(Arc<Counter>);

#[derive(Debug, Default)]
struct Counter {
    bytes: AtomicUsize,
    fewer: Notify,
}

/// Bytes that are not read yet, until this is dropped; travels in the extensions of an HTTP response.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    _part: Arc<Part>,
}

#[derive(Debug)]
struct Part {
    outbox: Outbox,
    bytes: usize,
}

impl Outbox {
    /// Whether the connection is answered.
    pub(crate) fn is_open(&self) -> bool {
        self.0.bytes.load(Ordering::Acquire) < MOST
    }

    /// Waits until it is.
    ///
    /// Cancel safe.
    pub(crate) async fn opened(&self) {
        loop {
            let fewer = self.0.fewer.notified();
            if self.is_open() {
                return;
            }
            fewer.await;
        }
    }

    /// Takes an answer in.
    pub(crate) fn hold(&self, bytes: usize) -> Held {
        let add = |held: usize| Some(held.saturating_add(bytes));
        let before = self.0.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, add).unwrap_or_default();
        // No more than what was added, if that was more than can be counted.
        let bytes = bytes.min(usize::MAX - before);
        Held { _part: Arc::new(Part { outbox: self.clone(), bytes }) }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.outbox.0.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.outbox.0.fewer.notify_waiters();
    }
}

/// The body of an answer that is held until it is read, given out piece by piece.
#[derive(Debug)]
pub(crate) struct Unread<B> {
    body: B,
    rest: Bytes,
    _held: Held,
}

impl<B> Unread<B> {
    pub(crate) fn new(body: B, held: Held) -> Self {
        Self { body, rest: Bytes::new(), _held: held }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Unread<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return other,
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let mut hint = self.body.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    #[tokio::test]
    async fn who_does_not_read_is_not_answered() {
        let outbox = Outbox::default();
        let small = outbox.hold(MOST - 1);
        assert!(outbox.is_open());
        let more = outbox.hold(1);
        assert!(!outbox.is_open());
        let waits = outbox.opened();
        let reads = async { drop(more) };
        tokio::join!(waits, reads);
        drop((outbox.hold(usize::MAX), small));
        assert_eq!(outbox.0.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn an_answer_goes_out_in_pieces_and_is_held_to_its_end() {
        let (outbox, sent) = (Outbox::default(), vec![7; 3 * PIECE + 5]);
        let mut body = Unread::new(Full::new(Bytes::from(sent.clone())), outbox.hold(sent.len()));
        assert_eq!(body.size_hint().exact(), Some(sent.len() as u64));
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= PIECE);
            read.extend_from_slice(&data);
        }
        assert_eq!(read, sent);
        assert_eq!(outbox.0.bytes.load(Ordering::Relaxed), sent.len());
        drop(body);
        assert_eq!(outbox.0.bytes.load(Ordering::Relaxed), 0);
    }
}
