//! What comes in over a connection, looked at as it passes: the first byte, and the one frame that h2 does not tell every
//! stream of, the GOAWAY of a server that was pinged too often.

use std::sync::Arc;

use super::health::Health;

/// Notes in the connection's health what comes in.
pub(super) struct Inbound {
    frames: Frames,
    health: Arc<Health>,
}

impl Inbound {
    pub(super) fn new(health: Arc<Health>) -> Self {
        Self { frames: Frames::default(), health }
    }

    /// These bytes came. h2 reads them after this, so that whoever hears of the end finds the reason.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        self.health.on_read();
        if self.frames.has_too_many_pings(bytes) {
            self.health.on_too_many_pings();
        }
    }
}

/// A frame's length (24 bits), type, flags and stream (RFC 9113, 4.1).
const HEADER: usize = 9;
const GOAWAY: u8 = 7;
/// After the last stream: the code, and the debug data by which gRPC's servers say what was too much (gRFC A8).
const TOO_MANY_PINGS: &[u8] = b"\0\0\0\x0btoo_many_pings";
const LAST_STREAM: usize = 4;

/// Where one is among the frames. It goes from header to header, and keeps nothing but a header that came in parts and
/// the beginning of a GOAWAY.
#[derive(Default)]
struct Frames {
    held: Vec<u8>,
    /// Of the frame's payload, still to come.
    left: usize,
    is_goaway: bool,
}

impl Frames {
    /// Whether that frame ends, or goes on long enough to be known, within `bytes`.
    fn has_too_many_pings(&mut self, mut bytes: &[u8]) -> bool {
        let mut found = false;
        while !bytes.is_empty() {
            if self.left > 0 {
                let (payload, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.left -= payload.len();
                bytes = rest;
                found |= self.is_goaway && self.is_too_many_pings(payload);
            } else if let Some((header, rest)) = bytes.split_first_chunk::<HEADER>()
                && self.held.is_empty()
            {
                bytes = rest;
                self.begin(header);
            } else if let [first, rest @ ..] = bytes {
                bytes = rest;
                self.held.push(*first);
                if let Some(header) = self.held.first_chunk::<HEADER>().copied() {
                    self.begin(&header);
                }
            }
        }
        found
    }

    fn begin(&mut self, header: &[u8; HEADER]) {
        let [high, middle, low, kind, ..] = *header;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.is_goaway = kind == GOAWAY && self.left > 0;
        self.held.clear();
    }

    fn is_too_many_pings(&mut self, payload: &[u8]) -> bool {
        const ENOUGH: usize = LAST_STREAM + TOO_MANY_PINGS.len();
        let wanted = ENOUGH.saturating_sub(self.held.len());
        self.held.extend(payload.iter().take(wanted));
        let is_it = wanted > 0 && self.held.get(LAST_STREAM..) == Some(TOO_MANY_PINGS);
        if self.left == 0 {
            // What comes next is a header.
            self.held.clear();
        }
        is_it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        bytes.extend([kind, 0, 0, 0, 0, 1]);
        bytes.extend(payload);
        bytes
    }

    fn go_away(code: u8, debug: &[u8]) -> Vec<u8> {
        frame(GOAWAY, &[&[0, 0, 0, 1, 0, 0, 0, code], debug].concat())
    }

    #[test]
    fn the_frame_is_found_however_the_bytes_are_cut() {
        let others = [frame(4, &[]), frame(0, TOO_MANY_PINGS), go_away(0, b""), frame(1, &[7; 300])].concat();
        for last in [go_away(11, b"too_many_pings"), go_away(11, b"too_many_pings, says the server")] {
            let stream = [&others[..], &last, &others].concat();
            for size in 1..=stream.len() {
                let mut frames = Frames::default();
                let found = stream.chunks(size).filter(|bytes| frames.has_too_many_pings(bytes)).count();
                assert_eq!(found, 1, "in parts of {size}");
            }
        }
    }

    #[test]
    fn others_are_not_taken_for_it() {
        for other in [
            go_away(11, b""),
            go_away(11, b"too_many_calls"),
            go_away(11, b"too_many_ping"),
            go_away(0, b"too_many_pings"),
            frame(0, &go_away(11, b"too_many_pings")),
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        ] {
            for size in 1..=other.len() {
                let mut frames = Frames::default();
                assert!(!other.chunks(size).any(|bytes| frames.has_too_many_pings(bytes)), "{other:?}");
            }
        }
    }
}
