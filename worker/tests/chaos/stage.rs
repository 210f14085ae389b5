//! What scenarios are played on: an API, a database, operations that start and end, and what must be true of them.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contact_center_insights_emulator::Emulator;
use contact_center_insights_worker::{PostgresStore, Registration, Statistics, Store, StoreError};
use tokio::time::sleep;

use crate::child::Orders;
use crate::fleet::{Fleet, handed};
use crate::support::api;
use crate::support::cluster::Cluster;

/// Results that one process has in hand at most.
pub(crate) const IN_HAND: u64 = 16;

pub(crate) fn is_full() -> bool {
    std::env::var_os("CHAOS_FULL").is_some()
}

pub(crate) fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// How long things are broken.
pub(crate) fn seconds() -> Duration {
    Duration::from_secs(number("CHAOS_SECONDS", if is_full() { 300 } else { 5 }))
}

pub(crate) fn operations() -> usize {
    usize::try_from(number("CHAOS_OPERATIONS", if is_full() { 100_000 } else { 1_000 })).unwrap()
}

/// An API, a database, and a place for files.
pub(crate) struct Stage {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) cluster: Cluster,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn emulator() -> Arc<Emulator> {
    Arc::new(Emulator::builder().with_journal_limit(1_000_000).start().await.unwrap())
}

impl Stage {
    pub(crate) async fn new() -> Option<Self> {
        let cluster = Cluster::start("")?;
        let stage = Self { emulator: emulator().await, cluster, folder: tempfile::tempdir().unwrap() };
        stage.cluster.database("chaos");
        stage.cluster.sql_in("chaos", "create table mine (name text not null)");
        Some(stage)
    }

    pub(crate) fn url(&self) -> String {
        self.cluster.url("chaos")
    }

    pub(crate) fn ledger(&self) -> std::path::PathBuf {
        self.folder.path().join("ledger")
    }

    /// Three processes.
    pub(crate) fn fleet(&self, url: &str, endpoint: &str, handler: &str, deadline: Duration) -> Fleet {
        let (store, endpoint) = (url.to_owned(), endpoint.to_owned());
        let handler = match handler {
            "file" => format!("file:{}", self.ledger().display()),
            other => other.to_owned(),
        };
        let mut fleet = Fleet::new(move |edge, pass| Orders {
            store: store.clone(),
            endpoint: endpoint.clone(),
            handler: handler.clone(),
            edge: edge.into(),
            pass,
            deadline,
            quota: 0,
        });
        fleet.grow(3);
        fleet
    }
}

/// Starts operations and registers them, again where the store fails; ends them over `time`.
pub(crate) async fn operate(emulator: Arc<Emulator>, store: impl Store, count: usize, time: Duration) {
    let started = Instant::now();
    let batch = (count / 50).clamp(1, 1_000);
    let mut next_end = 0;
    for first in (0..count).step_by(batch) {
        let numbers = first..(first + batch).min(count);
        let names: Vec<_> = numbers.clone().map(|number| api::begin(&emulator, number)).collect();
        let registrations = || names.iter().map(|name| dated(name)).collect();
        until_it_works(|| store.register(registrations())).await;
        // Half of what runs ends while others are added.
        while next_end < numbers.end / 2 {
            api::end(&emulator, next_end);
            next_end += 1;
        }
        let part = f64::from(u32::try_from(numbers.end).unwrap()) / f64::from(u32::try_from(count).unwrap());
        sleep(time.mul_f64(part * 0.7).saturating_sub(started.elapsed())).await;
    }
    for number in next_end..count {
        api::end(&emulator, number);
        if number % batch == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) fn dated(name: &str) -> Registration {
    Registration::new(name).created_at(std::time::SystemTime::now())
}

pub(crate) async fn until_it_works<T, Fut: Future<Output = Result<T, StoreError>>>(
    work: impl Fn() -> Fut,
) -> T {
    loop {
        match work().await {
            Ok(done) => return done,
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Waits until nothing runs and nothing waits. What is killed every half a second gets little done: most is left for now.
pub(crate) async fn drained(store: &impl Store, fleet: &mut Fleet, count: usize) -> Statistics {
    let until =
        Instant::now() + Duration::from_mins(3) + Duration::from_millis(10) * u32::try_from(count).unwrap();
    loop {
        let statistics = until_it_works(|| store.statistics()).await;
        if statistics.pending == 0 && statistics.waiting == 0 {
            return statistics;
        }
        assert!(Instant::now() < until, "not drained: {statistics:?}");
        fleet.tend();
        sleep(Duration::from_millis(100)).await;
    }
}

/// Every operation was handed over, and no more often than can be.
pub(crate) fn check_ledger(path: &Path, count: usize, deaths: u64) -> u64 {
    let counts = handed(path);
    let lost: Vec<_> = (0..count).map(api::name).filter(|name| !counts.contains_key(name)).take(5).collect();
    assert!(lost.is_empty(), "lost: {lost:?} and maybe more");
    assert_eq!(counts.len(), count, "something was handed over that is none of ours");
    let duplicates = counts.values().sum::<u64>() - u64::try_from(count).unwrap();
    assert!(duplicates <= deaths * IN_HAND, "{duplicates} duplicates after {deaths} deaths");
    duplicates
}

pub(crate) fn check_table(cluster: &Cluster, count: usize) {
    let told = cluster.sql_in("chaos", "select count(*), count(distinct name) from mine");
    assert_eq!(told, format!("{count}|{count}"), "lost or twice");
}

pub(crate) async fn connect(url: &str) -> PostgresStore {
    PostgresStore::connect_with(url, |_| None).await.unwrap()
}
