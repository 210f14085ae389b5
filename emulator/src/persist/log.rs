//! The file of a directory: read at the start, added to by every change, written anew when most of it is past.

use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use prost::Message as _;

use super::batch::{Batch, Trust};
use super::directory::{Directory, Refused};
use super::disk::{Disk, DiskFile, Reading};
use super::frame::{Chain, HEADER, Unreadable};
use super::image;
use super::reader::{Next, ReadError, Reader};
use super::writer::{SyncMode, Syncing, Tail, Writer};
use crate::state::State;

/// Below this, in bytes, a file is not worth writing anew.
const SMALL: u64 = 8 * 1024 * 1024;
/// What is read or written at a time.
const PIECE: usize = 256 * 1024;
/// The file, what it is written anew as, and what was cut off it.
const FILE: &str = "state";
const NEW: &str = "state.new";
const TORN: &str = "state.torn";
const TORN_NEW: &str = "state.torn.new";

/// Where changes are written down.
#[derive(Debug)]
pub(crate) struct Log {
    /// First, so that all is synced before the directory is given up.
    syncing: Option<Syncing>,
    disk: Arc<dyn Disk>,
    /// The directory, for what is said of it.
    path: PathBuf,
    mode: SyncMode,
    writer: Arc<Writer>,
    /// How long the file is worth to be, in bytes.
    base: u64,
    /// The time that was written down last.
    time: Option<SystemTime>,
    /// What has to be kept beside before anything is added.
    torn: Option<Vec<u8>>,
    /// Whether the file is of version 1 up to its end.
    is_old: bool,
    /// Whether the last change was refused: it is told once.
    is_refusing: bool,
}

/// What a directory held.
#[derive(Debug)]
pub(crate) struct Found {
    /// The time that was written down last.
    pub(crate) time: Option<SystemTime>,
    pub(crate) is_new: bool,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("another emulator uses the directory")]
    Taken,
    #[error("cannot use {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("the file {} is damaged: move it away to start with nothing", .0.display())]
    Damaged(PathBuf, #[source] Unreadable),
    #[error("the file {} was written with another `--project-names`", .0.display())]
    SameName(PathBuf, #[source] Unreadable),
}

/// A change that could not be written down.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the data directory {}", .directory.display())]
pub(crate) struct NotKept {
    pub(crate) directory: PathBuf,
    #[source]
    pub(crate) source: io::Error,
}

impl Log {
    /// Opens a directory, or makes it, and brings `state` to where it was left.
    pub(crate) fn open(path: &Path, mode: SyncMode, state: &mut State) -> Result<(Self, Found), OpenError> {
        let failed = |error| OpenError::Io(path.to_owned(), error);
        let directory = Directory::open(path).map_err(|refused| match refused {
            Refused::Taken => OpenError::Taken,
            Refused::Io(error) => failed(error),
        })?;
        let (mut log, found) = Self::on(Arc::new(directory), path, mode, state)?;
        match mode {
            SyncMode::EverySecond => log.syncing = Some(Syncing::start(&log.writer).map_err(failed)?),
            SyncMode::Always => log.writer.sync().map_err(failed)?,
        }
        Ok((log, found))
    }

    /// The same, with nothing beside that syncs.
    pub(super) fn on(
        disk: Arc<dyn Disk>,
        path: &Path,
        mode: SyncMode,
        state: &mut State,
    ) -> Result<(Self, Found), OpenError> {
        let file_path = path.join(FILE);
        let failed = |error| OpenError::Io(file_path.clone(), error);
        // What was left there by a process that was killed takes space.
        disk.remove(NEW).and_then(|()| disk.remove(TORN_NEW)).map_err(failed)?;
        let mut found = Found { time: None, is_new: false };
        let (mut torn, mut is_old) = (None, false);
        let tail = if let Some(file) = disk.open(FILE).map_err(failed)? {
            let read = read(Reading(&*file), &file_path, state).map_err(|error| match error {
                ReadError::Io(error) => OpenError::Io(file_path.clone(), error),
                ReadError::Unreadable(why) => OpenError::Damaged(file_path.clone(), why),
                ReadError::SameName(why) => OpenError::SameName(file_path.clone(), Unreadable(why)),
            })?;
            (found.time, torn, is_old) = (read.time, read.torn, read.is_old);
            let synced = if read.is_closed { read.chain.frames } else { 0 };
            Tail { file, length: read.length, chain: read.chain, synced, is_suspect: false }
        } else {
            found.is_new = true;
            rewrite(&*disk, state, None).map_err(failed)?
        };
        state.world.store.record();
        state.engine.record();
        // What was just read is written down already.
        let _ = Batch::take(state, None);
        let base = image::length(state);
        let writer = Arc::new(Writer::new(tail));
        let (path, time) = (path.to_owned(), found.time);
        let mut log =
            Self { syncing: None, disk, path, mode, writer, base, time, torn, is_old, is_refusing: false };
        if let Err(error) = log.prepare() {
            tracing::warn!(%error, "nothing can be changed yet: {} cannot be written to", file_path.display());
        }
        log.compact(state, time);
        Ok((log, found))
    }

    /// Writes down what has changed. When this returns, it survives the end of the process, and of the machine if every
    /// change is synced. After an error it is for the caller to undo what has changed.
    pub(crate) fn keep(&mut self, state: &mut State, time: Option<SystemTime>) -> Result<(), NotKept> {
        if !state.has_changes() && time == self.time {
            return Ok(());
        }
        let result = self.add(state, time);
        self.note(result)
    }

    /// Puts a whole state in place of all that was written down.
    pub(crate) fn replace(&mut self, state: &mut State, time: Option<SystemTime>) -> Result<(), NotKept> {
        let result = self.rewrite(state, time);
        self.note(result)
    }

    /// Syncs what was written, and no longer does so by itself.
    pub(crate) fn close(&mut self) {
        self.syncing = None;
    }

    #[cfg(test)]
    pub(super) fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    fn note(&mut self, result: io::Result<()>) -> Result<(), NotKept> {
        let directory = self.path.display();
        match &result {
            Err(error) if !self.is_refusing => {
                tracing::error!(%error, "changes are refused until {directory} can be written to");
            }
            Ok(()) if self.is_refusing => tracing::info!("{directory} can be written to again"),
            _ => {}
        }
        self.is_refusing = result.is_err();
        result.map_err(|source| NotKept { directory: self.path.clone(), source })
    }

    fn add(&mut self, state: &mut State, time: Option<SystemTime>) -> io::Result<()> {
        if self.writer.is_suspect() {
            return self.rewrite(state, time);
        }
        self.prepare()?;
        let batch = Batch::take(state, time).unwrap_or_else(|| Batch::of(state, Vec::new(), time));
        let mut frame = vec![0; HEADER];
        batch.encode(&mut frame).map_err(io::Error::other)?;
        let (length, chain) = self.writer.end();
        self.writer.add(frame)?;
        if self.mode == SyncMode::Always
            && let Err(error) = self.writer.sync()
        {
            self.writer.take_back(length, chain);
            return Err(error);
        }
        self.time = time;
        self.compact(state, time);
        Ok(())
    }

    /// Sees to what has to be done once before anything is added.
    fn prepare(&mut self) -> io::Result<()> {
        if let Some(torn) = &self.torn {
            let beside = self.disk.create(TORN_NEW)?;
            let written = beside.write(torn).and_then(|()| beside.sync());
            let written = written.and_then(|()| self.disk.rename(TORN_NEW, TORN));
            if let Err(error) = written.and_then(|()| self.disk.sync()) {
                let _ = self.disk.remove(TORN_NEW);
                return Err(error);
            }
            self.writer.cut()?;
            self.torn = None;
        }
        if self.is_old {
            self.writer.add_head()?;
            self.is_old = false;
        }
        Ok(())
    }

    fn rewrite(&mut self, state: &mut State, time: Option<SystemTime>) -> io::Result<()> {
        self.prepare()?;
        state.world.store.record();
        state.engine.record();
        let _ = Batch::take(state, None);
        let tail = rewrite(&*self.disk, state, time)?;
        self.base = tail.length;
        self.time = time;
        self.writer.replace(tail);
        Ok(())
    }

    /// Writes all anew if most of it is past. It may also stay as it is.
    fn compact(&mut self, state: &mut State, time: Option<SystemTime>) {
        let (length, _) = self.writer.end();
        if length <= SMALL || length <= self.base.saturating_mul(2) {
            return;
        }
        if let Err(error) = self.rewrite(state, time) {
            // Tried again when it is twice as long.
            self.base = length;
            tracing::warn!(%error, "{} cannot be written anew, and stays longer than it need be", self.path.display());
        }
    }
}

/// What a file held.
struct Contents {
    time: Option<SystemTime>,
    torn: Option<Vec<u8>>,
    length: u64,
    chain: Chain,
    is_old: bool,
    /// Whether it says itself that all of it was synced.
    is_closed: bool,
}

fn read(source: impl io::Read, path: &Path, state: &mut State) -> Result<Contents, ReadError> {
    let mut reader = Reader::new(BufReader::with_capacity(PIECE, source))?;
    let mut time = None;
    let torn = loop {
        match reader.next()? {
            Next::Frame(payload) => {
                let batch = Batch::read(payload)?;
                time = batch.time().or(time);
                batch.apply(state, Trust::OwnFile)?;
            }
            Next::End => break None,
            Next::Torn(rest) => break Some(rest),
        }
    };
    if let Some(rest) = &torn {
        tracing::warn!(
            "{} ends at byte {} in a frame that is not whole. A write that was cut short by the end of the process or of \
             the machine looks like this, and so does damage to it later; nothing says that it had been synced. What it \
             changed is not there, whether its calls were answered or not. The {} bytes are kept in {}",
            path.display(),
            reader.at(),
            rest.len(),
            path.with_file_name(TORN).display(),
        );
    }
    let is_closed = torn.is_none() && reader.ends_in_note();
    let (length, chain, is_old) = (reader.at(), reader.chain(), reader.is_old());
    Ok(Contents { time, torn, length, chain, is_old, is_closed })
}

/// Whole or not at all: written beside, synced, and moved into place.
fn rewrite(disk: &dyn Disk, state: &State, time: Option<SystemTime>) -> io::Result<Tail> {
    let written = disk.create(NEW).and_then(|file| {
        let mut length = 0_u64;
        let mut buffer = BufWriter::with_capacity(PIECE, Writing(&*file));
        let chain = image::write(state, time, |bytes| {
            length += bytes.len() as u64;
            buffer.write_all(bytes)
        })?;
        buffer.flush()?;
        drop(buffer);
        file.sync()?;
        disk.rename(NEW, FILE)?;
        Ok(Tail { file, length, chain, synced: chain.frames, is_suspect: false })
    });
    let mut tail = match written {
        Ok(tail) => tail,
        Err(error) => {
            // The space that it takes is wanted.
            let _ = disk.remove(NEW);
            return Err(error);
        }
    };
    if let Err(error) = disk.sync() {
        // It is in place, but a loss of power might bring the old one back: the next change writes all anew.
        tracing::error!(%error, "the data directory cannot be synced");
        tail.is_suspect = true;
    }
    Ok(tail)
}

/// What a file leads to, as a snapshot, or why it is refused.
#[cfg(feature = "fuzzing")]
pub(crate) fn replay(file: &[u8]) -> Result<Vec<u8>, String> {
    let mut state = State::default();
    let contents = read(file, Path::new("state"), &mut state).map_err(|error| error.to_string())?;
    Ok(image::snapshot(&state, contents.time))
}

struct Writing<'a>(&'a dyn DiskFile);

impl io::Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
