//! Hands results over within the transaction that notes it: what a handler writes into the same file and the note that the
//! result was taken are committed together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use contact_center_insights::Payload;
use rusqlite::Transaction;

use super::{SqliteOutcomes, SqliteStore, outcomes};
use crate::error::BoxError;
use crate::error::StoreError;
use crate::error_text::chain;
use crate::handover::{Delivery, HandOver, Limits, Round};
use crate::row::Settlement;

/// Takes the results of operations, and writes what comes of them into tables of its own in the same file.
///
/// Exactly once: its statements and the note that the result was taken are in one transaction. It runs on a thread for
/// blocking work, while others wait to write: it should be quick, and must neither commit nor roll back.
pub trait TxHandler: Send + Sync + 'static {
    /// Takes one result. After an error, what it wrote is gone, and the result is handed over again later.
    ///
    /// # Errors
    /// Whatever keeps it from taking the result; kept as the reason.
    fn handle(
        &self,
        delivery: Delivery<Payload, Payload>,
        transaction: &Transaction<'_>,
    ) -> Result<(), BoxError>;
}

impl<F> TxHandler for F
where
    F: Fn(Delivery<Payload, Payload>, &Transaction<'_>) -> Result<(), BoxError> + Send + Sync + 'static,
{
    fn handle(
        &self,
        delivery: Delivery<Payload, Payload>,
        transaction: &Transaction<'_>,
    ) -> Result<(), BoxError> {
        self(delivery, transaction)
    }
}

/// Hands over by a [`TxHandler`].
#[derive(Debug)]
pub struct InTransaction<H>(Arc<H>);

impl<H: TxHandler> InTransaction<H> {
    /// By this handler.
    #[must_use]
    pub fn new(handler: H) -> Self {
        Self(Arc::new(handler))
    }
}

impl<H: TxHandler> HandOver<SqliteStore> for InTransaction<H> {
    async fn round(&self, store: &SqliteStore, limits: &Limits) -> Result<Round, StoreError> {
        let (owned, handler, limits) = (store.clone(), self.0.clone(), limits.clone());
        let most = limits.at_once;
        store
            .write(move |transaction, now| {
                let outcomes = owned.take_within(transaction, most, now)?;
                // From here on its drop lets them go.
                let taken = SqliteOutcomes { store: owned, outcomes };
                let mut round = Round::default();
                for outcome in &taken.outcomes {
                    round.note_age(outcome.age);
                    // A name of its own, so that a handler's own savepoints do no harm.
                    transaction.execute_batch("savepoint cci_hand_over")?;
                    let handed =
                        catch_unwind(AssertUnwindSafe(|| handler.handle(Delivery::of(outcome), transaction)))
                            .unwrap_or_else(|_| Err("the handler panicked".into()));
                    let settlement = match handed {
                        Ok(()) => Settlement::Handed,
                        Err(error) => {
                            transaction.execute_batch("rollback to cci_hand_over")?;
                            limits.after_failure(outcome.tries, chain(error.as_ref()))
                        }
                    };
                    transaction.execute_batch("release cci_hand_over")?;
                    round.note(&settlement);
                    outcomes::settle(transaction, outcome.id, &settlement, now)?;
                }
                Ok(round)
            })
            .await
    }
}
