//! `cci operations wait`: follows an operation to its end, and says how it ended.

use std::future::pending;
use std::time::Duration;

use contact_center_insights::lro::{PollPolicy, Waited};
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

/// How many polls in a row may fail. Before the first that succeeds, a mistyped endpoint is the likelier
/// reason; and a local server that is not there will not come by itself.
const PATIENCE: u32 = 10;
const PATIENCE_AT_FIRST: u32 = 3;

pub(super) async fn run(args: Wait, output: Format) -> Result<(), Failure> {
    let name = args.name.name;
    let session = Session::open(args.connection)?;
    let poller = session.client().operation(&name).map_err(session.failure(&name))?;
    let mut poller = poller.with_policy(policy(args.interval));
    // A time that no clock reaches is none.
    let deadline = args.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let line = ProgressLine::start();
    let operation = tokio::select! {
        watched = watch(&mut poller, deadline, session.is_local(), |progress| line.show(progress)) => {
            watched.map_err(session.failure(&name))?
        }
        Ok(()) = ctrl_c() => {
            drop(line);
            return Err(stopped_waiting(&session, &name, Exit::Interrupted, "interrupted; the operation goes on"));
        }
    };
    drop(line);
    print(&output.one(operation.raw())?)?;
    if !operation.is_done() {
        let waited = args.timeout.map(duration::print).unwrap_or_default();
        let reason = format!("operation `{name}` is still running after {waited}");
        return Err(stopped_waiting(&session, &name, Exit::StillRunning, reason));
    }
    conclude(&operation).map_err(session.failure(&name))
}

/// Follows the operation until it is done, or until the deadline: then the poller asks one last time, and a
/// fault of that poll does not undo what earlier ones told.
async fn watch(
    poller: &mut Poller,
    deadline: Option<Instant>,
    is_local: bool,
    show: impl Fn(Option<Progress>),
) -> Result<Operation, Error> {
    tokio::select! {
        followed = follow(poller, is_local, show) => followed,
        deadline = until(deadline) => Ok(match poller.wait_until(deadline).await? {
            Waited::Done(operation) | Waited::StillRunning { last: operation, .. } => operation,
        }),
    }
}

/// Polls until the operation is done, and shows each snapshot on the way.
pub(super) async fn follow<R, M>(
    poller: &mut Poller<R, M>,
    is_local: bool,
    show: impl Fn(Option<Progress>),
) -> Result<Operation, Error> {
    let (mut faults, mut patience) = (0, if is_local { 0 } else { PATIENCE_AT_FIRST });
    loop {
        match poller.poll().await {
            Ok(operation) => {
                let operation: Operation = operation.clone().cast();
                if operation.is_done() {
                    return Ok(operation);
                }
                show(progress(&operation));
                (faults, patience) = (0, PATIENCE);
            }
            Err(error) if error.is_transient() && faults < patience => faults += 1,
            Err(error) => return Err(error),
        }
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

fn policy(interval: Option<Duration>) -> PollPolicy {
    let policy = PollPolicy::default();
    interval.map_or(policy.clone(), |interval| policy.with_first_wait(interval).with_max_wait(interval))
}
