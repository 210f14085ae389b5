//! The worker as a whole, on a file, against an emulator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]
#![cfg(feature = "sqlite")]

mod backpressure;
mod handover;
mod listen;
mod reconcile;
mod start;
#[path = "../support/mod.rs"]
mod support;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::Client;
use contact_center_insights_emulator::Emulator;
use contact_center_insights_worker::{HandOver, SqliteStore, State, Store as _, Worker, WorkerBuilder};
use tempfile::TempDir;
use tokio::time::timeout;

/// An emulator, a client, a store.
pub(crate) struct Stage {
    pub(crate) emulator: Emulator,
    pub(crate) client: Client,
    pub(crate) store: SqliteStore,
    folder: TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::builder()
            .with_profile("polls:1".parse().unwrap())
            .with_min_training_conversations(0)
            .start()
            .await
            .unwrap();
        Self::with(emulator).await
    }

    pub(crate) async fn with(emulator: Emulator) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("operations.db")).await.unwrap();
        let client = support::api::client(&emulator.endpoint());
        Self { emulator, client, store, folder }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("operations.db")
    }

    /// A worker with little patience.
    pub(crate) fn builder(&self) -> WorkerBuilder<SqliteStore> {
        Worker::builder(self.store.clone(), &self.client)
            .with_interval(Duration::from_millis(20))
            .with_grace(Duration::ZERO)
            .with_waits(Duration::from_millis(1), Duration::from_millis(10))
    }

    pub(crate) async fn count(&self, state: State) -> usize {
        self.store.list(Some(state), None, 100_000).await.unwrap().len()
    }
}

/// Runs a worker until `done` is ready.
pub(crate) async fn run<H: HandOver<SqliteStore>>(
    worker: &Worker<SqliteStore, H>,
    done: impl Future<Output = ()>,
) {
    timeout(Duration::from_mins(3), worker.run(done)).await.expect("it takes too long").unwrap();
}

/// Ready once `check` is.
pub(crate) async fn until<F: Future<Output = bool>>(check: impl Fn() -> F) {
    while !check().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Something to look at from handlers and outside of them.
pub(crate) type Shared<T> = Arc<std::sync::Mutex<T>>;
