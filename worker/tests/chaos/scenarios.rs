//! What is done to the processes and their database, and what must be true in the end.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::measures::{held_again, quota, sqlite};
use crate::proxy::Proxy;
use crate::stage::{
    Stage, check_ledger, check_table, connect, drained, is_full, operate, operations, seconds,
};
use crate::standstill::standstill;
use crate::starts;

type Scenario = fn() -> Pin<Box<dyn Future<Output = ()>>>;

pub(crate) const ALL: [(&str, Scenario); 11] = [
    ("kills_at_least_once", || Box::pin(kills("file"))),
    ("kills_in_the_transaction", || Box::pin(kills("transaction"))),
    ("storm_of_the_database_and_the_links", || Box::pin(storm())),
    ("frozen_beyond_the_deadline", || Box::pin(frozen())),
    ("a_lost_primary", || Box::pin(lost_primary())),
    ("starts_that_abort_on_postgres", || Box::pin(starts::on_postgres())),
    ("starts_that_abort_on_sqlite", || Box::pin(starts::on_sqlite())),
    ("a_handler_that_stands_still", || Box::pin(standstill())),
    ("held_again_in_time", || Box::pin(held_again())),
    ("a_file_whose_writer_is_killed", || Box::pin(sqlite())),
    ("three_workers_and_one_quota", || Box::pin(quota())),
];

/// A random one is killed every half a second, and each may abort by itself at an edge.
async fn kills(handler: &str) {
    let Some(stage) = Stage::new().await else { return };
    let (count, time) = (operations(), seconds());
    let store = connect(&stage.url()).await;
    let mut fleet = stage.fleet(&stage.url(), &stage.emulator.endpoint(), handler, Duration::from_secs(20));
    fleet.aborting = true;
    let work = tokio::spawn(operate(stage.emulator.clone(), store.clone(), count, time));
    let until = Instant::now() + time;
    while Instant::now() < until || !work.is_finished() {
        sleep(Duration::from_millis(500)).await;
        fleet.tend();
        let place = fleet.random();
        fleet.kill(place);
    }
    work.await.unwrap();
    fleet.aborting = false;
    drained(&store, &mut fleet, count).await;
    let (kills, aborts) = (fleet.kills, fleet.aborts);
    let duplicates = if handler == "file" {
        check_ledger(&stage.ledger(), count, kills + aborts)
    } else {
        check_table(&stage.cluster, count);
        0
    };
    println!(
        "chaos handler={handler} operations={count} kills={kills} aborts={aborts} lost=0 duplicates={duplicates}"
    );
}

/// The database is stopped hard and started again, links are cut and swallow what is sent, workers are killed and frozen.
async fn storm() {
    let Some(mut stage) = Stage::new().await else { return };
    let (count, time) = (operations() / 2, seconds());
    let to_store = Proxy::to(([127, 0, 0, 1], stage.cluster.port).into()).await;
    let to_api = Proxy::to(stage.emulator.address()).await;
    let url = format!("postgres://worker@127.0.0.1:{}/chaos", to_store.port);
    let endpoint = format!("http://127.0.0.1:{}", to_api.port);
    let store = connect(&stage.url()).await;
    let mut fleet = stage.fleet(&url, &endpoint, "transaction", Duration::from_secs(3));
    let work = tokio::spawn(operate(stage.emulator.clone(), store.clone(), count, time));
    let (until, mut restarts, mut cuts) = (Instant::now() + time, 0, 0);
    while Instant::now() < until || !work.is_finished() {
        fleet.tend();
        let place = fleet.random();
        match fastrand::u8(..10) {
            0 => {
                stage.cluster.stop_hard();
                sleep(Duration::from_millis(300)).await;
                stage.cluster.resume();
                restarts += 1;
            }
            1 | 2 => to_store.cut(),
            3 | 4 => to_api.cut(),
            5 => {
                to_store.swallow(true);
                sleep(Duration::from_secs(1)).await;
                to_store.swallow(false);
            }
            6 => {
                to_api.swallow(true);
                sleep(Duration::from_secs(1)).await;
                to_api.swallow(false);
            }
            7 => fleet.freeze(place, Duration::from_millis(500)).await,
            _ => fleet.kill(place),
        }
        cuts += 1;
        sleep(Duration::from_millis(300)).await;
    }
    work.await.unwrap();
    drained(&store, &mut fleet, count).await;
    check_table(&stage.cluster, count);
    let (kills, freezes) = (fleet.kills, fleet.freezes);
    println!(
        "chaos storm operations={count} blows={cuts} kills={kills} freezes={freezes} restarts={restarts} lost=0 \
         duplicates=0"
    );
}

/// A process that is stopped for longer than it may hold anything goes on, and does nothing twice.
async fn frozen() {
    let Some(stage) = Stage::new().await else { return };
    let (count, deadline) = (operations() / 5, Duration::from_secs(2));
    let store = connect(&stage.url()).await;
    let mut fleet = stage.fleet(&stage.url(), &stage.emulator.endpoint(), "transaction", deadline);
    let rounds = if is_full() { 20 } else { 2 };
    let time = deadline * 3 * rounds;
    let work = tokio::spawn(operate(stage.emulator.clone(), store.clone(), count, time));
    for _ in 0..rounds {
        let place = fleet.random();
        fleet.freeze(place, deadline * 5 / 2 + Duration::from_secs(4)).await;
    }
    work.await.unwrap();
    drained(&store, &mut fleet, count).await;
    check_table(&stage.cluster, count);
    println!("chaos frozen operations={count} freezes={rounds} lost=0 duplicates=0");
}

/// The primary is gone for good, and its synchronous standby takes over.
async fn lost_primary() {
    let Some(mut stage) = Stage::new().await else { return };
    let (count, time) = (operations() / 2, seconds());
    let standby = stage.cluster.standby();
    let url = format!("postgres://worker@127.0.0.1:{},127.0.0.1:{}/chaos", stage.cluster.port, standby.port);
    let store = connect(&url).await;
    let mut fleet = stage.fleet(&url, &stage.emulator.endpoint(), "transaction", Duration::from_secs(5));
    let work = tokio::spawn(operate(stage.emulator.clone(), store.clone(), count, time));
    sleep(time / 2).await;
    stage.cluster.stop_hard();
    sleep(Duration::from_millis(500)).await;
    standby.promote();
    work.await.unwrap();
    drained(&store, &mut fleet, count).await;
    check_table(&standby, count);
    println!("chaos lost_primary operations={count} lost=0 duplicates=0");
}
