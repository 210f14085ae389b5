//! Chooses the connection that carries a request: the one with the fewest in flight, a new one when all are full, and
//! a place in the queue when no more may be opened.
//!
//! Connections are opened by a task of its own, one at a time, so that a call that is dropped takes nothing from those
//! that wait with it. After a failure the next is tried after a moment (100 ms, doubled up to 1 s): calls meanwhile wait for
//! its outcome, so that what they hear is never old.
//!
//! Nothing is spawned from a drop: what is dropped may be dropped by a runtime that ends, and drops whatever is spawned on
//! it. Where a drop leaves the queue without an opening that it needs, those in it are told to enter again, each from its own
//! task.

mod connection;
mod exchange;
mod health;
mod inbound;
mod keepalive;
mod opening;
mod ping_interval;
mod progress;
mod pulse;
mod queue;
mod settings;
mod slot;
mod state;
mod upload;
mod waiter;
mod wire;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

use connection::{Connection, Event};
pub(super) use exchange::{Exchange, ReplyBody};
use health::Health;
use opening::Opening;
use ping_interval::Interval;
pub(super) use ping_interval::default_interval;
pub(crate) use progress::{Progress, ProgressCell, Stage};
use pulse::Pulse;
use queue::Ticket;
pub(crate) use settings::PoolSettings;
use slot::Slot;
use state::{Grant, PoolState};
use waiter::{Place, Waiter};

use super::connect::Connector;
use super::outbound::Outbound;
use crate::error::{BoxError, ConnectFailure, Unreachable};
use crate::time::later;

/// After the first failure to connect; doubled by each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// Connections to one endpoint. Clones share them; they close when the last clone is dropped, and the last call ended.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    connector: Connector,
    settings: PoolSettings,
    scheme: Scheme,
    authority: Authority,
    /// Between pings on the next connection.
    interval: Arc<Interval>,
    state: Mutex<PoolState>,
    /// The length of the queue, to be read without the lock.
    waiting: AtomicUsize,
    /// As above: connections that can carry calls.
    sound: AtomicUsize,
}

/// What a call gets that enters.
enum Entered {
    Slot(Slot),
    Waiting(Waiter),
}

/// Who opens a connection, if one more is wanted.
#[derive(Clone, Copy)]
enum Opener<'a> {
    /// A new task on this runtime.
    New(&'a Handle),
    /// The task that has opened one just now.
    Same(&'a Arc<Pulse>),
    /// Those in the queue, from tasks of their own.
    Waiting,
    /// Nobody: the caller has no runtime.
    Nobody,
}

impl Pool {
    pub(super) fn new(connector: Connector, origin: (Scheme, Authority), settings: PoolSettings) -> Self {
        let (scheme, authority) = origin;
        let interval = Arc::new(Interval::new(settings.keepalive_interval));
        let (state, waiting, sound) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Shared { connector, settings, scheme, authority, interval, state, waiting, sound }))
    }

    /// The host that its connections lead to.
    pub(super) fn host(&self) -> &str {
        self.0.authority.host()
    }

    pub(super) fn call(&self, request: Request<Outbound>) -> Exchange {
        Exchange::new(self.clone(), request)
    }

    /// The request as it travels: with scheme and authority, without its body.
    fn address(&self, request: Request<Outbound>) -> Result<(Request<()>, Outbound), http::Error> {
        let (mut head, body) = request.into_parts();
        let mut uri = head.uri.into_parts();
        uri.scheme = Some(self.0.scheme.clone());
        uri.authority = Some(self.0.authority.clone());
        head.uri = Uri::from_parts(uri)?;
        head.version = http::Version::HTTP_2;
        Ok((Request::from_parts(head, ()), body))
    }

    /// A place for one request now, or a place in the queue, which may be one that it has had before.
    fn enter(&self, again: Option<Place>, runtime: Option<&Handle>) -> Result<Entered, Unreachable> {
        let here = runtime.map(Handle::id);
        let mut state = self.0.lock();
        if state.queue.is_empty()
            && let Some(connection) = state.least_busy(here)
        {
            return Ok(Entered::Slot(Slot::new(self, connection)));
        }
        if runtime.is_none() && state.opening.is_none() && state.sound() == 0 {
            return Err(no_runtime());
        }
        let looks = runtime.is_some() && state.is_elsewhere(here);
        let (ticket, grant) = state.queue.join(again.map(|place| place.ticket));
        let place = again.unwrap_or_else(|| Place::new(ticket));
        let waiter = Waiter::new(self.clone(), place, grant, looks);
        self.0.waiting.store(state.queue.len(), Ordering::SeqCst);
        // A place may have come free before that was seen; one that comes free later is given by who leaves it.
        let opening = self.serve(state, runtime.map_or(Opener::Nobody, Opener::New));
        if opening.is_some_and(|opening| opening.is_abandoned()) {
            return Err(no_runtime());
        }
        Ok(Entered::Waiting(waiter))
    }

    /// Gives places to those in the queue, and has a connection opened for the rest, if one more may be opened: by the task
    /// that is returned, if there is one.
    fn serve(&self, mut state: MutexGuard<'_, PoolState>, opener: Opener<'_>) -> Option<Arc<Pulse>> {
        let mut unclaimed = Vec::new();
        while !state.queue.is_empty()
            && let Some(connection) = state.least_busy(None)
            && let Some(grant) = state.queue.pop()
        {
            if let Err(slot) = grant.send(Grant::Slot(Slot::new(self, connection))) {
                unclaimed.push(slot);
            }
        }
        state.connections.retain(|connection| connection.health().is_open());
        let (mut opening, mut starts, mut told) = (None, None, None);
        let sound = state.sound();
        let is_wanted = state.opening.is_none() && sound < self.0.settings.max_connections;
        if is_wanted && !state.queue.is_empty() {
            match opener {
                Opener::New(runtime) => {
                    let pulse = Arc::new(Pulse::new(runtime.id()));
                    starts = Some((runtime, Opening::new(self.clone(), pulse.clone())));
                    opening = Some(pulse);
                }
                Opener::Same(pulse) => opening = Some(pulse.clone()),
                Opener::Waiting => told = Some(state.queue.take()),
                Opener::Nobody => {}
            }
            state.opening.clone_from(&opening);
        }
        self.0.waiting.store(state.queue.len(), Ordering::SeqCst);
        self.0.sound.store(sound, Ordering::Relaxed);
        // What follows takes the lock again: a place that nobody took, and a runtime that runs nothing any more.
        drop(state);
        drop(unclaimed);
        for grant in told.into_iter().flatten() {
            // Whoever waited may have gone.
            let _ = grant.send(Grant::Again);
        }
        if let Some((runtime, opening)) = starts {
            opening.start(runtime);
        }
        opening
    }

    /// What the opening of a connection came to; whether the same task shall open another.
    fn opened(&self, outcome: Result<Connection, BoxError>, by: &Arc<Pulse>) -> bool {
        let connection = match outcome {
            Ok(connection) => Arc::new(connection),
            Err(error) => return self.note_failure(error, by, Opener::Same(by)),
        };
        let mut state = self.0.lock();
        let is_current = state.end_opening(by);
        if is_current || state.sound() < self.0.settings.max_connections {
            (state.failures, state.not_before) = (0, None);
            state.connections.push(connection);
        }
        let opener = if is_current { Opener::Same(by) } else { Opener::Waiting };
        self.serve(state, opener).is_some()
    }

    /// A connection could not be opened, and its task has ended.
    fn failed(&self, error: BoxError, by: &Arc<Pulse>) {
        self.note_failure(error, by, Opener::Waiting);
    }

    fn note_failure(&self, error: BoxError, by: &Arc<Pulse>, opener: Opener<'_>) -> bool {
        let mut state = self.0.lock();
        if !state.end_opening(by) {
            return false;
        }
        let wait = FIRST_BACKOFF.saturating_mul(1 << state.failures.min(10)).min(MAX_BACKOFF);
        state.failures = state.failures.saturating_add(1);
        state.not_before = Some(later(Instant::now(), wait));
        tracing::debug!(%error, "cannot connect");
        // Where others are open, those in the queue wait for a place on them.
        let refused = (state.sound() == 0).then(|| (Unreachable::new(error), state.queue.take()));
        let goes_on = self.serve(state, opener).is_some();
        if let Some((error, queue)) = refused {
            for grant in queue {
                // Whoever waited may have gone.
                let _ = grant.send(Grant::Failed(error.clone()));
            }
        }
        goes_on
    }

    /// The task that opened connections was dropped by its runtime.
    fn abandoned(&self, opening: &Arc<Pulse>) {
        let mut state = self.0.lock();
        if state.end_opening(opening) {
            self.serve(state, Opener::Waiting);
        }
    }

    /// Gives up a place in the queue.
    fn leave(&self, ticket: Ticket) {
        let mut state = self.0.lock();
        state.queue.leave(ticket);
        self.0.waiting.store(state.queue.len(), Ordering::SeqCst);
    }

    /// Looks whether the other runtimes are driven that this pool depends on, and goes on without those that are not.
    fn look_around(&self, runtime: &Handle) {
        let now = Instant::now();
        let mut state = self.0.lock();
        let is_stalled = |pulse: &Pulse| pulse.runtime() != runtime.id() && pulse.is_silent(now);
        let stalled: Vec<_> = state.pulses().filter(|pulse| is_stalled(pulse)).map(Pulse::runtime).collect();
        for runtime in stalled {
            state.pass_over(runtime);
        }
        self.serve(state, Opener::New(runtime));
    }

    /// Nobody drives that runtime: calls of others keep away from its connections.
    fn pass_over(&self, stalled: Id) {
        let mut state = self.0.lock();
        state.pass_over(stalled);
        let runtime = Handle::try_current().ok();
        self.serve(state, runtime.as_ref().map_or(Opener::Waiting, Opener::New));
    }

    /// Connections that can carry calls, a moment ago.
    fn sound_connections(&self) -> usize {
        self.0.sound.load(Ordering::Relaxed)
    }
}

fn no_runtime() -> Unreachable {
    let text = "there is no tokio runtime to open a connection in, or it has stopped";
    Unreachable::new(ConnectFailure::transient(text).into())
}

impl Shared {
    /// A poisoned lock only means that a panic passed by; what it guards is written in single steps.
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before that, no connection is tried.
    fn not_before(&self) -> Option<Instant> {
        self.lock().not_before
    }
}

/// What happened to a connection.
fn on_event(pool: &Weak<Shared>, event: Event, health: &Arc<Health>) {
    let Some(pool) = pool.upgrade().map(Pool) else { return };
    let mut state = pool.0.lock();
    if event != Event::Idle || state.connections.len() > 1 {
        state.connections.retain(|connection| !connection.is(health));
    }
    let runtime = (event != Event::Dropped).then(Handle::try_current).and_then(Result::ok);
    pool.serve(state, runtime.as_ref().map_or(Opener::Waiting, Opener::New));
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Pool")
            .field("connections", &state.connections)
            .field("waiting", &state.queue.len())
            .finish_non_exhaustive()
    }
}
