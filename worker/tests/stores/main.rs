//! Every store keeps what it promises, on one suite; and stores that are broken on purpose do not pass it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod broken;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod suite;
#[path = "../support/mod.rs"]
mod support;

/// Runs `$with!(case)` for every case of the suite.
macro_rules! cases {
    ($with:ident) => {
        $with!(
            registers_once,
            holds_a_cohort_alone,
            ends_once,
            results_are_whole,
            cohorts_are_bounded,
            holds_results_alone,
            failures_wait_and_the_buried_rest,
            intents_are_settled_once,
            registers_beside_a_sweep,
            cohorts_come_and_go,
            large_results_pass,
            the_handed_are_forgotten
        );
    };
}
pub(crate) use cases;
