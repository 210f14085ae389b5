//! Where operations are kept, and what every store promises: the engine of the worker is written against [`Store`] alone.
//!
//! What is promised: what [`Store::register`] has answered survives whatever dies; a cohort, and a result, is held by one
//! process at a time; what is held is free again when its holder dies, at the latest after the time it was taken for; and
//! an operation that ends and its result are written together, or not at all.

#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::error::StoreError;
use crate::row::{
    Cohort, End, Intent, Listed, OpenIntent, Outcome, Pending, Registration, Settlement, State, Statistics,
};

/// Keeps operations and results durably. Cheap to clone.
///
/// All futures are cancel safe: one that is dropped has changed nothing, or all that it was to change.
pub trait Store: Clone + fmt::Debug + Send + Sync + 'static {
    /// A cohort that this process holds; dropped, it is free for others, and nothing has changed.
    type Cohort: TakenCohort;
    /// Results that this process holds; dropped, they are free for others, and nothing has changed.
    type Outcomes: TakenOutcomes;
    /// Proof that this process may run a worker on the store.
    type Enlisted: Send + 'static;

    /// Which kind it is, for a log: `sqlite`, `postgres`.
    fn kind(&self) -> &'static str;

    /// Makes this process a worker of the store, for as long as the proof lives.
    fn enlist(&self) -> impl Future<Output = Result<Self::Enlisted, StoreError>> + Send;

    /// Follows these from now on, all or none. What is followed already, or has ended within what the store remembers, is
    /// left as it is. How many are new.
    fn register(
        &self,
        registrations: Vec<Registration>,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Takes the cohort that has waited longest, if one is due; for `deadline` at most.
    fn take_cohort(
        &self,
        deadline: Duration,
    ) -> impl Future<Output = Result<Option<Self::Cohort>, StoreError>> + Send;

    /// Takes up to `most` results that are due, oldest first; for `deadline` at most.
    fn take_outcomes(
        &self,
        most: usize,
        deadline: Duration,
    ) -> impl Future<Output = Result<Option<Self::Outcomes>, StoreError>> + Send;

    /// How many results wait to be handed over; counts no further than `most`.
    fn backlog(&self, most: u64) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Writes down what is about to be started. It counts as open once `within` has passed.
    fn write_intent(
        &self,
        intent: Intent,
        within: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The call of this intent has told how it ended: the intent goes, and what was started is followed, together. Without
    /// the intent, what was started is followed all the same.
    fn settle_intent(
        &self,
        id: String,
        started: Option<Registration>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The operation of an open intent was found: as [`Store::settle_intent`], but only if nobody else has settled it.
    /// Whether it was.
    fn adopt(&self, id: String, found: Registration)
    -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Intents that are due to be looked for.
    fn open_intents(&self) -> impl Future<Output = Result<Vec<OpenIntent>, StoreError>> + Send;

    /// The operation of an open intent was not found: it is looked for again after `wait`, or counts as unsure from now
    /// on, for this reason.
    fn note_look(
        &self,
        id: String,
        next: Result<Duration, String>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Which of these names the store knows, in whatever state.
    fn known(&self, names: Vec<String>) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// What is in one of these states, or in any, in the order of their names, after `after`.
    fn list(
        &self,
        state: Option<State>,
        after: Option<String>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send;

    /// What it has.
    fn statistics(&self) -> impl Future<Output = Result<Statistics, StoreError>> + Send;

    /// Hands results over anew that are buried, or wait for their next try: those of these names, or all. How many.
    fn retry(&self, names: Option<Vec<String>>) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Hands these results over no more, for this reason; an intent that is unsure is dropped. How many.
    fn bury(
        &self,
        names: Vec<String>,
        reason: String,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Forgets results that were handed over longer ago than this. How many; a part of them, if there are many.
    fn purge(&self, older: Duration) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// A cohort that this process holds.
pub trait TakenCohort: Send + 'static {
    /// Which it is.
    fn cohort(&self) -> &Cohort;

    /// Its operations.
    fn pending(&self) -> &[Pending];

    /// Writes down what has ended, and lets the cohort go, to be looked at again after `next`. How many ends are news.
    fn finish(self, ends: Vec<End>, next: Duration)
    -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// Results that this process holds.
pub trait TakenOutcomes: Send + 'static {
    /// Which they are.
    fn outcomes(&self) -> &[Outcome];

    /// Writes down what became of them, by their numbers, and lets them go.
    fn settle(self, settled: Vec<(i64, Settlement)>) -> impl Future<Output = Result<(), StoreError>> + Send;
}
