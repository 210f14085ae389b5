//! The body of every reply, whoever makes it.

use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

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
