//! Operations from start to end, as a pure state machine.
//!
//! Time is an argument, and the world that jobs change is one too. An operation waits (its progress is zero), runs
//! (its metadata moves), and ends once, in a response or in an error; from then on it never changes. What is due is
//! found by time, what is listed by location, and what works on a resource by the resource: none of it by search.

mod job;
mod running;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};
use contact_center_insights::{Code, Status};
use imbl::OrdMap;

pub(crate) use self::job::{Claim, FollowUps, Job, Moment, Start};
use self::running::Running;
pub(crate) use self::running::{ONLY_ONE, Saved, SavedClaim};
use crate::{errors, names};

/// One operation.
#[derive(Debug)]
pub(crate) struct Entry<W> {
    name: String,
    /// The operation as it is, if nothing runs.
    operation: Operation,
    running: Option<Running<W>>,
}

impl<W> Clone for Entry<W> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), operation: self.operation.clone(), running: self.running.clone() }
    }
}

impl<W> Entry<W> {
    /// The operation at this moment. Looking does not count as a poll.
    pub(crate) fn at(&self, now: SystemTime) -> Operation {
        let running = self.running.as_ref().map(|running| running.snapshot(&self.name, now));
        running.unwrap_or_else(|| self.operation.clone())
    }
}

/// The operations of one location at one moment, by their place in the order of their start.
pub(crate) type Operations<W> = OrdMap<u64, Arc<Entry<W>>>;

/// All operations.
#[derive(Debug)]
pub(crate) struct Engine<W> {
    locations: OrdMap<Arc<str>, Operations<W>>,
    places: HashMap<String, u64>,
    due: BTreeMap<(SystemTime, u64), String>,
    claims: HashMap<Claim, String>,
    serial: u64,
    /// The names of what has changed since it was last asked, if anyone wants to know.
    changes: Option<BTreeSet<String>>,
}

impl<W> Default for Engine<W> {
    fn default() -> Self {
        Self {
            locations: OrdMap::new(),
            places: HashMap::new(),
            due: BTreeMap::new(),
            claims: HashMap::new(),
            serial: 0,
            changes: None,
        }
    }
}

impl<W: FollowUps> Engine<W> {
    /// Starts an operation; with a profile that is immediate, it comes back done.
    pub(crate) fn start(
        &mut self,
        world: &mut W,
        mut start: Start<W>,
        now: SystemTime,
    ) -> Result<Operation, Status> {
        start.claims.iter().try_for_each(|claim| self.check_idle(claim))?;
        start.job.begin(world, now)?;
        let name = start.name.clone();
        let mut running = Running::new(start, now);
        if running.is_due(now) {
            let operation = running.end(world, now);
            self.insert(operation.clone(), None);
            self.follow_up(world, now);
            return Ok(operation);
        }
        let operation = running.snapshot(&name, now);
        self.insert(operation.clone(), Some(running));
        Ok(operation)
    }

    /// Answers a poll, which is what moves an operation of the profile `polls:N` on.
    pub(crate) fn poll(&mut self, world: &mut W, name: &str, now: SystemTime) -> Option<Operation> {
        let entry = self.entry(name)?;
        let Some(running) = &mut entry.running else { return Some(entry.operation.clone()) };
        running.polls = running.polls.saturating_add(1);
        let is_due = running.is_due(now);
        self.note(name);
        if is_due {
            self.end(name, |running| running.end(world, now));
            self.follow_up(world, now);
        }
        self.look(name).map(|entry| entry.at(now))
    }

    /// Cancels at once: the operation stays, and has ended with the code `CANCELLED`. One that has ended already is
    /// left as it is. `None` if there is no such operation.
    pub(crate) fn cancel(&mut self, world: &mut W, name: &str, now: SystemTime) -> Option<()> {
        let status =
            errors::with_reason(Code::Cancelled, "OPERATION_CANCELLED", "the operation was cancelled", &[]);
        let status = world.inside(status);
        self.fail(world, name, now, status)
    }

    /// Ends an operation in an error, unless it has ended. `None` if there is no such operation.
    pub(crate) fn fail(&mut self, world: &mut W, name: &str, now: SystemTime, status: Status) -> Option<()> {
        let entry = self.entry(name)?;
        if entry.running.is_some() {
            self.end(name, |running| running.fail(world, now, status));
        } else if !entry.operation.done {
            entry.operation.done = true;
            entry.operation.result = Some(Outcome::Error(status.into()));
            self.note(name);
        }
        Some(())
    }

    /// Ends an operation as it would end by itself, now. `None` if there is no such operation, `Some(false)` if there
    /// is nothing that could end.
    pub(crate) fn complete(&mut self, world: &mut W, name: &str, now: SystemTime) -> Option<bool> {
        let is_running = self.entry(name)?.running.is_some();
        if is_running {
            self.end(name, |running| running.end(world, now));
            self.follow_up(world, now);
        }
        Some(is_running)
    }

    /// Ends what is due by `now`, in order of due time, each at the time it was due.
    pub(crate) fn advance(&mut self, world: &mut W, now: SystemTime) {
        while let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, serial), name) = first.remove_entry();
            self.end_at(serial, &name, |running| running.end(world, at));
            self.follow_up(world, at);
        }
    }

    /// Starts what the jobs that ended have asked for. What cannot start has ended in the error that says why: its
    /// name may be known already.
    fn follow_up(&mut self, world: &mut W, now: SystemTime) {
        for start in world.follow_ups() {
            let name = start.name.clone();
            if let Err(status) = self.start(world, start, now) {
                let result = Some(Outcome::Error(world.inside(status).into()));
                self.insert(Operation { name, done: true, result, ..Operation::default() }, None);
            }
        }
    }
}

impl<W> Engine<W> {
    /// `ABORTED` if an operation is working on the same thing (AIP-151).
    pub(crate) fn check_idle(&self, claim: &Claim) -> Result<(), Status> {
        let Some(name) = self.claims.get(claim) else { return Ok(()) };
        let message = format!("the operation `{name}` is still {claim}: wait for it, or cancel it");
        let parts = [("resource", claim.resource.as_str()), ("operation", name.as_str())];
        Err(errors::with_reason(Code::Aborted, "CONCURRENT_OPERATION", message, &parts))
    }

    /// Places an operation as it is, in place of any of the same name. Nothing but a cancellation will change it.
    pub(crate) fn place(&mut self, operation: Operation) {
        self.insert(operation, None);
    }

    /// The operation of this name.
    pub(crate) fn look(&self, name: &str) -> Option<&Entry<W>> {
        let serial = self.places.get(name)?;
        self.locations.get(names::location(name))?.get(serial).map(AsRef::as_ref)
    }

    /// The operations of a location as they are now; a snapshot, at no cost.
    #[cfg(test)]
    pub(crate) fn list(&self, location: &str) -> Operations<W> {
        self.locations.get(location).cloned().unwrap_or_default()
    }

    /// All operations as they are now, by location; at no cost.
    pub(crate) fn snapshot(&self) -> OrdMap<Arc<str>, Operations<W>> {
        self.locations.clone()
    }

    /// Takes all operations of a project out, or all; what is given back is to be dropped, which takes longer.
    pub(crate) fn clear(&mut self, project: Option<&str>) -> OrdMap<Arc<str>, Operations<W>> {
        let before = self.locations.clone();
        if project.is_none() {
            self.locations = OrdMap::new();
            self.places = HashMap::new();
            self.due = BTreeMap::new();
            self.claims = HashMap::new();
            return before;
        }
        let gone = |name: &str| project.is_none_or(|project| names::project(name) == project);
        self.locations = self
            .locations
            .iter()
            .filter(|(location, _)| !gone(location))
            .map(|(l, o)| (l.clone(), o.clone()))
            .collect();
        self.places.retain(|name, _| !gone(name));
        self.due.retain(|_, name| !gone(name));
        self.claims.retain(|_, name| !gone(name));
        before
    }

    /// From now on, the names of operations that change are kept until they are taken.
    pub(crate) fn record(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// The operations that have changed since the last time.
    pub(crate) fn take_changes(&mut self) -> Vec<String> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default().into_iter().collect()
    }

    /// An operation as it can be written down.
    pub(crate) fn save(&self, name: &str) -> Option<Saved> {
        let serial = *self.places.get(name)?;
        let entry = self.look(name)?;
        Some(match &entry.running {
            Some(running) => running.save(serial),
            None => Saved::ended(serial, entry.operation.clone()),
        })
    }

    /// All operations as they can be written down, by location and in the order of their starts.
    pub(crate) fn save_all(&self) -> impl Iterator<Item = Saved> {
        let entries = self.locations.values().flat_map(OrdMap::values);
        entries.filter_map(|entry| self.save(&entry.name))
    }

    /// Takes in what was written down. `job` makes the job of a method out of its bytes; `None` if it cannot.
    pub(crate) fn restore(
        &mut self,
        saved: &Saved,
        job: impl FnOnce(&str, &[u8]) -> Option<(&'static str, Box<dyn Job<W>>)>,
    ) -> Option<()> {
        let serial = saved.serial;
        let operation = saved.operation.clone().unwrap_or_default();
        let running = if saved.method.is_empty() { None } else { Some(Running::restore(saved, job)?) };
        self.insert_at(serial, operation, running);
        Some(())
    }

    fn entry(&mut self, name: &str) -> Option<&mut Entry<W>> {
        let serial = self.places.get(name)?;
        self.locations.get_mut(names::location(name))?.get_mut(serial).map(Arc::make_mut)
    }

    /// Ends what runs, and gives up what it had a claim to.
    fn end(&mut self, name: &str, end: impl FnOnce(&mut Running<W>) -> Operation) {
        let Some(serial) = self.places.get(name).copied() else { return };
        if let Some(due) = self.end_at(serial, name, end) {
            self.due.remove(&(due, serial));
        }
    }

    /// The same for one whose place is known; gives the time it would have been due at, if time is what it needed.
    fn end_at(
        &mut self,
        serial: u64,
        name: &str,
        end: impl FnOnce(&mut Running<W>) -> Operation,
    ) -> Option<SystemTime> {
        let entry = self.locations.get_mut(names::location(name))?.get_mut(&serial).map(Arc::make_mut)?;
        let mut running = entry.running.take()?;
        entry.operation = end(&mut running);
        for claim in &running.start.claims {
            self.claims.remove(claim);
        }
        self.note(name);
        running.due()
    }

    fn insert(&mut self, operation: Operation, running: Option<Running<W>>) {
        self.insert_at(self.serial + 1, operation, running);
    }

    fn insert_at(&mut self, serial: u64, operation: Operation, running: Option<Running<W>>) {
        let name = operation.name.clone();
        self.forget(&name);
        self.serial = self.serial.max(serial);
        if let Some(running) = &running {
            if let Some(due) = running.due() {
                self.due.insert((due, serial), name.clone());
            }
            self.claims.extend(running.start.claims.iter().map(|claim| (claim.clone(), name.clone())));
        }
        let location = self.locations.entry(names::location(&name).into()).or_default();
        location.insert(serial, Arc::new(Entry { name: name.clone(), operation, running }));
        self.note(&name);
        self.places.insert(name, serial);
    }

    fn forget(&mut self, name: &str) {
        let Some(serial) = self.places.remove(name) else { return };
        self.due.retain(|(_, found), _| *found != serial);
        self.claims.retain(|_, found| found != name);
        if let Some(location) = self.locations.get_mut(names::location(name)) {
            location.remove(&serial);
        }
    }

    fn note(&mut self, name: &str) {
        if let Some(changes) = &mut self.changes {
            changes.insert(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
