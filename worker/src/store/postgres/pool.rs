//! Connections to the database, kept for the next who needs one. What was cut off in a transaction is closed, never kept.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{Client, Config};

use super::address::Address;
use super::tls::Tls;
use crate::error::StoreError;

/// Connections at once: four for sweeps, four for results, and others for whoever adds and looks.
const MOST: usize = 16;

pub(super) struct Pool {
    config: Config,
    tls: Tls,
    idle: Mutex<Vec<Client>>,
    permits: Arc<Semaphore>,
}

/// A connection. Dropped, it is closed, and what was not committed is gone; [`Connection::keep`] gives it back.
pub(super) struct Connection {
    client: Client,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(address: Address) -> Result<Self, StoreError> {
        let tls = Tls::new(address.roots.as_deref())?;
        let permits = Arc::new(Semaphore::new(MOST));
        Ok(Self { config: address.config, tls, idle: Mutex::default(), permits })
    }

    pub(super) async fn get(self: &Arc<Self>) -> Result<Connection, StoreError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(StoreError::failed)?;
        loop {
            let Some(client) = self.idle().pop() else { break };
            if !client.is_closed() {
                return Ok(Connection { client, pool: self.clone(), _permit: permit });
            }
        }
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(StoreError::failed)?;
        // It ends with the client, or with the link; whoever uses the client hears of it.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = crate::error_text::chain(&error), "a connection to the store ended");
            }
        });
        Ok(Connection { client, pool: self.clone(), _permit: permit })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Gives it back; it must not be in a transaction.
    pub(super) fn keep(self) {
        if !self.client.is_closed() {
            self.pool.idle().push(self.client);
        }
    }

    /// Begins a transaction in which the database waits for us no longer than `deadline`.
    pub(super) async fn begin(&self, deadline: Option<Duration>) -> Result<(), StoreError> {
        let limit = deadline.map_or_else(String::new, within);
        let sql = format!("begin isolation level read committed; {limit}");
        self.client.batch_execute(&sql).await.map_err(StoreError::failed)
    }

    /// Commits, and gives the connection back.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.client.batch_execute("commit").await.map_err(StoreError::failed)?;
        self.keep();
        Ok(())
    }
}

/// Has the database end the transaction that waits for us longer than this.
pub(super) fn within(deadline: Duration) -> String {
    let millis = i32::try_from(deadline.as_millis()).unwrap_or(i32::MAX).max(1);
    format!("set local idle_in_transaction_session_timeout = {millis}")
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
