//! The loops of a worker that runs. None ends because a store or a service fails.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Worker;
use crate::error::StoreError;
use crate::handover::HandOver;
use crate::start;
use crate::store::Store;
use crate::time::scaled;

/// How long one who has found nothing waits before it looks again.
const IDLE: Duration = Duration::from_secs(1);
/// After the store has failed.
const BROKEN: Duration = Duration::from_secs(2);
/// Between two looks at open intents, and two rounds of forgetting.
const INTENTS: Duration = Duration::from_secs(10);
const FORGETTING: Duration = Duration::from_mins(5);
/// What a sweep has beyond its deadline before it counts as hung.
const HUNG: Duration = Duration::from_secs(5);

/// Waits, or until the worker is to end. Whether it is.
async fn pause(closed: &mut watch::Receiver<bool>, wait: Duration) -> bool {
    let wait = scaled(wait, 0.75 + fastrand::f64() / 2.0);
    tokio::select! {
        () = sleep(wait) => false,
        _ = closed.wait_for(|closed| *closed) => true,
    }
}

fn is_closed(closed: &watch::Receiver<bool>) -> bool {
    *closed.borrow()
}

pub(super) async fn sweep<S: Store, H: HandOver<S>>(worker: Worker<S, H>, mut closed: watch::Receiver<bool>) {
    let inner = &worker.0;
    let mut stopped = closed.clone();
    while !is_closed(&closed) {
        let step = async {
            let taken = {
                // The others wait until this one has found something: the database is asked once, not four times.
                let _scout = inner.scout.lock().await;
                let taken = inner.engine.take().await?;
                if taken.is_none() && pause(&mut closed, IDLE).await {
                    return Ok(0);
                }
                taken
            };
            let Some(taken) = taken else { return Ok(0) };
            let limit = inner.engine.pace.deadline.saturating_add(HUNG);
            timeout(limit, inner.engine.sweep(taken)).await.map_err(StoreError::failed)?
        };
        let done = tokio::select! {
            done = step => done,
            // What was not committed is as if it had not been.
            _ = stopped.wait_for(|closed| *closed) => return,
        };
        match done {
            Ok(0) => {}
            Ok(_) => inner.found.notify_waiters(),
            Err(error) => {
                note(&worker, &error);
                if pause(&mut closed, BROKEN).await {
                    return;
                }
            }
        }
    }
}

pub(super) async fn hand_over<S: Store, H: HandOver<S>>(
    worker: Worker<S, H>,
    lane: usize,
    mut closed: watch::Receiver<bool>,
) {
    let inner = &worker.0;
    while !is_closed(&closed) {
        let found = inner.found.notified();
        match inner.hand_over.round(&inner.engine.store, &inner.limits).await {
            Ok(round) if round.is_empty() => {
                // One of the lanes looks by itself now and then, for what waits for its next try or was left by others.
                let wait = if lane == 0 { IDLE } else { IDLE.saturating_mul(20) };
                tokio::select! {
                    is_closed = pause(&mut closed, wait) => if is_closed { return },
                    () = found => {}
                }
            }
            Ok(round) => {
                let metrics = &inner.engine.metrics;
                metrics.handed.add(round.handed);
                metrics.failed.add(round.failed);
                metrics.buried.add(round.buried);
                for age in &round.ages {
                    metrics.handover_age.note(*age);
                }
                if round.failed > 0 || round.buried > 0 {
                    let (failed, buried) = (round.failed, round.buried);
                    tracing::warn!(failed, buried, "results could not be handed over");
                }
                if round.ages.len() >= inner.limits.at_once() {
                    // There may be more than one lane can take.
                    inner.found.notify_waiters();
                }
            }
            Err(error) => {
                note(&worker, &error);
                if pause(&mut closed, BROKEN).await {
                    return;
                }
            }
        }
    }
}

/// Looks for what was being started when a process died.
pub(super) async fn recover<S: Store, H: HandOver<S>>(
    worker: Worker<S, H>,
    mut closed: watch::Receiver<bool>,
) {
    loop {
        let looking = start::recover(&worker.0.engine.store, &worker.0.engine.operations);
        let done = tokio::select! {
            done = looking => done,
            _ = closed.wait_for(|closed| *closed) => return,
        };
        match done {
            Ok(0) => {}
            Ok(adopted) => {
                tracing::info!(adopted, "operations were found whose start was not known to have happened");
            }
            Err(error) => note(&worker, &error),
        }
        if pause(&mut closed, INTENTS).await {
            return;
        }
    }
}

/// Drops what was handed over long ago.
pub(super) async fn forget<S: Store, H: HandOver<S>>(
    worker: Worker<S, H>,
    mut closed: watch::Receiver<bool>,
) {
    loop {
        match worker.0.engine.store.purge(worker.0.retention).await {
            // There are more of them.
            Ok(gone) if gone > 0 => {
                if pause(&mut closed, IDLE).await {
                    return;
                }
                continue;
            }
            Ok(_) => {}
            Err(error) => note(&worker, &error),
        }
        if pause(&mut closed, FORGETTING).await {
            return;
        }
    }
}

fn note<S: Store, H>(worker: &Worker<S, H>, error: &StoreError) {
    worker.0.engine.metrics.store_failures.add(1);
    tracing::warn!(%error, "the store failed; going on when it is back");
}
