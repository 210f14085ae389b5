//! The body of a request on its way down: one message that is whole, as typed calls have it, or whatever a stub streams.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::body::Body;

use crate::error::BoxError;

/// The body of a request. What is whole needs no box, and is told as the last when it is given out.
pub(crate) enum Outbound {
    /// One message with its prefix; `None` once it was given out.
    Whole(Option<Bytes>),
    Stream(Body),
}

impl From<Bytes> for Outbound {
    fn from(message: Bytes) -> Self {
        Self::Whole(Some(message))
    }
}

impl From<Body> for Outbound {
    fn from(body: Body) -> Self {
        Self::Stream(body)
    }
}

/// For a service of the caller's, which knows tonic's body.
impl From<Outbound> for Body {
    fn from(body: Outbound) -> Self {
        match body {
            Outbound::Stream(body) => body,
            whole @ Outbound::Whole(_) => Self::new(whole),
        }
    }
}

impl http_body::Body for Outbound {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Whole(message) => Poll::Ready(message.take().map(|message| Ok(Frame::data(message)))),
            Self::Stream(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(message) => message.is_none(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(message) => {
                let size = message.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(size).unwrap_or(u64::MAX))
            }
            Self::Stream(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Outbound::Whole",
            Self::Stream(_) => "Outbound::Stream",
        })
    }
}
