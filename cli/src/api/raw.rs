//! A message as the bytes that it travels in: what it means, only the descriptors say.

use bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};

/// Serialized bytes, sent as they are and kept as they come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl Message for Raw {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        _: u32,
        _: WireType,
        _: &mut impl Buf,
        _: DecodeContext,
    ) -> Result<(), DecodeError> {
        // Nothing comes here: `decode` takes the bytes whole.
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn decode(mut buffer: impl Buf) -> Result<Self, DecodeError> {
        Ok(Self(buffer.copy_to_bytes(buffer.remaining()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_what_they_are() {
        let bytes = vec![10, 1, 120, 0xff];
        let raw = Raw::decode(bytes.as_slice()).unwrap();
        assert_eq!(raw.encode_to_vec(), bytes);
        assert_eq!(raw.encoded_len(), 4);
    }
}
