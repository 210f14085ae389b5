//! What a scripted fault makes of a reply: nothing, a part of it, or another.

use std::collections::VecDeque;
use std::future::{Future as _, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, Sleep, sleep_until};

use super::body::{Body, BoxError};
use super::control::ConnectionControl;
use crate::script::Break;

/// So that what was sent before is on its way when the connection is closed; closing takes what is not.
const FLUSH: Duration = Duration::from_millis(10);
/// What stands for "never" between the parts of a slow reply, as in tokio's own timers.
const NEVER: Duration = Duration::from_hours(30 * 365 * 24);
/// The last stream that is named by a GOAWAY which refuses nothing: the largest there is.
const ALL_STREAMS: u32 = 0x7fff_ffff;

/// The reply as it goes out. An error resets the stream, or closes a connection of HTTP/1.1.
pub(super) async fn inject(
    how: &Break,
    response: Response<Body>,
    control: Arc<ConnectionControl>,
    is_http2: bool,
) -> Result<Response<Body>, BoxError> {
    match how {
        Break::Reset(code) => return Err(reset(*code)),
        Break::GoAway { code, refused, text } if is_http2 => {
            control.go_away(if *refused { 0 } else { ALL_STREAMS }, *code, text.as_bytes());
        }
        Break::Close | Break::GoAway { .. } => control.cut(false),
        Break::Abort => control.cut(true),
        Break::Freeze => control.freeze(),
        Break::Retire => {
            control.leave.notify_one();
            let mut response = response;
            if !is_http2 {
                // The connection may be told to end after the head is written, and the head is what says so.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return Ok(response);
        }
        Break::Http { status, content_type, body } => {
            let body = Full::new(Bytes::from(body.clone())).map_err(|never| match never {});
            let mut other = Response::new(body.boxed_unsync());
            *other.status_mut() = StatusCode::from_u16(*status)?;
            other.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(content_type)?);
            return Ok(other);
        }
        Break::Stall => {}
        Break::StallBody | Break::Half(_) | Break::Slow { .. } | Break::NoStatus => {
            return in_parts(how, response, control, is_http2).await;
        }
    }
    // The connection does the rest. A reply that nobody gets is not kept meanwhile.
    drop(response);
    pending().await
}

fn reset(code: u32) -> BoxError {
    h2::Error::from(h2::Reason::from(code)).into()
}

async fn in_parts(
    how: &Break,
    response: Response<Body>,
    control: Arc<ConnectionControl>,
    is_http2: bool,
) -> Result<Response<Body>, BoxError> {
    let (mut head, body) = response.into_parts();
    let whole = body.collect().await?;
    let trailers = whole.trailers().cloned();
    let data = whole.to_bytes();
    let half = || data.slice(..data.len() / 2);
    let now = Instant::now();
    let mut parts = VecDeque::new();
    let end = match how {
        Break::Half(Some(code)) => {
            parts.push_back((now, Frame::data(half())));
            End::Reset(*code)
        }
        Break::NoStatus if is_grpc(&head.headers) => {
            parts.push_back((now, Frame::data(data.clone())));
            // A reply without a message has its status among the headers.
            head.headers.remove("grpc-status");
            End::Good
        }
        Break::Half(None) | Break::NoStatus => {
            parts.push_back((now, Frame::data(half())));
            End::Cut
        }
        Break::Slow { bytes, every } => {
            let size = usize::try_from(*bytes)?.max(1);
            let mut at = now;
            for part in 0..data.len().div_ceil(size) {
                let from = part * size;
                parts.push_back((at, Frame::data(data.slice(from..data.len().min(from + size)))));
                at = at.checked_add(*every.min(&NEVER)).unwrap_or(at);
            }
            parts.extend(trailers.map(|trailers| (at, Frame::trailers(trailers))));
            End::Good
        }
        _ => End::Never,
    };
    // What was promised, though not what comes.
    let length = if is_http2 { None } else { Some(u64::try_from(data.len())?) };
    head.headers.remove(CONTENT_LENGTH);
    let body = Parts { due: parts, end, length, control, wait: None };
    Ok(Response::from_parts(head, body.boxed_unsync()))
}

fn is_grpc(headers: &http::HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// How a body ends.
#[derive(Debug)]
enum End {
    Good,
    Never,
    Reset(u32),
    Cut,
}

/// A body whose parts come when they are due.
#[derive(Debug)]
struct Parts {
    due: VecDeque<(Instant, Frame<Bytes>)>,
    end: End,
    length: Option<u64>,
    control: Arc<ConnectionControl>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Parts {
    fn poll_until(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let wait = self.wait.get_or_insert_with(|| Box::pin(sleep_until(at)));
        ready!(wait.as_mut().poll(cx));
        self.wait = None;
        Poll::Ready(())
    }
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some((at, _)) = self.due.front() {
            let at = *at;
            ready!(self.poll_until(at, cx));
            return Poll::Ready(self.due.pop_front().map(|(_, frame)| Ok(frame)));
        }
        match self.end {
            End::Good => Poll::Ready(None),
            End::Never => Poll::Pending,
            End::Reset(code) => {
                ready!(self.poll_until(flushed(), cx));
                Poll::Ready(Some(Err(reset(code))))
            }
            End::Cut => {
                ready!(self.poll_until(flushed(), cx));
                self.end = End::Never;
                self.control.cut(false);
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.due.is_empty() && matches!(self.end, End::Good)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// When what was sent before is on its way.
fn flushed() -> Instant {
    let now = Instant::now();
    now.checked_add(FLUSH).unwrap_or(now)
}
