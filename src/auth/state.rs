//! What the token cache knows, and what follows from it. No clock, no task, no chance of its own: all of these are
//! arguments, so that a test can try every order of events.

use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::Timing;
use super::token::{Moment, Token};
use crate::error::{BoxError, CredentialsError};
use crate::time::{later, scaled};

/// After a failed fetch the next one waits this long, then twice as long, and so on up to the maximum; less by up to
/// half, by chance.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_mins(1);
/// When a source hands out the token that it handed out before, as metadata servers do until shortly before its end,
/// it is asked again after this, and up to half as much more.
const UNCHANGED: Duration = Duration::from_secs(10);
/// A fetch that has not reported this long after its time was over never will: nobody runs its task any more.
const OVERDUE: Duration = Duration::from_secs(1);
/// A machine has slept if its wall clock went this much further than its monotonic one.
const SLEPT: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Clone)]
pub(super) struct State {
    name: &'static str,
    timing: Timing,
    held: Option<Held>,
    /// Counts the tokens that were held; the one that is, or was last, has this number.
    generation: u64,
    in_flight: Option<InFlight>,
    fetches: u64,
    failure: Option<Failure>,
    /// Since when callers have found no token, and until when one is known to be waiting.
    without: Option<(Instant, Instant)>,
    served: Option<Instant>,
    refused: Refused,
}

#[derive(Clone)]
struct Held {
    token: Token,
    fetched: Moment,
    renewal: Option<Moment>,
}

#[derive(Clone)]
struct InFlight {
    id: u64,
    overdue: Instant,
}

#[derive(Clone)]
struct Failure {
    error: CredentialsError,
    in_a_row: u32,
    retry_at: Instant,
}

/// What is known of tokens that the server refused.
#[derive(Clone, Default)]
struct Refused {
    /// The source must let go of what it keeps before it is asked again.
    must_discard: bool,
    secret: Option<HeaderValue>,
    in_a_row: u32,
    last: Option<Instant>,
}

/// What a caller is told.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Serve(Token),
    Fail(CredentialsError),
    /// Ask again when a fetch has ended, or at this time, whichever comes first.
    Wait(Instant),
}

/// A fetch that has to be started now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) id: u64,
    /// The source must first let go of what it keeps.
    pub(super) discard: bool,
}

impl State {
    pub(super) fn new(name: &'static str, timing: Timing) -> Self {
        Self {
            name,
            timing,
            held: None,
            generation: 0,
            in_flight: None,
            fetches: 0,
            failure: None,
            without: None,
            served: None,
            refused: Refused::default(),
        }
    }

    /// The token, if a good one is there, and its renewal if that is due.
    pub(super) fn look(&mut self, now: Moment) -> Option<(Token, Option<Start>)> {
        let held = self.held.as_ref().filter(|held| held.is_good(now))?;
        let (token, is_due) = (held.token.clone(), held.renewal.is_some_and(|due| due.has_come(now)));
        self.served = Some(now.at);
        Some((token, if is_due { self.start(now) } else { None }))
    }

    /// What a caller who needs a token is told, and the fetch that this starts.
    pub(super) fn ask(&mut self, now: Moment) -> (Answer, Option<Start>) {
        if let Some((token, start)) = self.look(now) {
            return (Answer::Serve(token), start);
        }
        if let Some(held) = self.held.take() {
            // What a source keeps has slept as well.
            self.refused.must_discard |= held.has_slept(now);
        }
        let patience = self.timing.patience;
        let since = match self.without {
            Some((since, until)) if now.at.saturating_duration_since(until) < patience => since,
            // The first to find none, or the first for a long time.
            _ => now.at,
        };
        let start = self.start(now);
        let answer = match (&self.in_flight, &self.failure) {
            (Some(fetch), _) => Answer::Wait(fetch.overdue),
            (None, Some(failure)) => {
                let end = since.checked_add(patience);
                if !failure.error.is_transient() || end.is_some_and(|end| end <= now.at) {
                    Answer::Fail(failure.error.clone())
                } else {
                    Answer::Wait(end.map_or(failure.retry_at, |end| end.min(failure.retry_at)))
                }
            }
            // Not reached: where neither is, a fetch was just started.
            (None, None) => Answer::Wait(now.at),
        };
        self.without = Some((since, if let Answer::Wait(until) = answer { until } else { now.at }));
        (answer, start)
    }

    /// A fetch, if none is in flight and the last failure is long enough ago.
    fn start(&mut self, now: Moment) -> Option<Start> {
        if let Some(fetch) = &self.in_flight
            && fetch.overdue <= now.at
        {
            let id = fetch.id;
            self.finish(id, Err(self.transient("the fetch was given up by whoever ran it".into())), now, 0.0);
        }
        if self.in_flight.is_some() || self.failure.as_ref().is_some_and(|f| f.retry_at > now.at) {
            return None;
        }
        self.fetches += 1;
        let time = self.timing.fetch_timeout.saturating_add(OVERDUE);
        let overdue = later(now.at, time);
        self.in_flight = Some(InFlight { id: self.fetches, overdue });
        Some(Start { id: self.fetches, discard: std::mem::take(&mut self.refused.must_discard) })
    }

    /// The end of fetch `id`. One that was given up before is not heard. `chance` is drawn from 0 to 1.
    pub(super) fn finish(
        &mut self,
        id: u64,
        result: Result<Token, CredentialsError>,
        now: Moment,
        chance: f64,
    ) {
        if self.in_flight.as_ref().is_none_or(|fetch| fetch.id != id) {
            return;
        }
        self.in_flight = None;
        match result.and_then(|token| self.check(token, now)) {
            Ok(token) if self.refused.must_discard && self.is_refused(&token) => {
                // Under way when the server refused it: not news. The next caller has the source let go of it.
            }
            Ok(token) => self.hold(token, now, chance),
            Err(error) => {
                let in_a_row = self.failure.as_ref().map_or(0, |failure| failure.in_a_row.saturating_add(1));
                let retry_at = later(now.at, scaled(backoff(in_a_row), 1.0 - 0.5 * chance.clamp(0.0, 1.0)));
                self.failure = Some(Failure { error, in_a_row, retry_at });
            }
        }
    }

    fn hold(&mut self, token: Token, now: Moment, chance: f64) {
        let mut renewal = token.renewal(chance);
        if let Some(held) = &self.held
            && token.has_known_end()
            && token.is_same_secret(&held.token.header())
        {
            renewal = now.after(scaled(UNCHANGED, 1.0 + 0.5 * chance.clamp(0.0, 1.0)));
        }
        self.generation += 1;
        self.held = Some(Held { token, fetched: now, renewal });
        self.failure = None;
        self.without = None;
        self.refused.must_discard = false;
    }

    /// Refuses what must not be sent.
    fn check(&self, token: Token, now: Moment) -> Result<Token, CredentialsError> {
        if token.has_ended(now) {
            return Err(self.transient("the token had ended when it came".into()));
        }
        match (token.universe(), &self.timing.universe) {
            (Some(its), Some(expected)) if !its.eq_ignore_ascii_case(expected) => {
                let reason = format!(
                    "the credentials are for the universe domain `{its}`, but calls go to `{expected}`; use \
                     credentials of `{expected}`, or set the client's universe domain to `{its}`"
                );
                Err(CredentialsError::permanent(self.name, reason.into()))
            }
            _ => Ok(token),
        }
    }

    /// The number of the token that is there, or was last.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The number of the token that a call gets which asks now: of the one that is there, or of the next one.
    pub(super) fn next_generation(&self, now: Moment) -> u64 {
        let is_there = self.held.as_ref().is_some_and(|held| held.is_good(now));
        if is_there { self.generation } else { self.generation + 1 }
    }

    /// The server refused the token of that number; whether to try again with another.
    pub(super) fn refuse(&mut self, generation: u64, now: Moment) -> bool {
        if generation != self.generation || self.held.is_none() {
            // Another call was refused before, or it has ended: its successor is there, or on its way.
            return true;
        }
        let since_last = self.refused.last.map(|last| now.at.saturating_duration_since(last));
        // A server that refuses every token must not make the source fetch one for every call.
        if since_last.is_some_and(|since| since < backoff(self.refused.in_a_row)) {
            return false;
        }
        let has_calmed = since_last.is_none_or(|since| since > 2 * MAX_BACKOFF);
        self.refused = Refused {
            must_discard: true,
            secret: self.held.take().map(|held| held.token.header()),
            in_a_row: if has_calmed { 0 } else { self.refused.in_a_row.saturating_add(1) },
            last: Some(now.at),
        };
        self.failure = None;
        true
    }

    fn is_refused(&self, token: &Token) -> bool {
        self.refused.secret.as_ref().is_some_and(|secret| token.is_same_secret(secret))
    }

    /// Why a call that asked at `asked` or later, and has no reply yet, cannot have been sent: nobody was given a
    /// token since. `None` if it may have been.
    pub(super) fn starving(&self, asked: Instant) -> Option<CredentialsError> {
        if self.without.is_none() || self.served.is_some_and(|served| served >= asked) {
            return None;
        }
        Some(match &self.failure {
            Some(failure) => failure.error.clone(),
            None => self.transient("no answer came yet".into()),
        })
    }

    pub(super) fn transient(&self, source: BoxError) -> CredentialsError {
        CredentialsError::transient(self.name, source)
    }
}

impl Held {
    fn is_good(&self, now: Moment) -> bool {
        !self.token.has_ended(now) && (self.token.has_known_end() || !self.has_slept(now))
    }

    fn has_slept(&self, now: Moment) -> bool {
        let by_wall = now.wall.duration_since(self.fetched.wall).unwrap_or_default();
        by_wall > now.at.saturating_duration_since(self.fetched.at).saturating_add(SLEPT)
    }
}

fn backoff(in_a_row: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(1 << in_a_row.min(16)).min(MAX_BACKOFF)
}

#[cfg(test)]
mod tests;
