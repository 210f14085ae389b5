//! What takes long, done beside the state: nobody waits for it but who asked for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use contact_center_insights::Status;

use super::Core;
use crate::state::State;

/// How often something is done beside the state before everybody waits for it.
const TRIES: usize = 8;

impl Core {
    /// Does something to the state that takes long, while the state goes on: what it was done to is compared with what
    /// there is then, and it is done again if that has changed.
    pub(super) fn beside<R>(&self, act: impl Fn(&mut State) -> R) -> Result<R, Status> {
        for _ in 0..TRIES {
            let mut fork = self.lock().state.fork();
            let result = act(&mut fork.state);
            let mut inner = self.lock();
            if inner.state.take_in(&mut fork) {
                inner.keep(self.time())?;
                // The fork goes after the lock.
                drop(inner);
                return Ok(result);
            }
        }
        let mut inner = self.lock();
        let result = act(&mut inner.state);
        inner.keep(self.time())?;
        Ok(result)
    }

    /// Ends what is due and takes long, one after the other.
    pub(super) fn end_all(&self) -> Result<(), Status> {
        loop {
            let next = self.lock().state.engine.next_ending();
            let Some((due, name)) = next else { return Ok(()) };
            self.beside(|state| state.engine.end_due(&mut state.world, due, &name))?;
        }
    }

    /// The same on a thread of its own, of which there is one at most.
    pub(super) fn end_in_background(self: &Arc<Self>) {
        if self.is_ending.swap(true, Ordering::AcqRel) {
            return;
        }
        let ending = Ending(Arc::clone(self));
        std::thread::spawn(move || {
            // That it could not be written down is told already.
            let _ = ending.0.end_all();
        });
    }
}

/// The thread that ends what is due and takes long; when it has ended, however that was, there can be another.
struct Ending(Arc<Core>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.is_ending.store(false, Ordering::Release);
    }
}
