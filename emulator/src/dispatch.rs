//! The one way from a method's path and request to its response, whatever the transport.

mod beside;
mod owner;

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use contact_center_insights::Status;

use crate::apart::LARGE;
use crate::clock::{self, Clock};
use crate::contract::{Contract, OPERATIONS};
use crate::message::behavior::validate_and_strip;
use crate::message::own_names;
use crate::methods::{self, Context, Handler, RestOnly, View};
use crate::persist::Log;
use crate::projects::ProjectNumbers;
use crate::state::{Order, State};
use crate::work::Work;
use crate::{errors, names, time};

/// The emulated service, without its transports; clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Service(Arc<Core>);

#[derive(Debug)]
struct Core {
    inner: Mutex<Inner>,
    clock: Arc<dyn Clock>,
    /// Held by who ends what is due and takes long, so that it ends in its order.
    ending: Mutex<()>,
    /// Whether a thread of its own does so.
    is_ending: AtomicBool,
}

/// The state, and where it is written down.
#[derive(Debug)]
struct Inner {
    state: State,
    log: Option<Log>,
}

/// One call of a method.
#[derive(Debug)]
struct Call {
    path: String,
    request: Bytes,
    /// What a request over REST says beside.
    rest_only: RestOnly,
}

type Answer = Result<Vec<u8>, Status>;

/// What a call comes to.
pub(crate) enum Dispatched {
    Done(Answer),
    /// It takes long, and is to be done where nobody waits for it. Nothing has happened yet.
    Long(Box<dyn FnOnce() -> Answer + Send>),
}

/// A call that was not made where others wait for it.
struct TakesLong;

impl Inner {
    /// What there is, to go back to if a change is refused, or cannot be written down. It costs little.
    fn before(&self) -> State {
        self.state.clone()
    }

    /// Writes down what a call has changed, if it is to be kept. Until then nothing of it may be answered. If it cannot be
    /// written down, or the call is refused, it has not happened.
    fn settle<R>(
        &mut self,
        before: State,
        result: Result<R, Status>,
        time: Option<SystemTime>,
    ) -> Result<R, Status> {
        match result {
            Ok(result) => self.keep(before, time).map(|()| result),
            Err(status) => {
                self.state.undo(before);
                self.keep_or_delay(time);
                Err(status)
            }
        }
    }

    /// Writes down what has changed, if it is to be kept; if that fails, it has not happened.
    fn keep(&mut self, before: State, time: Option<SystemTime>) -> Result<(), Status> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let kept = log.keep(&mut self.state, time);
        if kept.is_err() {
            self.state.undo(before);
        }
        kept.map_err(|error| errors::not_kept(&error.directory, &error.source))
    }

    /// The same for what time has brought about. If that cannot be written down, it is there all the same, and is written
    /// down later: it would come about again.
    fn keep_or_delay(&mut self, time: Option<SystemTime>) {
        let Some(log) = &mut self.log else { return };
        let before = self.state.has_changes().then(|| self.state.clone());
        if let (Err(_), Some(before)) = (log.keep(&mut self.state, time), before) {
            self.state = before;
        }
    }
}

impl Service {
    pub(crate) fn new(state: State, clock: Arc<dyn Clock>) -> Self {
        Self::of(Inner { state, log: None }, clock)
    }

    /// One whose state outlives it: nothing is answered that is not written down.
    pub(crate) fn kept(state: State, clock: Arc<dyn Clock>, log: Log) -> Self {
        Self::of(Inner { state, log: Some(log) }, clock)
    }

    fn of(inner: Inner, clock: Arc<dyn Clock>) -> Self {
        let (inner, ending) = (Mutex::new(inner), Mutex::default());
        Self(Arc::new(Core { inner, clock, ending, is_ending: AtomicBool::new(false) }))
    }

    /// Answers one call of the method at `package.Service/Method`, however long it takes.
    #[cfg(test)]
    pub(crate) fn dispatch(&self, path: &str, request: &[u8]) -> Answer {
        match self.begin(path, Bytes::copy_from_slice(request), &RestOnly::default()) {
            Dispatched::Done(answer) => answer,
            Dispatched::Long(act) => act(),
        }
    }

    /// Answers one call, or finds that it takes long. Before it, everything that was due has ended; but what takes long
    /// to end, and is due by a clock that goes by itself, is ended beside the calls.
    pub(crate) fn begin(&self, path: &str, request: Bytes, rest_only: &RestOnly) -> Dispatched {
        let call = Call { path: path.to_owned(), request, rest_only: rest_only.clone() };
        // To read and check what is large takes long by itself.
        if call.request.len() <= LARGE
            && let Ok(answer) = self.0.answer(&call, false)
        {
            return Dispatched::Done(answer);
        }
        let core = Arc::clone(&self.0);
        Dispatched::Long(Box::new(move || {
            let answer = core.answer(&call, true);
            answer.unwrap_or_else(|TakesLong| Err(errors::internal("a call took longer than any may")))
        }))
    }
}

impl Core {
    /// Answers a call. Unless it is made apart from the others, it is not made at all if it takes long.
    fn answer(self: &Arc<Self>, call: &Call, is_apart: bool) -> Result<Answer, TakesLong> {
        let path = call.path.as_str();
        let method = Contract::get().method(path);
        let (Some(method), Some(handler)) = (method, methods::handler(path)) else {
            return Ok(Err(unserved(path, method.is_some())));
        };
        let answer = validate_and_strip(&method.input, &call.request)
            .map_or_else(|status| Ok(Err(status)), |request| self.valid(call, request, handler, is_apart))?;
        match &answer {
            Ok(_) => tracing::debug!(method = path, "served"),
            Err(status) => tracing::debug!(method = path, %status, "refused"),
        }
        Ok(answer)
    }

    /// The same with a request that may be seen by its method.
    fn valid(
        self: &Arc<Self>,
        call: &Call,
        request: Cow<'_, [u8]>,
        handler: &Handler,
        is_apart: bool,
    ) -> Result<Answer, TakesLong> {
        let (path, rest_only, now) = (call.path.as_str(), &call.rest_only, self.now());
        let mut inner = self.lock();
        if let Err(status) = check_location(&inner.state, path, &request) {
            return Ok(Err(status));
        }
        inner.state.advance(now, self.order());
        if inner.state.engine.has_endings() {
            if self.clock.as_manual().is_none() {
                self.end_in_background();
            } else if is_apart {
                drop(inner);
                self.end_all();
                inner = self.lock();
            } else {
                return Err(TakesLong);
            }
        }
        let request = spelled(&inner.state, path, request);
        let numbers = Arc::clone(inner.state.world.store.numbers());
        let addressed = own_names::of_method(path).and_then(|(names, _)| names.addressed(&request));
        let answer = match handler {
            Handler::Write(_, length)
                if !is_apart && length.is_long(&inner.state, addressed.unwrap_or_default()) =>
            {
                return Err(TakesLong);
            }
            Handler::Write(handler, _) if is_apart => {
                drop(inner);
                self.beside(|state| handler(&mut Context { state, now, rest_only }, &request))
            }
            Handler::Write(handler, _) => {
                let before = inner.before();
                let answer = handler(&mut Context { state: &mut inner.state, now, rest_only }, &request);
                inner.settle(before, answer, self.time())
            }
            Handler::Count { length, .. }
                if !is_apart && length.is_long(&inner.state, addressed.unwrap_or_default()) =>
            {
                return Err(TakesLong);
            }
            Handler::Count { counted, uncounted, .. } if is_apart => {
                drop(inner);
                let counted = self.beside(|state| counted(&mut Context { state, now, rest_only }, &request));
                counted.or_else(|_| {
                    let mut inner = self.lock();
                    uncounted(&mut Context { state: &mut inner.state, now, rest_only }, &request)
                })
            }
            Handler::Count { counted, uncounted, .. } => {
                let before = inner.before();
                let answer = counted(&mut Context { state: &mut inner.state, now, rest_only }, &request);
                match inner.keep(before, self.time()) {
                    Ok(()) => answer,
                    Err(_) => uncounted(&mut Context { state: &mut inner.state, now, rest_only }, &request),
                }
            }
            Handler::Read(handler) => {
                inner.keep_or_delay(self.time());
                let work = if is_apart { Work::most() } else { Work::brief() };
                let view = View::of(&inner.state, now, work);
                drop(inner);
                let answer = handler(&view, &request);
                if !is_apart && view.work.is_spent() {
                    return Err(TakesLong);
                }
                answer
            }
        };
        Ok(answer.map(|answer| numbered(&numbers, path, answer)))
    }

    /// The time that is written down with the state: of a clock that is moved by hand, since any other goes on by
    /// itself.
    fn time(&self) -> Option<SystemTime> {
        self.clock.as_manual().map(Clock::now)
    }

    /// Nobody waits by a clock that goes by itself.
    fn order(&self) -> Order {
        if self.clock.as_manual().is_some() { Order::OfAll } else { Order::OfLocation }
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
