//! Hands results over within the transaction that notes it: what a handler writes into the same database and the note that
//! the result was taken are committed together.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use contact_center_insights::Payload;
use tokio::time::timeout;
use tokio_postgres::{IsolationLevel, Transaction};

use super::pool::{Connection, within};
use super::{PostgresStore, outcomes};
use crate::error::{BoxError, StoreError};
use crate::error_text::chain;
use crate::handover::{Delivery, HandOver, Limits, Round};
use crate::row::Settlement;

/// What the transaction has beyond the time of its handlers.
const TO_SETTLE: Duration = Duration::from_secs(4);

/// Takes the results of operations, and writes what comes of them into tables of its own in the same database.
///
/// Exactly once: its statements and the note that the result was taken are in one transaction, which is committed or not.
/// What it does outside of that transaction happens at least once. It is given a savepoint, which it must not leave.
pub trait TxHandler: Send + Sync + 'static {
    /// Takes one result. After an error, a panic, or when its time is up, what it wrote is gone, and the result is handed
    /// over again later.
    ///
    /// # Errors
    /// Whatever keeps it from taking the result; kept as the reason.
    fn handle(
        &self,
        delivery: Delivery<Payload, Payload>,
        transaction: &Transaction<'_>,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Hands over by a [`TxHandler`].
#[derive(Debug)]
pub struct InTransaction<H>(H);

impl<H: TxHandler> InTransaction<H> {
    /// By this handler.
    #[must_use]
    pub fn new(handler: H) -> Self {
        Self(handler)
    }
}

impl<H: TxHandler> HandOver<PostgresStore> for InTransaction<H> {
    async fn round(&self, store: &PostgresStore, limits: &Limits) -> Result<Round, StoreError> {
        // One after the other, for they share a transaction: each has the time of one, and all together that of all.
        let deadline = limits.deadline().saturating_add(TO_SETTLE);
        let all = deadline.saturating_mul(u32::try_from(limits.at_once()).unwrap_or(u32::MAX));
        let mut connection = store.pool.get().await?;
        let round = timeout(all, transact(&self.0, &mut connection, limits, deadline));
        let round = round.await.map_err(StoreError::failed)??;
        connection.keep();
        Ok(round)
    }
}

async fn transact<H: TxHandler>(
    handler: &H,
    connection: &mut Connection,
    limits: &Limits,
    deadline: Duration,
) -> Result<Round, StoreError> {
    let begin = connection.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
    let mut transaction = begin.start().await.map_err(StoreError::failed)?;
    transaction.batch_execute(&within(deadline)).await.map_err(StoreError::failed)?;
    let taken = outcomes::lock(transaction.client(), limits.at_once()).await.map_err(StoreError::failed)?;
    let mut round = Round::default();
    for outcome in &taken {
        round.note_age(outcome.age);
        let savepoint = transaction.savepoint("cci_hand_over").await.map_err(StoreError::failed)?;
        let handling = caught(handler.handle(Delivery::of(outcome), &savepoint));
        let done = timeout(limits.deadline(), handling).await;
        let settlement = match done {
            Ok(Ok(())) => {
                savepoint.commit().await.map_err(StoreError::failed)?;
                Settlement::Handed
            }
            failed => {
                savepoint.rollback().await.map_err(StoreError::failed)?;
                let reason = match failed {
                    Ok(Err(error)) => chain(error.as_ref()),
                    _ => format!("the handler took longer than {:?}", limits.deadline()),
                };
                limits.after_failure(outcome.tries, reason)
            }
        };
        round.note(&settlement);
        let client = transaction.client();
        if settlement == Settlement::Handed {
            outcomes::hand(client, &[outcome.id]).await.map_err(StoreError::failed)?;
        } else {
            outcomes::fail(client, outcome.id, &settlement).await.map_err(StoreError::failed)?;
        }
    }
    transaction.commit().await.map_err(StoreError::failed)?;
    Ok(round)
}

/// A panic becomes an error.
async fn caught(work: impl Future<Output = Result<(), BoxError>>) -> Result<(), BoxError> {
    let mut work = pin!(work);
    poll_fn(move |cx| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err("the handler panicked".into())))
    })
    .await
}
