//! Stores that are broken on purpose must fail the suite, whichever engine is under them.

use std::future::Future;

use contact_center_insights_worker::Store;

use super::suite;
use super::support::mutants::{AckFirst, NoLock};

/// Breaks new stores, and runs the cases that tell.
pub(crate) async fn fails_the_suite<S: Store>(mut new: impl AsyncFnMut() -> S) {
    let broken = AckFirst(new().await);
    fails("results are held by two", suite::holds_results_alone(broken.clone(), broken)).await;
    let broken = AckFirst(new().await);
    fails("failures are forgotten", suite::failures_wait_and_the_buried_rest(broken.clone(), broken)).await;
    let broken = NoLock(new().await);
    fails("results are taken twice", suite::holds_results_alone(broken.clone(), broken)).await;
}

/// Runs a case, which must fail.
async fn fails(how: &str, case: impl Future<Output = ()> + Send + 'static) {
    assert!(tokio::spawn(case).await.is_err(), "a broken store has passed: {how}");
}
