//! Stands between tonic and the wire: faults are classified where their causes are still attached, pages of a
//! proxy are told from gRPC, and trailers that would make tonic panic are mended.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::Service;

use crate::error::{BoxError, HttpReply, TransportFault};
use crate::status::BASE64;

/// tonic 0.14 unwraps the decoded form of this header.
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Guard<S>(S);

impl<S> Guard<S> {
    pub(super) fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S, B> Service<Request<B>> for Guard<S>
where
    S: Service<Request<B>, Response = Response<tonic::body::Body>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<GuardedBody>;
    type Error = BoxError;
    type Future = GuardedCall<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(|error| fault(error.into()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        GuardedCall { inner: self.0.call(request) }
    }
}

fn fault(error: BoxError) -> BoxError {
    TransportFault::new(error).into()
}

pin_project! {
    /// Waits for the reply's head, and looks at it.
    #[derive(Debug)]
    pub struct GuardedCall<F> {
        #[pin]
        inner: F,
    }
}

impl<F, E> Future for GuardedCall<F>
where
    F: Future<Output = Result<Response<tonic::body::Body>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<GuardedBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(self.project().inner.poll(cx)) {
            Ok(response) => admit(response),
            Err(error) => Err(fault(error.into())),
        })
    }
}

/// Lets gRPC pass, and turns anything else into an error that says what it is.
fn admit(response: Response<tonic::body::Body>) -> Result<Response<GuardedBody>, BoxError> {
    let (mut head, body) = response.into_parts();
    let content_type = head.headers.get(CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if !is_grpc && !head.headers.contains_key(GRPC_STATUS) {
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        return Err(fault(HttpReply { status: head.status, content_type }.into()));
    }
    mend(&mut head.headers);
    Ok(Response::from_parts(head, GuardedBody { inner: body }))
}

/// Drops details that are not base64: code and message stand without them.
fn mend(headers: &mut HeaderMap) {
    if let Some(value) = headers.get(DETAILS)
        && BASE64.decode(value).is_err()
    {
        headers.remove(DETAILS);
    }
}

pin_project! {
    /// The body of a reply, guarded: see [`Transport`](super::Transport).
    #[derive(Debug)]
    pub struct GuardedBody {
        #[pin]
        inner: tonic::body::Body,
    }
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(self.project().inner.poll_frame(cx)) {
            Some(Ok(mut frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    mend(trailers);
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => Some(Err(fault(error.into()))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};

    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &'static str)]) -> Response<tonic::body::Body> {
        let mut response = Response::new(tonic::body::Body::empty());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        response
    }

    #[test]
    fn a_page_of_a_proxy_is_told_from_grpc() {
        let error = admit(reply(502, &[("content-type", "text/html")])).unwrap_err();
        let chain = format!("{error}: {}", error.source().unwrap());
        assert!(chain.ends_with("HTTP 502 Bad Gateway with content type `text/html`, not gRPC"), "{chain}");
        assert!(admit(reply(200, &[("content-type", "application/grpc+proto")])).is_ok());
        assert!(admit(reply(200, &[("grpc-status", "5")])).is_ok());
    }

    #[test]
    fn only_details_that_decode_reach_tonic() {
        let headers = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(DETAILS, HeaderValue::from_str(value).unwrap());
            mend(&mut headers);
            // The call that panics on what is not base64.
            headers.insert("grpc-status", HeaderValue::from_static("3"));
            tonic::Status::from_header_map(&headers).unwrap();
            headers.contains_key(DETAILS)
        };
        for good in ["", "CAM", "CAM=", "CAMSAA==", "CAMSAA"] {
            assert!(headers(good), "{good:?}");
        }
        for bad in ["!", "CAM==", "C", "CA M", "CAM===", "=", "CAM "] {
            headers(bad);
        }
        assert!(!headers("%%%"));
    }
}
