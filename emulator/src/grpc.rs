//! The `grpc` room: unary gRPC over `dispatch`, for every method alike.

use std::future::{Ready, ready};
use std::sync::Arc;

use axum::body::Body;
use bytes::{Buf, BufMut, Bytes};
use contact_center_insights::Status;
use contact_center_insights::proto::rpc::ErrorInfo;
use http::{Request, Response};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};

use crate::dispatch::Service;
use crate::fault;

/// Both ways. Conversations in full exceed the usual 4 MiB.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Answers a gRPC request. Headers such as `authorization` and `x-goog-request-params` are not looked at: official
/// clients disagree on the latter, and a poller of one sends that of another call.
pub(crate) async fn answer(service: Arc<Service>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let mut grpc =
        Grpc::new(Opaque).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
    let response = grpc.unary(Call { service, path }, request).await;
    with_error_info(response.map(Body::new))
}

/// Errors that tonic makes of faulty framing have no details; every error of the emulator has.
fn with_error_info(mut response: Response<Body>) -> Response<Body> {
    let bare = tonic::Status::from_header_map(response.headers())
        .filter(|status| status.code() != tonic::Code::Ok && status.details().is_empty());
    let Some(bare) = bare else { return response };
    let info = ErrorInfo {
        reason: "GRPC_FRAMING".to_owned(),
        domain: fault::DOMAIN.to_owned(),
        ..ErrorInfo::default()
    };
    let full = tonic::Status::from(Status::from(&bare).with_detail(&info));
    if let Err(error) = full.add_header(response.headers_mut()) {
        tracing::debug!(%error, "an error goes out without details");
    }
    response
}

struct Call {
    service: Arc<Service>,
    path: String,
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = Ready<Result<tonic::Response<Bytes>, tonic::Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let answer = self.service.dispatch(&self.path, request.get_ref());
        ready(answer.map(|bytes| tonic::Response::new(bytes.into())).map_err(Into::into))
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
        let bare = tonic::Status::internal("torn").into_http();
        let status = tonic::Status::from_header_map(with_error_info(bare).headers()).unwrap();
        let status = Status::from(&status);
        assert_eq!(status.message(), "torn");
        assert_eq!(status.detail::<ErrorInfo>().unwrap().reason, "GRPC_FRAMING");
    }

    #[test]
    fn errors_with_details_are_left_alone() {
        let made = tonic::Status::from(fault::not_found("operation", "o")).into_http();
        let status = tonic::Status::from_header_map(with_error_info(made).headers()).unwrap();
        assert_eq!(Status::from(&status), fault::not_found("operation", "o"));
    }
}
