//! Snapshots: a whole state in frames, and a state made of them.

use std::io;
use std::time::SystemTime;

use prost::Message as _;

use super::batch::{Batch, Kind, Put, Trust};
use super::frame::{Chain, HEAD, HEADER, Unreadable};
use super::reader::{Next, ReadError, Reader};
use crate::state::State;
use crate::world::{Settings, World};

/// The state as bytes: the same state, the same bytes.
pub(crate) fn snapshot(state: &State, time: Option<SystemTime>) -> Vec<u8> {
    let mut image = Vec::new();
    // Memory takes whatever there is.
    let _ = write(state, time, |bytes| {
        image.extend_from_slice(bytes);
        Ok(())
    });
    image
}

/// A state out of bytes, with settings that it has not in it, and the time that was written down with it. Whatever is in
/// it has been looked at.
pub(crate) fn restore(image: &[u8], settings: &Settings) -> Result<(State, Option<SystemTime>), Unreadable> {
    let mut state = State { world: World::new(settings.clone()), ..State::default() };
    let read_error = |error| match error {
        ReadError::Unreadable(unreadable) => unreadable,
        ReadError::Io(error) => Unreadable(error.to_string()),
        ReadError::SameName(why) => Unreadable(why),
    };
    let mut reader = Reader::new(image).map_err(read_error)?;
    let (mut time, mut is_closed) = (None, false);
    loop {
        match reader.next().map_err(read_error)? {
            Next::Frame(payload) => {
                let batch = Batch::read(payload)?;
                is_closed = batch.steps.is_empty();
                time = batch.time().or(time);
                batch.apply(&mut state, Trust::Nobody).map_err(read_error)?;
            }
            // The last frame of a snapshot has no steps, and since version 2 a note comes after it.
            Next::End if is_closed && (reader.is_old() || reader.ends_in_note()) => return Ok((state, time)),
            Next::End => return Err(Unreadable("its last frames are missing".to_owned())),
            Next::Torn(_) => {
                let at = reader.at();
                return Err(Unreadable(format!("the frame at byte {at} is not whole, or has been changed")));
            }
        }
    }
}

/// Hands the bytes of a snapshot to `add`, frame by frame; gives where the next frame goes.
pub(super) fn write(
    state: &State,
    time: Option<SystemTime>,
    mut add: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Chain> {
    let mut chain = Chain::new(HEAD);
    add(HEAD)?;
    for batch in batches(state, time) {
        chain = put(&mut add, chain, 0, &batch.encode_to_vec())?;
    }
    // A file of this gets its name when all of it is synced.
    put(&mut add, chain, chain.frames, &[])
}

fn put(
    add: &mut impl FnMut(&[u8]) -> io::Result<()>,
    chain: Chain,
    synced: u64,
    payload: &[u8],
) -> io::Result<Chain> {
    let header = chain.header(synced, payload);
    add(&header.bytes())?;
    add(payload)?;
    Ok(chain.after(&header))
}

/// These payloads in frames, with a note at the end.
#[cfg(feature = "fuzzing")]
pub(crate) fn framed(payloads: &[&[u8]]) -> Vec<u8> {
    let (mut chain, mut image) = (Chain::new(HEAD), HEAD.to_vec());
    for payload in payloads.iter().copied().chain([&[][..]]) {
        let header = chain.header(chain.frames, payload);
        image.extend_from_slice(&header.bytes());
        image.extend_from_slice(payload);
        chain = chain.after(&header);
    }
    image
}

/// How long a snapshot would be, in bytes.
pub(super) fn length(state: &State) -> u64 {
    let frames = batches(state, None).map(|batch| HEADER + batch.encoded_len());
    frames.map(|length| length as u64).sum::<u64>().saturating_add((HEAD.len() + HEADER) as u64)
}

fn batches(state: &State, time: Option<SystemTime>) -> impl Iterator<Item = Batch> {
    let resources = state.world.store.everything();
    let resources = resources.map(|item| Kind::Put(Put { serial: item.serial, bytes: item.bytes.clone() }));
    let kinds = resources.chain(state.engine.save_all().map(Kind::Operation));
    let steps = kinds.map(Batch::step);
    steps.chain(std::iter::once_with(move || Batch::of(state, Vec::new(), time)))
}
