//! `cci operations wait`: follows an operation to its end, and says how it ended.

use std::future::pending;
use std::time::Duration;

use contact_center_insights::lro::{PollPolicy, Waited};
use contact_center_insights::proto::rpc;
use contact_center_insights::{Error, Operation, Poller, Status};
use tokio::signal::ctrl_c;
use tokio::time::{Instant, sleep_until};

use crate::args::Wait;
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::meter::Meter;
use crate::output::Format;
use crate::progress::{Progress, partial_errors};
use crate::session::Session;
use crate::terminal::{plain, print, say};

/// How many polls in a row may fail. Before the first that succeeds, a mistyped endpoint is the likelier
/// reason; and a local server that is not there will not come by itself.
const PATIENCE: u32 = 10;
const PATIENCE_AT_FIRST: u32 = 3;
/// How many partial errors are shown.
const SHOWN_ERRORS: usize = 3;

pub(super) async fn run(args: Wait, output: Format) -> Result<(), Failure> {
    let name = args.name.name;
    let session = args.connection.open()?;
    let poller = session.client().poller(&name).map_err(session.failure(&name))?;
    let mut poller = poller.with_policy(policy(args.interval));
    // A time that no clock reaches is none.
    let deadline = args.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let meter = Meter::start();
    let operation = tokio::select! {
        watched = watch(&mut poller, deadline, session.is_local(), |progress| meter.show(progress)) => {
            watched.map_err(session.failure(&name))?
        }
        Ok(()) = ctrl_c() => {
            drop(meter);
            return Err(left(&session, &name, Exit::Interrupted, "interrupted; the operation goes on"));
        }
    };
    drop(meter);
    print(&output.one(operation.raw())?)?;
    if !operation.is_done() {
        let waited = args.timeout.map(duration::print).unwrap_or_default();
        let reason = format!("operation `{name}` is still running after {waited}");
        return Err(left(&session, &name, Exit::StillRunning, reason));
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

/// Says what a finished operation leaves to say; an error if it did not succeed.
pub(super) fn conclude(operation: &Operation) -> Result<(), Error> {
    if let Some(Ok(metadata)) = operation.metadata() {
        summarize(partial_errors(&metadata));
    }
    match operation.result() {
        Some(Err(error @ (Error::Operation { .. } | Error::Cancelled { .. }))) => Err(error),
        // Methods that promise an empty response may leave it out, so that this is no failure.
        Some(Err(error @ Error::NoResult { .. })) => {
            say(format_args!("note: {error}"));
            Ok(())
        }
        // A response that cannot be read is printed as it came.
        _ => Ok(()),
    }
}

fn progress(operation: &Operation) -> Option<Progress> {
    Progress::of(&operation.metadata()?.ok()?)
}

fn summarize(errors: &[rpc::Status]) {
    if errors.is_empty() {
        return;
    }
    say(format_args!("note: {} partial errors, in full under metadata.partialErrors:", errors.len()));
    for error in errors.iter().take(SHOWN_ERRORS) {
        say(format_args!("  {}", plain(&Status::from(error.clone()).to_string())));
    }
    if errors.len() > SHOWN_ERRORS {
        say(format_args!("  and {} more", errors.len() - SHOWN_ERRORS));
    }
}

/// The waiting ended before the operation did.
fn left(session: &Session, name: &str, exit: Exit, reason: impl Into<String>) -> Failure {
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
