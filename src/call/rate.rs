//! How fast calls about one project may follow each other, as a state that is stepped from outside: a token bucket by
//! its theoretical arrival time (GCRA), whose rate is halved by refusals and comes back by itself.

use std::time::Duration;

use tokio::time::Instant;

use crate::time::{earlier, later, scaled};

/// Of the quota, so that a burst fits into the same minute.
const STEADY: f64 = 0.95;
/// Of the quota: how many calls may come at once.
const BURST: f64 = 0.04;
/// For a halved rate to come back.
const RECOVERY: Duration = Duration::from_mins(10);
/// A burst of refusals, of calls that were under way together, halves the rate once.
const ONE_REFUSAL: Duration = Duration::from_secs(5);
/// However often the server refuses, calls go on at this part of the quota.
const LEAST: f64 = 1.0 / 256.0;
/// Own calls that do not wait can hold polls back no longer than this, nor can polls a sweep.
const LONGEST_HOLD: Duration = Duration::from_mins(1);

/// The place of a poll among those that wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
pub(super) struct Rate {
    /// Calls a minute.
    quota: f64,
    /// The part of the quota that may be used, as it was at `since`.
    part: f64,
    since: Instant,
    refused_at: Option<Instant>,
    /// When the next call would be due if there were no bursts.
    next: Instant,
    /// As `next`, if polls and sweeps were all calls and had half of the rate.
    following: Instant,
    /// Polls that ever waited, and of those the ones that do not any more.
    queued: u64,
    gone: u64,
}

impl Rate {
    pub(super) fn new(calls_per_minute: u32, now: Instant) -> Self {
        let quota = f64::from(calls_per_minute.max(1));
        Self { quota, part: 1.0, since: now, refused_at: None, next: now, following: now, queued: 0, gone: 0 }
    }

    /// Has another number of calls in a minute from now on; what was learnt of refusals stays.
    pub(super) fn set_quota(&mut self, calls_per_minute: u32) {
        self.quota = f64::from(calls_per_minute.max(1));
    }

    /// Counts one of the user's own calls; when it may go, if it has to wait.
    pub(super) fn own(&mut self, now: Instant) -> Option<Instant> {
        let is_held = self.settle(now) < 1.0;
        let due = earlier(self.next, self.tolerance());
        if is_held {
            self.count(now);
        } else {
            // It goes in any case: what it takes from polls is bounded.
            let before = self.next;
            self.count(now);
            self.next = self.next.min(later(now, LONGEST_HOLD)).max(before);
        }
        (is_held && due > now).then_some(due)
    }

    /// Gives a poll its place behind those that wait.
    pub(super) fn queue(&mut self) -> Ticket {
        let ticket = Ticket(self.queued);
        self.queued = self.queued.saturating_add(1);
        ticket
    }

    /// Counts the poll if it is its turn; else when it may be.
    pub(super) fn poll(&mut self, ticket: Ticket, now: Instant) -> Option<Instant> {
        self.settle(now);
        let ahead = u32::try_from(ticket.0.saturating_sub(self.gone)).unwrap_or(u32::MAX);
        // Half of the tolerance stays for the user's own calls, which so come first.
        let due =
            later(earlier(self.next, scaled(self.tolerance(), 0.5)), self.interval().saturating_mul(ahead));
        if due > now {
            // Timers tick in milliseconds; one that comes early would only be set again.
            return Some(later(due, Duration::from_millis(1)));
        }
        self.leave();
        self.count(now);
        self.count_following(now);
        None
    }

    /// Counts a page of a sweep, for which `asked` is the start of its wait, if it may be had now; else when it may be.
    /// Sweeps come after polls, and together they leave half of the rate to others. No page waits for ever.
    pub(super) fn sweep(&mut self, asked: Instant, now: Instant) -> Option<Instant> {
        self.settle(now);
        let behind_polls = earlier(self.next, scaled(self.tolerance(), 0.25));
        let due = behind_polls.max(earlier(self.following, self.tolerance())).min(later(asked, LONGEST_HOLD));
        if due > now {
            return Some(later(due, Duration::from_millis(1)));
        }
        self.count(now);
        self.count_following(now);
        None
    }

    /// A poll has made its call, or does not wait any more.
    pub(super) fn leave(&mut self) {
        self.gone = self.gone.saturating_add(1);
    }

    /// The server refused a call for overload.
    pub(super) fn refused(&mut self, now: Instant) {
        let is_news = self.refused_at.is_none_or(|at| now.saturating_duration_since(at) >= ONE_REFUSAL);
        if is_news {
            self.refused_at = Some(now);
            self.part = (self.settle(now) / 2.0).max(LEAST);
        }
    }

    fn count(&mut self, now: Instant) {
        self.next = later(self.next.max(now), self.interval());
    }

    fn count_following(&mut self, now: Instant) {
        let next = later(self.following.max(now), self.interval().saturating_mul(2));
        self.following = next.min(later(now, LONGEST_HOLD)).max(self.following);
    }

    /// The part of the quota that may be used now.
    fn settle(&mut self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.part = (self.part + passed / RECOVERY.as_secs_f64()).min(1.0);
        self.since = now;
        self.part
    }

    /// Between two calls.
    fn interval(&self) -> Duration {
        scaled(Duration::from_mins(1), 1.0 / (self.quota * self.part * STEADY))
    }

    /// How much earlier than due calls may come together.
    fn tolerance(&self) -> Duration {
        scaled(self.interval(), self.quota * self.part * BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_halves_the_rate_once_and_it_comes_back() {
        let start = Instant::now();
        let mut rate = Rate::new(3_000, start);
        assert_eq!(rate.settle(start).to_bits(), 1.0_f64.to_bits());
        for _ in 0..100 {
            rate.refused(start);
        }
        let part = |rate: &mut Rate, seconds| rate.settle(start + Duration::from_secs(seconds));
        assert!((part(&mut rate, 0) - 0.5).abs() < 1e-9);
        assert!((part(&mut rate, 150) - 0.75).abs() < 1e-9);
        assert!((part(&mut rate, 300) - 1.0).abs() < 1e-9);
        assert!((part(&mut rate, 9_000) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn refusals_without_end_leave_something() {
        let mut now = Instant::now();
        let mut rate = Rate::new(3_000, now);
        for _ in 0..1_000 {
            rate.refused(now);
            now += ONE_REFUSAL;
        }
        assert!(rate.settle(now) >= LEAST && rate.settle(now) < 0.05);
        assert!(rate.interval() < Duration::from_secs(6));
    }

    #[test]
    fn a_budget_of_nothing_is_one_call_a_minute_and_extremes_do_not_overflow() {
        let now = Instant::now();
        let mut none = Rate::new(0, now);
        assert!(none.interval() > Duration::from_mins(1) && none.interval() < Duration::from_mins(2));
        none.gone = u64::MAX;
        none.queued = u64::MAX;
        let ticket = none.queue();
        assert!(none.poll(ticket, now).is_none());
        let late = none.poll(Ticket(u64::MAX), now).unwrap();
        assert!(late > now);
        let mut most = Rate::new(u32::MAX, now);
        assert!(most.interval() < Duration::from_micros(1));
        for _ in 0..1_000 {
            assert!(most.own(now).is_none());
        }
    }
}
