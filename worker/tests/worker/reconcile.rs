//! What runs and is not registered, and the other way round.

use contact_center_insights_worker::{Reconciliation, Registration, State};

use super::Stage;
use super::support::api;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_are_compared_and_strangers_adopted_if_asked() {
    let stage = Stage::new().await;
    for number in 0..6 {
        api::begin(&stage.emulator, number);
    }
    let worker = stage.builder().build();
    // 1 to 3 run and are registered; 4 and 5 only run, as does 0; 7 is registered and is not there, 8 has ended.
    api::end(&stage.emulator, 8);
    worker.register([1, 2, 3, 7, 8].map(|number| Registration::new(api::name(number)))).await.unwrap();
    let of = Reconciliation::of("p");
    let found = worker.reconcile(&of).await.unwrap();
    let mut unregistered = found.unregistered.clone();
    unregistered.sort();
    assert_eq!(unregistered, [0, 4, 5].map(api::name));
    assert_eq!((found.followed, found.adopted, found.missing), (3, 0, vec![api::name(7)]));
    let found = worker.reconcile(&of.clone().adopt(true)).await.unwrap();
    assert_eq!(found.adopted, 3);
    let found = worker.reconcile(&of).await.unwrap();
    assert_eq!((found.followed, found.unregistered.len()), (6, 0));
    assert_eq!(stage.count(State::Pending).await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_store_is_filled_from_a_location_that_is_named() {
    let stage = Stage::new().await;
    for number in 0..3 {
        api::begin(&stage.emulator, number);
    }
    let worker = stage.builder().build();
    let of = Reconciliation::of("p").adopt(true);
    assert_eq!(worker.reconcile(&of).await.unwrap().adopted, 0, "no location is known");
    assert_eq!(worker.reconcile(&of.with_location("us-central1")).await.unwrap().adopted, 3);
}
