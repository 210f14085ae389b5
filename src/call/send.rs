//! One attempt: the request with its headers, and its reply.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;
use tonic::client::Grpc;
#[cfg(feature = "gzip")]
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request};

#[cfg(feature = "gzip")]
use super::Gzip;
use super::codec::BytesToMessage;
use super::sent::SentProbe;
use super::{Caller, Method, routing, trace};
use crate::transport::ProgressCell;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// One request on its way.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) caller: &'a Caller,
    pub(super) method: &'static Method,
    pub(super) routing: Option<&'a HeaderValue>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
}

pub(super) async fn send<W: Message + Default + Send + 'static>(
    outgoing: Outgoing<'_>,
    time_left: Duration,
    progress: &ProgressCell,
) -> Result<W, tonic::Status> {
    let Outgoing { caller, method, body, .. } = outgoing;
    let transport = SentProbe { transport: caller.transport().clone(), progress };
    let grpc = Grpc::new(transport).max_decoding_message_size(caller.settings().max_reply_size);
    #[cfg(feature = "gzip")]
    let grpc = match caller.settings().gzip {
        Gzip::Off => grpc,
        Gzip::Replies => grpc.accept_compressed(CompressionEncoding::Gzip),
        Gzip::RepliesAndRequests => {
            grpc.accept_compressed(CompressionEncoding::Gzip).send_compressed(CompressionEncoding::Gzip)
        }
    };
    let mut grpc = grpc;
    grpc.ready().await.map_err(tonic::Status::from_error)?;
    let path = PathAndQuery::from_static(method.path());
    let codec = BytesToMessage::new(body.len());
    // As `Grpc::unary` does it, in a future of half the size. The request is made when it can go, so that it is not
    // held before or after.
    let mut reply = grpc.server_streaming(request(outgoing, time_left), path, codec).await?.into_inner();
    let message =
        reply.message().await?.ok_or_else(|| tonic::Status::internal("the reply has no message"))?;
    // The status comes after the message.
    match reply.message().await? {
        None => Ok(message),
        Some(_) => Err(tonic::Status::internal("the reply has more than one message")),
    }
}

fn request(outgoing: Outgoing<'_>, time_left: Duration) -> Request<Bytes> {
    let Outgoing { caller, routing: route, headers: own, body, .. } = outgoing;
    // Room for what is added here, in the layers below and by tonic, so that the map never grows.
    let mut headers = HeaderMap::with_capacity(own.len() + 9);
    if let Some(value) = route {
        headers.insert(routing::HEADER, value.clone());
    }
    for (name, value) in own {
        headers.insert(name, value.clone());
    }
    if let Some(value) = grpc_timeout(time_left) {
        headers.insert(GRPC_TIMEOUT, value);
    }
    if let Some(value) = caller.settings().trace.as_ref().and_then(trace::TraceContext::traceparent) {
        headers.insert("traceparent", value);
    }
    Request::from_parts(MetadataMap::from_headers(headers), Extensions::new(), body.clone())
}

/// At most 8 digits and a unit: milliseconds reach a day, seconds three years. Rounded up, so that our own
/// clock, which knows what happened, is the first to end the call.
fn grpc_timeout(left: Duration) -> Option<HeaderValue> {
    let mut text = Cursor::new([0; 9]);
    match u32::try_from(left.as_millis()) {
        Ok(millis @ ..99_999_999) => write!(text, "{}m", millis.saturating_add(1)),
        _ => write!(text, "{}S", left.as_secs().saturating_add(1).min(99_999_999)),
    }
    .ok()?;
    let length = usize::try_from(text.position()).ok()?;
    HeaderValue::from_bytes(text.get_ref().get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_timeout_has_at_most_eight_digits() {
        let cases = [(0, "1m"), (1_500, "1501m"), (99_999_998, "99999999m"), (100_000_000, "100001S")];
        for (millis, text) in cases {
            assert_eq!(grpc_timeout(Duration::from_millis(millis)).unwrap(), text);
        }
        assert_eq!(grpc_timeout(Duration::MAX).unwrap(), "99999999S");
    }
}
