//! Hands results over to handlers, at least once: a result is settled after its handler has taken it, so that a crash in
//! between hands it over again.

use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::error::{BoxError, StoreError};
use crate::error_text::chain;
use crate::handover::{Delivery, HandOver, Handlers, Limits, Round};
use crate::row::Settlement;
use crate::store::{Store, TakenOutcomes as _};

/// What a store is given beyond the time that handlers have, to write down what became of the results.
const TO_SETTLE: Duration = Duration::from_secs(4);

/// Hands over by the handlers that a worker was given.
#[derive(Clone, Debug)]
pub struct AtLeastOnce(Handlers);

impl AtLeastOnce {
    pub(crate) fn new(handlers: Handlers) -> Self {
        Self(handlers)
    }
}

impl<S: Store> HandOver<S> for AtLeastOnce {
    async fn round(&self, store: &S, limits: &Limits) -> Result<Round, StoreError> {
        let mut round = Round::default();
        let deadline = limits.deadline().saturating_add(TO_SETTLE);
        let Some(taken) = store.take_outcomes(limits.at_once(), deadline).await? else { return Ok(round) };
        let mut tasks = JoinSet::new();
        let mut ids = std::collections::HashMap::new();
        for outcome in taken.outcomes() {
            round.note_age(outcome.age);
            let (delivery, handlers, limit) = (Delivery::of(outcome), self.0.clone(), limits.deadline());
            let span =
                tracing::info_span!("hand_over", operation = outcome.handle.name, tries = outcome.tries);
            let handling = async move {
                match timeout(limit, handlers.handle(delivery)).await {
                    Ok(handled) => handled,
                    Err(_) => Err(BoxError::from(format!("the handler took longer than {limit:?}"))),
                }
            };
            let task = tasks.spawn(handling.instrument(span));
            ids.insert(task.id(), (outcome.id, outcome.tries));
        }
        let mut settled = Vec::new();
        while let Some(joined) = tasks.join_next_with_id().await {
            let (task, handled) = match joined {
                Ok((task, handled)) => (task, handled),
                Err(error) => (error.id(), Err(BoxError::from("the handler panicked"))),
            };
            let Some((id, tries)) = ids.remove(&task) else { continue };
            let settlement = match handled {
                Ok(()) => Settlement::Handed,
                Err(error) => limits.after_failure(tries, chain(error.as_ref())),
            };
            round.note(&settlement);
            settled.push((id, settlement));
        }
        taken.settle(settled).await?;
        Ok(round)
    }
}
