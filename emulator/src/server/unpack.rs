//! Requests that are packed by gzip, unpacked before anyone reads them: small ones stay small, so that nobody fills the
//! memory with a few kilobytes.

use std::io::Read as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use contact_center_insights::{Code, Status};
use flate2::read::MultiGzDecoder;
use http::{HeaderName, Request};
use http_body::{Body, Frame};

use super::body::BoxError;
use crate::errors;

/// Of anything unpacked, in bytes.
const MAX_UNPACKED: usize = 64 * 1024 * 1024;
/// How many times its packed size anything may have unpacked.
const MAX_RATIO: usize = 100;
/// So much is always allowed, in bytes: a short text that repeats itself packs better than that.
const ALWAYS: usize = 64 * 1024;
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// Of a gRPC message: whether it is packed, and its length.
const PREFIX: usize = 5;

/// Unpacks all of `packed`.
pub(super) fn gunzip(packed: &[u8]) -> Result<Bytes, Status> {
    let limit = packed.len().saturating_mul(MAX_RATIO).clamp(ALWAYS, MAX_UNPACKED);
    let mut unpacked = Vec::new();
    let more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    if let Err(error) = MultiGzDecoder::new(packed).take(more).read_to_end(&mut unpacked) {
        let message = format!("what was sent is not gzip: {error}");
        return Err(errors::with_reason(Code::InvalidArgument, "NOT_GZIP", message, &[]));
    }
    if unpacked.len() > limit {
        return Err(too_large());
    }
    Ok(unpacked.into())
}

fn too_large() -> Status {
    let message = format!(
        "what was sent is larger unpacked than {MAX_RATIO} times its size, or than {MAX_UNPACKED} bytes; nothing was done"
    );
    errors::with_reason(Code::ResourceExhausted, "UNPACKED_TOO_LARGE", message, &[])
}

/// Has the messages of a gRPC request unpacked, if it says that they are packed by gzip.
pub(super) fn unpacked<B>(mut request: Request<B>) -> Request<Unpacking<B>> {
    let is_gzip = request
        .headers()
        .get(GRPC_ENCODING)
        .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if is_gzip {
        request.headers_mut().remove(GRPC_ENCODING);
    }
    request.map(|inner| Unpacking { inner, packed: is_gzip.then(BytesMut::new) })
}

/// The body of a gRPC request; where it is packed, it is handed on message by message.
#[derive(Debug)]
pub(super) struct Unpacking<B> {
    inner: B,
    /// The beginning of a message that is not whole yet; `None` if nothing is packed.
    packed: Option<BytesMut>,
}

/// Takes the first message off `packed`, if it is whole, and gives it back as if it had not been packed.
fn next_message(packed: &mut BytesMut) -> Result<Option<Bytes>, Status> {
    let mut prefix = &**packed;
    let (Ok(flag), Ok(length)) = (prefix.try_get_u8(), prefix.try_get_u32()) else { return Ok(None) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_UNPACKED {
        return Err(too_large());
    }
    let whole = length.saturating_add(PREFIX);
    if packed.len() < whole {
        return Ok(None);
    }
    let mut message = packed.split_to(whole).freeze();
    if flag != 1 {
        return Ok(Some(message));
    }
    message.advance(PREFIX);
    let message = gunzip(&message)?;
    let mut framed = BytesMut::with_capacity(message.len().saturating_add(PREFIX));
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put(message);
    Ok(Some(framed.freeze()))
}

impl<B> Body for Unpacking<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        loop {
            if let Some(packed) = &mut this.packed {
                match next_message(packed) {
                    Ok(Some(message)) => return Poll::Ready(Some(Ok(Frame::data(message)))),
                    Ok(None) => {}
                    Err(status) => return Poll::Ready(Some(Err(tonic::Status::from(status).into()))),
                }
            }
            let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                // The message ends too early; whoever reads it says so.
                None => {
                    let left = this.packed.as_mut().map(BytesMut::split).filter(|left| !left.is_empty());
                    return Poll::Ready(left.map(|left| Ok(Frame::data(left.freeze()))));
                }
            };
            match (&mut this.packed, frame.into_data()) {
                (Some(packed), Ok(data)) => packed.put(data),
                (None, Ok(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                (_, Err(frame)) => {
                    let frame = frame.into_trailers().map(Frame::trailers);
                    return Poll::Ready(frame.ok().map(Ok));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream() && self.packed.as_ref().is_none_or(BytesMut::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn framed(flag: u8, bytes: &[u8]) -> Vec<u8> {
        [&[flag], &u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    fn request<B>(body: B) -> Request<B> {
        Request::builder().header("grpc-encoding", "gzip").body(body).unwrap()
    }

    #[test]
    fn what_unpacks_too_large_is_refused() {
        assert_eq!(gunzip(&gzip(b"hello")).unwrap(), &b"hello"[..]);
        assert_eq!(gunzip(&gzip(&vec![7; ALWAYS])).unwrap().len(), ALWAYS, "however well it packs");
        let noise: Vec<u8> =
            (0..1_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        assert_eq!(gunzip(&gzip(&noise)).unwrap(), noise);
        for bomb in [gzip(&vec![0; 1 << 20]), gzip(&vec![0; MAX_UNPACKED + 1])] {
            assert_eq!(gunzip(&bomb).unwrap_err().code(), Code::ResourceExhausted);
        }
        assert_eq!(gunzip(b"x").unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(gunzip(&gzip(b"cut off")[..12]).unwrap_err().code(), Code::InvalidArgument);
    }

    #[tokio::test]
    async fn messages_are_unpacked_however_they_are_cut() {
        let sent = [framed(1, &gzip(b"one")), framed(0, b"two"), framed(1, &gzip(b""))].concat();
        let wanted = [framed(0, b"one"), framed(0, b"two"), framed(0, b"")].concat();
        for size in 1..=sent.len() {
            let frames: Vec<_> = sent
                .chunks(size)
                .map(|part| Ok::<_, BoxError>(Frame::data(Bytes::copy_from_slice(part))))
                .collect();
            let request = unpacked(request(StreamBody::new(tokio_stream::iter(frames))));
            assert!(!request.headers().contains_key("grpc-encoding"));
            assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), wanted, "in parts of {size}");
        }
    }

    #[tokio::test]
    async fn a_coding_is_named_in_any_case() {
        let sent = Full::new(Bytes::from(framed(1, &gzip(b"one"))));
        let request = Request::builder().header("grpc-encoding", "GZIP").body(sent).unwrap();
        assert_eq!(unpacked(request).into_body().collect().await.unwrap().to_bytes(), framed(0, b"one"));
    }

    #[tokio::test]
    async fn what_is_not_packed_or_not_whole_passes_as_it_is() {
        let plain = unpacked(Request::new(Full::new(Bytes::from_static(b"\x01anything"))));
        assert_eq!(plain.into_body().collect().await.unwrap().to_bytes(), &b"\x01anything"[..]);
        let torn = unpacked(request(Full::new(Bytes::from_static(b"\x01\0\0\0\x09torn"))));
        assert_eq!(torn.into_body().collect().await.unwrap().to_bytes(), &b"\x01\0\0\0\x09torn"[..]);
        let huge = unpacked(request(Full::new(Bytes::from_static(b"\x01\xff\xff\xff\xff"))));
        assert!(huge.into_body().collect().await.is_err());
    }
}
