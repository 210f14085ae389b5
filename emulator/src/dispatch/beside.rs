//! What takes long, done beside the state: nobody waits for it but who asked for it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use contact_center_insights::Status;

use super::{Core, Inner};
use crate::engine::Due;
use crate::state::State;

/// How often something is done beside the state before everybody waits for it.
const TRIES: usize = 8;

impl Core {
    /// Does something to the state that takes long, while the state goes on: what it was done to is compared with what
    /// there is then, and it is done again if that has changed. What is refused has not happened.
    pub(super) fn beside<R>(&self, act: impl Fn(&mut State) -> Result<R, Status>) -> Result<R, Status> {
        self.beside_and(act, |inner, before| inner.keep(before, self.time()))
    }

    /// The same, with what is done when the state has it, which gets what was there before.
    fn beside_and<R>(
        &self,
        act: impl Fn(&mut State) -> Result<R, Status>,
        keep: impl Fn(&mut Inner, State) -> Result<(), Status>,
    ) -> Result<R, Status> {
        for _ in 0..TRIES {
            let mut fork = self.lock().state.fork();
            let result = act(&mut fork.state).inspect_err(|_| fork.give_up())?;
            let mut inner = self.lock();
            let before = inner.before();
            if inner.state.take_in(&mut fork) {
                let kept = keep(&mut inner, before);
                // The fork goes after the lock.
                drop(inner);
                return kept.map(|()| result);
            }
            fork.give_up();
        }
        let mut inner = self.lock();
        let before = inner.before();
        match act(&mut inner.state) {
            Ok(result) => keep(&mut inner, before).map(|()| result),
            Err(status) => {
                inner.state.undo(before);
                Err(status)
            }
        }
    }

    /// Brings about what is due, one after the other, and what takes long too.
    pub(super) fn end_all(&self) {
        let _turn = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut inner = self.lock();
            inner.state.advance(self.now(), self.order());
            let Some((due, name)) = inner.state.engine.next_ending() else { return };
            drop(inner);
            let _waiting = Waiting { core: self, due };
            let end = |state: &mut State| {
                state.engine.end_due(&mut state.world, due, &name);
                Ok(())
            };
            // What it gives is nothing, and it cannot fail.
            let _ = self.beside_and(end, |inner, _| {
                inner.keep_or_delay(self.time());
                Ok(())
            });
        }
    }

    /// The same on a thread of its own, of which there is one at most.
    pub(super) fn end_in_background(self: &Arc<Self>) {
        if self.is_ending.swap(true, Ordering::AcqRel) {
            return;
        }
        let ending = Ending(Arc::clone(self));
        std::thread::spawn(move || {
            ending.0.end_all();
        });
    }
}

/// What comes after an end that takes long waits for it; but not for one that panicked, which none should.
struct Waiting<'a> {
    core: &'a Core,
    due: Due,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.core.lock().state.engine.give_up_ending(self.due);
    }
}

/// The thread that ends what is due and takes long; when it has ended, however that was, there can be another.
struct Ending(Arc<Core>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.is_ending.store(false, Ordering::Release);
    }
}
