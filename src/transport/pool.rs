//! Chooses the connection that carries a request: the one with the fewest in flight, a new one when all are full, and
//! a place in the queue when no more may be opened.
//!
//! Connections are opened by tasks of their own, one at a time, so that a call that is dropped takes nothing from those
//! that wait with it. After a failure the next is tried after a moment (100 ms, doubled up to 1 s): calls meanwhile wait for
//! its outcome, so that what they hear is never old.

mod connection;
mod exchange;
mod keepalive;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};
use tonic::body::Body;

use connection::{Connection, Event, Health};
pub(super) use exchange::{Exchange, ReplyBody};

use super::connect::Connector;
use crate::error::{BoxError, ConnectFailure, Unreachable};
use crate::time::later;

/// What a pool may do.
#[derive(Clone, Debug)]
pub(crate) struct PoolSettings {
    /// Connections at once.
    pub(crate) max_connections: usize,
    /// Calls at once on one connection, where the server allows more.
    pub(crate) max_streams: usize,
    /// For a connection to open: name, TCP, TLS and the server's first word of HTTP/2.
    pub(crate) connect_timeout: Duration,
    pub(crate) keepalive_interval: Duration,
    pub(crate) keepalive_timeout: Duration,
    pub(crate) keepalive_while_idle: bool,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            max_connections: 8,
            // Google's front ends allow no more, and other servers are as well off.
            max_streams: 100,
            connect_timeout: Duration::from_secs(10),
            // Google's front ends answer more frequent pings with GOAWAY.
            keepalive_interval: Duration::from_mins(1),
            keepalive_timeout: Duration::from_secs(20),
            keepalive_while_idle: false,
        }
    }
}

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
    state: Mutex<PoolState>,
    /// The length of the line, to be read without the lock.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct PoolState {
    connections: Vec<Arc<Connection>>,
    /// Calls that wait for a place, first come, first served.
    queue: VecDeque<oneshot::Sender<Grant>>,
    is_opening: bool,
    /// In a row, to connect.
    failures: u32,
    not_before: Option<Instant>,
}

/// What a call that waited is told.
type Grant = Result<Slot, Unreachable>;

impl Pool {
    pub(super) fn new(connector: Connector, origin: (Scheme, Authority), settings: PoolSettings) -> Self {
        let (scheme, authority) = origin;
        let (state, waiting) = (Mutex::default(), AtomicUsize::new(0));
        Self(Arc::new(Shared { connector, settings, scheme, authority, state, waiting }))
    }

    pub(super) fn call(&self, request: Request<Body>) -> Exchange {
        Exchange::new(self.clone(), request)
    }

    /// The request as it travels: with scheme and authority, without its body.
    fn address(&self, request: Request<Body>) -> Result<(Request<()>, Body), http::Error> {
        let (mut head, body) = request.into_parts();
        let mut uri = head.uri.into_parts();
        uri.scheme = Some(self.0.scheme.clone());
        uri.authority = Some(self.0.authority.clone());
        head.uri = Uri::from_parts(uri)?;
        head.version = http::Version::HTTP_2;
        Ok((Request::from_parts(head, ()), body))
    }

    /// A place for one request now, or a place in the queue.
    fn enter(&self) -> Result<Slot, oneshot::Receiver<Grant>> {
        let mut state = self.0.lock();
        if state.queue.is_empty()
            && let Some(connection) = state.least_busy()
        {
            return Ok(Slot::new(self, connection));
        }
        let (grant, wait) = oneshot::channel();
        state.queue.push_back(grant);
        self.0.waiting.store(state.queue.len(), Ordering::SeqCst);
        // A place may have come free before the line was seen.
        self.serve(state);
        Err(wait)
    }

    /// Gives places to those in the queue, and opens a connection for the rest, if one more may be opened.
    fn serve(&self, mut state: MutexGuard<'_, PoolState>) {
        let mut unclaimed = Vec::new();
        state.queue.retain(|grant| !grant.is_closed());
        while !state.queue.is_empty()
            && let Some(connection) = state.least_busy()
            && let Some(grant) = state.queue.pop_front()
        {
            if let Err(Ok(slot)) = grant.send(Ok(Slot::new(self, connection))) {
                unclaimed.push(slot);
            }
        }
        self.0.waiting.store(state.queue.len(), Ordering::SeqCst);
        state.connections.retain(|connection| connection.health().is_open());
        let may_open = !state.is_opening && state.connections.len() < self.0.settings.max_connections;
        let opening = (may_open && !state.queue.is_empty()).then(|| {
            state.is_opening = true;
            Opening { pool: self.clone(), not_before: state.not_before, outcome: None }
        });
        // What follows takes the lock again: a place that nobody took, and a runtime that runs nothing any more.
        drop(state);
        drop(unclaimed);
        if let Some(opening) = opening
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(opening.run());
        }
    }

    /// What the opening of a connection came to.
    fn opened(&self, outcome: Result<Connection, BoxError>) {
        let mut state = self.0.lock();
        state.is_opening = false;
        let refused = match outcome {
            Ok(connection) => {
                (state.failures, state.not_before) = (0, None);
                state.connections.push(Arc::new(connection));
                None
            }
            Err(error) => {
                let wait = FIRST_BACKOFF.saturating_mul(1 << state.failures.min(10)).min(MAX_BACKOFF);
                state.failures = state.failures.saturating_add(1);
                state.not_before = Some(later(Instant::now(), wait));
                tracing::debug!(%error, "cannot connect");
                // Where others are open, those in the queue wait for a place on them.
                let is_alone = !state.connections.iter().any(|connection| connection.health().is_open());
                is_alone.then(|| (Unreachable::new(error), std::mem::take(&mut state.queue)))
            }
        };
        self.serve(state);
        if let Some((error, queue)) = refused {
            for grant in queue {
                // Whoever waited may have gone.
                let _ = grant.send(Err(error.clone()));
            }
        }
    }
}

impl Shared {
    /// A poisoned lock only means that a panic passed by; what it guards is written in single steps.
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PoolState {
    /// Of the connections that have room, the one with the fewest calls in flight.
    fn least_busy(&self) -> Option<Arc<Connection>> {
        let with_room = self.connections.iter().filter(|connection| connection.has_room());
        with_room.min_by_key(|connection| connection.health().in_flight()).cloned()
    }
}

/// A connection being opened. However that ends, it is noted: even if the runtime stops meanwhile.
struct Opening {
    pool: Pool,
    not_before: Option<Instant>,
    outcome: Option<Result<Connection, BoxError>>,
}

impl Opening {
    async fn run(mut self) {
        if let Some(at) = self.not_before {
            sleep_until(at).await;
        }
        let shared = &self.pool.0;
        let pool = Arc::downgrade(shared);
        let open = async {
            let io = shared.connector.connect().await?;
            Connection::open(io, &shared.settings, move |event, health| on_event(&pool, event, health)).await
        };
        let limit = shared.settings.connect_timeout;
        let outcome = timeout(limit, open).await;
        self.outcome = Some(outcome.unwrap_or_else(|_| {
            let text = format!("the server said not a word of HTTP/2 within {limit:?}");
            Err(ConnectFailure::transient(text).into())
        }));
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let stopped = || {
            Err(ConnectFailure::transient(
                "there is no tokio runtime to open a connection in, or it has stopped",
            )
            .into())
        };
        let outcome = self.outcome.take().unwrap_or_else(stopped);
        self.pool.opened(outcome);
    }
}

/// What happened to a connection.
fn on_event(pool: &Weak<Shared>, event: Event, health: &Arc<Health>) {
    let Some(pool) = pool.upgrade().map(Pool) else { return };
    let mut state = pool.0.lock();
    if event == Event::Ended || state.connections.len() > 1 {
        state.connections.retain(|connection| !connection.is(health));
    }
    pool.serve(state);
}

/// A place for one request on a connection; it is free again when this is dropped.
struct Slot {
    pool: Pool,
    connection: Arc<Connection>,
}

impl Slot {
    fn new(pool: &Pool, connection: Arc<Connection>) -> Self {
        connection.enter();
        Self { pool: pool.clone(), connection }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connection.leave();
        if self.pool.0.waiting.load(Ordering::SeqCst) > 0 {
            self.pool.serve(self.pool.0.lock());
        }
    }
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
