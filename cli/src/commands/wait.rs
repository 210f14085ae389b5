//! `cci operations wait`: follows operations to their ends, and says how they ended.

use std::cell::Cell;
use std::convert::Infallible;
use std::io::{BufRead as _, stdin};

use contact_center_insights::any::Unpack;
use contact_center_insights::{Error, Operation, Poller};
use tokio::time::Instant;

use super::ending::conclude;
use super::many::Many;
use super::patience::{ANSWERS_AGAIN, Patience, no_answer, until};
use super::rest;
use super::stop;
use super::tally::{Found, once_each};
use crate::args::{Connection, Wait};
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log::{self, FailedPolls};
use crate::name::{location, operation_in, parent_in};
use crate::output::Format;
use crate::progress::Progress;
use crate::reporter::{Mode, Reporter};
use crate::scope::Scope;
use crate::session::Session;
use crate::terminal::print;

/// What stands for the names on stdin.
const STDIN: &str = "-";

pub(super) async fn run(args: Wait, output: Format) -> Result<(), Failure> {
    let Wait {
        mut names,
        all,
        parent,
        filter,
        rest,
        any,
        timeout,
        interval,
        max_outage,
        progress,
        scope,
        connection,
    } = args;
    let patience = Patience { timeout, interval, max_outage };
    let mode = progress.mode();
    let scope = scope.scope();
    if all {
        let parent = parent_in(parent, &scope)?;
        let session = Session::open(connection, &parent)?;
        let again = session.operations(&["wait", "--all", "--parent", &parent]);
        let found = Found { parent, filter };
        let many = tokio::select! {
            many = Many::found(&session, found) => many?,
            _ = until(patience.last_look()) => {
                let failure = Failure::new(Exit::StillRunning, "the service has not told what runs");
                return Err(failure.with_help(format!("to try it again: {again}")));
            }
        };
        return many.follow(any, patience, mode, output).await;
    }
    if names.len() == 1 && names.first().is_some_and(|name| name != STDIN) {
        let name = operation_in(names.remove(0), &scope)?;
        let over_rest = rest.then(|| connection.clone());
        let session = Session::open(connection, &name)?;
        return to_the_end(&session, &name, patience, mode, output, over_rest).await;
    }
    if rest {
        return Err(Failure::new(Exit::Usage, "--rest is for one operation, given by its name"));
    }
    let names = all_names(names, &scope)?;
    let first = names.first().map(|name| location(name)).unwrap_or_default();
    let session = match names.first() {
        Some(name) if names.iter().all(|name| location(name) == first) => Session::open(connection, name)?,
        _ => Session::open_anywhere(connection)?,
    };
    // Before anything is sent: a slip in one name is not the failure of an operation.
    for name in &names {
        let _: Poller = session.client().poller(name).map_err(session.failure(name))?;
    }
    Many::named(&session, names).follow(any, patience, mode, output).await
}

/// Each name once, with those on stdin in place of `-`.
fn all_names(given: Vec<String>, scope: &Scope) -> Result<Vec<String>, Failure> {
    let mut names = Vec::with_capacity(given.len());
    for name in given {
        if name != STDIN {
            names.push(operation_in(name, scope)?);
            continue;
        }
        for line in stdin().lock().lines() {
            let line =
                line.map_err(|error| Failure::because(Exit::Usage, "cannot read names from stdin", error))?;
            if !line.trim().is_empty() {
                names.push(operation_in(line, scope)?);
            }
        }
    }
    once_each(&mut names);
    Ok(names)
}

/// Waits for an operation to end, prints it, and says how it ended. With `over_rest`, it is printed as REST has it.
pub(super) async fn to_the_end(
    session: &Session,
    name: &str,
    patience: Patience,
    mode: Mode,
    output: Format,
    over_rest: Option<Connection>,
) -> Result<(), Failure> {
    let poller = session.client().poller(name).map_err(session.failure(name))?;
    let mut poller = poller.with_policy(patience.policy(session.is_local()));
    let reporter = Reporter::start(mode, name);
    let outage = Outage { reporter: &reporter, is_told: Cell::new(false) };
    let show = |progress| {
        outage.is_over();
        reporter.running(progress);
    };
    let operation = tokio::select! {
        watched = watch(&mut poller, patience.deadline(), show) => watched.map_err(session.failure(name))?,
        never = outage.tell(log::failed_polls()) => match never {},
        exit = stop::asked() => {
            drop(reporter);
            let reason = format!("{}; the operation goes on", stop::reason(exit));
            return Err(stopped_waiting(session, name, exit, reason));
        }
        never = reporter.beat() => match never {},
    };
    let waited = patience.timeout.map(duration::print).unwrap_or_default();
    let Some(operation) = operation else {
        drop(reporter);
        let reason = format!("nothing was heard of operation `{name}` within {waited}");
        return Err(stopped_waiting(session, name, Exit::StillRunning, reason));
    };
    // Of one that runs, nobody knows whether it was heard of just now.
    if operation.is_done() {
        outage.is_over();
    }
    drop(reporter);
    let document = match over_rest {
        Some(connection) => Some(rest::operation(&Session::open_rest(connection, name)?, name).await),
        None => None,
    };
    print(&match document {
        Some(Ok(document)) => output.document(&document)?,
        Some(Err(failure)) if operation.is_done() => return Err(failure),
        _ => output.one(operation.raw())?,
    })?;
    if !operation.is_done() {
        let reason = format!("operation `{name}` is still running after {waited}");
        return Err(stopped_waiting(session, name, Exit::StillRunning, reason));
    }
    conclude(&operation).map_err(session.failure(name))
}

/// Follows the operation until it is done, or until the deadline: then the poller asks one last time, and a
/// fault of that poll does not undo what earlier ones told. `None` if nothing was ever heard of it.
async fn watch(
    poller: &mut Poller,
    deadline: Option<Instant>,
    show: impl Fn(Option<Progress>),
) -> Result<Option<Operation>, Error> {
    let deadline = tokio::select! {
        followed = follow(poller, show) => return followed.map(Some),
        deadline = until(deadline) => deadline,
    };
    match poller.wait_until(deadline).await {
        Ok(waited) => Ok(Some(waited.into_operation())),
        Err(error) if error.is_deadline_exceeded() => Ok(None),
        Err(error) => Err(error),
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

/// That the service does not answer, told once, and that it does again.
struct Outage<'a> {
    reporter: &'a Reporter,
    is_told: Cell<bool>,
}

impl Outage<'_> {
    async fn tell(&self, mut failed: FailedPolls) -> Infallible {
        loop {
            let reason = failed.next().await;
            if !self.is_told.replace(true) {
                self.reporter.note(&no_answer(reason));
            }
        }
    }

    fn is_over(&self) {
        if self.is_told.take() {
            self.reporter.note(ANSWERS_AGAIN);
        }
    }
}

/// The waiting ended before the operation did.
fn stopped_waiting(session: &Session, name: &str, exit: Exit, reason: impl Into<String>) -> Failure {
    Failure::new(exit, reason.into())
        .with_help(format!("to go on waiting: {}", session.command("wait", name)))
}
