//! The `dispatch` room: the one way from a method's path and request to its response, whatever the transport.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;

use crate::clock::Clock;
use crate::contract::{Contract, OPERATIONS};
use crate::fault;
use crate::message::behavior::screen;
use crate::methods::{self, Context, Handler, State, View};

/// The emulated service, without its transports.
#[derive(Debug)]
pub(crate) struct Service {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl Service {
    pub(crate) fn new(state: State, clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::new(state), clock }
    }

    /// Answers one call of the method at `package.Service/Method`. Before it, everything that was due has ended. A call
    /// that only reads works on a snapshot, so that it keeps no other waiting.
    pub(crate) fn dispatch(&self, path: &str, request: &[u8]) -> Result<Vec<u8>, Status> {
        let method = Contract::get().method(path);
        let (Some(method), Some(handler)) = (method, methods::handler(path)) else {
            return Err(unserved(path, method.is_some()));
        };
        let request = screen(&method.input, request)?;
        let now = self.clock.now();
        let mut state = self.lock();
        state.advance(now);
        let answer = match handler {
            Handler::Write(handler) => handler(&mut Context { state: &mut state, now }, &request),
            Handler::Read(handler) => {
                let view = View::of(&state, now);
                drop(state);
                handler(&view, &request)
            }
        };
        match &answer {
            Ok(_) => tracing::debug!(method = path, "served"),
            Err(status) => tracing::debug!(method = path, %status, "refused"),
        }
        answer
    }

    /// Places an operation as it is.
    pub(crate) fn place(&self, operation: Operation) {
        self.lock().place(operation);
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
mod generated;
#[cfg(test)]
mod tests;
