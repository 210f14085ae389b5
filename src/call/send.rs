//! One attempt: the request with its headers, and its reply.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, Request, Response, Uri};
use http_body::Body as _;
use prost::Message;
use tonic::Status;

use super::framing::{Framed, Incoming};
use super::{Caller, Method, TraceContext};
use crate::transport::{ClassifiedBody, Outbound, ProgressCell, Sender, Sending};

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// One request on its way.
pub(super) struct Outgoing<'a> {
    pub(super) caller: &'a Caller,
    pub(super) method: &'static Method,
    pub(super) routing: Option<&'a HeaderValue>,
    pub(super) headers: Option<&'a HeaderMap>,
    pub(super) body: &'a Framed,
    /// What the server is told that it has.
    pub(super) time_left: Duration,
    pub(super) progress: &'a ProgressCell,
}

impl<'a> Outgoing<'a> {
    /// What goes out besides the body.
    pub(super) fn headers(&self) -> HeaderMap {
        let traceparent = self.caller.settings().trace.as_ref().and_then(TraceContext::traceparent);
        self.caller.head().of_call(self.routing, self.headers, self.time_left, traceparent)
    }

    /// Gives the request to the layers, which are ready.
    fn begin(&self, sender: &mut Sender) -> Result<Probed<'a>, Status> {
        let mut request = Request::new(Outbound::from(self.body.to_bytes()?));
        *request.method_mut() = HttpMethod::POST;
        *request.uri_mut() = Uri::from(self.caller.head().path(self.method));
        *request.headers_mut() = self.headers();
        Ok(Probed { sending: sender.send(request), progress: self.progress })
    }
}

pub(super) async fn send<W: Message + Default + Send + 'static>(
    outgoing: &Outgoing<'_>,
) -> Result<W, Status> {
    let begun = {
        let mut sender = outgoing.caller.transport().sender();
        poll_fn(|cx| sender.poll_ready(cx)).await.map_err(Status::from_error)?;
        outgoing.begin(&mut sender)?
    };
    let reply = begun.await.map_err(Status::from_error)?;
    let mut reading = Reading::new(reply, outgoing.caller.settings().max_reply_size)?;
    poll_fn(|cx| reading.poll(cx)).await
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

/// A reply on its way in: one message, and a status after it if none came before.
struct Reading<W> {
    body: ClassifiedBody,
    incoming: Incoming,
    message: Option<W>,
}

impl<W: Message + Default> Reading<W> {
    fn new(reply: Response<ClassifiedBody>, limit: usize) -> Result<Self, Status> {
        check_encoding(reply.headers())?;
        Ok(Self { body: reply.into_body(), incoming: Incoming::new(limit), message: None })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<W, Status>> {
        while let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            match frame.map_err(Status::from_error)?.into_data() {
                Ok(data) => {
                    if let Some(whole) = self.incoming.push(data)? {
                        let decoded = W::decode(whole)
                            .map_err(|error| Status::internal(format!("the reply does not decode: {error}")));
                        self.message = Some(decoded?);
                    }
                }
                // Trailers. A status that is an error has ended the reply already.
                Err(_) => break,
            }
        }
        Poll::Ready(self.end())
    }

    fn end(&mut self) -> Result<W, Status> {
        let has_status = self.body.has_status();
        if has_status && let Some(message) = self.message.take() {
            return Ok(message);
        }
        if has_status || self.incoming.is_torn() {
            self.incoming.check_end()?;
        }
        Err(Status::unknown("the reply ended without a status (`grpc-status`): a proxy may have cut it off"))
    }
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
