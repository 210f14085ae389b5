//! What the log needs of a directory: a real one has it, and so has one in memory that tests fill up, cut off and break.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

/// A directory that one emulator has for itself. Names are those of files directly in it.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Opens a file, at its beginning, to be read and added to; `None` if there is none.
    fn open(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>>;

    /// Makes a file, in place of one that may be there.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file the name of another, which is gone then; at once or not at all.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a file away, if it is there.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns when the names of the files would survive a loss of power.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is open.
pub(crate) trait DiskFile: Debug + Send + Sync {
    /// Reads on from where the last read or write ended; gives how much that is, 0 at the end.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all of this where the last read or write ended. After an error, a part may be there.
    fn write(&self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file down to this length in bytes; the next write goes there.
    fn cut(&self, length: u64) -> io::Result<()>;

    /// Returns when what has been written would survive a loss of power.
    fn sync(&self) -> io::Result<()>;
}

/// Reads a file through `std::io`.
#[derive(Debug)]
pub(super) struct Reading<'a>(pub(super) &'a dyn DiskFile);

impl io::Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}
