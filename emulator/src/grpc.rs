//! Unary gRPC over `dispatch`, for every method alike.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use contact_center_insights::Status;
use contact_center_insights::proto::rpc::ErrorInfo;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::StreamExt as _;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};

use crate::admin;
use crate::apart::LARGE;
use crate::errors::{self, ErrorDetails};
use crate::journal::Transport;
use crate::outbox::{Held, Outbox};
use crate::pipeline::{CallRecord, Extras, InjectedFault, Pipeline};

/// Both ways. Conversations in full exceed the usual 4 MiB.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// Of a message, in bytes: whether it is packed, and its length.
const PREFIX: usize = 5;
/// Where the details of an error are.
const DETAILS: &str = "grpc-status-details-bin";

/// Answers a gRPC request. Headers such as `authorization` and `x-goog-request-params` are not looked at: official
/// clients disagree on the latter, and a poller of one sends that of another call.
pub(crate) async fn answer<B>(pipeline: &Arc<Pipeline>, request: Request<B>) -> Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let path = request.uri().path().to_owned();
    let outbox = request.extensions().get();
    let record = pipeline.begin(Transport::Grpc, &path, request.headers(), outbox);
    let beside = Arc::new(Beside::default());
    let call = Call { record: Some(record), path, beside: Arc::clone(&beside) };
    let response = unary(call, request).await;
    // What the pipeline answers is as it should be, with what a script has put there or left out.
    let is_answered = beside.is_answered.load(Ordering::Relaxed);
    let mut response = if is_answered { response } else { shown(pipeline, response) };
    if let Some(injected) = beside.injected.get() {
        response.extensions_mut().insert(InjectedFault::clone(injected));
    }
    if let Some(held) = beside.held.get() {
        response.extensions_mut().insert(Held::clone(held));
    }
    response
}

/// Answers a gRPC request of the admin API.
pub(crate) async fn admin<B>(pipeline: &Arc<Pipeline>, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let limits = Limits {
        request: if admin::takes_state(&method) { admin::MAX_STATE } else { MAX_MESSAGE },
        reply: if admin::gives_state(&method) { admin::MAX_STATE } else { MAX_MESSAGE },
    };
    let (request, _place) = admitted(pipeline, request, limits).await;
    let outbox = request.extensions().get::<Outbox>().cloned().unwrap_or_default();
    let held = Arc::new(OnceLock::new());
    let service = Administration { pipeline: Arc::clone(pipeline), method, outbox, held: Arc::clone(&held) };
    let mut response = shown(pipeline, limited(service, request, limits).await);
    if let Some(held) = held.get() {
        response.extensions_mut().insert(Held::clone(held));
    }
    response
}

/// How long messages may be, in bytes.
#[derive(Clone, Copy, Debug)]
struct Limits {
    request: usize,
    reply: usize,
}

/// A request that may be larger than those of the API: one that is, is not read on before it has the place for such.
async fn admitted<B>(
    pipeline: &Pipeline,
    request: Request<B>,
    limits: Limits,
) -> (Request<Body>, Option<OwnedSemaphorePermit>)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let request = request.map(Body::new);
    if limits.request <= MAX_MESSAGE {
        return (request, None);
    }
    let (head, mut body) = request.into_parts();
    let (mut parts, mut begin) = (Vec::new(), BytesMut::new());
    // Whether it is packed, and how long it is.
    while begin.len() < PREFIX {
        let Some(frame) = body.frame().await else { break };
        begin.extend(frame.iter().filter_map(Frame::data_ref).flatten());
        let is_over = frame.is_err();
        parts.push(frame);
        if is_over {
            break;
        }
    }
    let length = begin.get(1..PREFIX).map_or(0, |mut length| length.get_u32());
    let is_large = usize::try_from(length).is_ok_and(|length| length > MAX_MESSAGE);
    // Nothing closes it.
    let place = if is_large { pipeline.apart.large().await.ok() } else { None };
    let rest = BodyStream::new(body);
    let body = StreamBody::new(tokio_stream::iter(parts).chain(rest));
    (Request::from_parts(head, Body::new(body)), place)
}

/// A call of the admin API.
struct Administration {
    pipeline: Arc<Pipeline>,
    method: String,
    outbox: Outbox,
    /// Set if the answer is large.
    held: Arc<OnceLock<Held>>,
}

impl UnaryService<Bytes> for Administration {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, tonic::Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (pipeline, method) = (Arc::clone(&self.pipeline), std::mem::take(&mut self.method));
        let (outbox, held) = (self.outbox.clone(), Arc::clone(&self.held));
        let request = request.into_inner();
        Box::pin(async move {
            let is_long = request.len() > LARGE || admin::gives_state(&method);
            let own = Arc::clone(&pipeline);
            let act = move || admin::call(&own, &method, &request);
            let answer = if is_long {
                pipeline.apart.run(&outbox, act).await.and_then(|answer| answer)
            } else {
                act()
            };
            let answer = answer?;
            if answer.len() > LARGE {
                // It is set here alone.
                let _ = held.set(outbox.hold(answer.len()));
            }
            Ok(tonic::Response::new(answer.into()))
        })
    }
}

/// Refuses a gRPC request before it is read. The status is in the headers, as HTTP 200: with any other, some clients do
/// not show its words.
pub(crate) fn refuse(status: Status) -> Response<Body> {
    tonic::Status::from(status).into_http()
}

/// Answers a unary call, whatever its types.
pub(crate) async fn unary<S, B>(service: S, request: Request<B>) -> Response<Body>
where
    S: UnaryService<Bytes, Response = Bytes>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    limited(service, request, Limits { request: MAX_MESSAGE, reply: MAX_MESSAGE }).await
}

async fn limited<S, B>(service: S, request: Request<B>, limits: Limits) -> Response<Body>
where
    S: UnaryService<Bytes, Response = Bytes>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let grpc = Grpc::new(Opaque).max_decoding_message_size(limits.request);
    grpc.max_encoding_message_size(limits.reply).unary(service, request).await
}

/// An error of the emulator's own as callers are to see it.
pub(crate) fn shown<B>(pipeline: &Pipeline, mut response: Response<B>) -> Response<B> {
    if pipeline.details != ErrorDetails::None {
        return with_error_info(response);
    }
    response.headers_mut().remove(DETAILS);
    response
}

/// Errors that tonic makes by itself, such as of faulty framing, have no details; every error of the emulator has.
fn with_error_info<B>(mut response: Response<B>) -> Response<B> {
    let bare = tonic::Status::from_header_map(response.headers())
        .filter(|status| status.code() != tonic::Code::Ok && status.details().is_empty());
    let Some(bare) = bare else { return response };
    let info = ErrorInfo {
        reason: "GRPC_PROTOCOL".to_owned(),
        domain: errors::DOMAIN.to_owned(),
        ..ErrorInfo::default()
    };
    let full = tonic::Status::from(Status::from(&bare).with_detail(&info));
    if let Err(error) = full.add_header(response.headers_mut()) {
        tracing::debug!(%error, "an error goes out without details");
    }
    response
}

struct Call {
    /// Taken when the message is there; until then it is dropped with this, and so is the end of the record.
    record: Option<CallRecord>,
    path: String,
    beside: Arc<Beside>,
}

/// What comes with an answer; each is set once, before the answer is there.
#[derive(Debug, Default)]
struct Beside {
    /// Whether the pipeline has answered, not tonic before it.
    is_answered: AtomicBool,
    injected: OnceLock<InjectedFault>,
    held: OnceLock<Held>,
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, tonic::Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (path, record) = (std::mem::take(&mut self.path), self.record.take());
        let beside = Arc::clone(&self.beside);
        Box::pin(async move {
            let Some(mut record) = record else { return Err(tonic::Status::internal("called twice")) };
            let (metadata, _, message) = request.into_parts();
            let headers = metadata.into_headers();
            let answer =
                record.run(path.trim_start_matches('/'), &headers, message, &Extras::default()).await;
            beside.is_answered.store(true, Ordering::Relaxed);
            if let Some(found) = answer.injected {
                // It is set here alone.
                let _ = beside.injected.set(found);
            }
            if let Some(held) = answer.held {
                let _ = beside.held.set(held);
            }
            Ok(tonic::Response::new(answer.result?))
        })
    }
}

/// Messages as they are on the wire: `dispatch` knows their types.
#[derive(Clone, Copy, Debug)]
struct Opaque;

impl Codec for Opaque {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Opaque {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Opaque {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r51_errors_of_framing_carry_an_error_info_too() {
        let bare = tonic::Status::internal("torn").into_http::<()>();
        let status = tonic::Status::from_header_map(with_error_info(bare).headers()).unwrap();
        let status = Status::from(&status);
        assert_eq!(status.message(), "torn");
        assert_eq!(status.detail::<ErrorInfo>().unwrap().reason, "GRPC_PROTOCOL");
    }

    #[test]
    fn errors_with_details_are_left_alone() {
        let made = tonic::Status::from(errors::not_found("operation", "o")).into_http::<()>();
        let status = tonic::Status::from_header_map(with_error_info(made).headers()).unwrap();
        assert_eq!(Status::from(&status), errors::not_found("operation", "o"));
    }
}
