//! All that changes while an emulator runs: its operations, and the world that they change.

use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::proto::longrunning::Operation;
use prost_types::Timestamp;

use crate::engine::{Due, Engine, FollowUps as _};
use crate::names;
use crate::store::{Expiry, Store};
use crate::world::World;

/// All that changes. A clone costs little: a change that is refused after all is undone by it.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) engine: Engine<World>,
    pub(crate) world: World,
}

/// How far the order of times goes where to end an operation takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Everything waits for it. By a clock that is moved by hand, the same time always brings the same state about,
    /// whatever the steps to it.
    OfAll,
    /// What is in its location waits for it, since nothing else can show the difference. By a clock that goes by itself,
    /// the other locations go on.
    OfLocation,
}

/// How much that waits is looked at to find what does not. What lies beyond is late, and in order all the same.
const MOST_WAITING: usize = 1000;

/// What time brings about.
#[derive(Clone, Debug)]
enum Event {
    End(Due, Arc<str>),
    Expiry(Expiry),
}

fn seconds_nanos(time: SystemTime) -> (i64, i32) {
    let time = Timestamp::from(time);
    (time.seconds, time.nanos)
}

/// A state beside the state, on which something is done that takes long while the other goes on.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) state: State,
    /// How it was when the two parted.
    base: (Engine<World>, Store),
}

impl Fork {
    /// Nothing of what was done in it has come about.
    pub(crate) fn give_up(&self) {
        let (_, store) = &self.base;
        self.state.world.store.give_back_ids(store);
    }
}

impl State {
    /// Another of the same, at no cost.
    pub(crate) fn fork(&self) -> Fork {
        let state = Self { engine: self.engine.fork(), world: self.world.fork() };
        Fork { state, base: (self.engine.clone(), self.world.store.clone()) }
    }

    /// Takes in what was done in a fork: all of it, if nothing that it is about has changed here meanwhile, and else
    /// nothing. Says whether it did; the fork is of no use any more, and to drop it may take long.
    pub(crate) fn take_in(&mut self, fork: &mut Fork) -> bool {
        let (engine, resources) = &fork.base;
        let store = &mut self.world.store;
        let changes = fork.state.world.store.take_changes();
        let is_still = store.is_still(resources);
        if !self.engine.agrees(engine, &fork.state.engine) || !(is_still || store.agrees(resources, &changes))
        {
            return false;
        }
        // Nobody waits for a hundred thousand changes, if they are the only ones.
        if is_still {
            store.become_like(&fork.state.world.store, changes);
        } else {
            store.take_in(changes);
        }
        store.use_ids(&fork.state.world.store);
        self.engine.take_in(&fork.state.engine);
        true
    }

    /// Becomes what it was before a change that has not come about, with the ids that the change was given.
    pub(crate) fn undo(&mut self, before: Self) {
        self.world.store.give_back_ids(&before.world.store);
        *self = before;
    }

    /// Brings about what is due by `now`, in the order of the times and each at its own: operations end, and resources
    /// expire. What takes long to end is left for [`Engine::next_ending`], and what comes after it waits.
    pub(crate) fn advance(&mut self, now: SystemTime, order: Order) {
        let mut waiting: Vec<String> =
            self.engine.endings().map(names::location).map(str::to_owned).collect();
        // What waits has been looked at; what comes about is gone.
        let (mut seen_due, mut seen_expiry, mut left) = (None, None, MOST_WAITING);
        while left > 0 && (waiting.is_empty() || order == Order::OfLocation) {
            let Some(next) = self.next_event(now, seen_due, seen_expiry.as_ref()) else { break };
            if !waiting.is_empty() && waiting.contains(&self.location(&next)) {
                left -= 1;
                match next {
                    Event::End(due, _) => seen_due = Some(due),
                    Event::Expiry(expiry) => seen_expiry = Some(expiry),
                }
                continue;
            }
            match next {
                Event::End(due, name) if self.world.is_long(names::location(&name)) => {
                    self.engine.end_later(due);
                    waiting.push(names::location(&name).to_owned());
                }
                Event::End(due, name) => self.engine.end_due(&mut self.world, due, &name),
                Event::Expiry(expiry) => self.world.store.expire(&expiry),
            }
        }
        if let Some(then) = self.world.settings.lists.shown(now) {
            self.engine.forget_past(then);
        }
    }

    /// What comes about next, of what was not seen, by `now`. Where two times are the same, operations end first.
    fn next_event(&self, now: SystemTime, due: Option<Due>, expiry: Option<&Expiry>) -> Option<Event> {
        let due = self.engine.next_due(due).filter(|((at, _), _)| *at <= now);
        let expiry = self.world.store.next_expiry(expiry);
        let expiry = expiry.filter(|(seconds, nanos, _)| (*seconds, *nanos) <= seconds_nanos(now));
        let ends_first = match (due, expiry) {
            (Some(((at, _), _)), Some((seconds, nanos, _))) => seconds_nanos(at) <= (*seconds, *nanos),
            (due, _) => due.is_some(),
        };
        match due.filter(|_| ends_first) {
            Some((due, name)) => Some(Event::End(due, Arc::clone(name))),
            None => expiry.cloned().map(Event::Expiry),
        }
    }

    /// The location of what comes about, as operations have it.
    fn location(&self, event: &Event) -> String {
        let (Event::End(_, name) | Event::Expiry((.., name))) = event;
        let location = names::location(name);
        self.world.store.spelled(location).unwrap_or_else(|| location.to_owned())
    }

    /// Takes out all that a project has, or all there is; what is given back is to be dropped, which takes longer.
    pub(crate) fn clear(&mut self, project: Option<&str>) -> impl Send + use<> {
        let spelling = project.map(|project| self.world.store.spelling(project).to_owned());
        (self.engine.clear(spelling.as_deref()), self.world.store.clear(spelling.as_deref()))
    }

    /// Places an operation as it is.
    pub(crate) fn place(&mut self, mut operation: Operation) {
        self.know(&operation.name);
        if let Some(name) = self.world.store.spelled(&operation.name) {
            operation.name = name;
        }
        self.world.store.reserve(&operation.name);
        self.engine.place(operation);
    }

    /// Whether anything has changed since changes were last taken.
    pub(crate) fn has_changes(&self) -> bool {
        self.world.store.has_changes() || self.engine.has_changes()
    }

    /// Notes how the project of a name is written.
    pub(crate) fn know(&mut self, name: &str) {
        self.world.store.know(name);
    }
}
