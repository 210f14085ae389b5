//! Operations from start to end, as a pure state machine.
//!
//! Time is an argument, and the world that jobs change is one too. An operation waits (its progress is zero), runs
//! (its metadata moves), and ends once, in a response or in an error; from then on it never changes. What is due is
//! found by time, what is listed by location, and what works on a resource by the resource: none of it by search. The maps
//! are persistent, so that a [fork](Engine::fork) costs nothing: what takes long is done on one, beside the engine.

mod due;
mod fork;
mod job;
mod look;
mod past;
mod running;
mod written;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};
use contact_center_insights::{Code, Status};
use imbl::{HashMap, OrdMap};

pub(crate) use self::due::Due;
pub(crate) use self::job::{Claim, FollowUps, Job, Moment, Start};
pub(crate) use self::look::Stage;
use self::running::Running;
pub(crate) use self::running::{ONLY_ONE, Saved, SavedClaim};
use crate::{errors, names};

/// One operation.
#[derive(Debug)]
pub(crate) struct Entry<W> {
    name: Arc<str>,
    /// The operation as it is, if nothing runs.
    operation: Operation,
    running: Option<Running<W>>,
    /// When it was started, if that was here.
    started: Option<SystemTime>,
    /// When it ended and what it was until then, as long as that is shown.
    until: Option<(SystemTime, Arc<Self>)>,
}

impl<W> Clone for Entry<W> {
    fn clone(&self) -> Self {
        let Self { name, operation, running, started, until } = self;
        Self {
            name: name.clone(),
            operation: operation.clone(),
            running: running.clone(),
            started: *started,
            until: until.clone(),
        }
    }
}

impl<W> Entry<W> {
    /// The operation at this moment. Looking does not count as a poll.
    pub(crate) fn at(&self, now: SystemTime) -> Operation {
        let running = self.running.as_ref().map(|running| running.snapshot(now));
        running.unwrap_or_else(|| self.operation.clone())
    }
}

/// The operations of one location at one moment, by their place in the order of their start.
pub(crate) type Operations<W> = OrdMap<u64, Arc<Entry<W>>>;

/// All operations. The maps are persistent: a clone costs little, so that what was refused can be undone.
#[derive(Debug)]
pub(crate) struct Engine<W> {
    locations: OrdMap<Arc<str>, Operations<W>>,
    places: HashMap<Arc<str>, u64>,
    due: OrdMap<Due, Arc<str>>,
    /// What is due and takes long to end: it runs until somebody has done that beside the engine.
    ending: OrdMap<Due, Arc<str>>,
    claims: HashMap<Claim, Arc<str>>,
    /// When what ended whose past is kept.
    past: OrdMap<Due, Arc<str>>,
    serial: u64,
    /// The names of what has changed since it was last asked, if anyone wants to know.
    changes: Option<BTreeSet<String>>,
}

impl<W> Default for Engine<W> {
    fn default() -> Self {
        Self {
            locations: OrdMap::new(),
            places: HashMap::new(),
            due: OrdMap::new(),
            ending: OrdMap::new(),
            claims: HashMap::new(),
            past: OrdMap::new(),
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
        let mut running = Running::new(start, now);
        if running.is_due(now) {
            let operation = running.end(world, now);
            self.insert(operation.clone(), None, Some(now));
            self.follow_up(world, now);
            return Ok(operation);
        }
        let operation = running.snapshot(now);
        self.insert(operation.clone(), Some(running), Some(now));
        Ok(operation)
    }

    /// Answers a poll, which is what moves an operation of the profile `polls:N` on.
    pub(crate) fn poll(&mut self, world: &mut W, name: &str, now: SystemTime) -> Option<Operation> {
        let entry = self.entry(name)?;
        let Some(running) = &mut entry.running else { return Some(entry.operation.clone()) };
        // What time ends has ended by now, or is being ended.
        if running.is_last_poll() {
            let shown = world.shows_past().then_some(now);
            self.end(name, shown, |running| {
                running.polled();
                running.end(world, now)
            });
            self.follow_up(world, now);
        } else {
            running.polled();
            self.note(name);
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
        let shown = world.shows_past().then_some(now);
        let until = self.shared(name)?.clone();
        if until.running.is_some() {
            drop(until);
            self.end(name, shown, |running| running.fail(world, now, status));
        } else if !until.operation.done {
            let entry = self.entry(name)?;
            entry.operation.done = true;
            entry.operation.result = Some(Outcome::Error(status.into()));
            if let Some(now) = shown {
                entry.until = Some((now, until));
                let serial = self.places.get(name).copied().unwrap_or_default();
                self.past.insert((now, serial), name.into());
            }
            self.note(name);
        }
        Some(())
    }

    /// Ends an operation as it would end by itself, now. `None` if there is no such operation, `Some(false)` if there
    /// is nothing that could end.
    pub(crate) fn complete(&mut self, world: &mut W, name: &str, now: SystemTime) -> Option<bool> {
        let is_running = self.entry(name)?.running.is_some();
        if is_running {
            let shown = world.shows_past().then_some(now);
            self.end(name, shown, |running| running.end(world, now));
            self.follow_up(world, now);
        }
        Some(is_running)
    }

    /// Whether the next poll ends an operation.
    pub(crate) fn is_last_poll(&self, name: &str) -> bool {
        self.look(name).is_some_and(|entry| entry.running.as_ref().is_some_and(Running::is_last_poll))
    }

    /// Starts what the jobs that ended have asked for. What cannot start has ended in the error that says why: its
    /// name may be known already.
    fn follow_up(&mut self, world: &mut W, now: SystemTime) {
        for start in world.follow_ups() {
            let name = start.name.clone();
            if let Err(status) = self.start(world, start, now) {
                let result = Some(Outcome::Error(world.inside(status).into()));
                self.insert(Operation { name, done: true, result, ..Operation::default() }, None, Some(now));
            }
        }
    }
}

impl<W> Engine<W> {
    /// `ABORTED` if an operation is working on the same thing (AIP-151).
    pub(crate) fn check_idle(&self, claim: &Claim) -> Result<(), Status> {
        let Some(name) = self.claims.get(claim) else { return Ok(()) };
        let message = format!("the operation `{name}` is still {claim}: wait for it, or cancel it");
        let parts = [("resource", claim.resource.as_str()), ("operation", &**name)];
        Err(errors::with_reason(Code::Aborted, "CONCURRENT_OPERATION", message, &parts))
    }

    /// Places an operation as it is, in place of any of the same name. It changes only if it is cancelled or failed.
    pub(crate) fn place(&mut self, operation: Operation) {
        self.insert(operation, None, None);
    }

    /// The operation of this name.
    pub(crate) fn look(&self, name: &str) -> Option<&Entry<W>> {
        let serial = self.places.get(name)?;
        self.locations.get(names::location(name))?.get(serial).map(AsRef::as_ref)
    }

    /// The operation at a place in the order of starts of a location.
    pub(crate) fn at(&self, location: &str, serial: u64) -> Option<&str> {
        self.locations.get(location)?.get(&serial).map(|entry| &*entry.name)
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
            let changes = self.changes.take();
            *self = Self { serial: self.serial, changes, ..Self::default() };
            return before;
        }
        let stays = |name: &str| project.is_some_and(|project| names::project(name) != project);
        let locations = self.locations.iter().filter(|(location, _)| stays(location));
        self.locations = locations.map(|(location, all)| (location.clone(), all.clone())).collect();
        self.places.retain(|name, _| stays(name));
        self.claims.retain(|_, name| stays(name));
        for times in [&mut self.due, &mut self.ending, &mut self.past] {
            *times =
                times.iter().filter(|(_, name)| stays(name)).map(|(at, name)| (*at, name.clone())).collect();
        }
        before
    }

    fn entry(&mut self, name: &str) -> Option<&mut Entry<W>> {
        let serial = self.places.get(name)?;
        self.locations.get_mut(names::location(name))?.get_mut(serial).map(Arc::make_mut)
    }

    /// Ends what runs, and gives up what it had a claim to. What it was until now is kept if it is `shown`.
    fn end(&mut self, name: &str, shown: Option<SystemTime>, end: impl FnOnce(&mut Running<W>) -> Operation) {
        let Some(serial) = self.places.get(name).copied() else { return };
        if let Some(Some(due)) = self.end_at(serial, name, shown, end) {
            self.due.remove(&(due, serial));
            self.ending.remove(&(due, serial));
        }
    }

    /// The same for one whose place is known; gives the time it would have been due at, if time is what it needed, and
    /// nothing if it has ended already.
    #[allow(clippy::option_option, reason = "whether it ended now, and whether time was what it needed")]
    fn end_at(
        &mut self,
        serial: u64,
        name: &str,
        shown: Option<SystemTime>,
        end: impl FnOnce(&mut Running<W>) -> Operation,
    ) -> Option<Option<SystemTime>> {
        let entry = self.locations.get_mut(names::location(name))?.get_mut(&serial)?;
        let until = shown.map(|now| (now, Arc::clone(entry)));
        let entry = Arc::make_mut(entry);
        let mut running = entry.running.take()?;
        entry.operation = end(&mut running);
        entry.until = until;
        if let Some(now) = shown {
            self.past.insert((now, serial), Arc::clone(&entry.name));
        }
        for claim in &running.start.claims {
            self.claims.remove(claim);
        }
        self.note(name);
        Some(running.due())
    }

    fn insert(&mut self, operation: Operation, running: Option<Running<W>>, started: Option<SystemTime>) {
        let name: Arc<str> = operation.name.as_str().into();
        let entry = Entry { name, operation, running, started, until: None };
        self.insert_entry(self.serial + 1, Arc::new(entry));
    }

    fn insert_entry(&mut self, serial: u64, entry: Arc<Entry<W>>) {
        let name = Arc::clone(&entry.name);
        self.forget(&name);
        self.serial = self.serial.max(serial);
        if let Some(running) = &entry.running {
            if let Some(due) = running.due() {
                self.due.insert((due, serial), Arc::clone(&name));
            }
            for claim in &running.start.claims {
                self.claims.insert(claim.clone(), Arc::clone(&name));
            }
        }
        if let Some((ended, _)) = &entry.until {
            self.past.insert((*ended, serial), Arc::clone(&name));
        }
        self.locations.entry(names::location(&name).into()).or_default().insert(serial, entry);
        self.note(&name);
        self.places.insert(name, serial);
    }

    fn forget(&mut self, name: &str) {
        let Some(serial) = self.places.remove(name) else { return };
        let location = self.locations.get_mut(names::location(name));
        let Some(entry) = location.and_then(|location| location.remove(&serial)) else { return };
        let Some(running) = &entry.running else { return };
        if let Some(due) = running.due() {
            self.due.remove(&(due, serial));
            self.ending.remove(&(due, serial));
        }
        for claim in &running.start.claims {
            self.claims.remove(claim);
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
