//! When a failed attempt is repeated: a pure function of what happened.

use std::time::Duration;

use crate::error::{Fault, ServerEffect};

/// How failed attempts of a call are repeated.
///
/// The defaults are those that Google publishes for this API: 5 attempts of 60 s each, waits from 1 s growing
/// by 1.3 up to 10 s. Ours are drawn, so that many clients do not come back at once: each between 1 s and three times
/// the one before, up to 10 s (decorrelated jitter).
///
/// What retries may add to a client's load is bounded besides: to 10 a second and a fifth of the calls of the last 10
/// seconds. In an outage a call then ends with its first error.
///
/// ```
/// use contact_center_insights::call::RetryPolicy;
/// use std::time::Duration;
///
/// let patient = RetryPolicy::default().with_max_attempts(10).with_max_wait(Duration::from_secs(30));
/// let never = RetryPolicy::never();
/// # let _ = (patient, never);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    max_attempts: u32,
    attempt_timeout: Duration,
    first_wait: Duration,
    max_wait: Duration,
}

/// How far a wait may exceed the one before.
const SPREAD: f64 = 3.0;

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            attempt_timeout: Duration::from_mins(1),
            first_wait: Duration::from_secs(1),
            max_wait: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// One attempt.
    #[must_use]
    pub fn never() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Makes at most this many attempts in all; 0 counts as 1.
    #[must_use]
    pub fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Ends each attempt after this time; the server is told by `grpc-timeout`.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Waits this long before the second attempt.
    #[must_use]
    pub fn with_first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// Lets waits grow up to this.
    #[must_use]
    pub fn with_max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    pub(crate) fn attempt_timeout(&self) -> Duration {
        self.attempt_timeout
    }

    /// Decides after an attempt failed; `chance` is drawn from 0 to 1.
    ///
    /// An idempotent call is repeated after every transient fault. Any other only if the server cannot have
    /// acted: the request was not sent, or the server refused it itself (UNAVAILABLE, as Google's published
    /// policy has it, `RESOURCE_EXHAUSTED`, or `REFUSED_STREAM`).
    #[must_use]
    pub fn decide(&self, past: Past, fault: Fault, is_idempotent: bool, chance: f64) -> Decision {
        let is_safe = is_idempotent || matches!(fault.effect, ServerEffect::NotSent | ServerEffect::Refused);
        if past.attempts >= self.max_attempts || !fault.is_transient || !is_safe {
            return Decision::GiveUp;
        }
        let least = if fault.is_overload { self.first_wait * 2 } else { self.first_wait };
        let most = past.waited.unwrap_or(least).mul_f64(SPREAD).max(least);
        let wait = least + most.saturating_sub(least).mul_f64(chance.clamp(0.0, 1.0));
        Decision::RetryAfter(wait.min(self.max_wait).max(past.asked.unwrap_or_default()))
    }
}

/// What has happened to a call so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How many attempts were made, the last one included.
    pub attempts: u32,
    /// The wait before the last attempt; none before the first.
    pub waited: Option<Duration>,
    /// The wait that the server asks for in `RetryInfo`.
    pub asked: Option<Duration>,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Return the error.
    GiveUp,
    /// Wait this long, then try again.
    RetryAfter(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn fault(is_transient: bool, effect: ServerEffect) -> Fault {
        Fault { is_transient, is_overload: false, effect }
    }

    fn decide(fault: Fault, is_idempotent: bool) -> Decision {
        RetryPolicy::default().decide(after(1), fault, is_idempotent, 0.0)
    }

    fn after(attempts: u32) -> Past {
        Past { attempts, ..Past::default() }
    }

    #[test]
    fn reads_are_repeated_after_transient_faults_only() {
        for effect in
            [ServerEffect::NotSent, ServerEffect::Refused, ServerEffect::Answered, ServerEffect::Unknown]
        {
            assert_eq!(decide(fault(false, effect), true), Decision::GiveUp);
            assert_eq!(decide(fault(true, effect), true), Decision::RetryAfter(Duration::from_secs(1)));
        }
    }

    #[test]
    fn mutations_are_repeated_only_if_the_server_did_not_act() {
        assert!(matches!(decide(fault(true, ServerEffect::NotSent), false), Decision::RetryAfter(_)));
        assert!(matches!(decide(fault(true, ServerEffect::Refused), false), Decision::RetryAfter(_)));
        assert_eq!(decide(fault(true, ServerEffect::Unknown), false), Decision::GiveUp);
        assert_eq!(decide(fault(true, ServerEffect::Answered), false), Decision::GiveUp);
    }

    #[test]
    fn waits_are_drawn_between_the_first_and_three_times_the_last() {
        let policy = RetryPolicy::default().with_max_attempts(30);
        let unavailable = fault(true, ServerEffect::Refused);
        let wait = |waited: Option<u64>, chance| {
            let past = Past { waited: waited.map(Duration::from_secs), ..after(1) };
            match policy.decide(past, unavailable, true, chance) {
                Decision::RetryAfter(wait) => wait.as_millis(),
                Decision::GiveUp => panic!("gave up"),
            }
        };
        assert_eq!((wait(None, 0.0), wait(None, 1.0)), (1000, 3000));
        assert_eq!((wait(Some(2), 0.0), wait(Some(2), 0.5), wait(Some(2), 1.0)), (1000, 3500, 6000));
        assert_eq!(wait(Some(10), 1.0), 10_000, "the maximum");
        assert_eq!(policy.decide(after(30), unavailable, true, 1.0), Decision::GiveUp);
        assert_eq!(RetryPolicy::never().decide(after(1), unavailable, true, 1.0), Decision::GiveUp);
    }

    #[test]
    fn the_server_is_obeyed_and_overload_slows_down() {
        let policy = RetryPolicy::default();
        let busy = Fault { is_overload: true, ..fault(true, ServerEffect::Refused) };
        let asked = Past { asked: Some(Duration::from_secs(42)), ..after(1) };
        assert_eq!(policy.decide(asked, busy, false, 0.0), Decision::RetryAfter(Duration::from_secs(42)));
        assert_eq!(policy.decide(after(1), busy, false, 0.0), Decision::RetryAfter(Duration::from_secs(2)));
    }
}
