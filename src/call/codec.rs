//! Sends bytes that are serialized already, so that attempts share them, and reads a prost message.

use std::marker::PhantomData;

use bytes::{BufMut as _, Bytes};
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

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
