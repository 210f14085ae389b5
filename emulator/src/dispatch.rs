//! The `dispatch` room: the one way from a method's path and request to its response, whatever the transport.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;

use crate::clock::Clock;
use crate::contract::{Contract, OPERATIONS};
use crate::fault;
use crate::methods::{self, Context, Profiles, State};
use crate::screen::screen;

/// The emulated service, without its transports.
#[derive(Debug)]
pub(crate) struct Service {
    state: Mutex<State>,
    profiles: Profiles,
    clock: Arc<dyn Clock>,
}

impl Service {
    pub(crate) fn new(state: State, profiles: Profiles, clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::new(state), profiles, clock }
    }

    /// Answers one call of the method at `package.Service/Method`. Before it, everything that was due has ended.
    pub(crate) fn dispatch(&self, path: &str, request: &[u8]) -> Result<Vec<u8>, Status> {
        let method = Contract::get().method(path);
        let (Some(method), Some(handler)) = (method, methods::handler(path)) else {
            return Err(unserved(path, method.is_some()));
        };
        let request = screen(&method.input, request)?;
        let now = self.clock.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        state.engine.advance(&mut state.store, now);
        let answer = handler(&mut Context { state, profiles: &self.profiles, now }, &request);
        match &answer {
            Ok(_) => tracing::debug!(method = path, "served"),
            Err(status) => tracing::debug!(method = path, %status, "refused"),
        }
        answer
    }

    /// Places an operation as it is.
    pub(crate) fn place(&self, operation: Operation) {
        self.lock().engine.place(operation);
    }

    /// A call that panicked, which none should, is no reason for the others to fail.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unserved(path: &str, known: bool) -> Status {
    if known && path.starts_with(OPERATIONS) {
        let why = "the service has `GetOperation`, `ListOperations` and `CancelOperation` of this interface";
        return fault::unsupported(path, why);
    }
    fault::unserved(path, known)
}

#[cfg(test)]
mod tests;
