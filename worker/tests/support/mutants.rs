//! Stores that are broken on purpose: a suite that passes with them tests nothing.

use std::future::Future;
use std::time::Duration;

use contact_center_insights_worker::{
    Intent, Listed, OpenIntent, Outcome, Registration, Settlement, State, Statistics, Store, StoreError,
    TakenOutcomes,
};

/// Hands everything to the store inside, but for `take_outcomes`; cohorts too, unless a method is named for them, and
/// intents, unless they are said to be its own.
macro_rules! delegate {
    ($kind:literal) => {
        delegate!($kind, intents: own);
        delegate!(@intents);
    };
    ($kind:literal, intents: own) => {
        delegate!(@rest $kind);
        type Cohort = S::Cohort;

        fn take_cohort(
            &self,
            deadline: Duration,
        ) -> impl Future<Output = Result<Option<S::Cohort>, StoreError>> + Send {
            self.0.take_cohort(deadline)
        }
    };
    ($kind:literal, cohorts: $cohort:ty, $method:ident) => {
        delegate!(@rest $kind);
        delegate!(@intents);
        type Cohort = $cohort;

        fn take_cohort(
            &self,
            deadline: Duration,
        ) -> impl Future<Output = Result<Option<$cohort>, StoreError>> + Send {
            self.$method(deadline)
        }
    };
    (@intents) => {
        fn write_intent(
            &self,
            intent: Intent,
            within: Duration,
        ) -> impl Future<Output = Result<(), StoreError>> + Send {
            self.0.write_intent(intent, within)
        }

        fn settle_intent(
            &self,
            id: String,
            started: Option<Registration>,
        ) -> impl Future<Output = Result<(), StoreError>> + Send {
            self.0.settle_intent(id, started)
        }
    };
    (@rest $kind:literal) => {
        type Enlisted = S::Enlisted;

        fn kind(&self) -> &'static str {
            $kind
        }

        fn enlist(&self) -> impl Future<Output = Result<S::Enlisted, StoreError>> + Send {
            self.0.enlist()
        }

        fn register(
            &self,
            registrations: Vec<Registration>,
        ) -> impl Future<Output = Result<usize, StoreError>> + Send {
            self.0.register(registrations)
        }

        fn backlog(&self, most: u64) -> impl Future<Output = Result<u64, StoreError>> + Send {
            self.0.backlog(most)
        }

        fn adopt(
            &self,
            id: String,
            found: Registration,
        ) -> impl Future<Output = Result<bool, StoreError>> + Send {
            self.0.adopt(id, found)
        }

        fn open_intents(&self) -> impl Future<Output = Result<Vec<OpenIntent>, StoreError>> + Send {
            self.0.open_intents()
        }

        fn note_look(
            &self,
            id: String,
            next: Result<Duration, String>,
        ) -> impl Future<Output = Result<(), StoreError>> + Send {
            self.0.note_look(id, next)
        }

        fn known(&self, names: Vec<String>) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send {
            self.0.known(names)
        }

        fn list(
            &self,
            state: Option<State>,
            after: Option<String>,
            most: usize,
        ) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send {
            self.0.list(state, after, most)
        }

        fn statistics(&self) -> impl Future<Output = Result<Statistics, StoreError>> + Send {
            self.0.statistics()
        }

        fn retry(&self, names: Option<Vec<String>>) -> impl Future<Output = Result<u64, StoreError>> + Send {
            self.0.retry(names)
        }

        fn bury(
            &self,
            names: Vec<String>,
            reason: String,
        ) -> impl Future<Output = Result<u64, StoreError>> + Send {
            self.0.bury(names, reason)
        }

        fn purge(&self, older: Duration) -> impl Future<Output = Result<u64, StoreError>> + Send {
            self.0.purge(older)
        }
    };
}
#[allow(unused_imports, reason = "the chaos has a store of its own")]
pub(crate) use delegate;

/// Results in the hand of nobody who holds anything.
#[derive(Debug)]
pub struct Loose<S> {
    store: S,
    outcomes: Vec<Outcome>,
    /// Whether what becomes of them is still to be written.
    settles: bool,
}

impl<S: Store> TakenOutcomes for Loose<S> {
    fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    async fn settle(self, settled: Vec<(i64, Settlement)>) -> Result<(), StoreError> {
        if !self.settles {
            return Ok(());
        }
        // Whoever comes second finds nothing to settle.
        let most = self.outcomes.len().max(1) * 8;
        match self.store.take_outcomes(most, Duration::from_mins(1)).await? {
            Some(taken) => taken.settle(settled).await,
            None => Ok(()),
        }
    }
}

/// Notes that results were taken before they are.
#[derive(Clone, Debug)]
pub struct AckFirst<S>(pub S);

impl<S: Store> Store for AckFirst<S> {
    delegate!("ack-first");
    type Outcomes = Loose<S>;

    async fn take_outcomes(&self, most: usize, deadline: Duration) -> Result<Option<Loose<S>>, StoreError> {
        let Some(taken) = self.0.take_outcomes(most, deadline).await? else { return Ok(None) };
        let outcomes = taken.outcomes().to_vec();
        taken.settle(outcomes.iter().map(|outcome| (outcome.id, Settlement::Handed)).collect()).await?;
        Ok(Some(Loose { store: self.0.clone(), outcomes, settles: false }))
    }
}

/// Takes results without a lock.
#[derive(Clone, Debug)]
pub struct NoLock<S>(pub S);

impl<S: Store> Store for NoLock<S> {
    delegate!("no-lock");
    type Outcomes = Loose<S>;

    async fn take_outcomes(&self, most: usize, deadline: Duration) -> Result<Option<Loose<S>>, StoreError> {
        let Some(taken) = self.0.take_outcomes(most, deadline).await? else { return Ok(None) };
        let outcomes = taken.outcomes().to_vec();
        // The lock ends here, at once, and what it was for goes on.
        taken.settle(Vec::new()).await?;
        Ok(Some(Loose { store: self.0.clone(), outcomes, settles: true }))
    }
}
