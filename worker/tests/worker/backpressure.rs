//! A handler that stands still stops the questions, and nothing piles up in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use contact_center_insights_worker::{
    BoxError, Delivery, Registration, SqliteStore, State, Store as _, Worker,
};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::support::api;
use super::{Stage, run, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_asked_while_results_wait_and_then_all_is_drained() {
    let stage = Stage::new().await;
    for number in 0..600 {
        api::end(&stage.emulator, number);
    }
    // The store's clock is ours: ten minutes pass while the handler stands still.
    let clock = Arc::new(AtomicI64::new(1_790_000_000_000_000));
    let read = clock.clone();
    let path = stage.path().with_extension("clocked");
    let store = SqliteStore::open_with_clock(path, move || read.load(Ordering::SeqCst)).await.unwrap();
    let (gate, in_hand) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (open, count) = (gate.clone(), in_hand.clone());
    let worker = Worker::builder(store.clone(), &stage.client)
        .with_interval(Duration::from_millis(20))
        .with_backlog(100)
        .on(move |_: Delivery| {
            let (open, count) = (open.clone(), count.clone());
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                open.acquire().await?.forget();
                Ok::<_, BoxError>(())
            }
        })
        .build();
    worker.register((0..600).map(|number| Registration::new(api::name(number)))).await.unwrap();
    let calls = || stage.emulator.journal().entries().len();
    let stands_still = async {
        until(async || {
            // A sweep may find fewer than the backlog takes; then the next is due only as this clock goes on.
            clock.fetch_add(1_000_000, Ordering::SeqCst);
            store.statistics().await.unwrap().waiting >= 100 && in_hand.load(Ordering::SeqCst) == 16
        })
        .await;
        // What was under way when the backlog was full comes to its end.
        sleep(Duration::from_secs(2)).await;
        let before = calls();
        let waiting = store.statistics().await.unwrap().waiting;
        assert!(waiting < 600, "all were asked about: {waiting}");
        for _ in 0..10 {
            clock.fetch_add(60_000_000, Ordering::SeqCst);
            sleep(Duration::from_millis(300)).await;
        }
        assert_eq!((calls(), in_hand.load(Ordering::SeqCst)), (before, 16), "it goes on asking");
        assert_eq!(store.statistics().await.unwrap().waiting, waiting);
        gate.add_permits(10_000);
        until(async || {
            clock.fetch_add(1_000_000, Ordering::SeqCst);
            store.statistics().await.unwrap().handed == 600
        })
        .await;
    };
    run(&worker, stands_still).await;
    assert_eq!(store.list(Some(State::Handed), None, 1_000).await.unwrap().len(), 600);
}
