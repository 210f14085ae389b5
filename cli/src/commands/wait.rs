//! `cci operations wait`: follows an operation to its end, and says how it ended.

use std::future::pending;
use std::time::Duration;

use contact_center_insights::any::Unpack;
use contact_center_insights::lro::PollPolicy;
use contact_center_insights::{Error, Operation, Poller};
use tokio::signal::ctrl_c;
use tokio::time::{Instant, sleep_until};

use super::ending::conclude;
use crate::args::Wait;
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Format;
use crate::progress::Progress;
use crate::progress_bar::ProgressLine;
use crate::session::Session;
use crate::terminal::print;

/// How long polls may fail before the first answer: a mistyped endpoint is then the likelier reason; and a local server
/// that is not there will not come by itself.
const OUTAGE_AT_START: Duration = Duration::from_secs(30);
const LOCAL_OUTAGE_AT_START: Duration = Duration::from_secs(5);

pub(super) async fn run(args: Wait, output: Format) -> Result<(), Failure> {
    let name = args.name.full()?;
    let session = Session::open(args.connection, &name)?;
    let patience = Patience { timeout: args.timeout, interval: args.interval, max_outage: args.max_outage };
    to_the_end(&session, &name, patience, output).await
}

/// How long is waited, and how often asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Without it, for as long as it takes.
    pub(super) timeout: Option<Duration>,
    /// Without it, as the kind of the operation has it.
    pub(super) interval: Option<Duration>,
    pub(super) max_outage: Duration,
}

/// Waits for an operation to end, prints it, and says how it ended.
pub(super) async fn to_the_end(
    session: &Session,
    name: &str,
    patience: Patience,
    output: Format,
) -> Result<(), Failure> {
    let poller = session.client().poller(name).map_err(session.failure(name))?;
    let mut poller = poller.with_policy(policy(patience.interval, patience.max_outage, session.is_local()));
    // A time that no clock reaches is none.
    let deadline = patience.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let line = ProgressLine::start();
    let operation = tokio::select! {
        watched = watch(&mut poller, deadline, |progress| line.show(progress)) => {
            watched.map_err(session.failure(name))?
        }
        Ok(()) = ctrl_c() => {
            drop(line);
            return Err(stopped_waiting(session, name, Exit::Interrupted, "interrupted; the operation goes on"));
        }
    };
    drop(line);
    print(&output.one(operation.raw())?)?;
    if !operation.is_done() {
        let waited = patience.timeout.map(duration::print).unwrap_or_default();
        let reason = format!("operation `{name}` is still running after {waited}");
        return Err(stopped_waiting(session, name, Exit::StillRunning, reason));
    }
    conclude(&operation).map_err(session.failure(name))
}

/// Follows the operation until it is done, or until the deadline: then the poller asks one last time, and a
/// fault of that poll does not undo what earlier ones told.
async fn watch(
    poller: &mut Poller,
    deadline: Option<Instant>,
    show: impl Fn(Option<Progress>),
) -> Result<Operation, Error> {
    tokio::select! {
        followed = follow(poller, show) => followed,
        deadline = until(deadline) => Ok(poller.wait_until(deadline).await?.into_operation()),
    }
}

/// Polls until the operation is done, and shows each snapshot on the way. How it ended is in the answer.
pub(super) async fn follow<R: Unpack, M: Unpack>(
    poller: &mut Poller<R, M>,
    show: impl Fn(Option<Progress>),
) -> Result<Operation, Error> {
    let ended = poller
        .until_done_with(|operation| {
            if !operation.is_done() {
                show(progress(&operation.clone().cast()));
            }
        })
        .await;
    match ended {
        Err(error) if !poller.last().is_some_and(Operation::is_done) => Err(error),
        // What is done is not asked about again.
        _ => poller.poll().await.map(|operation| operation.clone().cast()),
    }
}

fn progress(operation: &Operation) -> Option<Progress> {
    Progress::of(&operation.metadata()?.ok()?)
}

/// The waiting ended before the operation did.
fn stopped_waiting(session: &Session, name: &str, exit: Exit, reason: impl Into<String>) -> Failure {
    Failure::new(exit, reason.into())
        .with_help(format!("to go on waiting: {}", session.command("wait", name)))
}

/// Returns at the deadline, with it; never if there is none.
async fn until(deadline: Option<Instant>) -> Instant {
    match deadline {
        Some(deadline) => {
            sleep_until(deadline).await;
            deadline
        }
        None => pending().await,
    }
}

fn policy(interval: Option<Duration>, max_outage: Duration, is_local: bool) -> PollPolicy {
    let at_start = if is_local { LOCAL_OUTAGE_AT_START } else { OUTAGE_AT_START };
    let policy =
        PollPolicy::default().with_max_outage(max_outage).with_max_outage_at_start(at_start.min(max_outage));
    interval.map_or(policy.clone(), |interval| policy.with_first_wait(interval).with_max_wait(interval))
}
