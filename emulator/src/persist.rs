//! The state as bytes, for snapshots and for a directory that outlives the process.
//!
//! # The format
//!
//! Both are the same: a head of eight bytes (`CCIEMU\n` and the version, 2), then frames without end. All numbers are
//! little-endian.
//!
//! | bytes of a frame | what |
//! |---|---|
//! | 0 to 7 | sequence: how many frames come before it |
//! | 8 to 15 | synced: how many frames were known to be on the disk when this one was written |
//! | 16 to 23 | length of the payload |
//! | 24 to 27 | chain: CRC-32 of the chain of the frame before, of the bytes 0 to 23, and of the payload |
//! | 28 to 31 | CRC-32 of the bytes 0 to 27, so that a length can be relied on |
//! | 32 onwards | payload: a [`Batch`](batch::Batch), what changed together; or nothing, in a note |
//!
//! The chain of the first frame goes on from the CRC-32 of the head. A *note* has no payload: it says that so many frames
//! have been synced, in its field for that.
//!
//! A snapshot is the frames that lead from nothing to the state, in the order of the store, then a note, by which it is
//! known to be whole: the same state gives the same bytes. The file `state` of a directory begins with a snapshot, since it
//! gets its name only when all of that is synced; each call that changes something adds the frame of what it changed,
//! before it is answered. When most of the file is past, it is written anew, beside and then in place.
//!
//! Version 1 had frames of a length, its CRC-32, the CRC-32 of the payload, and the payload, four bytes each but the last.
//! It is read as it was, and goes on with the head and the frames of version 2.
//!
//! # What is damaged
//!
//! From the first frame on that is not as it was written, nothing is read. What that means depends on what the file says:
//!
//! - A later frame says that the bad one had been synced, or the file ends within its first snapshot, or frames are missing
//!   between two: no end of a process or a machine leaves that. It is refused.
//! - Nothing says so: a write that was cut short looks like this, and so does damage to it later. It is cut off and kept
//!   beside, in `state.torn`; whether its calls were answered, nobody can tell.

mod batch;
mod directory;
mod disk;
mod frame;
mod image;
mod log;
mod reader;
mod writer;

#[cfg(feature = "fuzzing")]
pub(crate) use self::image::framed;
pub(crate) use self::image::{restore, snapshot};
pub(crate) use self::log::Log;
#[cfg(feature = "fuzzing")]
pub(crate) use self::log::replay;
pub use self::writer::SyncMode;

#[cfg(test)]
mod tests;
