//! The routing header of AIP-4222, from the fields that `google.api.http` binds in the path.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use percent_encoding::percent_encode_byte;

pub(super) const HEADER: HeaderName = HeaderName::from_static("x-goog-request-params");

/// What a front end needs to know to route a call (`x-goog-request-params`, AIP-4222): the fields of the request that
/// its `google.api.http` rule binds in the path. The default sends no such header.
#[derive(Debug, Default)]
pub struct Routing(Vec<u8>);

impl Routing {
    /// Of pairs of the field's path in the request and its value, such as `("conversation.name", name)`. They are
    /// percent-encoded here; an empty value is left out.
    #[must_use]
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        // Room for a dozen slashes, so that it rarely grows: every call has one of these.
        let length: usize = pairs.iter().map(|(key, value)| key.len() + value.len() + 2).sum();
        let mut text = Vec::with_capacity(length + 24);
        for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            if !text.is_empty() {
                text.push(b'&');
            }
            push_encoded(&mut text, key);
            text.push(b'=');
            push_encoded(&mut text, value);
        }
        Self(text)
    }

    pub(super) fn into_header(self) -> Option<HeaderValue> {
        // Percent-encoded text is always a valid header.
        if self.0.is_empty() { None } else { HeaderValue::from_maybe_shared(Bytes::from(self.0)).ok() }
    }
}

/// The names that calls were about most recently, by a hash.
///
/// HTTP/2 sends a header by its number once the connection's table has it (HPACK, RFC 7541). That table is small: calls
/// about ever other names would drive out of it what every call has, and each would be sent in full again. So a name gets
/// into it only when it comes a second time.
#[derive(Debug, Default)]
pub(super) struct Recent([AtomicU64; REMEMBERED]);

/// As many as fit into the table's 4 KiB, beside the headers that every call has.
const REMEMBERED: usize = 16;

impl Recent {
    /// Has a value that was not seen lately kept out of the table (RFC 7541, 6.2.3).
    pub(super) fn mark(&self, mut value: HeaderValue) -> HeaderValue {
        let hash = hash(value.as_bytes());
        let place = usize::try_from(hash).unwrap_or_default() % REMEMBERED;
        let is_known = self.0.get(place).is_some_and(|known| known.swap(hash, Ordering::Relaxed) == hash);
        value.set_sensitive(!is_known);
        value
    }
}

/// Of eight bytes at a time. Whoever makes two names collide has them sent as if they were the same, in full or not: no
/// harm.
fn hash(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    let mixed = words.fold(ODD, |hash, word| (hash.rotate_left(5) ^ word).wrapping_mul(ODD));
    mixed ^ mixed >> 32
}

/// The project in the value of a routing header, as it stands there; empty if there is none.
pub(super) fn project(header: &HeaderValue) -> &str {
    let text = header.to_str().unwrap_or_default();
    let Some((_, rest)) = text.split_once("=projects%2F") else { return "" };
    rest.split(['%', '&']).next().unwrap_or_default()
}

/// The project in the name of a resource; empty if there is none.
pub(super) fn project_of(name: &str) -> &str {
    let rest = name.strip_prefix("projects/").unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

/// RFC 6570 section 3.2.2: everything is encoded but the unreserved characters of RFC 3986.
fn push_encoded(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let plain = rest.iter().position(|byte| !is_unreserved(*byte)).unwrap_or(rest.len());
        let (before, from) = rest.split_at(plain);
        out.extend_from_slice(before);
        let Some((reserved, after)) = from.split_first() else { return };
        out.extend_from_slice(percent_encode_byte(*reserved).as_bytes());
        rest = after;
    }
}

/// By a table, for it is asked of every byte of every name.
fn is_unreserved(byte: u8) -> bool {
    UNRESERVED.get(usize::from(byte)).copied().unwrap_or_default()
}

static UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &mut [bool] = &mut table;
    let mut byte = 0_u8;
    while let [first, after @ ..] = rest {
        *first = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn header(pairs: &[(&str, &str)]) -> Option<String> {
        Some(Routing::new(pairs).into_header()?.to_str().unwrap().to_owned())
    }

    #[test]
    fn key_and_value_are_percent_encoded() {
        assert_eq!(
            header(&[("conversation.name", "projects/example.com:p/é~%+ b")]).unwrap(),
            "conversation.name=projects%2Fexample.com%3Ap%2F%C3%A9~%25%2B%20b"
        );
        assert_eq!(header(&[("a", "1"), ("b&", "2")]).unwrap(), "a=1&b%26=2");
    }

    #[test]
    fn the_project_is_found_in_header_and_name() {
        let header = |pairs: &[(&str, &str)]| Routing::new(pairs).into_header().unwrap();
        let name = "projects/my-project/locations/us-central1/operations/1";
        assert_eq!(project(&header(&[("name", name)])), "my-project");
        assert_eq!(project(&header(&[("parent", "projects/123")])), "123");
        assert_eq!(project(&header(&[("a", "x"), ("conversation.name", name)])), "my-project");
        assert_eq!(project(&header(&[("name", "operations/1")])), "");
        assert_eq!(project_of(name), "my-project");
        assert_eq!((project_of("operations/projects/1"), project_of("")), ("", ""));
    }

    #[test]
    fn empty_values_are_not_sent() {
        assert_eq!(header(&[("name", "")]), None);
        assert_eq!(header(&[]), None);
        assert_eq!(header(&[("a", ""), ("b", "1")]).unwrap(), "b=1");
    }
}
