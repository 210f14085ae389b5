//! A store for a fleet, by PostgreSQL 15 or later: plain SQL, no extensions, through a transaction pooler too.
//!
//! Locks, failover and durability are the engine's. A worker takes a cohort by `FOR UPDATE SKIP LOCKED`, for the length of
//! the transaction in which it looks at it: a dead worker's lock ends with its connection, a frozen one's with
//! `idle_in_transaction_session_timeout`, and neither can commit afterwards. Results are taken in the same way.

mod address;
mod intents;
mod outcomes;
mod pool;
mod reads;
mod register;
mod schema;
mod sweeps;
mod tls;
mod transact;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

pub use outcomes::PostgresOutcomes;
pub use sweeps::PostgresCohort;
pub use transact::{InTransaction, TxHandler};

use super::Store;
use crate::error::StoreError;
use crate::row::{Intent, Listed, OpenIntent, Registration, State, Statistics};
use address::Address;
use pool::Pool;

/// A database as the store. Cheap to clone.
///
/// ```no_run
/// # async fn example() -> Result<(), contact_center_insights_worker::StoreError> {
/// use contact_center_insights_worker::PostgresStore;
///
/// // What is not in the URL comes from PGHOST, PGUSER, PGPASSWORD and so on.
/// let store = PostgresStore::connect("postgres://worker@db-1,db-2/insights?sslrootcert=/etc/db/ca.pem").await?;
/// # let _ = store;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    pool: Arc<Pool>,
    name: Arc<str>,
}

/// No statement of ours outside of a sweep takes longer, unless the link is dead.
const STATEMENT: Duration = Duration::from_secs(30);

impl PostgresStore {
    /// Connects, and makes the tables if they are not there.
    ///
    /// `url` is `postgres://user:password@host:port,host:port/database?option=value`; parts that it lacks come from the
    /// variables of libpq: `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE`, `PGSSLROOTCERT`. Of
    /// several hosts, the one that can be written to is used (`target_session_attrs=read-write`), after a failover
    /// another. Connections to other machines are TLS unless `sslmode` is `disable` or `prefer`, and with TLS the server's
    /// certificate is always verified, by `sslrootcert` or by the roots of the operating system. Passwords are never
    /// printed.
    ///
    /// # Errors
    /// [`StoreError::Config`] if `url` cannot be used; [`StoreError::Failed`] if no host can be reached;
    /// [`StoreError::TooNew`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(url, |name| std::env::var(name).ok()).await
    }

    /// As [`PostgresStore::connect`], with `variable` in place of the environment.
    ///
    /// # Errors
    /// As [`PostgresStore::connect`].
    pub async fn connect_with(
        url: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, StoreError> {
        let address = Address::parse(url, &variable)?;
        let name = address.to_string().into();
        let store = Self { pool: Arc::new(Pool::new(address)?), name };
        limited(schema::migrate(&store.pool)).await?;
        Ok(store)
    }
}

/// What a slow link and a slow disk take in a second.
const BYTES_A_SECOND: usize = 1 << 20;

/// Ends what takes longer than a statement may: the connection is then given up with the future.
async fn limited<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    limited_for(0, work).await
}

/// As above, for statements with so many bytes.
async fn limited_for<T>(
    bytes: usize,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let seconds = u64::try_from(bytes / BYTES_A_SECOND).unwrap_or_default();
    let limit = STATEMENT.saturating_add(Duration::from_secs(seconds));
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::failed(format!("the database did not answer within {limit:?}"))),
    }
}

impl Store for PostgresStore {
    type Cohort = PostgresCohort;
    type Outcomes = PostgresOutcomes;
    /// Any number of processes may run workers.
    type Enlisted = ();

    fn kind(&self) -> &'static str {
        "postgres"
    }

    async fn enlist(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn register(&self, registrations: Vec<Registration>) -> Result<usize, StoreError> {
        limited(register::alone(&self.pool, registrations)).await
    }

    async fn take_cohort(&self, deadline: Duration) -> Result<Option<PostgresCohort>, StoreError> {
        limited(sweeps::take(&self.pool, deadline)).await
    }

    async fn take_outcomes(
        &self,
        most: usize,
        deadline: Duration,
    ) -> Result<Option<PostgresOutcomes>, StoreError> {
        limited(outcomes::take(&self.pool, most, deadline)).await
    }

    async fn backlog(&self, most: u64) -> Result<u64, StoreError> {
        limited(reads::backlog(&self.pool, most)).await
    }

    async fn write_intent(&self, intent: Intent, within: Duration) -> Result<(), StoreError> {
        limited(intents::write(&self.pool, intent, within)).await
    }

    async fn settle_intent(&self, id: String, started: Option<Registration>) -> Result<(), StoreError> {
        limited(intents::settle(&self.pool, &id, started, false)).await.map(|_| ())
    }

    async fn adopt(&self, id: String, found: Registration) -> Result<bool, StoreError> {
        limited(intents::settle(&self.pool, &id, Some(found), true)).await
    }

    async fn open_intents(&self) -> Result<Vec<OpenIntent>, StoreError> {
        limited(intents::open(&self.pool)).await
    }

    async fn note_look(&self, id: String, next: Result<Duration, String>) -> Result<(), StoreError> {
        limited(intents::note(&self.pool, &id, next)).await
    }

    async fn known(&self, names: Vec<String>) -> Result<Vec<String>, StoreError> {
        limited(reads::known(&self.pool, names)).await
    }

    async fn list(
        &self,
        state: Option<State>,
        after: Option<String>,
        most: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        limited(reads::list(&self.pool, state, after, most)).await
    }

    async fn statistics(&self) -> Result<Statistics, StoreError> {
        limited(reads::statistics(&self.pool)).await
    }

    async fn retry(&self, names: Option<Vec<String>>) -> Result<u64, StoreError> {
        limited(outcomes::retry(&self.pool, names)).await
    }

    async fn bury(&self, names: Vec<String>, reason: String) -> Result<u64, StoreError> {
        limited(outcomes::bury(&self.pool, names, reason)).await
    }

    async fn purge(&self, older: Duration) -> Result<u64, StoreError> {
        limited(outcomes::purge(&self.pool, older)).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("database", &self.name).finish_non_exhaustive()
    }
}
