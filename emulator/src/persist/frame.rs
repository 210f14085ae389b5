//! Frames: what each has around its payload, by which it is known to be whole, and in its place.

use crc32fast::Hasher;

/// What every file and snapshot begins with; the last byte counts versions.
pub(super) const HEAD: &[u8; 8] = b"CCIEMU\n\x02";
/// The same of version 1.
pub(super) const HEAD_1: &[u8; 8] = b"CCIEMU\n\x01";
/// Bytes before the payload.
pub(super) const HEADER: usize = 32;
/// The same in version 1.
pub(super) const HEADER_1: usize = 12;

/// Bytes that no state can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// How many frames come before it.
    pub(super) sequence: u64,
    /// How many frames were known to be on the disk when it was written.
    pub(super) synced: u64,
    /// Of the payload, in bytes.
    pub(super) length: u64,
    pub(super) chain: u32,
}

impl Header {
    /// Reads one; `None` if it is not as it was written.
    pub(super) fn read(bytes: &[u8; HEADER]) -> Option<Self> {
        let (body, check) = bytes.split_at(28);
        if number(check) != u64::from(crc32fast::hash(body)) {
            return None;
        }
        let (sequence, rest) = body.split_at(8);
        let (synced, rest) = rest.split_at(8);
        let (length, chain) = rest.split_at(8);
        let chain = u32::try_from(number(chain)).ok()?;
        Some(Self { sequence: number(sequence), synced: number(synced), length: number(length), chain })
    }

    /// What comes before the chain.
    fn place(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        let numbers = [self.sequence, self.synced, self.length];
        for (part, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    pub(super) fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let (body, check) = bytes.split_at_mut(28);
        let (place, chain) = body.split_at_mut(24);
        place.copy_from_slice(&self.place());
        chain.copy_from_slice(&self.chain.to_le_bytes());
        check.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        bytes
    }
}

/// Where the next frame goes, and what its checksum goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// How many frames there are.
    pub(super) frames: u64,
    value: u32,
}

impl Chain {
    /// After the head, with no frame yet.
    pub(super) fn new(head: &[u8]) -> Self {
        Self { frames: 0, value: crc32fast::hash(head) }
    }

    /// What stands before this payload when it comes next.
    pub(super) fn header(&self, synced: u64, payload: &[u8]) -> Header {
        let length = payload.len() as u64;
        let mut header = Header { sequence: self.frames, synced, length, chain: 0 };
        header.chain = self.over(&header, payload);
        header
    }

    /// Whether this frame is the one that was written here.
    pub(super) fn fits(&self, header: &Header, payload: &[u8]) -> bool {
        header.sequence == self.frames && header.chain == self.over(header, payload)
    }

    /// After this frame.
    pub(super) fn after(&self, header: &Header) -> Self {
        Self { frames: self.frames + 1, value: header.chain }
    }

    /// After a frame of version 1, which knows of no chain.
    pub(super) fn after_old(&self, header: &[u8]) -> Self {
        Self { frames: self.frames + 1, value: hash(&[&self.value.to_le_bytes(), header]) }
    }

    /// After the head of version 2 where it stands behind frames of version 1.
    pub(super) fn after_head(&self) -> Self {
        Self { frames: self.frames, value: hash(&[&self.value.to_le_bytes(), HEAD]) }
    }

    fn over(&self, header: &Header, payload: &[u8]) -> u32 {
        hash(&[&self.value.to_le_bytes(), &header.place(), payload])
    }
}

fn hash(parts: &[&[u8]]) -> u32 {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// A number of up to eight bytes.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// How many frames these bytes say have been synced, in any header that is whole, whichever byte it begins at: frames that
/// can come after `sequence` frames.
pub(super) fn synced_after(bytes: &[u8], sequence: u64) -> u64 {
    let most = sequence.saturating_add(bytes.len() as u64);
    let headers = bytes.windows(HEADER).filter_map(|window| {
        let window: &[u8; HEADER] = window.try_into().ok()?;
        let (place, _) = window.split_at(8);
        // Nearly all windows end here, before a checksum is made.
        let is_near = (sequence..=most).contains(&number(place));
        is_near.then(|| Header::read(window)).flatten()
    });
    headers.map(|header| header.synced.min(header.sequence)).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_not_when_a_bit_is_changed() {
        let header = Chain::new(HEAD).header(3, b"payload");
        let bytes = header.bytes();
        assert_eq!(Header::read(&bytes), Some(header));
        for bit in 0..8 * HEADER {
            let mut changed = bytes;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::read(&changed), None, "{bit}");
        }
    }

    #[test]
    fn each_checksum_covers_the_frame_before() {
        let first = Chain::new(HEAD);
        let (one, other) = (first.header(0, b"one"), first.header(0, b"other"));
        let (after_one, after_other) = (first.after(&one), first.after(&other));
        let second = after_one.header(0, b"two");
        assert!(after_one.fits(&second, b"two"));
        assert!(!after_one.fits(&second, b"twO"));
        assert!(!after_other.fits(&second, b"two"), "its place is right, what comes before is not");
        assert!(!first.fits(&second, b"two"), "not without the first");
    }

    #[test]
    fn what_was_synced_is_found_behind_anything() {
        let chain = Chain { frames: 7, value: 1 };
        let bytes = [&[9; 50][..], &chain.header(6, b"x").bytes(), b"x"].concat();
        assert_eq!(synced_after(&bytes, 5), 6);
        assert_eq!(synced_after(&bytes, 8), 0, "one that is there already");
        assert_eq!(synced_after(&[0; 100], 0), 0);
    }
}
