//! SQLite.

use std::time::Duration;

use contact_center_insights_worker::store::sqlite::InTransaction;
use contact_center_insights_worker::{
    BoxError, Delivery, HandOver as _, Limits, SqliteStore, Store, StoreError,
};
use tempfile::TempDir;

use super::suite::{self, registrations};
use super::{broken, cases};

async fn new() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("operations.db")).await.unwrap();
    (folder, store)
}

macro_rules! tests {
    ($($case:ident),*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let (_folder, store) = new().await;
            // One process runs; its parts are clones.
            suite::$case(store.clone(), store).await;
        }
    )*};
}
cases!(tests);

#[tokio::test]
async fn one_process_runs_and_others_add_and_look() {
    let (folder, store) = new().await;
    let lock = store.enlist().await.unwrap();
    let other = SqliteStore::open(folder.path().join("operations.db")).await.unwrap();
    assert!(matches!(other.enlist().await, Err(StoreError::Locked(file)) if file.ends_with("operations.db")));
    assert_eq!(other.register(registrations(0..3)).await.unwrap(), 3);
    assert_eq!(store.statistics().await.unwrap().pending, 3);
    drop(lock);
    assert!(other.enlist().await.is_ok());
}

#[tokio::test]
async fn what_a_handler_writes_is_committed_with_the_note_that_it_was_taken() {
    let (folder, store) = new().await;
    suite::ended(&store, 0..4).await;
    let path = folder.path().join("operations.db");
    let table = rusqlite_of(&path, "create table mine (name text)");
    assert!(table);
    let hand_over = InTransaction::new(|delivery: Delivery, transaction: &rusqlite::Transaction<'_>| {
        transaction.execute("insert into mine values (?1)", [delivery.key.as_str()])?;
        match delivery.key.as_str().rsplit('/').next() {
            Some("1") => Err(BoxError::from("not this one")),
            Some("2") => panic!("nor this one"),
            _ => Ok(()),
        }
    });
    let round = hand_over.round(&store, &Limits::default()).await.unwrap();
    assert_eq!((round.handed, round.failed, round.ages.len()), (2, 2, 4));
    let rows = store.list(None, None, 10).await.unwrap();
    let reasons: Vec<_> = rows.iter().filter_map(|row| row.reason.as_deref()).collect();
    assert_eq!(reasons, ["not this one", "the handler panicked"]);
    let written = rusqlite::Connection::open(&path).unwrap();
    let count: i64 = written.query_row("select count(*) from mine", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2, "of what failed nothing is written");
}

use contact_center_insights_worker::rusqlite;

fn rusqlite_of(path: &std::path::Path, sql: &str) -> bool {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_stores_fail_the_suite() {
    let mut folders = Vec::new();
    broken::fails_the_suite(async || {
        let (folder, store) = new().await;
        folders.push(folder);
        store
    })
    .await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_one_that_is_none_is_told() {
    let (folder, store) = new().await;
    let path = folder.path().join("operations.db");
    drop(store);
    assert!(rusqlite_of(&path, "insert into cci_schema values (7, 2)"));
    assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::TooNew(2))));
    let text = folder.path().join("text");
    std::fs::write(&text, "x".repeat(10_000)).unwrap();
    let error = SqliteStore::open(&text).await.unwrap_err();
    assert!(error.to_string().contains("text: file is not a database"), "{error}");
}

#[tokio::test]
async fn a_newer_program_that_only_added_something_does_no_harm() {
    let (folder, store) = new().await;
    drop(store);
    let path = folder.path().join("operations.db");
    let newer = "insert into cci_schema values (2, 1); alter table cci_operation add column more text";
    assert!(rusqlite_of(&path, newer));
    let store = SqliteStore::open(&path).await.unwrap();
    suite::ended(&store, 0..3).await;
    let within = Duration::from_mins(1);
    assert_eq!(
        store
            .take_outcomes(10, within)
            .await
            .unwrap()
            .map(|taken| { contact_center_insights_worker::TakenOutcomes::outcomes(&taken).len() }),
        Some(3)
    );
    // The file is whole, by SQLite's own word.
    let whole: String = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("pragma integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
}
