//! The body of a request that may have to be sent again: what was sent of it is kept, while it is little and the server
//! has said nothing.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tonic::body::Body;

use crate::error::BoxError;

/// How much of a request is kept, in bytes; gRPC's other clients keep as much.
const MAX_KEPT: usize = 256 << 10;

/// A body that can be sent more than once.
pub(super) struct Replay(Arc<Mutex<Recording>>);

struct Recording {
    body: Body,
    /// What was sent, from the beginning; `None` when it was too much, or is not needed any more.
    kept: Option<Vec<Bytes>>,
    size: usize,
    is_ended: bool,
    /// Which of those that were played is the current one: an earlier one may not have ended yet.
    playing: u32,
}

impl Replay {
    pub(super) fn new(body: Body) -> Self {
        let kept = Some(Vec::new());
        Self(Arc::new(Mutex::new(Recording { body, kept, size: 0, is_ended: false, playing: 0 })))
    }

    /// The body from its beginning; what was played before says nothing more.
    pub(super) fn play(&self) -> Body {
        let mut recording = lock(&self.0);
        recording.playing = recording.playing.wrapping_add(1);
        let (number, recording) = (recording.playing, self.0.clone());
        Body::new(Playing { recording, number, position: 0 })
    }

    /// Whether all that was sent is kept.
    pub(super) fn is_whole(&self) -> bool {
        lock(&self.0).kept.is_some()
    }

    /// Keeps nothing from now on.
    pub(super) fn settle(&self) {
        lock(&self.0).kept = None;
    }
}

/// A poisoned lock only means that the caller's stream panicked.
fn lock(recording: &Mutex<Recording>) -> MutexGuard<'_, Recording> {
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => self.keep(frame.data_ref()),
            Some(Err(_)) => self.kept = None,
            None => self.is_ended = true,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn keep(&mut self, data: Option<&Bytes>) {
        let Some(kept) = &mut self.kept else { return };
        match data {
            Some(data) if self.size.saturating_add(data.len()) <= MAX_KEPT => {
                self.size = self.size.saturating_add(data.len());
                kept.push(data.clone());
            }
            _ => self.kept = None,
        }
    }
}

/// The body, as one attempt sends it.
struct Playing {
    recording: Arc<Mutex<Recording>>,
    number: u32,
    position: usize,
}

impl http_body::Body for Playing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let mut recording = lock(&this.recording);
        if recording.playing != this.number {
            return Poll::Pending;
        }
        let kept = recording.kept.as_ref().and_then(|kept| kept.get(this.position)).cloned();
        let next = match kept {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            None => recording.poll_next(cx),
        };
        if next.is_ready() {
            this.position = this.position.saturating_add(1);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    fn body(sizes: &[usize]) -> Body {
        let frames: Vec<_> =
            sizes.iter().map(|size| Ok::<_, BoxError>(Frame::data(vec![7; *size].into()))).collect();
        Body::new(StreamBody::new(tokio_stream::iter(frames)))
    }

    async fn sizes(mut body: Body, frames: usize) -> Vec<usize> {
        let mut sizes = Vec::new();
        while sizes.len() < frames
            && let Some(frame) = body.frame().await
        {
            sizes.push(frame.unwrap().into_data().unwrap().len());
        }
        sizes
    }

    #[tokio::test]
    async fn a_body_is_played_again_from_its_beginning() {
        let replay = Replay::new(body(&[1, 2, 3]));
        assert_eq!(sizes(replay.play(), 2).await, [1, 2]);
        assert!(replay.is_whole());
        assert_eq!(sizes(replay.play(), 9).await, [1, 2, 3]);
        assert_eq!(sizes(replay.play(), 9).await, [1, 2, 3]);
    }

    #[tokio::test]
    async fn what_is_large_or_settled_is_not_kept() {
        let replay = Replay::new(body(&[1, MAX_KEPT, 3]));
        let playing = replay.play();
        assert_eq!(sizes(playing, 9).await, [1, MAX_KEPT, 3]);
        assert!(!replay.is_whole());
        let replay = Replay::new(body(&[1, 2, 3]));
        let playing = replay.play();
        replay.settle();
        assert_eq!(sizes(playing, 9).await, [1, 2, 3], "it goes on");
        assert!(!replay.is_whole());
    }

    #[tokio::test]
    async fn an_earlier_one_says_nothing_more() {
        let replay = Replay::new(body(&[1, 2]));
        let mut earlier = replay.play();
        let later = replay.play();
        let is_pending =
            std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut earlier).poll_frame(cx).is_pending()));
        assert!(is_pending.await);
        assert_eq!(sizes(later, 9).await, [1, 2]);
    }
}
