//! The `engine` room: operations from start to end, as a pure state machine.
//!
//! Time is an argument, and the world that jobs change is one too. An operation waits (its progress is zero), runs
//! (its metadata moves), and ends once, in a response or in an error; from then on it never changes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};
use contact_center_insights::{Code, Status};
use prost_types::Any;

use crate::fault;
use crate::profile::{Failure, Pace, Profile};

/// What an operation does to the world `W`.
pub(crate) trait Job<W>: Debug + Send {
    /// Checks that the operation can start, and does what is visible from its start on. An error is the error of
    /// the call: then nothing has happened, and there is no operation.
    fn begin(&mut self, world: &mut W, now: SystemTime) -> Result<(), Status>;

    /// The metadata at this moment.
    fn metadata(&self, moment: &Moment) -> Any;

    /// Does what the operation was started for; an error is the error of the operation.
    fn complete(&mut self, world: &mut W, now: SystemTime) -> Result<Any, Status>;

    /// Takes back what `begin` did, after a failure or a cancellation.
    fn undo(&mut self, world: &mut W, now: SystemTime);
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When it was started.
    pub(crate) create_time: SystemTime,
    /// When it ended, if it has.
    pub(crate) end_time: Option<SystemTime>,
    done: u128,
    of: u128,
}

impl Moment {
    /// The part of `total` that is done, rounded down.
    pub(crate) fn share(&self, total: usize) -> usize {
        let part = (total as u128).saturating_mul(self.done) / self.of.max(1);
        usize::try_from(part).unwrap_or(total).min(total)
    }
}

/// What starts an operation.
#[derive(Debug)]
pub(crate) struct Start<W> {
    /// `projects/P/locations/L`, as the caller wrote it.
    pub(crate) location: String,
    /// The method, without its service.
    pub(crate) method: &'static str,
    /// The resource that only one operation at a time may work on.
    pub(crate) target: String,
    pub(crate) profile: Profile,
    pub(crate) job: Box<dyn Job<W>>,
}

/// All operations.
#[derive(Debug)]
pub(crate) struct Engine<W> {
    entries: BTreeMap<String, Entry<W>>,
    serial: u64,
}

#[derive(Debug)]
struct Entry<W> {
    serial: u64,
    /// The operation as it is, if nothing runs.
    operation: Operation,
    running: Option<Running<W>>,
}

#[derive(Debug)]
struct Running<W> {
    start: Start<W>,
    create_time: SystemTime,
    polls: u32,
}

impl<W> Default for Engine<W> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), serial: 0 }
    }
}

impl<W> Engine<W> {
    /// Starts an operation; with a profile that is immediate, it comes back done.
    pub(crate) fn start(
        &mut self,
        world: &mut W,
        mut start: Start<W>,
        now: SystemTime,
    ) -> Result<Operation, Status> {
        self.check_idle(&start.target)?;
        start.job.begin(world, now)?;
        let name = self.new_name(&start.location);
        let mut running = Running { start, create_time: now, polls: 0 };
        if running.is_due(now) {
            let operation = running.end(&name, world, now);
            self.insert(operation.clone(), None);
            return Ok(operation);
        }
        let operation = running.snapshot(&name, now);
        self.insert(operation.clone(), Some(running));
        Ok(operation)
    }

    /// `ABORTED` if an operation is at work on `target` (AIP-151).
    pub(crate) fn check_idle(&self, target: &str) -> Result<(), Status> {
        let mut running =
            self.entries.iter().filter_map(|(name, entry)| Some((name, entry.running.as_ref()?)));
        let Some((name, _)) = running.find(|(_, running)| running.start.target == target) else {
            return Ok(());
        };
        let message =
            format!("the operation `{name}` is still at work on `{target}`: wait for it, or cancel it");
        let parts = [("resource", target), ("operation", name.as_str())];
        Err(fault::fault(Code::Aborted, "CONCURRENT_OPERATION", message, &parts))
    }

    /// Places an operation as it is, in place of any of the same name. Nothing but a cancellation will change it.
    pub(crate) fn place(&mut self, operation: Operation) {
        self.insert(operation, None);
    }

    /// Answers a poll, which is what moves an operation of the profile `polls:N` on.
    pub(crate) fn poll(&mut self, world: &mut W, name: &str, now: SystemTime) -> Option<Operation> {
        let entry = self.entries.get_mut(name)?;
        if let Some(running) = &mut entry.running {
            running.polls = running.polls.saturating_add(1);
            if !running.is_due(now) {
                return Some(running.snapshot(name, now));
            }
            entry.operation = running.end(name, world, now);
            entry.running = None;
        }
        Some(entry.operation.clone())
    }

    /// Cancels at once: the operation stays, and has ended with the code `CANCELLED`. One that has ended already is
    /// left as it is. `None` if there is no such operation.
    pub(crate) fn cancel(&mut self, world: &mut W, name: &str, now: SystemTime) -> Option<()> {
        let entry = self.entries.get_mut(name)?;
        let cancelled =
            || fault::fault(Code::Cancelled, "OPERATION_CANCELLED", "the operation was cancelled", &[]);
        if let Some(mut running) = entry.running.take() {
            entry.operation = running.fail(name, world, now, cancelled());
        } else if !entry.operation.done {
            entry.operation.done = true;
            entry.operation.result = Some(Outcome::Error(cancelled().into()));
        }
        Some(())
    }

    /// Ends what is due by `now`, in order of due time, each at the time it was due.
    pub(crate) fn advance(&mut self, world: &mut W, now: SystemTime) {
        let mut due: Vec<(SystemTime, u64, String)> = self
            .entries
            .iter()
            .filter_map(|(name, entry)| Some((entry.running.as_ref()?.due()?, entry.serial, name.clone())))
            .filter(|(due, ..)| *due <= now)
            .collect();
        due.sort();
        for (at, _, name) in due {
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            let Some(mut running) = entry.running.take() else { continue };
            entry.operation = running.end(&name, world, at);
        }
    }

    /// The operations of a location, each with its place in the order of their start. This is no poll.
    pub(crate) fn list(&self, location: &str, now: SystemTime) -> impl Iterator<Item = (u64, Operation)> {
        let prefix = format!("{location}/operations/");
        self.entries.iter().filter(move |(name, _)| name.starts_with(&prefix)).map(move |(name, entry)| {
            let running = entry.running.as_ref().map(|running| running.snapshot(name, now));
            (entry.serial, running.unwrap_or_else(|| entry.operation.clone()))
        })
    }

    fn insert(&mut self, operation: Operation, running: Option<Running<W>>) {
        self.serial += 1;
        self.entries.insert(operation.name.clone(), Entry { serial: self.serial, operation, running });
    }

    /// Ids are 19 digits, as those of the service are, and counted up: the same calls get the same names.
    fn new_name(&self, location: &str) -> String {
        let first = 1_000_000_000_000_000_001_u64 + self.serial;
        let mut names = (first..).map(|id| format!("{location}/operations/{id}"));
        names.find(|name| !self.entries.contains_key(name)).unwrap_or_default()
    }
}

impl<W> Running<W> {
    fn due(&self) -> Option<SystemTime> {
        match self.start.profile.pace {
            Pace::Time(duration) => self.create_time.checked_add(duration),
            Pace::Immediate | Pace::Polls(_) => None,
        }
    }

    fn is_due(&self, now: SystemTime) -> bool {
        match self.start.profile.pace {
            Pace::Immediate => true,
            Pace::Polls(count) => self.polls >= count,
            Pace::Time(_) => self.due().is_some_and(|due| due <= now),
        }
    }

    /// Waiting until the first poll, or for the first tenth of the time: progress is zero then.
    fn moment(&self, now: SystemTime, end_time: Option<SystemTime>) -> Moment {
        let (done, of) = match self.start.profile.pace {
            Pace::Immediate => (1, 1),
            Pace::Polls(count) => (u128::from(self.polls.min(count)), u128::from(count)),
            Pace::Time(total) => {
                let elapsed = now.duration_since(self.create_time).unwrap_or(Duration::ZERO);
                let waiting = elapsed.saturating_mul(10) < total;
                (if waiting { 0 } else { elapsed.min(total).as_millis() }, total.as_millis())
            }
        };
        Moment { create_time: self.create_time, end_time, done, of }
    }

    fn snapshot(&self, name: &str, now: SystemTime) -> Operation {
        let metadata = Some(self.start.job.metadata(&self.moment(now, None)));
        Operation { name: name.to_owned(), metadata, ..Operation::default() }
    }

    /// Completes, or fails as scripted.
    fn end(&mut self, name: &str, world: &mut W, now: SystemTime) -> Operation {
        if let Some(failure) = self.start.profile.failure.clone() {
            return self.fail(name, world, now, scripted(&failure, self.start.method));
        }
        match self.start.job.complete(world, now) {
            Ok(response) => self.ended(name, now, Outcome::Response(response)),
            Err(status) => self.fail(name, world, now, status),
        }
    }

    fn fail(&mut self, name: &str, world: &mut W, now: SystemTime, status: Status) -> Operation {
        self.start.job.undo(world, now);
        self.ended(name, now, Outcome::Error(status.into()))
    }

    fn ended(&self, name: &str, now: SystemTime, outcome: Outcome) -> Operation {
        let metadata = Some(self.start.job.metadata(&self.moment(now, Some(now))));
        Operation { name: name.to_owned(), metadata, done: true, result: Some(outcome) }
    }
}

fn scripted(failure: &Failure, method: &str) -> Status {
    let message = failure.message.clone();
    let message = message.unwrap_or_else(|| format!("scripted failure of `{method}`"));
    fault::fault(failure.code, "SCRIPTED_FAILURE", message, &[("method", method)])
}

#[cfg(test)]
mod tests;
