//! The body of every reply, whoever makes it; for as long as it is there, its call is in flight.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use super::calls::InFlight;
use crate::outbox::{Held, Unread};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A reply of any of the services on the port.
pub(super) fn boxed<B>(response: Response<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

/// A reply that is held for its connection until it is read, if it is such.
pub(super) fn unread(mut response: Response<Body>) -> Response<Body> {
    match response.extensions_mut().remove::<Held>() {
        Some(held) => response.map(|body| Unread::new(body, held).boxed_unsync()),
        None => response,
    }
}

/// The body of a call, which is in flight until this is dropped.
#[derive(Debug)]
pub(super) struct Sent {
    body: Body,
    _call: InFlight,
}

impl Sent {
    pub(super) fn new(body: Body, call: InFlight) -> Self {
        Self { body, _call: call }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
