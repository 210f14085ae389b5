//! Percent-encoding, undone.

use percent_encoding::percent_decode_str;

/// The text that is meant; `None` if a `%` begins no escape (RFC 3986, section 2.1), or what is escaped is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let is_escape =
        |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_percent_sign_begins_an_escape() {
        for (text, wanted) in [
            ("", Some("")),
            ("a b", Some("a b")),
            ("%41%c3%A9", Some("Aé")),
            ("%25zz", Some("%zz")),
            ("%zz", None),
            ("%", None),
            ("a%2", None),
            ("%%41", None),
            ("%2\u{e9}", None),
            ("%FF", None),
        ] {
            assert_eq!(decode(text).as_deref(), wanted, "{text}");
        }
    }
}
