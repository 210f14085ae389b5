//! One token for all calls: fetched once however many wait, renewed early, and used until it ends even if
//! renewing fails. What follows from what, `state` decides; here are the clocks, the lock and the tasks.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::state::{Answer, Start, State};
use super::token::{Moment, Token};
use super::{Timing, TokenSource};
use crate::error::{BoxError, CredentialsError};
use crate::jitter::Jitter;

/// A shared token cache; clones share it.
#[derive(Clone)]
pub(crate) struct TokenCache(Arc<Shared>);

struct Shared {
    name: &'static str,
    source: Arc<dyn TokenSource>,
    timing: Timing,
    chance: Jitter,
    wall_clock: fn() -> SystemTime,
    state: Mutex<State>,
    /// Bumped when a fetch ends, however it ends.
    ended: watch::Sender<u64>,
}

impl TokenCache {
    pub(super) fn new(
        name: &'static str,
        source: Arc<dyn TokenSource>,
        timing: Timing,
        chance: Jitter,
    ) -> Self {
        Self::with_wall_clock(name, source, timing, chance, SystemTime::now)
    }

    fn with_wall_clock(
        name: &'static str,
        source: Arc<dyn TokenSource>,
        timing: Timing,
        chance: Jitter,
        wall_clock: fn() -> SystemTime,
    ) -> Self {
        let state = Mutex::new(State::new(name, timing.clone()));
        let (ended, _) = watch::channel(0);
        Self(Arc::new(Shared { name, source, timing, chance, wall_clock, state, ended }))
    }

    /// The token to send now. Returns at once while one is good; else waits for a fetch, and while the trouble is
    /// young, for the ones after it.
    ///
    /// Cancel safe: the fetch runs in a task of its own, for all who wait.
    pub(crate) async fn token(&self) -> Result<Token, CredentialsError> {
        // Subscribed before asking, so that no end of a fetch is missed.
        let mut ended = self.0.ended.subscribe();
        loop {
            let (answer, start) = self.lock().ask(self.now());
            self.run(start);
            match answer {
                Answer::Serve(token) => return Ok(token),
                Answer::Fail(error) => return Err(error),
                Answer::Wait(until) => tokio::select! {
                    _ = ended.changed() => {}
                    () = sleep_until(until) => {}
                },
            }
        }
    }

    /// The token if a good one is there, and its number; starts its renewal if that is due.
    pub(super) fn ready(&self) -> Option<(Token, u64)> {
        let now = self.now();
        let mut state = self.lock();
        let (token, start) = state.look(now)?;
        let generation = state.generation();
        drop(state);
        self.run(start);
        Some((token, generation))
    }

    /// The number of the token that a call gets which asks now; see [`TokenCache::refuse`].
    pub(super) fn next_generation(&self) -> u64 {
        self.lock().next_generation(self.now())
    }

    /// Takes note that the server refused the token that a call got when `generation` was the next. It is not sent
    /// again, and its successor is fetched, once for all calls that were refused with it. Whether the call should
    /// be tried again: not if a token was refused just before.
    pub(crate) fn refuse(&self, generation: u64) -> bool {
        self.lock().refuse(generation, self.now())
    }

    /// Why a call that began at `began` cannot have been sent yet: there has been no token since. `None` if it may
    /// have been.
    pub(crate) fn starving(&self, began: Instant) -> Option<CredentialsError> {
        self.lock().starving(began)
    }

    /// Runs a fetch, outside of the lock: a runtime that shuts down drops the task at once.
    fn run(&self, start: Option<Start>) {
        let Some(Start { id, discard }) = start else { return };
        let report = Report { cache: self.clone(), id };
        let (source, limit) = (self.0.source.clone(), self.0.timing.fetch_timeout);
        let Ok(runtime) = Handle::try_current() else {
            return report.send(Err(self.transient("calls are made within a tokio runtime".into())));
        };
        runtime.spawn(async move {
            if discard {
                source.discard();
            }
            let result = match timeout(limit, source.fetch()).await {
                Ok(Ok(token)) => Ok(token),
                Ok(Err(error)) => Err(match error.downcast::<CredentialsError>() {
                    Ok(error) => *error,
                    Err(error) => report.cache.transient(error),
                }),
                Err(_) => Err(report.cache.transient(format!("no token within {limit:?}").into())),
            };
            report.send(result);
        });
    }

    fn finish(&self, id: u64, result: Result<Token, CredentialsError>) {
        let mut state = self.lock();
        state.finish(id, result, self.now(), self.0.chance.next());
        drop(state);
        self.0.ended.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn transient(&self, source: BoxError) -> CredentialsError {
        CredentialsError::transient(self.0.name, source)
    }

    fn now(&self) -> Moment {
        Moment { at: Instant::now(), wall: (self.0.wall_clock)() }
    }

    /// A poisoned lock only means that a panic passed by; the state is written in single steps.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the cache how a fetch ended, also if its task ends without a word: in a panic of the source, or with the
/// runtime that it ran in. Then those who wait in another runtime fetch anew.
struct Report {
    cache: TokenCache,
    id: u64,
}

impl Report {
    fn send(self, result: Result<Token, CredentialsError>) {
        self.cache.finish(self.id, result);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() {
            "the token source panicked"
        } else {
            "the runtime that fetched the token was shut down"
        };
        // Not heard if the end was told before.
        self.cache.finish(self.id, Err(self.cache.transient(reason.into())));
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("source", &self.0.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
