//! Many operations at once: trackers, one-shot sweeps, and pollers that share sweeps, over lists that lie. Time is paused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

#[path = "../../benches/support/fleet.rs"]
mod fleet;
mod lists;
mod pollers;
mod sweeps;
mod tracker;

use std::time::Duration;

use contact_center_insights::track::{Ended, Tracker};
use fleet::Fleet;

/// Everything that ends, once the tracker is closed.
async fn all(tracker: &Tracker) -> Vec<Ended> {
    tracker.close();
    let mut ended = Vec::new();
    while let Some(one) = tracker.next_ended().await {
        ended.push(one);
    }
    ended
}

/// Starts operations that end one after the other from `first` seconds on, a tenth of a second apart.
fn begin(fleet: &Fleet, count: usize, first: u64) -> Vec<String> {
    let last = |number: usize| {
        Duration::from_secs(first) + Duration::from_millis(100) * u32::try_from(number).unwrap()
    };
    (0..count).map(|number| Fleet::name(fleet.begin(last(number)))).collect()
}
