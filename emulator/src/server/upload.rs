//! The body of a JSON request, read whole and unpacked, within what such a request may have.

use bytes::{Bytes, BytesMut};
use contact_center_insights::Status;
use http::header::{CONTENT_ENCODING, EXPECT};
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::OwnedSemaphorePermit;

use super::unpack::gunzip;
use crate::apart::Apart;
use crate::outbox::Outbox;
use crate::rest;

/// Of a request, in bytes.
pub(super) const MAX_BODY: usize = 64 * 1024 * 1024;

/// A body, and the place of its request among those that are larger than others.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) body: Bytes,
    /// Given back when this is dropped.
    _place: Option<OwnedSemaphorePermit>,
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
}

/// Reads a body of `limit` bytes at most; what is beyond [`MAX_BODY`] once no other request has so much, and not if it is
/// packed.
///
/// # Errors
/// The HTTP status, and what is wrong with the body.
pub(super) async fn read<B>(
    apart: &Apart,
    headers: &HeaderMap,
    body: B,
    limit: usize,
) -> Result<Upload, (u16, Status)>
where
    B: Body<Data = Bytes> + Unpin,
{
    let coding = coding(headers).map_err(|coding| rest::encoded(&coding))?;
    let limit = if coding == Coding::Gzip { MAX_BODY } else { limit };
    // Whoever asks before it sends (RFC 9110, section 10.1.1) need not send what is refused.
    let promised = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if promised > limit && headers.contains_key(EXPECT) {
        return Err(rest::too_large(limit));
    }
    let upload = whole(apart, body, limit).await?;
    if coding == Coding::Identity {
        return Ok(upload);
    }
    let packed = upload.body.clone();
    let unpacked = apart.run(&Outbox::default(), move || gunzip(&packed)).await;
    let body = unpacked.and_then(|body| body).map_err(rest::not_unpacked)?;
    Ok(Upload { body, ..upload })
}

/// How the body is packed, or the name of a coding that nobody here undoes. Codings are named in any case (RFC 9110,
/// section 8.4.1).
fn coding(headers: &HeaderMap) -> Result<Coding, String> {
    let Some(given) = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) else {
        return Ok(Coding::Identity);
    };
    let is = |name: &str| given.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
    match () {
        () if is("identity") => Ok(Coding::Identity),
        () if is("gzip") || is("x-gzip") => Ok(Coding::Gzip),
        () => Err(String::from_utf8_lossy(given).into_owned()),
    }
}

async fn whole<B>(apart: &Apart, mut body: B, limit: usize) -> Result<Upload, (u16, Status)>
where
    B: Body<Data = Bytes> + Unpin,
{
    let too_large = || rest::too_large(limit);
    let (mut parts, mut length) = (Vec::new(), 0_usize);
    let mut place = None;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(too_large()) };
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > limit {
            return Err(too_large());
        }
        if length > MAX_BODY && place.is_none() {
            place = Some(apart.large().await.map_err(|status| (500, status))?);
        }
        parts.push(data);
    }
    let body = match parts.as_slice() {
        [one] => one.clone(),
        parts => {
            let mut joined = BytesMut::with_capacity(length);
            for part in parts {
                joined.extend_from_slice(part);
            }
            joined.freeze()
        }
    };
    Ok(Upload { body, _place: place })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn headers(coding: &str) -> HeaderMap {
        [(CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap())].into_iter().collect()
    }

    async fn upload(apart: &Apart, headers: &HeaderMap, parts: &[Bytes], limit: usize) -> Result<Bytes, u16> {
        let frames = parts.iter().map(|part| Ok::<_, std::io::Error>(Frame::data(part.clone())));
        let body = StreamBody::new(tokio_stream::iter(frames.collect::<Vec<_>>()));
        let read = read(apart, headers, body, limit).await;
        read.map(|upload| upload.body).map_err(|(http, _)| http)
    }

    #[test]
    fn codings_are_named_in_any_case() {
        for (given, wanted) in [
            ("identity", Some(Coding::Identity)),
            ("Identity", Some(Coding::Identity)),
            ("gzip", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("X-Gzip ", Some(Coding::Gzip)),
            ("br", None),
            ("gzip, br", None),
            ("", None),
        ] {
            assert_eq!(coding(&headers(given)).ok(), wanted, "{given}");
        }
        assert_eq!(coding(&HeaderMap::new()), Ok(Coding::Identity));
    }

    #[tokio::test]
    async fn a_body_is_read_whole_or_refused() {
        let apart = Apart::default();
        let part = Bytes::from_static(b"abc");
        for (count, limit, wanted) in
            [(0, 0, Ok("")), (1, 3, Ok("abc")), (2, 6, Ok("abcabc")), (2, 5, Err(413))]
        {
            let parts = vec![part.clone(); count];
            let read = upload(&apart, &HeaderMap::new(), &parts, limit).await;
            assert_eq!(read, wanted.map(Bytes::from), "{count} {limit}");
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"hello").unwrap();
        let packed = Bytes::from(encoder.finish().unwrap());
        assert_eq!(upload(&apart, &headers("GZIP"), &[packed], 100).await.unwrap(), "hello");
        assert_eq!(upload(&apart, &headers("br"), &[part], 100).await, Err(415));
    }

    #[tokio::test]
    async fn of_those_that_are_larger_than_others_one_is_read_at_a_time() {
        let apart = Apart::default();
        let parts = vec![Bytes::from(vec![7; MAX_BODY / 2]); 3];
        let place = apart.large().await.unwrap();
        let none = HeaderMap::new();
        // Small ones do not wait, and none of the API is ever so large.
        assert_eq!(upload(&apart, &none, &parts[..2], 4 * MAX_BODY).await.unwrap().len(), MAX_BODY);
        assert_eq!(upload(&apart, &none, &parts, MAX_BODY).await, Err(413));
        let mut large = std::pin::pin!(upload(&apart, &none, &parts, 4 * MAX_BODY));
        let waits = std::future::poll_fn(|cx| std::task::Poll::Ready(large.as_mut().poll(cx).is_pending()));
        assert!(waits.await);
        drop(place);
        assert_eq!(large.await.unwrap().len(), 3 * MAX_BODY / 2);
    }
}
