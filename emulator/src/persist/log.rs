//! The file of a directory: read at the start, added to by every change, written anew when most of it is past.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use prost::Message as _;

use super::batch::{Batch, replay, snapshot};
use super::frame::{self, Unreadable};
use crate::state::State;

/// Below this, in bytes, a file is not worth writing anew.
const SMALL: u64 = 8 * 1024 * 1024;

/// Where changes are written down.
#[derive(Debug)]
pub(crate) struct Log {
    directory: PathBuf,
    /// Held for as long as the emulator runs: one directory, one emulator.
    _lock: File,
    file: File,
    /// Of what is whole in the file, in bytes.
    length: u64,
    /// The same, when it was last written anew.
    base: u64,
    /// Something could not be written; what is in the file is not all that there is.
    is_behind: bool,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("another emulator uses the directory")]
    Taken,
    #[error("cannot use the file {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    #[error("the file {} is damaged: move it away to start with nothing", .0.display())]
    Damaged(PathBuf, #[source] Unreadable),
}

impl Log {
    /// Opens a directory, or makes it, and brings `state` to where it was left. Gives the time that was written down
    /// last, and whether the directory is new.
    pub(crate) fn open(
        directory: &Path,
        state: &mut State,
    ) -> Result<(Self, Option<SystemTime>, bool), OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io(path, error)
        };
        fs::create_dir_all(directory).map_err(failed(directory))?;
        let lock_path = directory.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Taken),
            Err(TryLockError::Error(error)) => return Err(failed(&lock_path)(error)),
        }
        let path = file_path(directory);
        let found = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&path)(error)),
        };
        let is_new = found.is_none();
        let mut time = None;
        if let Some(bytes) = &found {
            let damaged = |error| OpenError::Damaged(path.clone(), error);
            let frames = frame::read(bytes).map_err(damaged)?;
            for frame in frames.whole {
                time = replay(state, frame).map_err(damaged)?.or(time);
            }
            if let Some(at) = frames.torn {
                tracing::warn!(
                    "{} ends in the middle of a write, at byte {at}: that write was never acknowledged, and is dropped",
                    path.display()
                );
            }
        }
        state.world.store.record();
        state.engine.record();
        // What was just read is written down already.
        let _ = Batch::take(state, None);
        let (file, length) = rewrite(directory, state, time).map_err(failed(&path))?;
        let directory = directory.to_owned();
        Ok((Self { directory, _lock: lock, file, length, base: length, is_behind: false }, time, is_new))
    }

    /// Writes down what has changed. When this returns, it survives the end of the process.
    pub(crate) fn keep(&mut self, state: &mut State, time: Option<SystemTime>) -> io::Result<()> {
        let batch = Batch::take(state, time);
        if self.is_behind || (self.length > SMALL && self.length > self.base.saturating_mul(2)) {
            return self.replace(state, time);
        }
        let Some(batch) = batch else { return Ok(()) };
        let mut bytes = Vec::new();
        frame::write(&mut bytes, &batch.encode_to_vec());
        if let Err(error) = self.file.write_all(&bytes) {
            self.is_behind = true;
            // A part of it may be there; what comes next must not come after it.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes everything down anew, in place of all that was.
    pub(crate) fn replace(&mut self, state: &mut State, time: Option<SystemTime>) -> io::Result<()> {
        self.is_behind = true;
        state.world.store.record();
        state.engine.record();
        let _ = Batch::take(state, None);
        (self.file, self.length) = rewrite(&self.directory, state, time)?;
        self.base = self.length;
        self.is_behind = false;
        Ok(())
    }
}

fn file_path(directory: &Path) -> PathBuf {
    directory.join("state")
}

/// Whole or not at all: written beside, and moved into place.
fn rewrite(directory: &Path, state: &State, time: Option<SystemTime>) -> io::Result<(File, u64)> {
    let (path, beside) = (file_path(directory), directory.join("state.new"));
    let image = snapshot(state, time);
    let mut file = File::create(&beside)?;
    file.write_all(&image)?;
    file.sync_data()?;
    fs::rename(&beside, &path)?;
    Ok((file, image.len() as u64))
}
