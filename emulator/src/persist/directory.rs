//! A real directory: made for its owner alone, locked, and never left by a symbolic link.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile};

/// The names of our files. A directory that has no others is the emulator's own.
const OURS: [&str; 5] = ["state", "state.new", "state.torn", "state.torn.new", "lock"];

/// A directory, which no other emulator uses while this is held.
#[derive(Debug)]
pub(super) struct Directory {
    #[cfg_attr(
        unix,
        allow(dead_code, reason = "its files are reached through `open`, wherever it is moved to")
    )]
    path: PathBuf,
    #[cfg(unix)]
    open: File,
    /// The directory itself on Unix: a file in it could be taken away, and the next emulator would lock another one.
    _lock: File,
}

/// Why a directory is not to be had.
#[derive(Debug)]
pub(super) enum Refused {
    Taken,
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn lock(file: File) -> Result<File, TryLockError> {
    file.try_lock().map(|()| file)
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};

    use rustix::fs::{AtFlags, Mode, OFlags, fsync, openat, renameat, unlinkat};

    use super::{
        Arc, Directory, Disk, DiskFile, File, OURS, Path, RealFile, Refused, TryLockError, io, lock,
    };

    /// No symbolic links, no waiting for the other end of a FIFO, nothing that a child would inherit.
    fn flags() -> OFlags {
        OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC
    }

    const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

    impl Directory {
        /// Opens a directory, or makes it.
        pub(in super::super) fn open(path: &Path) -> Result<Self, Refused> {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            let open = File::open(path)?;
            if !open.metadata()?.is_dir() {
                return Err(io::Error::from(io::ErrorKind::NotADirectory).into());
            }
            let lock = match lock(open.try_clone()?) {
                Ok(lock) => lock,
                Err(TryLockError::WouldBlock) => return Err(Refused::Taken),
                // Over NFS, a lock needs a file that can be written to.
                Err(TryLockError::Error(_)) => {
                    let flags = flags() | OFlags::CREATE | OFlags::RDWR;
                    match lock(File::from(openat(&open, "lock", flags, OWNER).map_err(io::Error::from)?)) {
                        Ok(lock) => lock,
                        Err(TryLockError::WouldBlock) => return Err(Refused::Taken),
                        Err(TryLockError::Error(error)) => return Err(error.into()),
                    }
                }
            };
            let directory = Self { path: path.to_owned(), open, _lock: lock };
            directory.close_to_others()?;
            Ok(directory)
        }

        /// What is the emulator's own is closed to other users; of what is not, it is only told that it is open.
        fn close_to_others(&self) -> io::Result<()> {
            let metadata = self.open.metadata()?;
            if metadata.mode().trailing_zeros() >= 6 {
                return Ok(());
            }
            let mut others = std::fs::read_dir(&self.path)?
                .filter_map(Result::ok)
                .filter(|entry| !entry.file_name().to_str().is_some_and(|name| OURS.contains(&name)));
            let is_ours = others.next().is_none();
            let owner_only = std::fs::Permissions::from_mode(0o700);
            if !is_ours || self.open.set_permissions(owner_only).is_err() {
                let (path, mode) = (self.path.display(), metadata.mode() & 0o777);
                tracing::warn!(
                    "{path} has the mode {mode:o}, and is left so: other users may reach what is in it"
                );
            }
            Ok(())
        }

        fn at(&self, name: &str, flags: OFlags) -> io::Result<File> {
            let file = File::from(openat(&self.open, name, self::flags() | flags, OWNER)?);
            if !file.metadata()?.is_file() {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
            }
            Ok(file)
        }
    }

    impl Disk for Directory {
        fn open(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
            let file = match self.at(name, OFlags::RDWR) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            if file.metadata()?.mode() & 0o077 != 0 {
                file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            }
            Ok(Some(Arc::new(RealFile(file))))
        }

        fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
            self.remove(name)?;
            Ok(Arc::new(RealFile(self.at(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)?)))
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            Ok(renameat(&self.open, from, &self.open, to)?)
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            match unlinkat(&self.open, name, AtFlags::empty()) {
                Err(error) if error != rustix::io::Errno::NOENT => Err(error.into()),
                _ => Ok(()),
            }
        }

        fn sync(&self) -> io::Result<()> {
            Ok(fsync(&self.open)?)
        }
    }
}

#[cfg(not(unix))]
mod portable {
    use std::fs;

    use super::*;

    impl Directory {
        pub(in super::super) fn open(path: &Path) -> Result<Self, Refused> {
            fs::create_dir_all(path)?;
            let file = File::options().create(true).truncate(false).write(true).open(path.join(OURS[4]))?;
            match lock(file) {
                Ok(lock) => Ok(Self { path: path.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) => Err(Refused::Taken),
                Err(TryLockError::Error(error)) => Err(error.into()),
            }
        }
    }

    impl Disk for Directory {
        fn open(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
            match File::options().read(true).write(true).open(self.path.join(name)) {
                Ok(file) => Ok(Some(Arc::new(RealFile(file)))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }

        fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
            self.remove(name)?;
            let file = File::options().read(true).write(true).create_new(true).open(self.path.join(name))?;
            Ok(Arc::new(RealFile(file)))
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            fs::rename(self.path.join(from), self.path.join(to))
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            match fs::remove_file(self.path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        }

        fn sync(&self) -> io::Result<()> {
            // There is no way to ask for it.
            Ok(())
        }
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)?;
        (&self.0).seek(SeekFrom::Start(length)).map(drop)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
