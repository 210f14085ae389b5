//! Base64 as Python's `urlsafe_b64decode` reads it, to which protobuf-python leaves it: both alphabets, with padding or
//! without, and what is of neither alphabet is passed over.

use base64::Engine as _;

use crate::status::BASE64;

/// `None` if the last group of characters is not whole.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if let Ok(bytes) = BASE64.decode(text) {
        return Some(bytes);
    }
    // Of the padding that Python adds, none is missing.
    let padding = std::iter::repeat_n(b'=', 4 - text.len() % 4);
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut position, mut pads, mut left) = (0, 0, 0);
    for byte in text.bytes().chain(padding) {
        if byte == b'=' {
            if position >= 2 {
                pads += 1;
                if position + pads >= 4 {
                    return Some(out);
                }
            }
            continue;
        }
        let Some(value) = value(byte) else { continue };
        pads = 0;
        match position {
            0 => left = value,
            1 => {
                out.push(left << 2 | value >> 4);
                left = value & 0x0f;
            }
            2 => {
                out.push(left << 4 | value >> 2);
                left = value & 0x03;
            }
            _ => out.push(left << 6 | value),
        }
        position = (position + 1) % 4;
    }
    (position == 0).then_some(out)
}

/// Base64 as it is printed, and nothing else.
pub(super) fn decode_exact(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text).ok()?;
    (BASE64.encode(&bytes).trim_end_matches('=') == text.trim_end_matches('=')).then_some(bytes)
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_python_reads_it() {
        for (text, wanted) in [
            ("", Some(&b""[..])),
            ("/wA=", Some(&[255, 0])),
            ("_wA", Some(&[255, 0])),
            ("Zm 9v\n!", Some(b"foo")),
            ("Zm9v", Some(b"foo")),
            ("Zg==Zg==", Some(b"f")),
            ("Zm9v!Zg", None),
            ("Z", None),
            ("é", Some(b"")),
        ] {
            assert_eq!(decode(text).as_deref(), wanted, "{text:?}");
        }
        assert_eq!(decode_exact("10ms"), Some(vec![0xd7, 0x49, 0xac]));
        assert_eq!(decode_exact("Zm 9v"), None);
    }
}
