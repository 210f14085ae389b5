//! All that changes while an emulator runs: its operations, and the world that they change.

use std::time::SystemTime;

use contact_center_insights::proto::longrunning::Operation;

use crate::engine::Engine;
use crate::lists::History;
use crate::store::Resources;
use crate::world::World;

/// All that changes. A clone costs little: a change that is refused after all is undone by it.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) engine: Engine<World>,
    pub(crate) world: World,
    /// For lists that are late.
    pub(crate) history: History<World>,
}

/// A state beside the state, on which something is done that takes long while the other goes on.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) state: State,
    /// How it was when the two parted.
    base: (Engine<World>, Resources),
}

impl State {
    /// Another of the same, at no cost.
    pub(crate) fn fork(&self) -> Fork {
        let state =
            Self { engine: self.engine.fork(), world: self.world.fork(), history: History::default() };
        Fork { state, base: (self.engine.clone(), self.world.store.snapshot()) }
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
        self.engine.take_in(&fork.state.engine);
        true
    }

    /// Ends what is due, and takes out what has expired.
    pub(crate) fn advance(&mut self, now: SystemTime) {
        self.engine.advance(&mut self.world, now);
        self.world.store.expire(now);
        self.history.note(self.world.settings.lists, now, || self.engine.snapshot());
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
