//! The end of the log: frames are added there by calls, and synced by calls or by a thread beside them.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::disk::DiskFile;
use super::frame::{Chain, HEAD, HEADER};

/// How long what was written may stay unsynced.
const EVERY: Duration = Duration::from_secs(1);

/// When a change in the data directory is synced to the disk: only then would it survive a loss of power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncMode {
    /// Within a second, and when the emulator stops.
    #[default]
    EverySecond,
    /// Before the call that makes it is answered.
    Always,
}

/// Where frames are added.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) file: Arc<dyn DiskFile>,
    /// Of what is whole in the file, in bytes.
    pub(super) length: u64,
    pub(super) chain: Chain,
    /// How many frames are known to be on the disk.
    pub(super) synced: u64,
    /// What is in the file may not be what was written, or not stay there: it has to be written anew.
    pub(super) is_suspect: bool,
}

impl Tail {
    /// Adds a frame: its payload behind as many bytes as a header has. Whole or not at all.
    fn add(&mut self, mut frame: Vec<u8>) -> io::Result<()> {
        let Some((place, payload)) = frame.split_first_chunk_mut::<HEADER>() else { return Ok(()) };
        let header = self.chain.header(self.synced, payload);
        *place = header.bytes();
        if let Err(error) = self.file.write(&frame) {
            // A part of it may be there; what comes next must not come after it.
            self.is_suspect |= self.file.cut(self.length).is_err();
            return Err(error);
        }
        self.length = self.length.saturating_add(frame.len() as u64);
        self.chain = self.chain.after(&header);
        Ok(())
    }
}

#[derive(Debug)]
struct Inner {
    tail: Tail,
    /// How many frames there were when the file last came to be as it is on the disk, notes included.
    clean: u64,
    is_stopping: bool,
}

/// The end of the log, shared with the thread that syncs it.
#[derive(Debug)]
pub(super) struct Writer {
    inner: Mutex<Inner>,
    wake: Condvar,
}

impl Writer {
    pub(super) fn new(tail: Tail) -> Self {
        let clean = tail.synced;
        Self { inner: Mutex::new(Inner { tail, clean, is_stopping: false }), wake: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame: its payload behind as many bytes as a header has.
    pub(super) fn add(&self, frame: Vec<u8>) -> io::Result<()> {
        self.lock().tail.add(frame)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Takes the last frame back, which was not synced.
    pub(super) fn take_back(&self, length: u64, chain: Chain) {
        let Inner { tail, .. } = &mut *self.lock();
        tail.is_suspect |= tail.file.cut(length).is_err();
        (tail.length, tail.chain) = (length, chain);
    }

    /// Cuts off what is not known to be whole.
    pub(super) fn cut(&self) -> io::Result<()> {
        let Inner { tail, .. } = &*self.lock();
        tail.file.cut(tail.length)
    }

    /// Adds the head of version 2 behind frames of version 1.
    pub(super) fn add_head(&self) -> io::Result<()> {
        let Inner { tail, .. } = &mut *self.lock();
        if let Err(error) = tail.file.write(HEAD) {
            tail.is_suspect |= tail.file.cut(tail.length).is_err();
            return Err(error);
        }
        tail.length = tail.length.saturating_add(HEAD.len() as u64);
        tail.chain = tail.chain.after_head();
        Ok(())
    }

    /// What is in the file, in bytes, and where the next frame goes.
    pub(super) fn end(&self) -> (u64, Chain) {
        let Inner { tail, .. } = &*self.lock();
        (tail.length, tail.chain)
    }

    /// Whether the file has to be written anew.
    pub(super) fn is_suspect(&self) -> bool {
        self.lock().tail.is_suspect
    }

    /// Goes on in another file.
    pub(super) fn replace(&self, tail: Tail) {
        let inner = &mut *self.lock();
        inner.clean = tail.chain.frames;
        inner.tail = tail;
    }

    /// Returns when all that was added would survive a loss of power. Frames may be added meanwhile. Then a note says
    /// so, unless there are more frames to be synced, or the disk is full.
    pub(super) fn sync(&self) -> io::Result<()> {
        let (file, frames) = {
            let inner = &*self.lock();
            if inner.clean == inner.tail.chain.frames {
                return Ok(());
            }
            (Arc::clone(&inner.tail.file), inner.tail.chain.frames)
        };
        let result = file.sync();
        let inner = &mut *self.lock();
        if !Arc::ptr_eq(&file, &inner.tail.file) {
            // It was written anew meanwhile, and synced for that.
            return Ok(());
        }
        if result.is_err() {
            // What could not be synced once may be gone, and the next sync would not tell.
            inner.tail.is_suspect = true;
            return result;
        }
        inner.tail.synced = frames;
        inner.clean = frames;
        if inner.tail.chain.frames == frames && inner.tail.add(vec![0; HEADER]).is_ok() {
            inner.clean = inner.tail.chain.frames;
        }
        Ok(())
    }

    /// Syncs what is added, a second later; and when it is told to stop.
    fn run(&self) {
        loop {
            let mut inner = self.lock();
            while inner.clean == inner.tail.chain.frames && !inner.is_stopping {
                inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
            }
            let waited = self.wake.wait_timeout_while(inner, EVERY, |inner| !inner.is_stopping);
            let is_stopping = waited.unwrap_or_else(PoisonError::into_inner).0.is_stopping;
            if let Err(error) = self.sync() {
                tracing::error!(%error, "what was written to the data directory could not be synced");
                // Whoever writes next writes all anew. Until then there is nothing that could be tried again.
                let inner = &mut *self.lock();
                inner.clean = inner.tail.chain.frames;
            }
            if is_stopping {
                return;
            }
        }
    }
}

/// The thread that syncs; it ends when this is dropped, after it has synced all.
#[derive(Debug)]
pub(super) struct Syncing {
    writer: Arc<Writer>,
    thread: Option<JoinHandle<()>>,
}

impl Syncing {
    pub(super) fn start(writer: &Arc<Writer>) -> io::Result<Self> {
        let shared = Arc::clone(writer);
        let thread = thread::Builder::new().name("emulator-sync".to_owned()).spawn(move || shared.run())?;
        Ok(Self { writer: Arc::clone(writer), thread: Some(thread) })
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        self.writer.lock().is_stopping = true;
        self.writer.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say: what it could not sync is in the log.
            let _ = thread.join();
        }
    }
}
