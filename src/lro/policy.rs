//! When to ask again: a pure function of how often was asked, and of what went wrong.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Fault;

/// How an operation is polled.
///
/// By default the first wait is 1 s, each is 1.5 times the one before, up to 30 s, and there is no limit on the
/// whole: training a model takes hours. Up to 10 polls in a row may fail with a transient fault; the first success
/// forgets them.
///
/// Waits are drawn between a third and the whole of that while they grow, and between nine tenths and the whole once
/// they have grown. So many pollers that were started together are spread evenly when they reach the longest wait,
/// and stay so, without asking much more often than it says.
#[derive(Clone, Debug, PartialEq)]
pub struct PollPolicy {
    first_wait: Duration,
    max_wait: Duration,
    max_faults: u32,
}

const MULTIPLIER: f64 = 1.5;

impl Default for PollPolicy {
    fn default() -> Self {
        Self { first_wait: Duration::from_secs(1), max_wait: Duration::from_secs(30), max_faults: 10 }
    }
}

impl PollPolicy {
    /// Waits this long before the second poll.
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

    /// Gives up when more than this many polls in a row have failed.
    #[must_use]
    pub fn with_max_faults(mut self, faults: u32) -> Self {
        self.max_faults = faults;
        self
    }

    pub(super) fn max_faults(&self) -> u32 {
        self.max_faults
    }

    /// The wait after the `polls`-th poll (from 0: the call that started the operation); `chance` is drawn from
    /// 0 to 1.
    #[must_use]
    pub fn wait(&self, polls: u32, chance: f64) -> Duration {
        let has_grown = polls.checked_sub(1).is_some_and(|before| self.longest(before) == self.max_wait);
        let least = if has_grown { 0.9 } else { 1.0 / 3.0 };
        self.longest(polls).mul_f64(least + (1.0 - least) * chance.clamp(0.0, 1.0))
    }

    /// When a poll is due that waits `wait` from `now` on: up to 1/128 of the wait earlier, on a grid that begins at
    /// `origin`. Pollers that share it make those polls together that would fall close together, and wake the
    /// process, the connection and the processor once for all of them.
    pub(super) fn due(origin: Instant, now: Instant, wait: Duration) -> Instant {
        let due = now + wait;
        // A power of two, so that the grid of any wait holds those of longer ones.
        let step = (wait.as_millis() / 128).checked_ilog2().map_or(1, |exponent| 1_u128 << exponent);
        let off = due.saturating_duration_since(origin).as_millis() % step;
        due.checked_sub(Duration::from_millis(u64::try_from(off).unwrap_or_default())).unwrap_or(due)
    }

    fn longest(&self, polls: u32) -> Duration {
        let growth = MULTIPLIER.powf(f64::from(polls.min(100)));
        let wait = self.first_wait.as_secs_f64() * growth;
        Duration::try_from_secs_f64(wait).unwrap_or(self.max_wait).min(self.max_wait)
    }

    /// Decides after the `faults`-th poll in a row (from 1) failed.
    #[must_use]
    pub fn judge(&self, fault: Fault, faults: u32) -> Verdict {
        if !fault.is_transient || faults > self.max_faults {
            Verdict::GiveUp
        } else if fault.is_overload {
            Verdict::SlowDown
        } else {
            Verdict::GoOn
        }
    }
}

/// What a failed poll means for the waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ask again after the usual wait.
    GoOn,
    /// Ask again after twice the usual wait.
    SlowDown,
    /// Return the error. The operation itself goes on.
    GiveUp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerEffect;

    #[test]
    fn waits_grow_by_half_up_to_thirty_seconds() {
        let policy = PollPolicy::default();
        let waits: Vec<_> = (0..200).map(|polls| policy.wait(polls, 1.0)).collect();
        assert_eq!(waits[..3], [1000, 1500, 2250].map(Duration::from_millis));
        assert!(waits.is_sorted());
        assert_eq!(waits[199], Duration::from_secs(30));
    }

    #[test]
    fn waits_are_drawn_widely_until_they_have_grown() {
        let policy = PollPolicy::default();
        assert_eq!(policy.wait(0, 0.0).as_millis(), 333);
        assert_eq!(policy.wait(9, 0.0), Duration::from_secs(10), "the first of 30 s still spreads");
        assert_eq!(policy.wait(10, 0.0), Duration::from_secs(27));
        let steady = PollPolicy::default().with_first_wait(Duration::from_secs(30));
        assert_eq!([0, 1].map(|polls| steady.wait(polls, 0.0).as_secs()), [10, 27]);
    }

    #[test]
    fn polls_fall_on_a_grid_but_never_late_nor_much_too_soon() {
        let origin = Instant::now();
        for (now, wait) in [(0, 1000), (77, 1000), (12_345, 30_000), (12_346, 28_001), (5, 100), (9, 0)] {
            let (now, wait) = (origin + Duration::from_millis(now), Duration::from_millis(wait));
            let due = PollPolicy::due(origin, now, wait);
            assert!(due <= now + wait && due >= now + wait.mul_f64(127.0 / 128.0), "{wait:?}");
        }
        let at = |now: u64, wait| {
            let now = origin + Duration::from_millis(now);
            (PollPolicy::due(origin, now, Duration::from_millis(wait)) - origin).as_millis()
        };
        assert_eq!([at(0, 30_000), at(50, 30_000), at(0, 30_079)], [29_952; 3], "steps of 128 ms");
        assert_eq!(at(0, 30_100), 30_080);
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let policy =
            PollPolicy::default().with_first_wait(Duration::MAX).with_max_wait(Duration::from_mins(1));
        assert!(policy.wait(u32::MAX, 0.5) <= Duration::from_mins(1));
        let none = PollPolicy::default().with_first_wait(Duration::ZERO);
        assert_eq!(none.wait(9, 0.5), Duration::ZERO);
    }

    #[test]
    fn faults_in_a_row_are_counted() {
        let policy = PollPolicy::default().with_max_faults(2);
        let fault =
            |is_transient, is_overload| Fault { is_transient, is_overload, effect: ServerEffect::Unknown };
        assert_eq!(policy.judge(fault(true, false), 2), Verdict::GoOn);
        assert_eq!(policy.judge(fault(true, true), 1), Verdict::SlowDown);
        assert_eq!(policy.judge(fault(true, false), 3), Verdict::GiveUp);
        assert_eq!(policy.judge(fault(false, false), 1), Verdict::GiveUp);
    }
}
