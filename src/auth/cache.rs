//! One token for all calls: fetched once however many wait, renewed early, and used until it ends even if
//! renewing fails.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::TokenSource;
use super::token::Token;
use crate::error::{BoxError, CredentialsError};

/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failed fetch: 1 s, 2 s, 4 s, … up to this.
const MAX_BACKOFF: Duration = Duration::from_mins(1);

/// A shared token cache; clones share it.
#[derive(Clone)]
pub(crate) struct TokenCache(Arc<Shared>);

struct Shared {
    name: &'static str,
    source: Arc<dyn TokenSource>,
    state: Mutex<State>,
    /// Bumped when a fetch ends, however it ends.
    finished: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    fetched: Option<Instant>,
    is_fetching: bool,
    failures: u32,
    /// The last failure, and when the next fetch may start.
    failed: Option<(CredentialsError, Instant)>,
}

/// What a caller finds in the cache.
enum Look {
    Token(Token),
    Failed(CredentialsError),
    Wait,
}

impl TokenCache {
    pub(crate) fn new(name: &'static str, source: Arc<dyn TokenSource>) -> Self {
        let (finished, _) = watch::channel(0);
        Self(Arc::new(Shared { name, source, state: Mutex::default(), finished }))
    }

    /// The token to send now. Returns at once while one is good.
    ///
    /// Cancel safe: the fetch runs in a task of its own, for all who wait.
    pub(crate) async fn token(&self) -> Result<Token, CredentialsError> {
        if let Some(token) = self.ready() {
            return Ok(token);
        }
        // Subscribed before looking, so that no end of a fetch is missed.
        let mut finished = self.0.finished.subscribe();
        loop {
            match self.look() {
                Look::Token(token) => return Ok(token),
                Look::Failed(error) => return Err(error),
                Look::Wait => {}
            }
            if finished.changed().await.is_err() {
                return Err(self.error(false, "the cache was closed".into()));
            }
        }
    }

    /// The token if a good one is there; starts its renewal if that is due.
    pub(crate) fn ready(&self) -> Option<Token> {
        match self.look_if(|state| state.token.is_some()) {
            Some(Look::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// Forgets the token, which the server refused, unless it came after `sent`: then another call that was
    /// refused has had it renewed already.
    pub(crate) fn reject(&self, sent: Instant) {
        let mut state = self.lock();
        if state.fetched.is_some_and(|fetched| fetched <= sent) {
            state.token = None;
            state.failed = None;
        }
    }

    fn look(&self) -> Look {
        self.look_if(|_| true).unwrap_or(Look::Wait)
    }

    fn look_if(&self, wanted: impl FnOnce(&State) -> bool) -> Option<Look> {
        let now = Instant::now();
        let mut state = self.lock();
        if !wanted(&state) {
            return None;
        }
        let may_fetch =
            !state.is_fetching && state.failed.as_ref().is_none_or(|(_, retry_at)| *retry_at <= now);
        if let Some(token) = state.token.clone() {
            if !token.has_expired(now) {
                if may_fetch && token.is_due_for_renewal(now) {
                    self.start_fetch(&mut state);
                }
                return Some(Look::Token(token));
            }
            state.token = None;
        }
        if may_fetch {
            self.start_fetch(&mut state);
        }
        Some(match &state.failed {
            Some((error, _)) if !state.is_fetching => Look::Failed(error.clone()),
            _ => Look::Wait,
        })
    }

    fn start_fetch(&self, state: &mut State) {
        state.is_fetching = true;
        let (cache, source) = (self.clone(), self.0.source.clone());
        tokio::spawn(async move {
            // A task within the task: a panic of the source ends there, and is a failure like others.
            let fetch = tokio::spawn(async move { timeout(FETCH_TIMEOUT, source.fetch()).await });
            let result = match fetch.await {
                Ok(Ok(Ok(token))) => Ok(token),
                Ok(Ok(Err(error))) => Err(match error.downcast::<CredentialsError>() {
                    Ok(error) => *error,
                    Err(error) => cache.error(true, error),
                }),
                Ok(Err(_)) => Err(cache.error(true, format!("no token within {FETCH_TIMEOUT:?}").into())),
                Err(_) => Err(cache.error(true, "the token source panicked".into())),
            };
            cache.finish(result);
        });
    }

    fn finish(&self, result: Result<Token, CredentialsError>) {
        let mut state = self.lock();
        state.is_fetching = false;
        match result {
            Ok(token) => {
                state.token = Some(token);
                state.fetched = Some(Instant::now());
                state.failures = 0;
                state.failed = None;
            }
            Err(error) => {
                let backoff = Duration::from_secs(1 << state.failures.min(6)).min(MAX_BACKOFF);
                state.failures = state.failures.saturating_add(1);
                state.failed = Some((error, Instant::now() + backoff));
            }
        }
        drop(state);
        self.0.finished.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn error(&self, is_transient: bool, source: BoxError) -> CredentialsError {
        if is_transient {
            CredentialsError::transient(self.0.name, source)
        } else {
            CredentialsError::permanent(self.0.name, source)
        }
    }

    /// A poisoned lock only means that a panic passed by; the state is written in single steps.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("source", &self.0.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
