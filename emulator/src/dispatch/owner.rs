//! What the emulator's owner does to the state past the API: resets, seeds, snapshots, and the end.

use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Code, Status};

use super::{Inner, Service};
use crate::state::State;
use crate::{errors, persist};

impl Service {
    /// Takes out all that a project has, or all there is. Memory is given back beside the calls that follow.
    pub(crate) fn reset(&self, project: Option<&str>) -> Result<(), Status> {
        if project.is_some_and(|project| project.contains('/')) {
            return Err(errors::invalid("project", "is the id of a project, without `projects/`"));
        }
        let gone = self.change(|state, _| state.clear(project))?;
        std::thread::spawn(move || drop(gone));
        Ok(())
    }

    /// Places an operation as it is.
    pub(crate) fn place(&self, operation: Operation) -> Result<(), Status> {
        self.change(|state, _| state.place(operation))
    }

    /// Changes the state past the API. Before it, everything that was due has ended. If it cannot be written down, it has
    /// not happened.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State, SystemTime) -> R) -> Result<R, Status> {
        let now = self.0.now();
        let (mut inner, before) = self.advanced(now);
        let result = change(&mut inner.state, now);
        inner.keep(before, self.0.time())?;
        Ok(result)
    }

    /// Looks at the state past the API, and at the time that is written down with it. Before it, everything that was due
    /// has ended.
    pub(crate) fn view<R>(&self, view: impl FnOnce(&State, Option<SystemTime>) -> R) -> R {
        let (mut inner, _) = self.advanced(self.0.now());
        let time = self.0.time();
        if inner.state.has_changes() {
            inner.keep_or_delay(time);
        }
        // Others are not kept waiting by the looking.
        let fork = inner.state.fork();
        drop(inner);
        view(&fork.state, time)
    }

    /// The state after what was due has ended, and as it was before.
    fn advanced(&self, now: SystemTime) -> (MutexGuard<'_, Inner>, State) {
        let mut inner = self.0.lock();
        let before = inner.before();
        inner.state.advance(now, self.0.order());
        if !inner.state.engine.has_endings() {
            return (inner, before);
        }
        drop(inner);
        self.0.end_all();
        let inner = self.0.lock();
        let before = inner.before();
        (inner, before)
    }

    /// The state as bytes: the same state, the same bytes. Before it, everything that was due has ended.
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        self.view(persist::snapshot)
    }

    /// Puts the state that these bytes are in place of the one that there is, and sets a clock that is moved by hand.
    pub(crate) fn restore(&self, image: &[u8]) -> Result<(), Status> {
        let core = &self.0;
        let settings = Arc::clone(&core.lock().state.world.settings);
        let (mut state, time) = persist::restore(image, &settings).map_err(|error| {
            let message = format!("the snapshot cannot be restored: {error}");
            errors::with_reason(
                Code::InvalidArgument,
                "BAD_SNAPSHOT",
                message,
                &[("error", &error.to_string())],
            )
        })?;
        let mut inner = core.lock();
        let clock = core.clock.as_manual();
        if let Some(log) = &mut inner.log {
            let time = clock.and(time.or_else(|| core.time()));
            log.replace(&mut state, time)
                .map_err(|error| errors::not_kept(&error.directory, &error.source))?;
        }
        if let (Some(clock), Some(time)) = (clock, time) {
            clock.set(time);
        }
        let old = std::mem::replace(&mut inner.state, state);
        drop(inner);
        drop(old);
        Ok(())
    }

    /// Syncs what was written down: the emulator stops.
    pub(crate) fn close(&self) {
        if let Some(log) = &mut self.0.lock().log {
            log.close();
        }
    }

    /// How many resources and operations there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let inner = self.0.lock();
        let (resources, operations) = (inner.state.world.store.snapshot(), inner.state.engine.snapshot());
        drop(inner);
        (resources.everything().count(), operations.values().map(imbl::OrdMap::len).sum())
    }
}
