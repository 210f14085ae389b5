//! The routing header of AIP-4222, from the fields that `google.api.http` binds in the path.

use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const HEADER: &str = "x-goog-request-params";

/// RFC 6570 section 3.2.2: everything is encoded but the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Pairs of key and value, percent-encoded. A value that is empty is left out.
#[derive(Debug, Default)]
pub(crate) struct Routing(String);

impl Routing {
    pub(crate) fn new(pairs: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            if !text.is_empty() {
                text.push('&');
            }
            text.extend(utf8_percent_encode(key, UNRESERVED));
            text.push('=');
            text.extend(utf8_percent_encode(value, UNRESERVED));
        }
        Self(text)
    }

    pub(super) fn add_to(self, headers: &mut HeaderMap) {
        if let Some(value) = self.into_header() {
            headers.insert(HEADER, value);
        }
    }

    fn into_header(self) -> Option<HeaderValue> {
        // Percent-encoded text is always a valid header.
        if self.0.is_empty() { None } else { HeaderValue::try_from(self.0).ok() }
    }
}

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
    fn empty_values_are_not_sent() {
        assert_eq!(header(&[("name", "")]), None);
        assert_eq!(header(&[]), None);
        assert_eq!(header(&[("a", ""), ("b", "1")]).unwrap(), "b=1");
    }
}
