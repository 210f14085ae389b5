//! One attempt: the request with its headers, and its reply.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, Request, Uri};
use http_body::Body as _;
use prost::Message;
use tonic::Status;

use super::framing::{Framed, Incoming};
use super::{Caller, Method, TraceContext};
use crate::transport::{ClassifiedBody, Outbound, ProgressCell, Sending};

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// One request on its way.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) caller: &'a Caller,
    pub(super) method: &'static Method,
    pub(super) routing: Option<&'a HeaderValue>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Framed,
}

impl Outgoing<'_> {
    /// What goes out besides the body.
    pub(super) fn headers(self, time_left: Duration) -> HeaderMap {
        let Self { caller, routing, headers, .. } = self;
        let traceparent = caller.settings().trace.as_ref().and_then(TraceContext::traceparent);
        caller.head().of_call(routing, headers, time_left, traceparent)
    }
}

pub(super) async fn send<W: Message + Default + Send + 'static>(
    outgoing: Outgoing<'_>,
    time_left: Duration,
    progress: &ProgressCell,
) -> Result<W, Status> {
    let mut sender = outgoing.caller.transport().sender();
    poll_fn(|cx| sender.poll_ready(cx)).await.map_err(Status::from_error)?;
    let body = outgoing.body.to_bytes()?;
    let mut request = Request::new(Outbound::from(body));
    *request.method_mut() = HttpMethod::POST;
    *request.uri_mut() = Uri::from(outgoing.caller.head().path(outgoing.method));
    *request.headers_mut() = outgoing.headers(time_left);
    let reply = Probed { sending: sender.send(request), progress }.await.map_err(Status::from_error)?;
    let (head, body) = reply.into_parts();
    check_encoding(&head.headers)?;
    read(body, outgoing.caller.settings().max_reply_size).await
}

/// A reply in another encoding was not asked for.
fn check_encoding(headers: &HeaderMap) -> Result<(), Status> {
    // The content type alone, mostly.
    if headers.len() == 1 {
        return Ok(());
    }
    match headers.get(GRPC_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(Status::unimplemented(format!(
            "the reply is compressed by {encoding:?}, which was not asked for"
        ))),
        _ => Ok(()),
    }
}

/// Reads the reply to its end: one message, and a status after it if none came before.
async fn read<W: Message + Default>(mut body: ClassifiedBody, limit: usize) -> Result<W, Status> {
    let mut incoming = Incoming::new(limit);
    let mut message = None;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame.map_err(Status::from_error)?.into_data() {
            Ok(data) => {
                if let Some(whole) = incoming.push(data)? {
                    let decoded = W::decode(whole);
                    message =
                        Some(decoded.map_err(|error| {
                            Status::internal(format!("the reply does not decode: {error}"))
                        })?);
                }
            }
            // Trailers. A status that is an error has ended the reply already.
            Err(_) => break,
        }
    }
    let has_status = body.has_status();
    if let Some(message) = message
        && has_status
    {
        return Ok(message);
    }
    if has_status || incoming.is_torn() {
        incoming.check_end()?;
    }
    Err(Status::unknown("the reply ended without a status (`grpc-status`): a proxy may have cut it off"))
}

/// A request that notes how far it has come, which nobody could tell of a future that was dropped because its time was over.
pub(super) struct Probed<'a> {
    pub(super) sending: Sending,
    pub(super) progress: &'a ProgressCell,
}

impl Future for Probed<'_> {
    type Output = <Sending as Future>::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.sending).poll(cx);
        self.progress.set(self.sending.progress());
        self.progress.set_token(self.sending.token_generation());
        polled
    }
}
