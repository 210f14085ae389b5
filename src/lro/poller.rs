//! Follows one operation to its end.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::operation::Operation;
use super::policy::{PollPolicy, Verdict, due};
use super::requests;
use super::shared::{Following, Seated};
use crate::any::Payload;
use crate::call::{Caller, Context, Reply, RetryPolicy, poll_failed, poller_gave_up};
use crate::error::{Error, Fault};
use crate::names::{OperationName, check_operation};
use crate::proto::longrunning;
use crate::time::later;

/// The names of its operations have one form.
const OWN_SERVICE: &str = "google.cloud.contactcenterinsights.v1.ContactCenterInsights";

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
/// #     .with_profile("immediate".parse()?).with_min_training_conversations(0).start().await?;
/// # let client = contact_center_insights::Client::builder().with_endpoint(emulator.endpoint())
/// #     .with_credentials(contact_center_insights::auth::Credentials::anonymous()).build()?;
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
    /// Failed polls in a row.
    faults: u32,
    /// When the first of them was made.
    failing_since: Option<Instant>,
    /// Among the pollers of the client that are answered together.
    seat: Seated,
}

/// Cannot happen: a poll that returns without error has stored its answer.
pub(super) fn no_answer() -> Error {
    Error::protocol("a poll gave no operation")
}

impl<R, M> Poller<R, M> {
    /// Of an operation that was not asked about yet: the first poll is due at once.
    pub(super) fn by_name(caller: Caller, name: String, policy: PollPolicy) -> Self {
        let due = Instant::now();
        let seat = Seated::default();
        Self { caller, name, policy, last: None, due, polls: 0, faults: 0, failing_since: None, seat }
    }

    /// Of an operation that a call has just answered with, which counts as a poll.
    pub(super) fn begun(caller: Caller, operation: longrunning::Operation, policy: PollPolicy) -> Self {
        let mut poller = Self::by_name(caller, operation.name.clone(), policy);
        poller.last = Some(operation.into());
        poller.due = poller.due_after(0);
        poller.polls = 1;
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
            self.due = self.due_after(self.polls.saturating_sub(1));
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
            self.until_due().await;
            self.ask(None).await?;
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

    /// When the next poll is due after the `polls`-th.
    fn due_after(&self, polls: u32) -> Instant {
        self.due_in(self.wait(polls))
    }

    fn due_in(&self, wait: Duration) -> Instant {
        due(self.caller.created_at(), Instant::now(), wait)
    }

    fn wait(&self, polls: u32) -> Duration {
        let metadata = self.last.as_ref().and_then(|last| last.raw().metadata.as_ref());
        let schedule = self.policy.schedule(metadata.map_or("", |any| any.type_url.as_str()));
        schedule.wait(polls, self.caller.jitter())
    }

    pub(super) fn is_done(&self) -> bool {
        self.last.as_ref().is_some_and(Operation::is_done)
    }

    /// Waits until the next poll is due, or a sweep of all pollers has not found the operation any more.
    pub(super) async fn until_due(&mut self) {
        if self.seat.sleep_until(self.due).await {
            self.due = Instant::now();
        }
    }

    /// One poll, answered by the next sweep where many pollers of the client are asking and if that comes before
    /// `deadline`, else by a call of its own.
    async fn ask(&mut self, deadline: Option<Instant>) -> Result<(), Error> {
        if self.policy.waits_by_kind() {
            let look = self.seat.look(&self.caller, &self.name);
            let seen = match deadline {
                Some(deadline) => timeout_at(deadline, look).await.ok().flatten(),
                None => look.await,
            };
            if let Some(raw) = seen {
                self.answered(raw);
                return Ok(());
            }
        }
        self.get(None).await
    }

    /// One `GetOperation`, without waiting but for its turn in the rate budget, within `limit` if there is one; nothing
    /// changes before its answer is there.
    pub(super) async fn get(&mut self, limit: Option<Duration>) -> Result<(), Error> {
        // A server that starts an operation without a name leaves nothing to ask about.
        check_operation(&self.name).map_err(|error| {
            self.following(Error::protocol(format!(
                "the operation that was started has no proper name: {error}"
            )))
        })?;
        let asked_at = Instant::now();
        // A poll is made once: the policy here decides about the next.
        let longest = self.policy.longest_poll(self.last.is_some()).min(self.caller.attempt_timeout());
        let retry = RetryPolicy::never().with_attempt_timeout(longest);
        let mut call = requests::get::<longrunning::Operation>(&self.caller, self.name.clone());
        if let Some(limit) = limit {
            call = call.with_timeout(limit);
        }
        // Boxed by the call: most of the time a poller waits, and should be small then.
        match call.with_retry(retry).into_poll().await {
            Ok(raw) => {
                self.answered(raw);
                if let Some(last) = &self.last {
                    self.seat.heard(last.raw(), self.due);
                }
                Ok(())
            }
            Err(error) => {
                self.faults = self.faults.saturating_add(1);
                self.failing_since.get_or_insert(asked_at);
                let mut wait = self.wait(self.faults.saturating_sub(1).max(self.polls));
                if self.verdict(&error) == Verdict::SlowDown {
                    wait = wait.saturating_mul(2);
                    self.failing_since = None;
                }
                let asked = error.retry_after().unwrap_or_default().min(self.caller.max_retry_delay());
                self.due = self.due_in(wait).max(later(Instant::now(), asked));
                poll_failed(&self.name, &error, self.outage(), wait.max(asked));
                Err(self.following(error))
            }
        }
    }

    fn answered(&mut self, mut raw: longrunning::Operation) {
        // Some servers drop the metadata of what is done: what was last seen of it stays.
        if raw.metadata.is_none()
            && let Some(last) = &mut self.last
        {
            raw.metadata = last.take_metadata();
        }
        self.caller.learn_operation(&self.name, &raw.name);
        self.last = Some(raw.into());
        self.due = self.due_after(self.polls);
        self.polls = self.polls.saturating_add(1);
        (self.faults, self.failing_since) = (0, None);
    }

    /// For how long polls have failed now: nothing after the first failure, which may be the last.
    fn outage(&self) -> Duration {
        let since = self.failing_since.filter(|_| self.faults > 1);
        since.map_or(Duration::ZERO, |since| Instant::now().saturating_duration_since(since))
    }

    fn verdict(&self, error: &Error) -> Verdict {
        match error.call() {
            Some(call) => self.policy.judge(call.fault(), self.outage(), self.last.is_some()),
            // No token could be had: as long as that may pass, the operation is worth waiting for.
            None if error.is_transient() => {
                self.policy.judge(Fault::without_token(true), self.outage(), self.last.is_some())
            }
            None => Verdict::GiveUp,
        }
    }

    fn following(&self, error: Error) -> Error {
        Error::Following { name: self.name.clone(), outage: None, error: Box::new(error) }
    }

    /// The end of the waiting: says for how long nothing was heard, if that is the reason.
    fn give_up(&self, error: Error) -> Error {
        let outage = self.outage();
        poller_gave_up(&self.name, &error, outage, self.polls);
        match error {
            Error::Following { name, error, .. } if error.is_transient() => {
                Error::Following { name, error, outage: Some(outage) }
            }
            other => other,
        }
    }

    /// Asks once, and waits for a sweep until `deadline` at most; a fault that the policy tolerates is not an error.
    /// Whether there was an answer.
    pub(super) async fn ask_patiently(&mut self, deadline: Option<Instant>) -> Result<bool, Error> {
        match self.ask(deadline).await {
            Ok(()) => Ok(true),
            Err(error) if self.verdict(&error) == Verdict::GiveUp => Err(self.give_up(error)),
            Err(_) => Ok(false),
        }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Has the next poll made at once, by a call of its own.
    pub(super) fn hurry(&mut self) {
        self.due = Instant::now();
        self.seat.hurry();
    }
}

impl<R, M> Reply for Poller<R, M> {
    type Wire = longrunning::Operation;

    fn from_wire(wire: Self::Wire, context: Context<'_>) -> Result<Self, Error> {
        let Context { caller, method, .. } = context;
        let is_named = if method.service() == OWN_SERVICE {
            OperationName::check(&wire.name)
        } else {
            check_operation(&wire.name)
        };
        is_named.map_err(|error| {
            Error::protocol(format!("{} started an operation without a proper name: {error}", method.name()))
        })?;
        caller.learn_project(context.project(), &wire.name);
        let policy = caller.reply_context::<Following>().map(|following| following.policy.clone());
        Ok(Self::begun(caller.clone(), wire, policy.unwrap_or_default()))
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
