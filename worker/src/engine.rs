//! One sweep of one cohort: what has ended becomes results, in the transaction that holds the cohort.
//!
//! What is read is decided upon and written within one hold. There is no step after which a crash could lose something:
//! before the commit nothing has happened, and after it everything has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use contact_center_insights::lro::Operations;
use contact_center_insights::track::{Ended, Sweep, Swept};
use contact_center_insights::{Handle, Payload};
use prost::Message;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::error::StoreError;
use crate::error_text::shortened;
use crate::key::project;
use crate::metrics::Metrics;
use crate::row::{Cohort, End, Pending};
use crate::share::Shares;
use crate::store::{Store, TakenCohort as _};
use crate::time::{Micros, micros, of_timestamp, scaled, since, to_timestamp};

/// How cohorts are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    /// A cohort is held no longer than this.
    pub(crate) deadline: Duration,
    /// Between two looks at a cohort, if the quota allows it.
    pub(crate) interval: Duration,
    /// An operation that was registered more recently does not count as lost, whatever the service says.
    pub(crate) grace: Duration,
    /// So many results may wait before nothing more is asked.
    pub(crate) backlog: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            deadline: Duration::from_mins(1),
            interval: Duration::from_secs(5),
            grace: Duration::from_mins(1),
            backlog: 1_000,
        }
    }
}

/// Results of one sweep that are in memory together; fewer, after some that were large.
const AT_ONCE: usize = 256;
/// What is large for all of them.
const LARGE: usize = 64 << 20;
/// Of the deadline, what the calls have; the rest is for the commit.
const ASKING: f64 = 0.6;
/// After failures, looks become as rare as this.
const RAREST: Duration = Duration::from_mins(1);
/// Around the times of creation, for clocks that differ in their last digits.
const MARGIN: Micros = 1_000_000;

/// Sweeps the cohorts of a store.
#[derive(Debug)]
pub(crate) struct Engine<S> {
    pub(crate) store: S,
    pub(crate) operations: Operations,
    pub(crate) shares: Shares,
    pub(crate) pace: Pace,
    pub(crate) metrics: Arc<Metrics>,
    seen: Mutex<HashMap<i64, Seen>>,
}

/// What the last look of this process at a cohort has told.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    pages: u32,
    failures: u32,
    /// How many results to ask for at once; none if it has not been looked at.
    at_once: Option<usize>,
}

impl<S: Store> Engine<S> {
    pub(crate) fn new(
        store: S,
        operations: Operations,
        shares: Shares,
        pace: Pace,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { store, operations, shares, pace, metrics, seen: Mutex::default() }
    }

    /// The cohort that is due, unless too many results wait.
    pub(crate) async fn take(&self) -> Result<Option<S::Cohort>, StoreError> {
        if self.store.backlog(self.pace.backlog).await? >= self.pace.backlog {
            return Ok(None);
        }
        self.store.take_cohort(self.pace.deadline).await
    }

    /// Looks for the operations of a cohort once. How many have ended.
    pub(crate) async fn sweep(&self, taken: S::Cohort) -> Result<usize, StoreError> {
        let cohort = taken.cohort().clone();
        let span = tracing::info_span!("sweep", cohort = cohort.id, parent = cohort.parent);
        self.look(taken, &cohort).instrument(span).await
    }

    async fn look(&self, taken: S::Cohort, cohort: &Cohort) -> Result<usize, StoreError> {
        let now = Instant::now();
        let until = now.checked_add(scaled(self.pace.deadline, ASKING)).unwrap_or(now);
        let hold = self.shares.hold(project(&cohort.parent), cohort.of_project);
        let (readable, mut ends) = readable(&self.operations, taken.pending());
        let mut next = self.pace.interval;
        if !readable.is_empty() {
            let seen = self.seen().get(&cohort.id).copied().unwrap_or_default();
            let sweep = plan(cohort, &readable, seen, until);
            let ages: HashMap<_, _> = readable.iter().map(|of| (of.handle.name.as_str(), of.age)).collect();
            let handles = rotated(readable.iter().map(|of| of.handle.clone()).collect());
            // Names were checked: there is nothing else that this could refuse.
            let swept = self.operations.sweep(sweep, handles).await.unwrap_or_default();
            next = self.next(cohort, &swept);
            self.count(&swept);
            let is_old = |name: &str| ages.get(name).is_none_or(|age| *age >= self.pace.grace);
            ends.extend(swept.ended.into_iter().filter_map(|ended| end(ended, is_old)));
            let bytes = ends.iter().filter_map(|end| end.operation.as_ref()).map(Vec::len).sum();
            self.seen().entry(cohort.id).or_default().at_once = Some(at_once(ends.len(), bytes));
        }
        let count = taken.finish(ends, next).await?;
        drop(hold);
        self.metrics.sweeps.add(1);
        self.metrics.ended.add(u64::try_from(count).unwrap_or_default());
        if count > 0 {
            tracing::info!(ended = count, "operations have ended");
        }
        Ok(count)
    }

    /// When to look at the cohort again; notes what this look has told.
    fn next(&self, cohort: &Cohort, swept: &Swept) -> Duration {
        let mut all = self.seen();
        // Others may hold most of them by now.
        if all.len() > 10_000 {
            all.clear();
        }
        let seen = all.entry(cohort.id).or_default();
        if swept.pages > 0 {
            seen.pages = swept.pages;
        }
        let has_failed = !swept.failed.is_empty() && swept.ended.is_empty();
        seen.failures = if has_failed { seen.failures.saturating_add(1) } else { 0 };
        if swept.pages > 0 && !swept.unasked.is_empty() && !has_failed {
            // More have ended than one sweep takes.
            return Duration::ZERO;
        }
        // Half of the share for lists, as everywhere; what there is to ask comes on top.
        let calls = f64::from(swept.pages.max(swept.gets / 2));
        let spread = Duration::from_mins(1);
        let spread = scaled(spread, 2.0 * calls / f64::from(self.shares.of_cohort(cohort.of_project)));
        let grown = self.pace.interval.saturating_mul(2_u32.saturating_pow(seen.failures.min(10)));
        let grown = if seen.failures == 0 { self.pace.interval } else { grown.min(RAREST) };
        grown.max(spread)
    }

    fn count(&self, swept: &Swept) {
        self.metrics.pages.add(swept.pages.into());
        self.metrics.gets.add(swept.gets.into());
        for (handle, error) in &swept.failed {
            tracing::debug!(operation = handle.name, %error, "an operation could not be asked about");
            self.metrics.note_failure(error);
        }
        let now = micros(SystemTime::now());
        for ended in &swept.ended {
            match &ended.operation {
                Some(operation) => {
                    if let Some(at) = ended_at(operation.raw()) {
                        self.metrics.notice.note(since(at, now));
                    }
                }
                None => self.metrics.lost.add(1),
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<i64, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where to look: in the part of the list that is of the time of these operations; or, where asking about each takes fewer
/// calls, at each.
fn plan(cohort: &Cohort, pending: &[Pending], seen: Seen, until: Instant) -> Sweep {
    let is_few = pending.len() <= usize::try_from(seen.pages.max(1)).unwrap_or(usize::MAX);
    let sweep = if is_few { Sweep::of("") } else { Sweep::of(cohort.parent.as_str()) };
    let sweep = sweep.with_limit(seen.at_once.unwrap_or(AT_ONCE)).until(until);
    let created: Option<Vec<Micros>> = pending.iter().map(|of| of.created).collect();
    match created.as_deref().map(|all| (all.iter().min(), all.iter().max())) {
        Some((Some(first), Some(last))) if !is_few => {
            let time = |at: Micros| Some(to_timestamp(at));
            sweep.with_window(time(first.saturating_sub(MARGIN)), time(last.saturating_add(MARGIN)))
        }
        _ => sweep,
    }
}

/// How many results to ask for next, after so many that had so many bytes together.
fn at_once(count: usize, bytes: usize) -> usize {
    if bytes <= LARGE { AT_ONCE } else { (count * LARGE / bytes).clamp(1, AT_ONCE) }
}

/// What can be asked about, and ends of what cannot: a name that no service can have, written into the store by others.
fn readable(operations: &Operations, pending: &[Pending]) -> (Vec<Pending>, Vec<End>) {
    let (mut readable, mut ends) = (Vec::new(), Vec::new());
    for of in pending {
        match operations.poller::<Payload, Payload>(of.handle.name.as_str()) {
            Ok(_) => readable.push(of.clone()),
            Err(error) => ends.push(End {
                name: of.handle.name.clone(),
                operation: None,
                lost: Some(shortened(&error.to_string())),
            }),
        }
    }
    (readable, ends)
}

/// From another place on each time: where all have to be asked about and time is short, each gets its turn.
fn rotated(mut handles: Vec<Handle>) -> Vec<Handle> {
    if !handles.is_empty() {
        let by = fastrand::usize(..handles.len());
        handles.rotate_left(by);
    }
    handles
}

fn end(ended: Ended, is_old: impl Fn(&str) -> bool) -> Option<End> {
    let name = ended.handle.name.clone();
    if let Some(operation) = ended.operation {
        return Some(End { name, operation: Some(operation.into_raw().encode_to_vec()), lost: None });
    }
    // It may not be known everywhere yet.
    is_old(&name).then_some(())?;
    let reason = ended.typed::<Payload, Payload>().err().map(|error| shortened(&error.to_string()));
    Some(End { name, operation: None, lost: Some(reason.unwrap_or_default()) })
}

/// When the operation ended, as its metadata tells: field 2 of all metadata of this API that has such a time.
fn ended_at(operation: &contact_center_insights::proto::longrunning::Operation) -> Option<Micros> {
    #[derive(Message)]
    struct Dated {
        #[prost(message, optional, tag = "2")]
        end_time: Option<prost_types::Timestamp>,
    }
    crate::row::created(operation)?;
    let metadata = operation.metadata.as_ref()?;
    of_timestamp(&Dated::decode(metadata.value.as_slice()).ok()?.end_time?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_results_are_asked_for_in_small_numbers() {
        assert_eq!(at_once(256, 1 << 20), AT_ONCE);
        assert_eq!(at_once(20, 20 * (60 << 20)), 1);
        assert_eq!(at_once(100, 100 << 20), 64);
        assert_eq!(at_once(1, usize::MAX), 1);
    }

    #[test]
    fn the_end_is_in_the_second_field_of_all_metadata_that_has_a_time() {
        use contact_center_insights::any::pack;
        use contact_center_insights::proto::insights::{
            CreateIssueModelMetadata, UploadConversationMetadata,
        };
        use contact_center_insights::proto::longrunning;

        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let (create_time, end_time) = (time(1), time(2));
        let training = CreateIssueModelMetadata { create_time, end_time, ..Default::default() };
        let upload = UploadConversationMetadata { create_time, end_time, ..Default::default() };
        for metadata in [pack(&training), pack(&upload)] {
            let operation = longrunning::Operation { metadata: Some(metadata), ..Default::default() };
            assert_eq!(ended_at(&operation), Some(2_000_000));
            assert_eq!(crate::row::created(&operation), Some(1_000_000));
        }
        assert_eq!(ended_at(&longrunning::Operation::default()), None);
    }
}
