//! gRPC's frame around one message: a flag and a length, five bytes. Calls are unary, so that a request is one frame, and a
//! reply has to be.

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message;
use tonic::Status;

/// The flag, and the length in 32 bits.
const PREFIX: usize = 5;
/// Of a large reply, so much is set aside before any of it is there; after that, twice what is there.
const FIRST_BUFFER: usize = 64 << 10;

/// A serialized message in its frame. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Framed(Bytes);

impl Framed {
    pub(crate) fn new(message: &impl Message) -> Self {
        let length = message.encoded_len();
        let mut frame = Vec::with_capacity(length.saturating_add(PREFIX));
        frame.extend_from_slice(&prefix(length));
        message.encode_raw(&mut frame);
        Self(frame.into())
    }

    /// Of what was serialized already, in parts.
    pub(crate) fn of_parts(parts: [&[u8]; 2]) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        let mut frame = Vec::with_capacity(PREFIX.saturating_add(length));
        frame.extend_from_slice(&prefix(length));
        for part in parts {
            frame.extend_from_slice(part);
        }
        Self(frame.into())
    }

    /// The message without its prefix.
    pub(crate) fn message(&self) -> Bytes {
        self.0.slice(PREFIX.min(self.0.len())..)
    }

    pub(crate) fn as_message(&self) -> &[u8] {
        self.0.get(PREFIX..).unwrap_or_default()
    }

    /// As it travels.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` if the length of the message takes more than 32 bits.
    pub(super) fn to_bytes(&self) -> Result<Bytes, Status> {
        if u32::try_from(self.as_message().len()).is_err() {
            return Err(Status::resource_exhausted("the request is larger than gRPC can send: 4 GiB"));
        }
        Ok(self.0.clone())
    }
}

fn prefix(length: usize) -> [u8; PREFIX] {
    let [first, second, third, fourth] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [0, first, second, third, fourth]
}

/// The one message of a reply, as its data arrives.
#[derive(Debug)]
pub(super) struct Incoming {
    /// The largest message that is read.
    limit: usize,
    /// What came of it so far, where it did not come in one piece.
    held: Vec<u8>,
    /// Its length, once that is known.
    length: Option<usize>,
    is_whole: bool,
}

impl Incoming {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, held: Vec::new(), length: None, is_whole: false }
    }

    /// Takes what came; gives the message when it is whole.
    ///
    /// # Errors
    /// `INTERNAL` if it is not the frame of one message that is not compressed, `OUT_OF_RANGE` if the message is too large.
    pub(super) fn push(&mut self, mut data: Bytes) -> Result<Option<Bytes>, Status> {
        if self.is_whole {
            return if data.is_empty() { Ok(None) } else { Err(second_message()) };
        }
        let length = match self.length {
            Some(length) => length,
            None => {
                if self.held.is_empty() && data.len() >= PREFIX {
                    let length = self.begin(&data)?;
                    data.advance(PREFIX);
                    length
                } else {
                    let missing = PREFIX.saturating_sub(self.held.len()).min(data.len());
                    self.held.extend_from_slice(&data.split_to(missing));
                    if self.held.len() < PREFIX {
                        return Ok(None);
                    }
                    let prefix = std::mem::take(&mut self.held);
                    self.begin(&prefix)?
                }
            }
        };
        let missing = length.saturating_sub(self.held.len());
        if data.len() > missing {
            return Err(second_message());
        }
        if self.held.is_empty() && data.len() == missing {
            // Nearly always: it is read where it lies.
            self.is_whole = true;
            return Ok(Some(data));
        }
        self.hold(&data, missing);
        if self.held.len() < length {
            return Ok(None);
        }
        self.is_whole = true;
        Ok(Some(std::mem::take(&mut self.held).into()))
    }

    /// Reads the prefix.
    fn begin(&mut self, prefix: &[u8]) -> Result<usize, Status> {
        let mut prefix = prefix;
        let (flag, length) = (prefix.try_get_u8(), prefix.try_get_u32());
        let length = length.ok().and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        match flag {
            Ok(0) => {}
            Ok(1) => return Err(Status::internal("the reply is compressed, and does not say how")),
            _ => {
                return Err(Status::internal(
                    "the reply is not a gRPC message: its first byte is neither 0 nor 1",
                ));
            }
        }
        if length > self.limit {
            let limit = self.limit;
            return Err(Status::out_of_range(format!(
                "the reply is too large: a message of {length} bytes, where at most {limit} bytes are read"
            )));
        }
        self.length = Some(length);
        Ok(length)
    }

    /// Grows with what comes, and not with what was announced.
    fn hold(&mut self, data: &[u8], missing: usize) {
        if self.held.capacity().saturating_sub(self.held.len()) < data.len() {
            let more = self.held.len().max(FIRST_BUFFER).max(data.len()).min(missing);
            self.held.reserve_exact(more);
        }
        self.held.put_slice(data);
    }

    /// Whether a message has begun, and not ended.
    pub(super) fn is_torn(&self) -> bool {
        !self.is_whole && (self.length.is_some() || !self.held.is_empty())
    }

    /// To be asked at the end of the reply.
    ///
    /// # Errors
    /// `INTERNAL` if the message is not whole.
    pub(super) fn check_end(&self) -> Result<(), Status> {
        if self.is_whole {
            return Ok(());
        }
        Err(if self.is_torn() {
            Status::internal("the reply ended in the middle of its message")
        } else {
            no_message()
        })
    }
}

pub(super) fn no_message() -> Status {
    Status::internal("the reply has no message")
}

pub(super) fn second_message() -> Status {
    Status::internal("the reply has more than one message")
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    const LIMIT: usize = 300_000;

    fn framed(message: &[u8]) -> Vec<u8> {
        Framed::of_parts([message, &[]]).to_bytes().unwrap().into()
    }

    /// What comes of `bytes` that arrive in parts of `size`.
    fn arrive(bytes: &[u8], size: usize) -> Result<Option<Bytes>, Status> {
        let mut incoming = Incoming::new(LIMIT);
        let mut found = None;
        for part in bytes.chunks(size) {
            if let Some(message) = incoming.push(Bytes::copy_from_slice(part))? {
                assert!(found.replace(message).is_none(), "told twice");
            }
        }
        incoming.check_end()?;
        Ok(found)
    }

    #[test]
    fn a_message_is_found_however_it_arrives() {
        for message in [&b""[..], b"1", b"hello", &[7; 300]] {
            let bytes = framed(message);
            for size in 1..=bytes.len() {
                assert_eq!(arrive(&bytes, size).unwrap().unwrap(), message, "in parts of {size}");
            }
        }
        let large: Vec<u8> = (0..LIMIT).map(|i| u8::try_from(i % 251).unwrap()).collect();
        for size in [1_000, 16_384, 65_536, 299_999, LIMIT + PREFIX] {
            assert_eq!(arrive(&framed(&large), size).unwrap().unwrap(), large, "in parts of {size}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let two = [framed(b"one"), framed(b"two")].concat();
        let cut = &framed(b"hello")[..8];
        for (bytes, says) in [
            (&two[..], "more than one message"),
            (cut, "ended in the middle"),
            (&[0, 0][..], "ended in the middle"),
            (&[], "has no message"),
            (&[1, 0, 0, 0, 0], "is compressed"),
            (b"<html>", "not a gRPC message"),
        ] {
            for size in 1..=bytes.len().max(1) {
                let status = arrive(bytes, size).unwrap_err();
                assert_eq!(status.code(), Code::Internal);
                assert!(status.message().contains(says), "{says}, in parts of {size}: {}", status.message());
            }
        }
    }

    #[test]
    fn what_is_announced_is_not_set_aside() {
        let mut incoming = Incoming::new(usize::MAX);
        assert!(incoming.push(Bytes::from_static(&[0, 255, 255, 255, 255, 1])).unwrap().is_none());
        assert!(incoming.held.capacity() <= FIRST_BUFFER);
        let status = Incoming::new(LIMIT).push(Bytes::from_static(&[0, 255, 255, 255, 255])).unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange);
        assert!(status.message().contains("4294967295 bytes"), "{}", status.message());
    }
}
