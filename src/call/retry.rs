//! When a failed attempt is repeated: a pure function of what happened.

use std::time::Duration;

use crate::error::{Acted, Fault};

/// How failed attempts of a call are repeated.
///
/// The defaults are those that Google publishes for this API: 5 attempts of 60 s each, waits from 1 s growing
/// by 1.3 up to 10 s. Waits are drawn between half and the whole of that, so that many clients do not come
/// back at once.
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

/// Growth of the wait from one attempt to the next.
const MULTIPLIER: f64 = 1.3;

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

    /// Decides after the `attempt`-th attempt (from 1) failed. `retry_after` is what the server asked for in
    /// `RetryInfo`; `chance` is drawn from 0 to 1.
    ///
    /// An idempotent call is repeated after every transient fault. Any other only if the server cannot have
    /// acted: the request was not sent, or the server refused it itself (UNAVAILABLE, as Google's published
    /// policy has it, `RESOURCE_EXHAUSTED`, or `REFUSED_STREAM`).
    #[must_use]
    pub fn decide(
        &self,
        attempt: u32,
        fault: Fault,
        retry_after: Option<Duration>,
        is_idempotent: bool,
        chance: f64,
    ) -> Decision {
        let is_safe = is_idempotent || matches!(fault.acted, Acted::NotSent | Acted::Refused);
        if attempt >= self.max_attempts || !fault.is_transient || !is_safe {
            return Decision::GiveUp;
        }
        let growth = MULTIPLIER.powf(f64::from(attempt.saturating_sub(1).min(100)));
        let wait = self.first_wait.mul_f64(growth).min(self.max_wait);
        let wait = if fault.is_overload { (wait * 2).min(self.max_wait) } else { wait };
        let jittered = wait.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
        Decision::RetryAfter(retry_after.map_or(jittered, |asked| asked.max(jittered)))
    }
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

    const fn fault(is_transient: bool, acted: Acted) -> Fault {
        Fault { is_transient, is_overload: false, acted }
    }

    fn decide(attempt: u32, fault: Fault, is_idempotent: bool) -> Decision {
        RetryPolicy::default().decide(attempt, fault, None, is_idempotent, 1.0)
    }

    #[test]
    fn reads_are_repeated_after_transient_faults_only() {
        for acted in [Acted::NotSent, Acted::Refused, Acted::Answered, Acted::Unknown] {
            assert_eq!(decide(1, fault(false, acted), true), Decision::GiveUp);
            assert_eq!(decide(1, fault(true, acted), true), Decision::RetryAfter(Duration::from_secs(1)));
        }
    }

    #[test]
    fn mutations_are_repeated_only_if_the_server_did_not_act() {
        assert!(matches!(decide(1, fault(true, Acted::NotSent), false), Decision::RetryAfter(_)));
        assert!(matches!(decide(1, fault(true, Acted::Refused), false), Decision::RetryAfter(_)));
        assert_eq!(decide(1, fault(true, Acted::Unknown), false), Decision::GiveUp);
        assert_eq!(decide(1, fault(true, Acted::Answered), false), Decision::GiveUp);
    }

    #[test]
    fn waits_grow_to_the_maximum_and_attempts_end() {
        let policy = RetryPolicy::default().with_max_attempts(30);
        let unavailable = fault(true, Acted::Refused);
        let waits: Vec<_> = (1..30)
            .map(|attempt| match policy.decide(attempt, unavailable, None, true, 1.0) {
                Decision::RetryAfter(wait) => wait,
                Decision::GiveUp => panic!("gave up at {attempt}"),
            })
            .collect();
        assert!(waits.is_sorted());
        assert_eq!(waits[1], Duration::from_millis(1300));
        assert_eq!(waits.last(), Some(&Duration::from_secs(10)));
        assert_eq!(policy.decide(30, unavailable, None, true, 1.0), Decision::GiveUp);
        assert_eq!(RetryPolicy::never().decide(1, unavailable, None, true, 1.0), Decision::GiveUp);
    }

    #[test]
    fn the_server_is_obeyed_and_overload_slows_down() {
        let policy = RetryPolicy::default();
        let busy = Fault { is_overload: true, ..fault(true, Acted::Refused) };
        let asked = Some(Duration::from_secs(42));
        assert_eq!(policy.decide(1, busy, asked, false, 0.0), Decision::RetryAfter(Duration::from_secs(42)));
        assert_eq!(policy.decide(1, busy, None, false, 1.0), Decision::RetryAfter(Duration::from_secs(2)));
        assert_eq!(policy.decide(1, busy, None, false, 0.0), Decision::RetryAfter(Duration::from_secs(1)));
    }
}
