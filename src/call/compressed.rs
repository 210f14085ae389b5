//! An attempt whose request or reply may be compressed: by tonic, which knows gzip. It sends bytes that are serialized
//! already, and reads a prost message.

use std::marker::PhantomData;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes};
use http::{Request, Response};
use prost::Message;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Status};
use tower::Service;

use super::Gzip;
use super::framing::{no_message, second_message};
use super::send::{Outgoing, Probed};
use crate::error::BoxError;
use crate::transport::{ClassifiedBody, Outbound, ProgressCell, Sender};

pub(super) async fn send<W: Message + Default + Send + 'static>(
    outgoing: &Outgoing<'_>,
) -> Result<W, Status> {
    let Outgoing { caller, method, body, progress, .. } = *outgoing;
    let layers = Layers { sender: caller.transport().sender(), progress };
    let mut grpc = Grpc::new(layers)
        .max_decoding_message_size(caller.settings().max_reply_size)
        .accept_compressed(CompressionEncoding::Gzip);
    if caller.settings().gzip == Gzip::RepliesAndRequests {
        grpc = grpc.send_compressed(CompressionEncoding::Gzip);
    }
    grpc.ready().await.map_err(Status::from_error)?;
    let message = body.message();
    let codec = BytesToMessage::new(message.len());
    let metadata = MetadataMap::from_headers(outgoing.headers());
    let request = tonic::Request::from_parts(metadata, Extensions::new(), message);
    // tonic's own `unary` takes no notice of a second message.
    let mut reply = grpc.server_streaming(request, caller.head().path(method), codec).await?.into_inner();
    let message = reply.message().await?.ok_or_else(no_message)?;
    // The status comes after the message.
    match reply.message().await? {
        None => Ok(message),
        Some(_) => Err(second_message()),
    }
}

/// The layers as tonic's client wants them.
struct Layers<'a> {
    sender: Sender,
    progress: &'a ProgressCell,
}

impl<'a> Service<Request<Body>> for Layers<'a> {
    type Response = Response<ClassifiedBody>;
    type Error = BoxError;
    type Future = Probed<'a>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.sender.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Probed<'a> {
        Probed { sending: self.sender.send(request.map(Outbound::from)), progress: self.progress }
    }
}

/// tonic lets a message of the buffer's size through in one piece; larger ones grow it.
const MAX_BUFFER: usize = 32 << 10;

pub(super) struct BytesToMessage<W> {
    size: usize,
    wire: PhantomData<fn() -> W>,
}

impl<W> BytesToMessage<W> {
    /// `size` is that of the request, for a buffer that fits.
    pub(super) fn new(size: usize) -> Self {
        Self { size, wire: PhantomData }
    }
}

impl<W: Message + Default + Send + 'static> Codec for BytesToMessage<W> {
    type Encode = Bytes;
    type Decode = W;
    type Encoder = Copy;
    type Decoder = Read<W>;

    fn encoder(&mut self) -> Copy {
        const FRAME_HEADER: usize = 5;
        Copy { buffer: (self.size + FRAME_HEADER).min(MAX_BUFFER) }
    }

    fn decoder(&mut self) -> Read<W> {
        Read(PhantomData)
    }
}

pub(super) struct Copy {
    buffer: usize,
}

impl Encoder for Copy {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(self.buffer, MAX_BUFFER)
    }
}

pub(super) struct Read<W>(PhantomData<fn() -> W>);

impl<W: Message + Default + Send + 'static> Decoder for Read<W> {
    type Item = W;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<W>, Status> {
        W::decode(buffer)
            .map(Some)
            .map_err(|error| Status::internal(format!("the reply does not decode: {error}")))
    }
}
