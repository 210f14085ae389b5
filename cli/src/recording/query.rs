//! Query strings, as they are sent and as recordings have them: decoded, to be read.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What would make a written query ambiguous.
const AMBIGUOUS: [(char, &str); 4] = [('%', "%25"), ('&', "%26"), ('+', "%2B"), ('#', "%23")];

/// Keys and values, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(pub(crate) Vec<(String, String)>);

impl Query {
    /// From the query of a request, where a plus sign is a space.
    pub(crate) fn of_request(text: &str) -> Self {
        Self::split(&text.replace('+', " "))
    }

    /// From a recording, where a plus sign is one.
    pub(crate) fn of_recording(text: &str) -> Self {
        Self::split(text)
    }

    fn split(text: &str) -> Self {
        let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Self(pairs.collect())
    }

    /// For a request.
    pub(crate) fn to_request(&self) -> String {
        let encode = |part: &str| utf8_percent_encode(part, ENCODED).to_string();
        let pairs: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        pairs.join("&")
    }

    /// For a recording.
    pub(crate) fn to_recording(&self) -> String {
        let write = |part: &str| {
            AMBIGUOUS.iter().fold(part.to_owned(), |text, (character, code)| text.replace(*character, code))
        };
        let pairs: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{}={}", write(key), write(value))).collect();
        pairs.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_come_back_from_either_form() {
        let sent = "%24alt=json%3Benum-encoding%3Dint&filter=agent_id%3D%22a%2Bb%26c+100%25%22&view";
        let query = Query::of_request(sent);
        assert_eq!(query.0[1].1, "agent_id=\"a+b&c 100%\"");
        let written = query.to_recording();
        assert_eq!(written, "$alt=json;enum-encoding=int&filter=agent_id=\"a%2Bb%26c 100%25\"&view=");
        assert_eq!(Query::of_recording(&written), query);
        assert_eq!(Query::of_request(&query.to_request()), query);
        assert_eq!(Query::of_request(""), Query::default());
    }
}
