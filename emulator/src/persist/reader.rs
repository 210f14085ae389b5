//! Reading frames one after another, as far as they are as they were written, and what can be said of the rest.

use std::io::{self, Read};

use bytes::Bytes;

use super::frame::{Chain, HEAD, HEAD_1, HEADER, HEADER_1, Header, Unreadable, number, synced_after};

/// What is read at a time of a payload: its length may be untrue in version 1, and is not reserved at once.
const PIECE: usize = 64 * 1024;

/// Frames from a file or from memory.
#[derive(Debug)]
pub(super) struct Reader<R> {
    source: R,
    /// Where the next frame begins, in bytes.
    at: u64,
    chain: Chain,
    is_old: bool,
    /// Whether the snapshot at the beginning has ended.
    has_base: bool,
    /// Whether the last frame was a note.
    ends_in_note: bool,
}

/// What came next.
#[derive(Debug)]
pub(super) enum Next {
    Frame(Bytes),
    /// All is read, and all was as it was written.
    End,
    /// From here on nothing can be read, and nothing says that it had been synced. What is there.
    Torn(Vec<u8>),
}

/// Why there is no next frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Two have names that are one name here, as they were not where they were written.
    #[error("{0}")]
    SameName(String),
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    pub(super) fn new(mut source: R) -> Result<Self, ReadError> {
        let mut head = [0; HEAD.len()];
        let found = fill(&mut source, &mut head)?;
        let is_old = match head.get(..found) {
            Some(found) if found == HEAD => false,
            Some(found) if found == HEAD_1 => true,
            Some(found) if found.len() < HEAD.len() && HEAD.starts_with(found) => {
                return Err(
                    Unreadable(format!("it ends after {} bytes, within its head", found.len())).into()
                );
            }
            _ => {
                let why = "it was not written by this emulator, or by another version";
                return Err(Unreadable(why.to_owned()).into());
            }
        };
        let (at, chain) = (head.len() as u64, Chain::new(&head));
        Ok(Self { source, at, chain, is_old, has_base: is_old, ends_in_note: false })
    }

    /// Where the next frame begins, in bytes.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Where the next frame goes.
    pub(super) fn chain(&self) -> Chain {
        self.chain
    }

    /// Whether all that was read is of version 1.
    pub(super) fn is_old(&self) -> bool {
        self.is_old
    }

    /// Whether the last frame was a note, as it is after an orderly end.
    pub(super) fn ends_in_note(&self) -> bool {
        self.ends_in_note
    }

    /// The payload of the next frame; notes are passed over.
    pub(super) fn next(&mut self) -> Result<Next, ReadError> {
        loop {
            let next = if self.is_old { self.next_old()? } else { self.next_new()? };
            match next {
                Some(Next::Frame(payload)) if payload.is_empty() => {}
                Some(next) => return Ok(next),
                // The head of version 2, behind frames of version 1.
                None => {}
            }
        }
    }

    fn next_new(&mut self) -> Result<Option<Next>, ReadError> {
        let mut bytes = [0; HEADER];
        let found = fill(&mut self.source, &mut bytes)?;
        if found == 0 {
            return if self.has_base { Ok(Some(Next::End)) } else { Err(self.cut().into()) };
        }
        let Some(header) = Some(bytes).filter(|_| found == HEADER).and_then(|bytes| Header::read(&bytes))
        else {
            return self.bad(bytes.get(..found).unwrap_or_default().to_vec()).map(Some);
        };
        if header.sequence > self.chain.frames {
            let (first, last) = (self.chain.frames, header.sequence - 1);
            let why = format!("frames {first} to {last} are missing before byte {}", self.at);
            return Err(Unreadable(why).into());
        }
        let payload = take(&mut self.source, header.length)?;
        if (payload.len() as u64) < header.length || !self.chain.fits(&header, &payload) {
            return self.bad([&bytes[..], &payload].concat()).map(Some);
        }
        self.ends_in_note = payload.is_empty();
        self.has_base |= self.ends_in_note;
        self.chain = self.chain.after(&header);
        self.at = self.at.saturating_add(HEADER as u64).saturating_add(header.length);
        Ok(Some(Next::Frame(payload.into())))
    }

    /// What is there instead of a frame that is as it was written, and all after it.
    fn bad(&mut self, mut found: Vec<u8>) -> Result<Next, ReadError> {
        self.source.read_to_end(&mut found)?;
        let (frame, at) = (self.chain.frames, self.at);
        if synced_after(&found, frame) > frame {
            let why = format!(
                "frame {frame}, at byte {at}, is not as it was written, and a later frame says that it had been synced"
            );
            return Err(Unreadable(why).into());
        }
        if self.has_base { Ok(Next::Torn(found)) } else { Err(self.cut().into()) }
    }

    /// A file gets its name when its first snapshot is synced.
    fn cut(&self) -> Unreadable {
        let Self { at, chain, .. } = self;
        let why = format!(
            "frame {}, at byte {at}, is not whole, and is of the snapshot at its beginning",
            chain.frames
        );
        Unreadable(why + ", which had been synced")
    }

    /// `None` where version 2 begins.
    fn next_old(&mut self) -> Result<Option<Next>, ReadError> {
        let mut header = [0; HEADER_1];
        let (place, rest) = header.split_at_mut(HEAD.len());
        let mut found = fill(&mut self.source, place)?;
        if found == 0 {
            return Ok(Some(Next::End));
        }
        if place == HEAD {
            (self.is_old, self.at, self.chain) = (false, self.at + found as u64, self.chain.after_head());
            return Ok(None);
        }
        found += fill(&mut self.source, rest)?;
        let (at, torn) = (self.at, |found: &[u8]| Ok(Some(Next::Torn(found.to_vec()))));
        let found = header.get(..found).unwrap_or_default();
        if found.len() < HEADER_1 {
            return torn(found);
        }
        let (length, sums) = header.split_at(4);
        let (length_sum, payload_sum) = sums.split_at(4);
        if number(length_sum) != u64::from(crc32fast::hash(length)) {
            let mut found = header.to_vec();
            self.source.read_to_end(&mut found)?;
            if found.iter().all(|byte| *byte == 0) {
                return torn(&found);
            }
            return Err(Unreadable(format!("the frame at byte {at} has been changed")).into());
        }
        let payload = take(&mut self.source, number(length))?;
        if (payload.len() as u64) < number(length)
            || number(payload_sum) != u64::from(crc32fast::hash(&payload))
        {
            let mut rest = Vec::new();
            self.source.read_to_end(&mut rest)?;
            if rest.is_empty() {
                return torn(&[&header[..], &payload].concat());
            }
            return Err(Unreadable(format!("what the frame at byte {at} holds has been changed")).into());
        }
        self.chain = self.chain.after_old(&header);
        self.at = self.at.saturating_add(HEADER_1 as u64).saturating_add(payload.len() as u64);
        Ok(Some(Next::Frame(payload.into())))
    }
}

/// Reads until the buffer is full, or all is read; gives how much that is.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut found = 0;
    while let Some(rest) = buffer.get_mut(found..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(read) => found += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// So many bytes, or all there are.
fn take(source: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut taken = Vec::with_capacity(usize::try_from(length).unwrap_or(PIECE).min(PIECE));
    source.by_ref().take(length).read_to_end(&mut taken)?;
    Ok(taken)
}
