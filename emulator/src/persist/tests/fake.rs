//! A disk in memory: it can be full, fail to sync, and lose power; it knows what was synced, and in which order.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::persist::disk::{Disk, DiskFile};

type Names = BTreeMap<String, Arc<Mutex<Contents>>>;

/// What a file has, and what of it would survive a loss of power.
#[derive(Clone, Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug, Default)]
struct Shared {
    names: Names,
    synced_names: Names,
    capacity: Option<usize>,
    fails_to_sync: bool,
    events: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct FakeDisk(Arc<Mutex<Shared>>);

impl FakeDisk {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap()
    }

    /// What has happened since the last time.
    pub(super) fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().events)
    }

    /// The bytes of a file; none if it is not there.
    pub(super) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().names.get(name).map(|contents| contents.lock().unwrap().bytes.clone())
    }

    /// Puts a file there, synced.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let contents = Contents { bytes: bytes.to_vec(), synced: bytes.to_vec() };
        let contents = Arc::new(Mutex::new(contents));
        self.lock().names.insert(name.to_owned(), Arc::clone(&contents));
        self.lock().synced_names.insert(name.to_owned(), contents);
    }

    fn used(&self) -> usize {
        self.lock().names.values().map(|contents| contents.lock().unwrap().bytes.len()).sum()
    }

    /// From now on there is space for so many bytes more.
    pub(super) fn leave(&self, bytes: usize) {
        let used = self.used();
        self.lock().capacity = Some(used + bytes);
    }

    /// From now on there is space for anything.
    pub(super) fn free(&self) {
        self.lock().capacity = None;
    }

    pub(super) fn fail_to_sync(&self, fails: bool) {
        self.lock().fails_to_sync = fails;
    }

    /// The disk as it is after a loss of power: of what was not synced, so many bytes are there.
    pub(super) fn after_power_loss(&self, unsynced: usize) -> Self {
        let disk = Self::default();
        for (name, contents) in &self.lock().synced_names {
            let Contents { bytes, synced } = contents.lock().unwrap().clone();
            let kept = (synced.len() + unsynced).min(bytes.len());
            disk.put(name, bytes.get(..kept).filter(|kept| kept.starts_with(&synced)).unwrap_or(&synced));
        }
        disk
    }

    fn event(&self, event: String) {
        self.lock().events.push(event);
    }

    fn file(&self, name: &str, contents: Arc<Mutex<Contents>>) -> Arc<dyn DiskFile> {
        Arc::new(FakeFile {
            disk: self.clone(),
            name: Mutex::new(name.to_owned()),
            contents,
            at: Mutex::new(0),
        })
    }
}

impl Disk for FakeDisk {
    fn open(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let found = self.lock().names.get(name).cloned();
        Ok(found.map(|contents| self.file(name, contents)))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.event(format!("create {name}"));
        let contents = Arc::<Mutex<Contents>>::default();
        self.lock().names.insert(name.to_owned(), Arc::clone(&contents));
        Ok(self.file(name, contents))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.event(format!("rename {from} {to}"));
        let shared = &mut *self.lock();
        let contents = shared.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        shared.names.insert(to.to_owned(), contents);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.lock().names.remove(name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.event("sync directory".to_owned());
        let shared = &mut *self.lock();
        shared.synced_names = shared.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    name: Mutex<String>,
    contents: Arc<Mutex<Contents>>,
    at: Mutex<usize>,
}

impl FakeFile {
    /// As it is called now.
    fn name(&self) -> String {
        let shared = self.disk.lock();
        let found = shared.names.iter().find(|(_, contents)| Arc::ptr_eq(contents, &self.contents));
        found.map_or_else(|| self.name.lock().unwrap().clone(), |(name, _)| name.clone())
    }
}

impl DiskFile for FakeFile {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (contents, mut at) = (self.contents.lock().unwrap(), self.at.lock().unwrap());
        let rest = &contents.bytes[*at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        *at += length;
        Ok(length)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let capacity = self.disk.lock().capacity;
        let space = capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(self.disk.used()));
        let written = bytes.get(..space).unwrap_or(bytes);
        let mut at = self.at.lock().unwrap();
        {
            let mut contents = self.contents.lock().unwrap();
            contents.bytes.truncate(*at);
            contents.bytes.extend_from_slice(written);
        }
        *at += written.len();
        self.disk.event(format!("write {}", self.name()));
        if written.len() < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap();
        self.contents.lock().unwrap().bytes.truncate(length);
        *self.at.lock().unwrap() = length;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.event(format!("sync {}", self.name()));
        if self.disk.lock().fails_to_sync {
            return Err(io::Error::other("the disk is broken"));
        }
        let contents = &mut *self.contents.lock().unwrap();
        contents.synced = contents.bytes.clone();
        Ok(())
    }
}
