//! Follows one operation to its end.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::Instrument as _;

use super::operation::Operation;
use super::policy::{PollPolicy, Verdict};
use super::requests;
use crate::any::{Payload, Unpack};
use crate::call::{Caller, Context, Reply, RetryPolicy, wait_span};
use crate::error::Error;
use crate::proto::longrunning;

/// Follows one operation: `R` is what it ends in, `M` what it says while it runs.
///
/// A poller knows the operation's name from the first moment, and every error about the operation repeats it;
/// keep the name, and another process can go on with [`Client::poller`](crate::Client::poller). Dropping a
/// poller never cancels the operation.
///
/// The first poll by name is made at once; after the call that started the operation, whose answer counts as a
/// poll, the first wait comes before it. [`PollPolicy`] has the waits.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = contact_center_insights_emulator::Emulator::builder()
/// #     .with_profile("immediate".parse()?).start().await?;
/// # let client = contact_center_insights::Client::builder().with_endpoint(emulator.endpoint())
/// #     .with_credentials(contact_center_insights::auth::Credentials::anonymous()).build()?;
/// use contact_center_insights::proto::insights::{CreateIssueModelRequest, IssueModel};
///
/// let request = CreateIssueModelRequest {
///     parent: "projects/my-project/locations/us-central1".into(),
///     issue_model: Some(IssueModel { display_name: "billing".into(), ..Default::default() }),
/// };
/// let mut training = client.create_issue_model(request).await?;
/// println!("to resume: {}", training.name());
/// let model = training.until_done().await?;
/// assert_eq!(model.display_name, "billing");
/// # Ok(())
/// # }
/// ```
pub struct Poller<R = Payload, M = Payload> {
    caller: Caller,
    name: String,
    policy: PollPolicy,
    last: Option<Operation<R, M>>,
    /// When the next poll may be made.
    due: Instant,
    polls: u32,
    faults: u32,
}

/// Cannot happen: a poll that returns without error has stored its answer.
fn no_answer() -> Error {
    Error::protocol("a poll gave no operation")
}

/// How [`Poller::wait_until`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Waited<R, M> {
    /// The operation is done.
    Done(Operation<R, M>),
    /// It was not done at the deadline; it goes on, and can be followed by its name.
    StillRunning {
        /// The operation's name.
        name: String,
        /// What the last poll gave.
        last: Operation<R, M>,
    },
}

impl<R, M> Poller<R, M> {
    /// Of an operation that was not asked about yet: the first poll is due at once.
    pub(super) fn by_name(caller: Caller, name: String, policy: PollPolicy) -> Self {
        Self { caller, name, policy, last: None, due: Instant::now(), polls: 0, faults: 0 }
    }

    /// Of an operation that a call has just answered with, which counts as a poll.
    pub(super) fn begun(caller: Caller, operation: longrunning::Operation, policy: PollPolicy) -> Self {
        let mut poller = Self::by_name(caller, operation.name.clone(), policy);
        poller.due = poller.due_in(poller.policy.wait(0, poller.caller.jitter()));
        poller.polls = 1;
        poller.last = Some(operation.into());
        poller
    }

    /// The operation's full resource name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the last successful poll gave; `None` before the first one by name.
    #[must_use]
    pub fn last(&self) -> Option<&Operation<R, M>> {
        self.last.as_ref()
    }

    /// Polls by `policy` instead of the default.
    #[must_use]
    pub fn with_policy(mut self, policy: PollPolicy) -> Self {
        self.policy = policy;
        if self.polls > 0 && self.faults == 0 {
            self.due = self.due_in(self.policy.wait(self.polls - 1, self.caller.jitter()));
        }
        self
    }

    /// Waits until the next poll is due, then asks once. A finished operation is not asked about again.
    ///
    /// # Errors
    /// [`Error::Following`] over the failed call. The poller goes on: the next `poll` waits, then asks again.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing, and the wait is not started over.
    pub async fn poll(&mut self) -> Result<&Operation<R, M>, Error> {
        if !self.is_done() {
            sleep_until(self.due).await;
            self.ask().await?;
        }
        self.last.as_ref().ok_or_else(no_answer)
    }

    /// Asks the server to cancel the operation (best effort), and returns once it has taken note. How the
    /// operation ends is for a later poll to tell: it may succeed all the same.
    ///
    /// # Errors
    /// [`Error::Following`] over the failed call.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the server took note; to cancel twice does no harm.
    pub async fn cancel(&self) -> Result<(), Error> {
        let mut call = requests::cancel(&self.caller, self.name.clone());
        call.send().await.map_err(|error| self.following(error))
    }

    fn due_in(&self, wait: Duration) -> Instant {
        PollPolicy::due(self.caller.created_at(), Instant::now(), wait)
    }

    fn is_done(&self) -> bool {
        self.last.as_ref().is_some_and(Operation::is_done)
    }

    /// One `GetOperation`, without waiting; nothing changes before its answer is there.
    async fn ask(&mut self) -> Result<(), Error> {
        // Polling is itself a repetition: one attempt a poll, and the policy here decides about the next.
        let retry = RetryPolicy::never().with_attempt_timeout(self.caller.attempt_timeout());
        let call = requests::get::<longrunning::Operation>(&self.caller, self.name.clone());
        // Boxed by the call: most of the time a poller waits, and should be small then.
        match call.with_retry(retry).await {
            Ok(raw) => {
                self.due = self.due_in(self.policy.wait(self.polls, self.caller.jitter()));
                self.polls = self.polls.saturating_add(1);
                self.faults = 0;
                self.last = Some(raw.into());
                Ok(())
            }
            Err(error) => {
                self.faults = self.faults.saturating_add(1);
                let wait =
                    self.policy.wait(self.faults.saturating_sub(1).max(self.polls), self.caller.jitter());
                let wait = if self.verdict(&error) == Verdict::SlowDown { wait * 2 } else { wait };
                let asked = Instant::now() + error.retry_after().unwrap_or(Duration::ZERO);
                self.due = self.due_in(wait).max(asked);
                Err(self.following(error))
            }
        }
    }

    fn verdict(&self, error: &Error) -> Verdict {
        match error.call() {
            Some(call) => self.policy.judge(call.fault(), self.faults),
            // No token could be had: as long as that may pass, the operation is worth waiting for.
            None if error.is_transient() && self.faults <= self.policy.max_faults() => Verdict::GoOn,
            None => Verdict::GiveUp,
        }
    }

    fn following(&self, error: Error) -> Error {
        Error::Following { name: self.name.clone(), error: Box::new(error) }
    }

    /// Polls until the operation is done; faults are tolerated as the policy says.
    async fn finish(&mut self) -> Result<&Operation<R, M>, Error> {
        self.finish_with(|_| ()).await
    }

    async fn finish_with(
        &mut self,
        mut progress: impl FnMut(&Operation<R, M>),
    ) -> Result<&Operation<R, M>, Error> {
        self.last.iter().for_each(&mut progress);
        while !self.is_done() {
            sleep_until(self.due).await;
            if self.ask_patiently().await? {
                self.last.iter().for_each(&mut progress);
            }
        }
        self.last.as_ref().ok_or_else(no_answer)
    }

    /// Asks once; a fault that the policy tolerates is not an error. Whether there was an answer.
    pub(super) async fn ask_patiently(&mut self) -> Result<bool, Error> {
        match self.ask().await {
            Ok(()) => Ok(true),
            Err(error) if self.verdict(&error) == Verdict::GiveUp => Err(error),
            Err(_) => Ok(false),
        }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }
}

impl<R: Unpack, M> Poller<R, M> {
    /// Waits for the operation to end, however long that takes, and returns its response.
    ///
    /// Transient faults of polls are tolerated, up to the policy's number in a row.
    ///
    /// # Errors
    /// [`Error::Operation`], [`Error::Cancelled`], [`Error::NoResult`] or [`Error::Response`] if it ended so;
    /// [`Error::Following`] if polling gave up, while the operation may go on. Each names the operation.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing: call it again, and it goes on where it was.
    pub async fn until_done(&mut self) -> Result<R, Error> {
        let span = wait_span(&self.name);
        self.finish().instrument(span).await?.result().unwrap_or_else(|| Err(no_answer()))
    }

    /// As [`Poller::until_done`], and shows `progress` what each poll gave; at first what is known already, if anything.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = contact_center_insights_emulator::Emulator::builder()
    /// #     .with_profile("polls:2".parse()?).start().await?;
    /// # let client = contact_center_insights::Client::builder().with_endpoint(emulator.endpoint())
    /// #     .with_credentials(contact_center_insights::Credentials::anonymous()).build()?;
    /// use contact_center_insights::proto::insights::{CreateIssueModelRequest, IssueModel};
    ///
    /// let request = CreateIssueModelRequest {
    ///     parent: "projects/my-project/locations/us-central1".into(),
    ///     issue_model: Some(IssueModel { display_name: "billing".into(), ..Default::default() }),
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
        let span = wait_span(&self.name);
        self.finish_with(progress).instrument(span).await?.result().unwrap_or_else(|| Err(no_answer()))
    }

    /// As [`Poller::until_done`], but for at most this long from now.
    ///
    /// # Errors
    /// [`Error::Following`] if polling gave up. That the operation has not ended is no error.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    pub async fn wait_for(&mut self, timeout: Duration) -> Result<Waited<R, M>, Error> {
        self.wait_until(Instant::now() + timeout).await
    }

    /// Waits for the operation to end, until `deadline`, when it is asked about one last time.
    ///
    /// # Errors
    /// [`Error::Following`] if polling gave up, or if not one poll succeeded until the deadline.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    pub async fn wait_until(&mut self, deadline: Instant) -> Result<Waited<R, M>, Error> {
        let span = wait_span(&self.name);
        self.finish_by(deadline).instrument(span).await
    }

    async fn finish_by(&mut self, deadline: Instant) -> Result<Waited<R, M>, Error> {
        while !self.is_done() {
            if self.due >= deadline {
                sleep_until(deadline).await;
                let last_poll = self.ask().await;
                return match (last_poll, self.last.clone()) {
                    (_, Some(last)) if last.is_done() => Ok(Waited::Done(last)),
                    // A fault of this one poll does not undo what earlier ones told.
                    (_, Some(last)) => Ok(Waited::StillRunning { name: self.name.clone(), last }),
                    (Err(error), None) => Err(error),
                    (Ok(()), None) => Err(no_answer()),
                };
            }
            sleep_until(self.due).await;
            self.ask_patiently().await?;
        }
        self.last.clone().map(Waited::Done).ok_or_else(no_answer)
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
        self.due = Instant::now();
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

impl<R, M> Reply for Poller<R, M> {
    type Wire = longrunning::Operation;

    fn from_wire(wire: Self::Wire, context: Context<'_>) -> Self {
        Self::begun(context.0.clone(), wire, PollPolicy::default())
    }
}

impl<R, M> fmt::Debug for Poller<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller")
            .field("name", &self.name)
            .field("is_done", &self.is_done())
            .field("polls", &self.polls)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
