//! A store around which a process aborts, at the edge that it was told: before or after each step that writes.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use contact_center_insights_worker::{
    Cohort, End, HandOver, Intent, Limits, Listed, OpenIntent, Outcome, Pending, Registration, Round,
    Settlement, State, Statistics, Store, StoreError, TakenCohort, TakenOutcomes,
};

use crate::support::mutants::delegate;

/// Edges of the state machine.
pub(crate) const EDGES: [&str; 8] = [
    "cohort-taken",
    "before-finish",
    "finished",
    "outcomes-taken",
    "before-settle",
    "settled",
    "before-round",
    "round",
];

/// At which edge to abort, and at which pass of it.
#[derive(Clone, Debug)]
pub(crate) struct Fuse(Arc<(String, AtomicI64)>);

impl Fuse {
    pub(crate) fn new(edge: &str, pass: i64) -> Self {
        Self(Arc::new((edge.to_owned(), AtomicI64::new(pass))))
    }

    pub(crate) fn pass(&self, edge: &str) {
        if self.0.0 == edge && self.0.1.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Crashing<S>(pub(crate) S, pub(crate) Fuse);

pub(crate) struct Held<T>(T, Fuse);

impl<T: TakenCohort> TakenCohort for Held<T> {
    fn cohort(&self) -> &Cohort {
        self.0.cohort()
    }

    fn pending(&self) -> &[Pending] {
        self.0.pending()
    }

    async fn finish(self, ends: Vec<End>, next: Duration) -> Result<usize, StoreError> {
        let has_ends = !ends.is_empty();
        if has_ends {
            self.1.pass("before-finish");
        }
        let done = self.0.finish(ends, next).await?;
        if has_ends {
            self.1.pass("finished");
        }
        Ok(done)
    }
}

impl<T: TakenOutcomes> TakenOutcomes for Held<T> {
    fn outcomes(&self) -> &[Outcome] {
        self.0.outcomes()
    }

    async fn settle(self, settled: Vec<(i64, Settlement)>) -> Result<(), StoreError> {
        self.1.pass("before-settle");
        self.0.settle(settled).await?;
        self.1.pass("settled");
        Ok(())
    }
}

/// The store inside, in the macro's words.
impl<S: Store> Crashing<S> {
    async fn cohort(&self, deadline: Duration) -> Result<Option<Held<S::Cohort>>, StoreError> {
        let taken = self.0.take_cohort(deadline).await?;
        if taken.as_ref().is_some_and(|taken| !taken.pending().is_empty()) {
            self.1.pass("cohort-taken");
        }
        Ok(taken.map(|taken| Held(taken, self.1.clone())))
    }
}

impl<S: Store> Store for Crashing<S> {
    delegate!("crashing", cohorts: Held<S::Cohort>, cohort);
    type Outcomes = Held<S::Outcomes>;

    async fn take_outcomes(
        &self,
        most: usize,
        deadline: Duration,
    ) -> Result<Option<Held<S::Outcomes>>, StoreError> {
        let taken = self.0.take_outcomes(most, deadline).await?;
        if taken.is_some() {
            self.1.pass("outcomes-taken");
        }
        Ok(taken.map(|taken| Held(taken, self.1.clone())))
    }
}

/// Hands over from the store inside.
pub(crate) struct Inside<H>(pub(crate) H, pub(crate) Fuse);

impl<S: Store, H: HandOver<S>> HandOver<Crashing<S>> for Inside<H> {
    async fn round(&self, store: &Crashing<S>, limits: &Limits) -> Result<Round, StoreError> {
        self.1.pass("before-round");
        let round = self.0.round(&store.0, limits).await?;
        if !round.is_empty() {
            self.1.pass("round");
        }
        Ok(round)
    }
}
