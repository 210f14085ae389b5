//! When a failed attempt is retried: a pure function of what happened.

use std::time::Duration;

use crate::error::{Fault, ServerEffect};
use crate::time::scaled;

/// How failed attempts of a call are retried.
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
    max_retry_delay: Duration,
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
            max_retry_delay: Duration::from_mins(10),
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

    /// Obeys a server that asks for a longer wait (`google.rpc.RetryInfo`) up to this; 10 minutes by default. A call of
    /// which more is asked ends at once with the error, whose [`retry_after`](crate::Error::retry_after) tells how much;
    /// a [`Poller`](crate::Poller) waits this long, and goes on.
    #[must_use]
    pub fn with_max_retry_delay(mut self, delay: Duration) -> Self {
        self.max_retry_delay = delay;
        self
    }

    pub(crate) fn attempt_timeout(&self) -> Duration {
        self.attempt_timeout
    }

    pub(crate) fn max_retry_delay(&self) -> Duration {
        self.max_retry_delay
    }

    /// How long to wait after a failed attempt before the next; `None` to give up. `jitter` is drawn from 0 to 1.
    ///
    /// An idempotent call is retried after every transient fault. Any other only if the server cannot have acted: the
    /// request was not sent, or the server refused it itself (UNAVAILABLE, as Google's published policy has it,
    /// `RESOURCE_EXHAUSTED`, or `REFUSED_STREAM`).
    pub(super) fn wait(
        &self,
        past: Past,
        fault: Fault,
        is_idempotent: bool,
        jitter: f64,
    ) -> Option<Duration> {
        let is_safe = is_idempotent || matches!(fault.effect, ServerEffect::NotSent | ServerEffect::Refused);
        let asked = past.asked.unwrap_or_default();
        if past.attempts >= self.max_attempts
            || !fault.is_transient
            || !is_safe
            || asked > self.max_retry_delay
        {
            return None;
        }
        let least = if fault.is_overload { self.first_wait.saturating_mul(2) } else { self.first_wait };
        let most = scaled(past.waited.unwrap_or(least), SPREAD).max(least);
        let spread = scaled(most.saturating_sub(least), jitter.clamp(0.0, 1.0));
        Some(least.saturating_add(spread).min(self.max_wait).max(asked))
    }
}

/// What has happened to a call so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// How many attempts were made, the last one included.
    pub(super) attempts: u32,
    /// The wait before the last attempt; none before the first.
    pub(super) waited: Option<Duration>,
    /// The wait that the server asks for in `RetryInfo`.
    pub(super) asked: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn fault(is_transient: bool, effect: ServerEffect) -> Fault {
        Fault { is_transient, is_overload: false, effect }
    }

    fn wait(fault: Fault, is_idempotent: bool) -> Option<Duration> {
        RetryPolicy::default().wait(after(1), fault, is_idempotent, 0.0)
    }

    fn after(attempts: u32) -> Past {
        Past { attempts, ..Past::default() }
    }

    #[test]
    fn reads_are_retried_after_transient_faults_only() {
        for effect in
            [ServerEffect::NotSent, ServerEffect::Refused, ServerEffect::Answered, ServerEffect::Unknown]
        {
            assert_eq!(wait(fault(false, effect), true), None);
            assert_eq!(wait(fault(true, effect), true), Some(Duration::from_secs(1)));
        }
    }

    #[test]
    fn mutations_are_retried_only_if_the_server_did_not_act() {
        assert!(wait(fault(true, ServerEffect::NotSent), false).is_some());
        assert!(wait(fault(true, ServerEffect::Refused), false).is_some());
        assert_eq!(wait(fault(true, ServerEffect::Unknown), false), None);
        assert_eq!(wait(fault(true, ServerEffect::Answered), false), None);
    }

    #[test]
    fn waits_are_drawn_between_the_first_and_three_times_the_last() {
        let policy = RetryPolicy::default().with_max_attempts(30);
        let unavailable = fault(true, ServerEffect::Refused);
        let wait = |waited: Option<u64>, chance| {
            let past = Past { waited: waited.map(Duration::from_secs), ..after(1) };
            policy.wait(past, unavailable, true, chance).unwrap().as_millis()
        };
        assert_eq!((wait(None, 0.0), wait(None, 1.0)), (1000, 3000));
        assert_eq!((wait(Some(2), 0.0), wait(Some(2), 0.5), wait(Some(2), 1.0)), (1000, 3500, 6000));
        assert_eq!(wait(Some(10), 1.0), 10_000, "the maximum");
        assert_eq!(policy.wait(after(30), unavailable, true, 1.0), None);
        assert_eq!(RetryPolicy::never().wait(after(1), unavailable, true, 1.0), None);
    }

    #[test]
    fn the_server_is_obeyed_and_overload_slows_down() {
        let policy = RetryPolicy::default();
        let busy = Fault { is_overload: true, ..fault(true, ServerEffect::Refused) };
        let asked = Past { asked: Some(Duration::from_secs(42)), ..after(1) };
        assert_eq!(policy.wait(asked, busy, false, 0.0), Some(Duration::from_secs(42)));
        assert_eq!(policy.wait(after(1), busy, false, 0.0), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_server_that_asks_for_too_much_ends_the_call() {
        let busy = Fault { is_overload: true, ..fault(true, ServerEffect::Refused) };
        let asking = |asked| Past { asked: Some(asked), ..after(1) };
        let policy = RetryPolicy::default();
        let ten_minutes = Duration::from_mins(10);
        assert_eq!(policy.wait(asking(ten_minutes), busy, true, 0.0), Some(ten_minutes));
        for asked in
            [ten_minutes + Duration::from_nanos(1), Duration::from_secs(i64::MAX as u64), Duration::MAX]
        {
            assert_eq!(policy.wait(asking(asked), busy, true, 0.0), None);
        }
        let patient = policy.with_max_retry_delay(Duration::MAX);
        assert_eq!(patient.wait(asking(Duration::MAX), busy, true, 0.0), Some(Duration::MAX));
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let busy = Fault { is_overload: true, ..fault(true, ServerEffect::Refused) };
        let policy = RetryPolicy::default().with_first_wait(Duration::MAX).with_max_wait(Duration::MAX);
        let past = Past { waited: Some(Duration::MAX), ..after(1) };
        for jitter in [0.0, 0.5, 1.0, f64::NAN] {
            assert_eq!(policy.wait(past, busy, true, jitter), Some(Duration::MAX));
        }
    }
}
