//! What has come of several operations so far: how many ended how, what is said of each, and how to go on.

use std::collections::HashSet;

use contact_center_insights::lro::Outcome;
use contact_center_insights::{Error, Operation};
use tokio::time::Instant;

use super::ending::Ending;
use crate::escape::{counted, line_within};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::output::ListPrinter;
use crate::progress::Progress;
use crate::reporter::{End, Reporter};
use crate::session::Session;
use crate::terminal::print;

/// Names that stand in the command that goes on; more stand above it.
const NAMES_IN_COMMAND: usize = 20;
const MOST_OF_ERROR: usize = 500;

/// By what operations were found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) parent: String,
    pub(super) filter: String,
}

impl Found {
    /// What runs of it.
    pub(super) fn running(&self) -> String {
        if self.filter.trim().is_empty() {
            "done=\"false\"".to_owned()
        } else {
            format!("done=\"false\" AND ({})", self.filter)
        }
    }
}

/// Several operations, and what has come of them.
pub(super) struct Tally<'a> {
    session: &'a Session,
    found: Option<Found>,
    names: Vec<String>,
    /// What has not ended, as far as is known.
    pending: HashSet<String>,
    exits: Vec<Exit>,
    ended: Ends,
    /// When the service answered last; `None` before it did.
    pub(super) answered: Option<Instant>,
}

/// How many ended how.
#[derive(Debug, Default)]
struct Ends {
    succeeded: u64,
    failed: u64,
    cancelled: u64,
    lost: u64,
    /// That could not be asked about.
    unknown: u64,
}

/// Keeps the first of each.
pub(super) fn once_each(names: &mut Vec<String>) {
    let mut seen = HashSet::with_capacity(names.len());
    names.retain(|name| seen.insert(name.clone()));
}

impl<'a> Tally<'a> {
    /// Of these names, each of which is there once.
    pub(super) fn new(session: &'a Session, names: Vec<String>, found: Option<Found>) -> Self {
        let pending = names.iter().cloned().collect();
        Self { session, found, names, pending, exits: Vec::new(), ended: Ends::default(), answered: None }
    }

    /// How many there are in all.
    pub(super) fn total(&self) -> usize {
        self.names.len()
    }

    /// Whether they were found, and so run.
    pub(super) fn is_found(&self) -> bool {
        self.found.is_some()
    }

    /// What has not ended, in the order in which it was given.
    pub(super) fn pending(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter(|name| self.pending.contains(*name)).map(String::as_str)
    }

    /// Whether all have ended, or where it is enough, any.
    pub(super) fn is_over(&self, any: bool) -> bool {
        self.pending.is_empty() || (any && self.pending.len() < self.total())
    }

    /// One has ended, or is lost.
    pub(super) fn ended(
        &mut self,
        name: &str,
        operation: Option<&Operation>,
        reporter: &Reporter,
        list: &mut ListPrinter,
    ) -> Result<(), Failure> {
        self.answered = Some(Instant::now());
        self.pending.remove(name);
        let Some(operation) = operation else {
            self.ended.lost = self.ended.lost.saturating_add(1);
            self.exits.push(Exit::NotFound);
            self.tell(reporter, name, "NOT FOUND", "the service does not know it");
            return Ok(());
        };
        let ending = Ending::of(operation);
        let (state, count) = match operation.outcome() {
            Some(Outcome::Cancelled(_)) => ("CANCELLED", &mut self.ended.cancelled),
            Some(Outcome::Failed(_)) => ("FAILED", &mut self.ended.failed),
            _ => ("SUCCEEDED", &mut self.ended.succeeded),
        };
        *count = count.saturating_add(1);
        let error = match operation.outcome() {
            Some(Outcome::Failed(status)) => status.to_string(),
            Some(Outcome::Cancelled(_)) => "it was cancelled".to_owned(),
            _ => String::new(),
        };
        self.exits.extend(ending.error.as_ref().map(hints::exit));
        self.tell(reporter, name, state, &error);
        ending.notes.iter().for_each(|note| reporter.note(note));
        print(&list.operations(vec![operation.raw().clone()])?)
    }

    fn tell(&self, reporter: &Reporter, name: &str, state: &str, error: &str) {
        let error = line_within(error, MOST_OF_ERROR);
        reporter.ended(&End { name, state, error: &error, all: self.progress() });
    }

    /// One could not be asked about: what may pass is left to later; what concerns all ends the waiting.
    pub(super) fn failed(&mut self, name: &str, error: Error, reporter: &Reporter) -> Result<(), Failure> {
        if error.is_credentials()
            || (error.is_unreachable() && (self.answered.is_none() || !error.is_transient()))
        {
            return Err(self.session.failure(name)(error));
        }
        if error.is_transient() {
            return Ok(());
        }
        self.answered = Some(Instant::now());
        self.pending.remove(name);
        let exit = hints::exit(&error);
        let count = if exit == Exit::NotFound { &mut self.ended.lost } else { &mut self.ended.unknown };
        *count = count.saturating_add(1);
        self.exits.push(exit);
        self.tell(
            reporter,
            name,
            if exit == Exit::NotFound { "NOT FOUND" } else { "UNKNOWN" },
            &error.to_string(),
        );
        Ok(())
    }

    pub(super) fn progress(&self) -> Progress {
        let Ends { succeeded, failed, cancelled, lost, unknown } = self.ended;
        let in_vain = failed.saturating_add(cancelled).saturating_add(lost).saturating_add(unknown);
        Progress::of_operations(succeeded, in_vain, u64::try_from(self.total()).unwrap_or(u64::MAX))
    }

    /// The time for waiting is over.
    pub(super) fn timed_out(mut self, waited: &str, any: bool) -> Failure {
        self.exits.push(Exit::StillRunning);
        let reason = format!("{} after {waited}", self.still("still running"));
        self.to_go_on(Exit::first_of(&self.exits), reason, any)
    }

    /// A signal ended the waiting.
    pub(super) fn stopped(self, exit: Exit, why: &str, any: bool) -> Failure {
        let reason = format!("{why}; {}", self.still("still running"));
        self.to_go_on(exit, reason, any)
    }

    /// All that was waited for has ended.
    pub(super) fn done(self) -> Result<(), Failure> {
        let exit = Exit::first_of(&self.exits);
        if exit == Exit::Ok {
            return Ok(());
        }
        let Ends { failed, cancelled, lost, unknown, .. } = self.ended;
        let parts = [
            (failed, "failed"),
            (cancelled, "cancelled"),
            (lost, "not found"),
            (unknown, "not to be asked about"),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, how)| format!("{count} {how}"))
            .collect();
        let reason = format!("of {}: {}", counted(self.total(), "operation", "operations"), parts.join(", "));
        Err(Failure::new(exit, reason))
    }

    fn still(&self, verb: &str) -> String {
        format!("{} of {} {verb}", self.pending.len(), counted(self.total(), "operation", "operations"))
    }

    /// The waiting ended before the operations did.
    fn to_go_on(&self, exit: Exit, reason: String, any: bool) -> Failure {
        let mut arguments = vec!["wait"];
        let mut above = String::new();
        match &self.found {
            Some(Found { parent, filter }) => {
                arguments.extend(["--all", "--parent", parent]);
                if !filter.is_empty() {
                    arguments.extend(["--filter", filter]);
                }
            }
            None if self.pending.len() <= NAMES_IN_COMMAND => {
                arguments.extend(self.pending());
            }
            None => {
                above = self.pending().collect::<Vec<_>>().join("\n");
                above += "\nthese names on stdin, ";
                arguments.push("-");
            }
        }
        if any {
            arguments.push("--any");
        }
        let command = self.session.operations(&arguments);
        Failure::new(exit, reason).with_help(format!("{above}to go on waiting: {command}"))
    }
}
