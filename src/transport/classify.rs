//! Stands between tonic and the wire: faults are classified where their causes are still attached, pages of a
//! proxy are told from gRPC, the server's own status from those that tonic makes, and trailers that would make
//! tonic panic are mended.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Code;
use tower::Service;

use super::carrier::{CarrierFuture, Incoming};
use super::page::Page;
use super::pool::{Progress, Stage};
use crate::error::{BoxError, FromServer, TransportFault};
use crate::status::BASE64;

/// tonic 0.14 unwraps the decoded form of this header.
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct ClassifyFaults<S> {
    inner: S,
    /// Why what sends requests takes none any more.
    is_gone: Option<tonic::Status>,
}

impl<S> ClassifyFaults<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, is_gone: None }
    }
}

impl<S, B> Service<Request<B>> for ClassifyFaults<S>
where
    S: Service<Request<B>, Response = Response<Incoming>, Error = BoxError>,
{
    type Response = Response<ClassifiedBody>;
    type Error = BoxError;
    type Future = ClassifiedCall<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // A channel that cannot connect says so in the reply; here only one that is gone for good. Stubs make their own
        // error of what comes from here, so that the call has to tell.
        if let Err(error) = ready!(self.inner.poll_ready(cx)) {
            self.is_gone = Some(TransportFault::closed(error).into());
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.is_gone.take() {
            None => ClassifiedCall::Sent { inner: self.inner.call(request) },
            Some(status) => ClassifiedCall::Refused { status: Box::new(status) },
        }
    }
}

fn fault(error: impl Into<BoxError>) -> BoxError {
    tonic::Status::from(TransportFault::new(error.into())).into()
}

pin_project! {
    /// Waits for the reply's head, and looks at it.
    #[derive(Debug)]
    #[project = Classifying]
    #[must_use = "futures do nothing unless polled"]
    pub(super) enum ClassifiedCall<F> {
        Sent { #[pin] inner: F },
        /// A page that says why it is not gRPC.
        Page { page: Box<Page> },
        Refused { status: Box<tonic::Status> },
    }
}

impl ClassifiedCall<CarrierFuture> {
    /// How far the request has come.
    pub(crate) fn progress(&self) -> Progress {
        match self {
            Self::Sent { inner } => inner.progress(),
            Self::Page { .. } => Progress { stage: Stage::Sent, ..Progress::default() },
            Self::Refused { .. } => Progress::default(),
        }
    }
}

impl<F> Future for ClassifiedCall<F>
where
    F: Future<Output = Result<Response<Incoming>, BoxError>>,
{
    type Output = Result<Response<ClassifiedBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let page = match self.as_mut().project() {
                Classifying::Sent { inner } => match ready!(inner.poll(cx)).map_err(fault)? {
                    response if is_grpc(&response) => return Poll::Ready(admit(response)),
                    response => Box::new(Page::new(response)),
                },
                Classifying::Page { page } => return Poll::Ready(Err(fault(ready!(page.poll(cx))))),
                Classifying::Refused { status } => {
                    return Poll::Ready(Err(BoxError::from(tonic::Status::clone(status))));
                }
            };
            self.set(Self::Page { page });
        }
    }
}

/// Lets gRPC pass, unless it is an error.
fn admit(response: Response<Incoming>) -> Result<Response<ClassifiedBody>, BoxError> {
    let (mut head, body) = response.into_parts();
    let has_status = read_status(&mut head.headers, false)?;
    Ok(Response::from_parts(head, ClassifiedBody { inner: body, has_data: false, has_status }))
}

/// Whether a reply is gRPC: who sends a `grpc-status` speaks it, whatever else the head says.
fn is_grpc(response: &Response<Incoming>) -> bool {
    let headers = response.headers();
    response.status() == StatusCode::OK && headers.get(CONTENT_TYPE).is_some_and(is_grpc_type)
        || headers.contains_key(STATUS)
}

/// `application/grpc`, or with a `+` or `;` and more; not `application/grpc-web`.
fn is_grpc_type(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// Makes an error of a status that is one, marked as the server's own; else, whether there is one. Details that are not
/// base64 are dropped before tonic sees them: code and message stand without them.
fn read_status(headers: &mut HeaderMap, is_after_data: bool) -> Result<bool, BoxError> {
    let Some(status) = headers.get(STATUS) else { return Ok(false) };
    // As nearly all are: nothing more is said.
    if status == "0"
        && (headers.len() == 1 || !headers.contains_key(MESSAGE) && !headers.contains_key(DETAILS))
    {
        return Ok(true);
    }
    if let Some(value) = headers.get(DETAILS)
        && BASE64.decode(value).is_err()
    {
        headers.remove(DETAILS);
    }
    match tonic::Status::from_header_map(headers) {
        Some(mut status) if status.code() != Code::Ok => {
            status.set_source(Arc::new(FromServer { is_after_data }));
            Err(status.into())
        }
        _ => Ok(true),
    }
}

pin_project! {
    /// The body of a reply, guarded: see [`Transport`](super::Transport).
    #[derive(Debug)]
    pub(crate) struct ClassifiedBody {
        #[pin]
        inner: Incoming,
        has_data: bool,
        has_status: bool,
    }
}

impl ClassifiedBody {
    /// Whether the server has said how the call went, and that it went well.
    pub(crate) fn has_status(&self) -> bool {
        self.has_status
    }
}

impl Body for ClassifiedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        Poll::Ready(match ready!(this.inner.poll_frame(cx)) {
            Some(Ok(mut frame)) => {
                let status = match frame.trailers_mut() {
                    Some(trailers) => read_status(trailers, *this.has_data),
                    None => Ok(false),
                };
                *this.has_data |= frame.is_data();
                Some(status.map(|is_there| {
                    *this.has_status |= is_there;
                    frame
                }))
            }
            Some(Err(error)) => Some(Err(tonic::Status::from(TransportFault::within_reply(error)).into())),
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
    use std::error::Error as _;

    use super::*;
    use crate::error::find;

    fn reply(status: u16, headers: &[(&'static str, &'static str)]) -> Response<Incoming> {
        let mut response = Response::new(Incoming::empty());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        response
    }

    #[test]
    fn what_is_not_grpc_is_told_from_it() {
        for (status, content_type) in
            [(502, "text/html"), (503, "application/grpc"), (200, "application/grpc-web")]
        {
            assert!(!is_grpc(&reply(status, &[("content-type", content_type)])), "{content_type}");
        }
        for grpc in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            assert!(is_grpc(&reply(200, &[("content-type", grpc)])), "{grpc}");
        }
        assert!(is_grpc(&reply(200, &[("grpc-status", "0")])));
        assert!(is_grpc(&reply(503, &[("grpc-status", "14")])));
    }

    #[test]
    fn the_servers_own_status_is_marked() {
        let error = admit(reply(503, &[("grpc-status", "5"), ("grpc-message", "no%20such")])).unwrap_err();
        let status = error.downcast::<tonic::Status>().unwrap();
        assert_eq!((status.code(), status.message()), (Code::NotFound, "no such"));
        assert!(find::<FromServer>(status.source().unwrap()).is_some());
    }

    #[test]
    fn only_details_that_decode_reach_tonic() {
        let has_details = |value: &str, status: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(DETAILS, HeaderValue::from_str(value).unwrap());
            headers.insert(STATUS, HeaderValue::from_static(status));
            // tonic panics on what is not base64.
            assert_eq!(read_status(&mut headers, false).is_ok(), status == "0");
            headers.contains_key(DETAILS)
        };
        for status in ["0", "3"] {
            for good in ["", "CAM", "CAM=", "CAMSAA==", "CAMSAA"] {
                assert!(has_details(good, status), "{good:?}");
            }
            for bad in ["!", "CAM==", "C", "CA M", "CAM===", "=", "CAM "] {
                has_details(bad, status);
            }
            assert!(!has_details("%%%", status));
        }
    }
}
