//! Frames of HTTP/2: a GOAWAY, and where in a stream of frames the bytes written so far end.

use bytes::Bytes;

/// The length of an HTTP/2 frame's head.
const HEAD: usize = 9;

/// A GOAWAY frame (RFC 9113, section 6.8).
pub(super) fn go_away(last_stream: u32, code: u32, debug: &[u8]) -> Bytes {
    // What would not fit the smallest maximum of a frame is of no use to a reader either.
    let debug = debug.get(..1000).unwrap_or(debug);
    let length = u32::try_from(8 + debug.len()).unwrap_or(8).to_be_bytes();
    let mut frame = Vec::with_capacity(HEAD + 8 + debug.len());
    frame.extend_from_slice(length.get(1..).unwrap_or_default());
    frame.extend_from_slice(&[7, 0, 0, 0, 0, 0]);
    frame.extend_from_slice(&last_stream.to_be_bytes());
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(debug);
    frame.into()
}

/// How HTTP/2 begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Looks at what a client says first: whether it is the preface of HTTP/2.
#[derive(Debug)]
pub(super) struct PrefaceWatch(&'static [u8]);

impl Default for PrefaceWatch {
    fn default() -> Self {
        Self(PREFACE)
    }
}

impl PrefaceWatch {
    /// Takes note of bytes that were read; `true` once, when the preface is there whole.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> bool {
        let count = bytes.len().min(self.0.len());
        let (wanted, rest) = self.0.split_at(count);
        if count == 0 || bytes.get(..count) != Some(wanted) {
            // Something else, or nothing is waited for any more.
            if !bytes.is_empty() {
                self.0 = &[];
            }
            return false;
        }
        self.0 = rest;
        rest.is_empty()
    }
}

/// Where in a row of HTTP/2 frames the bytes written so far end.
#[derive(Debug, Default)]
pub(super) struct FrameTracker {
    /// Of the head that has begun.
    head: [u8; HEAD],
    seen: usize,
    /// Of the payload that is still to come.
    payload: usize,
}

impl FrameTracker {
    /// Whether no frame has begun that has not ended.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.seen == 0 && self.payload == 0
    }

    /// Takes note of bytes that were written.
    pub(super) fn advance(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.payload > 0 {
                let step = self.payload.min(bytes.len());
                self.payload -= step;
                bytes = bytes.get(step..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.head.get_mut(self.seen) {
                *place = *first;
            }
            self.seen += 1;
            bytes = rest;
            if self.seen == HEAD {
                let [high, middle, low, ..] = self.head;
                self.payload = u32::from_be_bytes([0, high, middle, low]) as usize;
                self.seen = 0;
            }
        }
    }

    /// How many of these bytes belong to the frame that has begun.
    pub(super) fn left_in_frame(&self, bytes: &[u8]) -> usize {
        let mut ahead = Self { head: self.head, ..*self };
        for (count, byte) in bytes.iter().enumerate() {
            if ahead.is_at_boundary() {
                return count;
            }
            ahead.advance(&[*byte]);
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_found_wherever_writes_are_torn() {
        let frames = [go_away(1, 2, b"debug"), go_away(3, 4, b"")].concat();
        for step in 1..frames.len() {
            let mut tracker = FrameTracker::default();
            let mut edges = 0;
            for part in frames.chunks(step) {
                let rest = if tracker.is_at_boundary() { 0 } else { tracker.left_in_frame(part) };
                assert!(rest <= part.len());
                tracker.advance(part);
                edges += usize::from(tracker.is_at_boundary());
            }
            assert!(tracker.is_at_boundary() && edges > 0, "{step}");
        }
    }

    #[test]
    fn a_frame_is_not_written_beyond_its_end() {
        let frames = [go_away(1, 2, b"debug"), go_away(3, 4, b"")].concat();
        let mut tracker = FrameTracker::default();
        tracker.advance(&frames[..4]);
        assert_eq!(tracker.left_in_frame(&frames[4..]), HEAD + 8 + 5 - 4);
    }

    #[test]
    fn a_preface_is_found_however_it_comes() {
        let all = [PREFACE, b"more"].concat();
        for step in 1..all.len() {
            let mut watch = PrefaceWatch::default();
            assert_eq!(all.chunks(step).filter(|part| watch.advance(part)).count(), 1, "{step}");
        }
        let mut watch = PrefaceWatch::default();
        for other in [&b"PRI"[..], b"GET / HTTP/1.1", PREFACE] {
            assert!(!watch.advance(other));
        }
        assert!(!PrefaceWatch::default().advance(b""));
    }

    #[test]
    fn a_go_away_is_as_the_rfc_has_it() {
        let frame = go_away(7, 11, b"calm");
        assert_eq!(&frame[..HEAD], [0, 0, 12, 7, 0, 0, 0, 0, 0]);
        assert_eq!(&frame[HEAD..], [0, 0, 0, 7, 0, 0, 0, 11, b'c', b'a', b'l', b'm']);
    }
}
