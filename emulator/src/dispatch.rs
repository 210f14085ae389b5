//! The one way from a method's path and request to its response, whatever the transport.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Code, Status};

use crate::clock::{self, Clock};
use crate::contract::{Contract, OPERATIONS};
use crate::message::behavior::validate_and_strip;
use crate::message::own_names;
use crate::methods::{self, Context, Handler, RestOnly, View};
use crate::persist::{self, Log};
use crate::projects::ProjectNumbers;
use crate::state::State;
use crate::{errors, names, time};

/// The emulated service, without its transports.
#[derive(Debug)]
pub(crate) struct Service {
    inner: Mutex<Inner>,
    clock: Arc<dyn Clock>,
}

/// The state, and where it is written down.
#[derive(Debug)]
struct Inner {
    state: State,
    log: Option<Log>,
}

impl Inner {
    /// Writes down what has changed, if it is to be kept. Until then nothing of it may be answered.
    fn keep(&mut self, time: Option<SystemTime>) -> Result<(), Status> {
        let Some(log) = &mut self.log else { return Ok(()) };
        log.keep(&mut self.state, time).map_err(|error| not_kept(&error))
    }
}

fn not_kept(error: &std::io::Error) -> Status {
    tracing::error!(%error, "a change could not be written down");
    let message = format!("the emulator cannot write to its data directory: {error}");
    errors::with_reason(Code::Internal, "DATA_DIRECTORY", message, &[("error", &error.to_string())])
}

impl Service {
    pub(crate) fn new(state: State, clock: Arc<dyn Clock>) -> Self {
        Self { inner: Mutex::new(Inner { state, log: None }), clock }
    }

    /// One whose state outlives it: nothing is answered that is not written down.
    pub(crate) fn kept(state: State, clock: Arc<dyn Clock>, log: Log) -> Self {
        Self { inner: Mutex::new(Inner { state, log: Some(log) }), clock }
    }

    /// Answers one call of the method at `package.Service/Method`. Before it, everything that was due has ended. A call
    /// that only reads works on a snapshot, so that it keeps no other waiting.
    #[cfg(test)]
    pub(crate) fn dispatch(&self, path: &str, request: &[u8]) -> Result<Vec<u8>, Status> {
        self.dispatch_with(path, request, &RestOnly::default())
    }

    /// The same, with what a request over REST says beside.
    pub(crate) fn dispatch_with(
        &self,
        path: &str,
        request: &[u8],
        rest_only: &RestOnly,
    ) -> Result<Vec<u8>, Status> {
        let method = Contract::get().method(path);
        let (Some(method), Some(handler)) = (method, methods::handler(path)) else {
            return Err(unserved(path, method.is_some()));
        };
        let request = validate_and_strip(&method.input, request)?;
        let now = self.now();
        let mut inner = self.lock();
        check_location(&inner.state, path, &request)?;
        inner.state.advance(now);
        let request = spelled(&inner.state, path, request);
        let numbers = Arc::clone(inner.state.world.store.numbers());
        let answer = match handler {
            Handler::Write(handler) => {
                let answer = handler(&mut Context { state: &mut inner.state, now, rest_only }, &request);
                inner.keep(self.time())?;
                answer
            }
            Handler::Read(handler) => {
                inner.keep(self.time())?;
                let view = View::of(&inner.state, now);
                drop(inner);
                handler(&view, &request)
            }
        };
        let answer = answer.map(|answer| numbered(&numbers, path, answer));
        match &answer {
            Ok(_) => tracing::debug!(method = path, "served"),
            Err(status) => tracing::debug!(method = path, %status, "refused"),
        }
        answer
    }

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

    /// Changes the state past the API. Before it, everything that was due has ended.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State, SystemTime) -> R) -> Result<R, Status> {
        let now = self.now();
        let mut inner = self.lock();
        inner.state.advance(now);
        let result = change(&mut inner.state, now);
        inner.keep(self.time())?;
        Ok(result)
    }

    /// Looks at the state past the API, and at the time that is written down with it. Before it, everything that was due
    /// has ended.
    pub(crate) fn view<R>(&self, view: impl FnOnce(&State, Option<SystemTime>) -> R) -> Result<R, Status> {
        let time = self.time();
        self.change(|state, _| view(state, time))
    }

    /// The state as bytes: the same state, the same bytes.
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        persist::snapshot(&self.lock().state, self.time())
    }

    /// Puts the state that these bytes are in place of the one that there is, and sets a clock that is moved by hand.
    pub(crate) fn restore(&self, image: &[u8]) -> Result<(), Status> {
        let mut inner = self.lock();
        let (state, time) = persist::restore(image, &inner.state.world).map_err(|error| {
            let message = format!("the bytes are not a snapshot of this emulator: {error}");
            errors::with_reason(
                Code::InvalidArgument,
                "BAD_SNAPSHOT",
                message,
                &[("error", &error.to_string())],
            )
        })?;
        inner.state = state;
        if let (Some(clock), Some(time)) = (self.clock.as_manual(), time) {
            clock.set(time);
        }
        let Inner { state, log } = &mut *inner;
        log.as_mut().map_or(Ok(()), |log| log.replace(state, self.time())).map_err(|error| not_kept(&error))
    }

    /// How many resources and operations there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let inner = self.lock();
        let operations = inner.state.engine.snapshot().values().map(imbl::OrdMap::len).sum();
        (inner.state.world.store.everything().count(), operations)
    }

    /// The time that is written down with the state: of a clock that is moved by hand, since any other goes on by
    /// itself.
    fn time(&self) -> Option<SystemTime> {
        self.clock.as_manual().map(Clock::now)
    }

    /// Every time that the service notes comes from here.
    fn now(&self) -> SystemTime {
        time::micros(clock::read(&*self.clock))
    }

    /// If a call panics, which none should, the others go on.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses what is addressed in a location that the service is not in, unless any will do.
fn check_location(state: &State, path: &str, request: &[u8]) -> Result<(), Status> {
    if state.world.settings.serves_any_location {
        return Ok(());
    }
    let addressed = own_names::of_method(path).and_then(|(names, _)| names.addressed(request));
    addressed.map_or(Ok(()), names::check_location)
}

/// A request in which projects are written as they are written in the state.
fn spelled<'a>(state: &State, path: &str, request: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    let Some((names, _)) = own_names::of_method(path) else { return request };
    match names.renamed(&request, &|name| state.world.store.spelled(name)) {
        Some(spelled) => Cow::Owned(spelled),
        None => request,
    }
}

/// An answer in which resources are named by the number of their project.
fn numbered(numbers: &ProjectNumbers, path: &str, answer: Vec<u8>) -> Vec<u8> {
    let Some((_, names)) = own_names::of_method(path).filter(|_| !numbers.is_echo()) else { return answer };
    names.renamed(&answer, &|name| numbers.numbered(name)).unwrap_or(answer)
}

fn unserved(path: &str, known: bool) -> Status {
    if known && path.starts_with(OPERATIONS) {
        return errors::operations_lack(path);
    }
    errors::unserved(path, known)
}

#[cfg(test)]
mod tests;
