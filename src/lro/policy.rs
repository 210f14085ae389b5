//! When to ask about an operation again, and when to stop: pure functions of what has happened.

use std::time::Duration;

use tokio::time::Instant;

use super::schedule::{QUICK, Schedule};
use crate::error::Fault;
use crate::time::later;

/// How an operation is polled.
///
/// By default the kind of the operation decides on the waits, as its metadata tells it: those that last (training, bulk
/// work, ingestion, export, import, tuning) are asked about after 10 s, then at waits that grow up to 30 s; all others
/// after 1 s, each wait being 1.5 times the one before, up to 30 s. There is no limit on the whole: training takes hours.
///
/// Transient faults are tolerated for 10 minutes ([`PollPolicy::with_max_outage`]), however often it was asked
/// meanwhile. Overload is never a reason to give up: all pollers of the client slow down together instead, see
/// [`Budget`](crate::call::Budget).
///
/// Waits are drawn between a part and the whole of what they say, so that pollers that were started together spread.
///
/// ```
/// use contact_center_insights::PollPolicy;
/// use std::time::Duration;
///
/// let eager = PollPolicy::default()
///     .with_first_wait(Duration::from_millis(500))
///     .with_max_wait(Duration::from_secs(5))
///     .with_max_outage(Duration::from_secs(3600));
/// # let _ = eager;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PollPolicy {
    first_wait: Option<Duration>,
    max_wait: Option<Duration>,
    max_outage: Duration,
    max_outage_at_start: Option<Duration>,
}

/// How long the poll at a deadline may take, and any poll at least.
pub(super) const LAST_POLL: Duration = Duration::from_secs(5);

impl Default for PollPolicy {
    fn default() -> Self {
        Self {
            first_wait: None,
            max_wait: None,
            max_outage: Duration::from_mins(10),
            max_outage_at_start: None,
        }
    }
}

impl PollPolicy {
    /// Waits this long before the second poll, whatever the kind of the operation; the waits after it grow by half.
    #[must_use]
    pub fn with_first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = Some(wait);
        self
    }

    /// Lets waits grow up to this. 30 s by default.
    #[must_use]
    pub fn with_max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    /// Gives up when polls have failed for this long since the service last answered; 10 minutes by default. It takes at
    /// least two failed polls, so that a poller that asks seldom does not give up at the first. A poll itself fails after
    /// this long at the latest, or after 5 s if this is less.
    ///
    /// A refusal for overload (`RESOURCE_EXHAUSTED`) is an answer. UNAVAILABLE, a connection that cannot be opened and an
    /// error page of a proxy are not.
    #[must_use]
    pub fn with_max_outage(mut self, outage: Duration) -> Self {
        self.max_outage = outage;
        self
    }

    /// Gives up sooner, after polls have failed for this long, as long as there was no answer yet: a mistyped endpoint is
    /// then the likelier reason. By default [`PollPolicy::with_max_outage`] holds from the start.
    #[must_use]
    pub fn with_max_outage_at_start(mut self, outage: Duration) -> Self {
        self.max_outage_at_start = Some(outage);
        self
    }

    /// The waits for an operation whose metadata has this type URL.
    pub(super) fn schedule(&self, metadata: &str) -> Schedule {
        let kind = match self.first_wait {
            Some(first) => Schedule { first, ..QUICK },
            None => Schedule::of_metadata(metadata),
        };
        Schedule { longest: self.max_wait.unwrap_or(kind.longest), ..kind }
    }

    /// Whether the waits are those of the kind, and not what a user has set: sweeps may then stand for polls.
    pub(super) fn waits_by_kind(&self) -> bool {
        self.first_wait.is_none() && self.max_wait.is_none()
    }

    /// How long to wait after the `polls`-th poll (from 0) of an operation with metadata of this type; `jitter` is from 0
    /// to 1.
    pub(crate) fn wait_after(&self, metadata: &str, polls: u32, jitter: f64) -> Duration {
        self.schedule(metadata).wait(polls, jitter)
    }

    fn tolerated(&self, has_answered: bool) -> Duration {
        self.max_outage_at_start.filter(|_| !has_answered).unwrap_or(self.max_outage)
    }

    /// How long a poll may take: an outage in which calls hang is noticed in the time that is tolerated for it.
    pub(super) fn longest_poll(&self, has_answered: bool) -> Duration {
        self.tolerated(has_answered).max(LAST_POLL)
    }

    /// What a failed poll means for the waiting; polls have failed for `outage` now.
    pub(super) fn judge(&self, fault: Fault, outage: Duration, has_answered: bool) -> Verdict {
        let max_outage = self.tolerated(has_answered);
        if fault.is_overload {
            Verdict::SlowDown
        } else if !fault.is_transient || (outage >= max_outage && outage > Duration::ZERO) {
            Verdict::GiveUp
        } else {
            Verdict::GoOn
        }
    }
}

/// When a poll is due that waits `wait` from `now` on: up to 1/128 of the wait earlier, on a grid that begins at `origin`.
/// Pollers that share it make those polls together that would fall close together, and wake the process, the connection
/// and the processor once for all of them.
pub(super) fn due(origin: Instant, now: Instant, wait: Duration) -> Instant {
    let due = later(now, wait);
    // A power of two, so that the grid of any wait holds those of longer ones.
    let step = (due.saturating_duration_since(now).as_millis() / 128)
        .checked_ilog2()
        .map_or(1, |exponent| 1_u128 << exponent);
    let off = due.saturating_duration_since(origin).as_millis().checked_rem(step).unwrap_or_default();
    due.checked_sub(Duration::from_millis(u64::try_from(off).unwrap_or_default())).unwrap_or(due)
}

/// What a failed poll means for the waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Ask again after the usual wait.
    GoOn,
    /// Ask again after twice the usual wait: the service has answered that it is asked too often.
    SlowDown,
    /// Return the error. The operation itself goes on.
    GiveUp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerEffect;
    use crate::lro::schedule::LASTING;

    const TRAINING: &str =
        "type.googleapis.com/google.cloud.contactcenterinsights.v1.CreateIssueModelMetadata";

    #[test]
    fn what_is_set_wins_over_the_kind() {
        let policy = PollPolicy::default();
        assert_eq!((policy.schedule(TRAINING), policy.schedule("")), (LASTING, QUICK));
        let second = Duration::from_secs(1);
        assert_eq!(
            policy.clone().with_max_wait(second).schedule(TRAINING),
            Schedule { longest: second, ..LASTING }
        );
        assert_eq!(policy.with_first_wait(second).schedule(TRAINING), Schedule { first: second, ..QUICK });
    }

    #[test]
    fn polls_fall_on_a_grid_but_never_late_nor_much_too_soon() {
        let origin = Instant::now();
        for (now, wait) in [(0, 1000), (77, 1000), (12_345, 30_000), (12_346, 28_001), (5, 100), (9, 0)] {
            let (now, wait) = (origin + Duration::from_millis(now), Duration::from_millis(wait));
            let due = due(origin, now, wait);
            assert!(due <= now + wait && due >= now + wait.mul_f64(127.0 / 128.0), "{wait:?}");
        }
        let at = |now: u64, wait| {
            let now = origin + Duration::from_millis(now);
            (due(origin, now, Duration::from_millis(wait)) - origin).as_millis()
        };
        assert_eq!([at(0, 30_000), at(50, 30_000), at(0, 30_079)], [29_952; 3], "steps of 128 ms");
        assert_eq!(at(0, 30_100), 30_080);
    }

    #[test]
    fn a_wait_without_end_is_due_one_day() {
        let now = Instant::now();
        assert!(due(now, now, Duration::MAX) > now + Duration::from_hours(24 * 365));
    }

    #[test]
    fn giving_up_is_decided_by_time_and_never_by_overload() {
        let policy = PollPolicy::default().with_max_outage(Duration::from_mins(1));
        let fault =
            |is_transient, is_overload| Fault { is_transient, is_overload, effect: ServerEffect::Unknown };
        let judge = |fault, seconds| policy.judge(fault, Duration::from_secs(seconds), true);
        assert_eq!(judge(fault(true, false), 59), Verdict::GoOn);
        assert_eq!(judge(fault(true, false), 60), Verdict::GiveUp);
        assert_eq!(judge(fault(true, true), 1_000_000), Verdict::SlowDown);
        assert_eq!(judge(fault(false, false), 0), Verdict::GiveUp);
        let wary = policy.with_max_outage_at_start(Duration::from_secs(5));
        let judge = |has_answered| wary.judge(fault(true, false), Duration::from_secs(5), has_answered);
        assert_eq!((judge(false), judge(true)), (Verdict::GiveUp, Verdict::GoOn));
        let at_once = PollPolicy::default().with_max_outage(Duration::ZERO);
        assert_eq!(
            at_once.judge(fault(true, false), Duration::ZERO, true),
            Verdict::GoOn,
            "one failure is not an outage"
        );
    }
}
