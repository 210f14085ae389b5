//! A store in one file, by SQLite: no server, one running worker. Other processes may add operations and look at it.
//!
//! Every commit is on the disk before it counts (`synchronous=FULL`, write-ahead log). What a worker holds it remembers in
//! its memory alone, since nobody else may run one on the file: a lock of the operating system, which ends with the process,
//! sees to that. So a handler holds no transaction, and writers wait for each other for milliseconds.

mod held;
mod intents;
mod outcomes;
mod reads;
mod schema;
mod sweeps;
mod transact;

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use outcomes::SqliteOutcomes;
pub use sweeps::SqliteCohort;
pub use transact::{InTransaction, TxHandler};

use super::Store;
use crate::error::StoreError;
use crate::row::{Intent, Listed, OpenIntent, Registration, State, Statistics};
use crate::time::{self, Micros};
use held::Held;

/// A file as the store.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use contact_center_insights_worker::{Registration, SqliteStore, Store as _};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("operations.db");
/// let store = SqliteStore::open(&path).await?;
/// let added = store.register(vec![Registration::new("projects/p/locations/us-central1/operations/1")]).await?;
/// assert_eq!((added, store.statistics().await?.pending), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    /// Writes go one after the other.
    writer: Mutex<Connection>,
    /// What is looked at does not wait for them.
    reader: Mutex<Connection>,
    held: Mutex<Held>,
    clock: Clock,
}

type Clock = Arc<dyn Fn() -> Micros + Send + Sync>;

impl SqliteStore {
    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if it is not a database, or cannot be written to; [`StoreError::TooNew`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with_clock(path, time::now).await
    }

    /// As [`SqliteStore::open`], with a clock in place of the system's, in microseconds since 1970: for tests.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_with_clock(
        path: impl AsRef<Path>,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        blocking(move || {
            let mut writer = connect(&path)?;
            schema::migrate(&mut writer)?;
            let reader = connect(&path)?;
            let (writer, reader) = (Mutex::new(writer), Mutex::new(reader));
            Ok(Self(Arc::new(Inner { path, writer, reader, held: Mutex::default(), clock: Arc::new(clock) })))
        })
        .await
    }

    fn now(&self) -> Micros {
        (self.0.clock)()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in a transaction that has the right to write from its start on, and commits it.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>, Micros) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        blocking(move || {
            let mut connection = store.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let behavior = rusqlite::TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior).map_err(StoreError::failed)?;
            let done = work(&transaction, store.now()).map_err(StoreError::failed)?;
            transaction.commit().map_err(StoreError::failed)?;
            Ok(done)
        })
        .await
    }

    /// Runs `work` on one state of the store.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>, Micros) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        blocking(move || {
            let mut connection = store.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction().map_err(StoreError::failed)?;
            work(&transaction, store.now()).map_err(StoreError::failed)
        })
        .await
    }
}

/// How long a write waits for those of other processes.
const PATIENCE: Duration = Duration::from_secs(30);

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        // Of what was handed over nothing stays in the file's free pages for longer than need be.
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| StoreError::failed(format!("{}: {error}", path.display())))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(StoreError::failed)?
}

/// That this process, and no other, runs a worker on the file.
#[derive(Debug)]
pub struct SqliteLock {
    /// The lock ends when it is closed, as it is when the process ends.
    _file: File,
}

impl Store for SqliteStore {
    type Cohort = SqliteCohort;
    type Outcomes = SqliteOutcomes;
    type Enlisted = SqliteLock;

    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn enlist(&self) -> Result<SqliteLock, StoreError> {
        let store = self.clone();
        blocking(move || {
            // A file of its own: closing any handle of the database's would drop SQLite's locks on it.
            let mut path = store.0.path.clone().into_os_string();
            path.push("-worker");
            let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
            let file = open.map_err(StoreError::failed)?;
            match file.try_lock() {
                Ok(()) => Ok(SqliteLock { _file: file }),
                Err(TryLockError::WouldBlock) => Err(StoreError::Locked(store.0.path.display().to_string())),
                Err(TryLockError::Error(error)) => Err(StoreError::failed(error)),
            }
        })
        .await
    }

    async fn register(&self, registrations: Vec<Registration>) -> Result<usize, StoreError> {
        self.write(move |transaction, now| sweeps::register(transaction, &registrations, now)).await
    }

    async fn take_cohort(&self, _: Duration) -> Result<Option<SqliteCohort>, StoreError> {
        self.take_due_cohort().await
    }

    async fn take_outcomes(&self, most: usize, _: Duration) -> Result<Option<SqliteOutcomes>, StoreError> {
        self.take_due_outcomes(most).await
    }

    async fn backlog(&self, most: u64) -> Result<u64, StoreError> {
        self.read(move |transaction, _| reads::backlog(transaction, most)).await
    }

    async fn write_intent(&self, intent: Intent, within: Duration) -> Result<(), StoreError> {
        self.write(move |transaction, now| intents::write(transaction, &intent, within, now)).await
    }

    async fn settle_intent(&self, id: String, started: Option<Registration>) -> Result<(), StoreError> {
        self.write(move |transaction, now| {
            intents::drop_one(transaction, &id)?;
            sweeps::register(transaction, started.as_slice(), now).map(|_| ())
        })
        .await
    }

    async fn adopt(&self, id: String, found: Registration) -> Result<bool, StoreError> {
        self.write(move |transaction, now| {
            let is_ours = intents::drop_one(transaction, &id)? > 0;
            if is_ours {
                sweeps::register(transaction, &[found], now)?;
            }
            Ok(is_ours)
        })
        .await
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.read(intents::open).await
    }

    async fn note_look(&self, id: String, next: Result<Duration, String>) -> Result<(), StoreError> {
        self.write(move |transaction, now| intents::note(transaction, &id, next, now)).await
    }

    async fn known(&self, names: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.read(move |transaction, _| reads::known(transaction, names)).await
    }

    async fn list(
        &self,
        state: Option<State>,
        after: Option<String>,
        most: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        self.read(move |transaction, now| reads::list(transaction, state, after, most, now)).await
    }

    async fn statistics(&self) -> Result<Statistics, StoreError> {
        let mut statistics = self.read(reads::statistics).await?;
        statistics.oldest_cohort = self.held().lateness(self.now());
        Ok(statistics)
    }

    async fn retry(&self, names: Option<Vec<String>>) -> Result<u64, StoreError> {
        self.write(move |transaction, now| outcomes::retry(transaction, names, now)).await
    }

    async fn bury(&self, names: Vec<String>, reason: String) -> Result<u64, StoreError> {
        self.write(move |transaction, now| outcomes::bury(transaction, names, &reason, now)).await
    }

    async fn purge(&self, older: Duration) -> Result<u64, StoreError> {
        self.write(move |transaction, now| {
            outcomes::purge(transaction, now.saturating_sub(time::span(older)))
        })
        .await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}
