//! Waits for the end of an operation: without a limit, until a deadline, or with a look at each poll's answer.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use super::operation::Operation;
use super::policy::LAST_POLL;
use super::poller::{Poller, no_answer};
use crate::any::Unpack;
use crate::call::wait_span;
use crate::error::Error;
use crate::time::later;

/// How [`Poller::wait_until`] ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Waited<R, M> {
    /// The operation is done.
    Done(Operation<R, M>),
    /// It was not done at the deadline; it goes on, and can be followed by its name.
    #[non_exhaustive]
    StillRunning {
        /// The operation's name.
        name: String,
        /// What the last poll gave.
        last: Operation<R, M>,
    },
}

impl<R, M> Waited<R, M> {
    /// The snapshot, finished or not.
    #[must_use]
    pub fn into_operation(self) -> Operation<R, M> {
        match self {
            Self::Done(operation) | Self::StillRunning { last: operation, .. } => operation,
        }
    }
}

impl<R: Unpack, M> Waited<R, M> {
    /// The response; `None` if the operation has not ended.
    ///
    /// ```
    /// # async fn example(
    /// #     mut training: contact_center_insights::Poller<
    /// #         contact_center_insights::proto::insights::IssueModel,
    /// #         contact_center_insights::proto::insights::CreateIssueModelMetadata,
    /// #     >,
    /// # ) -> Result<(), contact_center_insights::Error> {
    /// match training.wait_for(std::time::Duration::from_secs(600)).await?.into_result()? {
    ///     Some(model) => println!("trained {}", model.display_name),
    ///     None => println!("still running: {}", training.name()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Operation::result`]: the operation failed, was cancelled, or ended in what is not an `R`.
    pub fn into_result(self) -> Result<Option<R>, Error> {
        match self {
            Self::Done(operation) => operation.result().transpose(),
            Self::StillRunning { .. } => Ok(None),
        }
    }
}

impl<R, M> Poller<R, M> {
    /// Polls until the operation is done; faults are tolerated as the policy says.
    async fn finish(&mut self) -> Result<&Operation<R, M>, Error> {
        self.finish_with(|_| ()).await
    }

    async fn finish_with(
        &mut self,
        mut progress: impl FnMut(&Operation<R, M>),
    ) -> Result<&Operation<R, M>, Error> {
        self.last().into_iter().for_each(&mut progress);
        while !self.is_done() {
            self.until_due().await;
            if self.ask_patiently(None).await? {
                self.last().into_iter().for_each(&mut progress);
            }
        }
        self.last().ok_or_else(no_answer)
    }
}

impl<R: Unpack, M> Poller<R, M> {
    /// Waits for the operation to end, however long that takes, and returns its response.
    ///
    /// Transient faults of polls are tolerated for as long as the policy says, and overload without a limit.
    ///
    /// # Errors
    /// [`Error::Operation`], [`Error::Cancelled`], [`Error::NoResult`] or [`Error::Response`] if it ended so;
    /// [`Error::Following`] if polling gave up, while the operation may go on. Each names the operation.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing: call it again, and it goes on where it was.
    pub async fn until_done(&mut self) -> Result<R, Error> {
        let span = wait_span(self.name());
        self.finish().instrument(span).await?.result().unwrap_or_else(|| Err(no_answer()))
    }

    /// As [`Poller::until_done`], and shows `progress` what each poll gave; at first what is known already, if anything.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = contact_center_insights_emulator::Emulator::builder()
    /// #     .with_profile("polls:2".parse()?).with_min_training_conversations(0).start().await?;
    /// # let client = contact_center_insights::Client::builder().with_endpoint(emulator.endpoint())
    /// #     .with_credentials(contact_center_insights::Credentials::anonymous()).build()?;
    /// use contact_center_insights::proto::insights::{CreateIssueModelRequest, IssueModel, issue_model::ModelType};
    ///
    /// let request = CreateIssueModelRequest {
    ///     parent: "projects/my-project/locations/us-central1".into(),
    ///     issue_model: Some(IssueModel {
    ///         display_name: "billing".into(),
    ///         model_type: ModelType::TypeV2.into(),
    ///         ..Default::default()
    ///     }),
    /// };
    /// let mut training = client.create_issue_model(request).await?;
    /// # let mut training = training.with_policy(contact_center_insights::PollPolicy::default()
    /// #     .with_first_wait(std::time::Duration::from_millis(100)));
    /// let mut seen = 0;
    /// let model = training
    ///     .until_done_with(|operation| {
    ///         if let Some(Ok(metadata)) = operation.metadata() {
    ///             println!("started {:?}", metadata.create_time);
    ///         }
    ///         seen += 1;
    ///     })
    ///     .await?;
    /// assert_eq!(model.display_name, "billing");
    /// assert!(seen > 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Poller::until_done`].
    ///
    /// # Cancel safety
    /// A dropped future loses nothing: call it again, and it goes on where it was.
    pub async fn until_done_with(&mut self, progress: impl FnMut(&Operation<R, M>)) -> Result<R, Error> {
        let span = wait_span(self.name());
        self.finish_with(progress).instrument(span).await?.result().unwrap_or_else(|| Err(no_answer()))
    }

    /// As [`Poller::until_done`], but for at most this long from now, and for one last poll: see [`Poller::wait_until`].
    ///
    /// # Errors
    /// [`Error::Following`] if polling gave up. That the operation has not ended is not an error.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    pub async fn wait_for(&mut self, timeout: Duration) -> Result<Waited<R, M>, Error> {
        self.wait_until(later(Instant::now(), timeout)).await
    }

    /// Waits for the operation to end, until `deadline`, when it is asked about one last time, for 5 s at most. A poll that
    /// hangs does not keep it longer.
    ///
    /// # Errors
    /// [`Error::Following`] if polling gave up, or if not one poll succeeded until the deadline.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    pub async fn wait_until(&mut self, deadline: Instant) -> Result<Waited<R, M>, Error> {
        let span = wait_span(self.name());
        self.finish_by(deadline).instrument(span).await
    }

    async fn finish_by(&mut self, deadline: Instant) -> Result<Waited<R, M>, Error> {
        while !self.is_done() {
            let is_due = timeout_at(deadline, self.until_due()).await.is_ok() && self.due() < deadline;
            // A poll that hangs is dropped when the time is over.
            if is_due && let Ok(asked) = timeout_at(deadline, self.ask_patiently(Some(deadline))).await {
                asked?;
                continue;
            }
            let last_poll = self.get(Some(LAST_POLL)).await;
            return match (last_poll, self.last().cloned()) {
                (_, Some(last)) if last.is_done() => Ok(Waited::Done(last)),
                // A fault of this one poll does not undo what earlier ones told.
                (_, Some(last)) => Ok(Waited::StillRunning { name: self.name().to_owned(), last }),
                (Err(error), None) => Err(error),
                (Ok(()), None) => Err(no_answer()),
            };
        }
        self.last().cloned().map(Waited::Done).ok_or_else(no_answer)
    }

    /// Asks the server to cancel the operation, then waits for its end. Success means that it succeeded
    /// despite the request.
    ///
    /// # Errors
    /// As [`Poller::until_done`]; [`Error::Cancelled`] is the end that was asked for.
    ///
    /// # Cancel safety
    /// As [`Poller::cancel`] and [`Poller::until_done`].
    pub async fn cancel_and_wait(&mut self) -> Result<R, Error> {
        self.cancel().await?;
        self.hurry();
        self.until_done().await
    }
}

impl<R: Unpack, M: 'static> IntoFuture for Poller<R, M> {
    type Output = Result<R, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// [`Poller::until_done`].
    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move { self.until_done().await })
    }
}
