//! Frames: the length of what follows, checksums of both, and the thing itself.
//!
//! A process that is killed leaves a beginning of its last frame, at most; a machine that loses power may leave zeros in
//! its place. Both are told from bytes that were changed later, which no part of the state is made of.

/// What every file and snapshot begins with; the last byte counts versions.
pub(super) const HEAD: &[u8; 8] = b"CCIEMU\n\x01";
/// Length, its checksum, and the payload's checksum, each of four bytes, little-endian.
const FRAME: usize = 12;

/// Bytes that no state can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

/// Adds a frame.
pub(super) fn write(to: &mut Vec<u8>, payload: &[u8]) {
    // A batch is bounded by what requests may have, far below this.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    to.extend_from_slice(&length);
    to.extend_from_slice(&crc32fast::hash(&length).to_le_bytes());
    to.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    to.extend_from_slice(payload);
}

/// What was found.
#[derive(Debug)]
pub(super) struct Frames<'a> {
    pub(super) whole: Vec<&'a [u8]>,
    /// Where the last frame begins, if it is not whole.
    pub(super) torn: Option<usize>,
}

/// Reads all frames after the head.
pub(super) fn read(bytes: &[u8]) -> Result<Frames<'_>, Unreadable> {
    let Some(mut rest) = bytes.strip_prefix(HEAD) else {
        return Err(Unreadable("it was not written by this emulator, or by another version".to_owned()));
    };
    let mut whole = Vec::new();
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let torn = |whole| Ok(Frames { whole, torn: Some(at) });
        let Some((head, after)) = rest.split_at_checked(FRAME) else { return torn(whole) };
        let (length, sums) = head.split_at(4);
        let (length_sum, payload_sum) = sums.split_at(4);
        if number(length_sum) != crc32fast::hash(length) {
            if rest.iter().all(|byte| *byte == 0) {
                return torn(whole);
            }
            return Err(Unreadable(format!("the frame at byte {at} has been changed")));
        }
        let length = usize::try_from(number(length)).unwrap_or(usize::MAX);
        let Some((payload, after)) = after.split_at_checked(length) else { return torn(whole) };
        if number(payload_sum) != crc32fast::hash(payload) {
            if after.is_empty() {
                return torn(whole);
            }
            return Err(Unreadable(format!("what the frame at byte {at} holds has been changed")));
        }
        whole.push(payload);
        rest = after;
    }
    Ok(Frames { whole, torn: None })
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut file = HEAD.to_vec();
        for payload in [&b"one"[..], b"", b"three"] {
            write(&mut file, payload);
        }
        file
    }

    #[test]
    fn frames_are_read_as_they_were_written() {
        let file = file();
        let frames = read(&file).unwrap();
        assert_eq!(frames.whole, [&b"one"[..], b"", b"three"]);
        assert_eq!(frames.torn, None);
        assert!(read(HEAD).unwrap().whole.is_empty());
    }

    #[test]
    fn a_file_cut_anywhere_keeps_the_frames_before_the_cut() {
        let file = file();
        for cut in HEAD.len()..file.len() {
            let frames = read(&file[..cut]).unwrap();
            let wanted: &[&[u8]] = match cut {
                ..23 => &[],
                23..35 => &[b"one"],
                _ => &[b"one", b""],
            };
            assert_eq!(frames.whole, wanted, "{cut}");
            assert_eq!(frames.torn.is_none(), [8, 23, 35].contains(&cut), "{cut}");
        }
        let zeros = [&file[..], &[0; 40]].concat();
        assert_eq!(read(&zeros).unwrap().torn, Some(file.len()));
    }

    #[test]
    fn a_byte_changed_before_the_last_frame_is_refused() {
        let file = file();
        let last = file.len() - FRAME - 5;
        for at in 0..last {
            let mut changed = file.clone();
            changed[at] ^= 0x20;
            let error = read(&changed).unwrap_err().to_string();
            assert!(error.contains("changed") || at < HEAD.len(), "{at}: {error}");
        }
        let mut changed = file.clone();
        changed[file.len() - 1] ^= 1;
        assert_eq!(read(&changed).unwrap().torn, Some(last), "as after a loss of power");
    }
}
