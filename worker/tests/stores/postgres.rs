//! PostgreSQL, in a cluster of this test's own.

use std::time::Duration;

use contact_center_insights_worker::store::postgres::{InTransaction, TxHandler};
use contact_center_insights_worker::tokio_postgres::Transaction;
use contact_center_insights_worker::{
    BoxError, Delivery, HandOver as _, Limits, PostgresStore, Store as _, StoreError, TakenCohort as _,
    TakenOutcomes as _,
};
use tokio::time::sleep;

use super::suite::{self, end, registrations};
use super::support::cluster::Cluster;
use super::{broken, cases};

/// Nothing of these tests has to survive a crash of the machine.
const QUICK: &str = "fsync = off";

async fn connect(url: &str) -> PostgresStore {
    PostgresStore::connect_with(url, |_| None).await.unwrap()
}

macro_rules! run_all {
    ($($case:ident),*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn keeps_what_every_store_promises() {
            let Some(cluster) = Cluster::start(QUICK) else { return };
            $({
                let url = cluster.database(stringify!($case));
                // Two that make the tables at the same time.
                let (store, other) = tokio::join!(connect(&url), connect(&url));
                println!("{}", stringify!($case));
                suite::$case(store, other).await;
            })*
        }
    };
}
cases!(run_all);

/// Writes the name of each, and fails for some.
struct Writes;

impl TxHandler for Writes {
    async fn handle(&self, delivery: Delivery, transaction: &Transaction<'_>) -> Result<(), BoxError> {
        let name = delivery.key.as_str();
        transaction.execute("insert into mine values ($1)", &[&name]).await?;
        match name.rsplit('/').next() {
            Some("1") => Err("not this one".into()),
            Some("2") => panic!("nor this one"),
            // A statement that fails would spoil the transaction of the others.
            Some("3") => transaction
                .execute("insert into nowhere values (1)", &[])
                .await
                .map(|_| ())
                .map_err(Into::into),
            _ => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_stores_fail_the_suite() {
    let Some(cluster) = Cluster::start(QUICK) else { return };
    let mut number = 0;
    broken::fails_the_suite(async || {
        number += 1;
        connect(&cluster.database(&format!("broken{number}"))).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_holder_loses_its_lock_and_cannot_commit() {
    let Some(cluster) = Cluster::start(QUICK) else { return };
    let url = cluster.database("frozen");
    let (store, other) = (connect(&url).await, connect(&url).await);
    store.register(registrations(0..5)).await.unwrap();
    let frozen = store.take_cohort(Duration::from_millis(500)).await.unwrap().unwrap();
    assert!(other.take_cohort(Duration::from_mins(1)).await.unwrap().is_none());
    // The database's own clock ends it.
    sleep(Duration::from_millis(700)).await;
    let taken = suite::cohort(&other).await;
    assert_eq!(taken.finish((0..5).map(end).collect(), Duration::ZERO).await.unwrap(), 5);
    assert!(matches!(
        frozen.finish((0..5).map(end).collect(), Duration::ZERO).await,
        Err(StoreError::Failed(_))
    ));
    let statistics = other.statistics().await.unwrap();
    assert_eq!((statistics.pending, statistics.waiting), (0, 5));
    // So does a hand-over.
    let frozen = store.take_outcomes(5, Duration::from_millis(500)).await.unwrap().unwrap();
    sleep(Duration::from_millis(700)).await;
    let taken = other.take_outcomes(5, Duration::from_mins(1)).await.unwrap().unwrap();
    assert_eq!(taken.outcomes().len(), 5);
    assert!(frozen.settle(Vec::new()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_writes_is_committed_with_the_note_that_it_was_taken() {
    let Some(cluster) = Cluster::start(QUICK) else { return };
    let url = cluster.database("own");
    let store = connect(&url).await;
    cluster.sql_in("own", "create table mine (name text)");
    suite::ended(&store, 0..4).await;
    let round = InTransaction::new(Writes).round(&store, &Limits::default()).await.unwrap();
    assert_eq!((round.handed, round.failed), (1, 3));
    assert_eq!(cluster.sql_in("own", "select count(*) from mine"), "1");
    let rows = store.list(None, None, 10).await.unwrap();
    let reasons: Vec<_> = rows.iter().filter_map(|row| row.reason.clone()).collect();
    assert_eq!(reasons[..2], ["not this one", "the handler panicked"]);
    assert!(reasons[2].contains("nowhere"), "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_is_connected_to_again() {
    let Some(mut cluster) = Cluster::start(QUICK) else { return };
    let url = cluster.database("dies");
    let store = connect(&url).await;
    suite::ended(&store, 0..3).await;
    let taken = store.take_outcomes(3, Duration::from_mins(1)).await.unwrap().unwrap();
    cluster.stop_hard();
    assert!(taken.settle(Vec::new()).await.is_err());
    let error = store.statistics().await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("onnect"), "{error}");
    cluster.resume();
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.waiting, statistics.handed), (3, 0));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let Some(cluster) = Cluster::start(QUICK) else { return };
    let url = cluster.database("newer");
    drop(connect(&url).await);
    cluster.sql_in("newer", "insert into cci_schema values (2, 1)");
    cluster.sql_in("newer", "alter table cci_operation add column more text");
    suite::ended(&connect(&url).await, 0..3).await;
    cluster.sql_in("newer", "insert into cci_schema values (3, 3)");
    let refused = PostgresStore::connect_with(&url, |_| None).await;
    assert!(matches!(refused, Err(StoreError::TooNew(3))), "{refused:?}");
}

#[tokio::test]
async fn passwords_are_in_no_text() {
    // A closed port: nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://u:hushhush@127.0.0.1:{closed}/d");
    let error = PostgresStore::connect_with(&url, |_| None).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_verified_and_passwords_come_from_variables() {
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = parameters.self_signed(&authority).unwrap();
    let issuer = rcgen::Issuer::new(parameters, authority);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let Some(cluster) = Cluster::start_with_tls(&certificate.pem(), &key.serialize_pem()) else { return };
    cluster.sql("alter role worker password 'hushhush'");
    let url = cluster.database("secured");
    let roots = cluster.folder().join("ca.pem");
    std::fs::write(&roots, root.pem()).unwrap();
    let with = async |query: &str, password: &'static str| {
        let variable = move |name: &str| (name == "PGPASSWORD").then(|| password.to_owned());
        PostgresStore::connect_with(&format!("{url}?{query}"), variable).await
    };
    let trusted = format!("sslmode=require&sslrootcert={}", roots.display());
    let store = with(&trusted, "hushhush").await.unwrap();
    suite::ended(&store, 0..3).await;
    let error = with(&trusted, "wrong").await.unwrap_err().to_string();
    assert!(error.contains("password") && !error.contains("wrong"), "{error}");
    let error = with("sslmode=require", "hushhush").await.unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer") && !error.contains("hush"), "{error}");
    assert!(with("sslmode=disable", "hushhush").await.is_err());
}
