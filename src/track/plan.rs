//! Whether and when a location is swept: pure functions of what sweeps have cost so far.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::TrackPolicy;
use crate::time::{later, scaled};

/// Sweeps of one page are made this often; those of more pages seldom enough to cost about two pages a second, up to
/// `LONG`: an end is noticed soon, and ten thousand operations need 220 calls a minute.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(6);
const A_PAGE: Duration = Duration::from_millis(460);
/// What asking about an operation alone costs: every 30 s, once its waits have grown.
const GETS_A_MINUTE: f64 = 2.0;
/// A service that does not list, or lists too much, is asked for a list again after this.
const RETRY_AFTER: Duration = Duration::from_mins(10);
/// Waits after failed sweeps grow up to this.
const MAX_BACKOFF: Duration = Duration::from_mins(1);
/// Windows are not cut smaller than this many pages, as far as all walks have one: the last page of each is not full.
const PAGES_A_WINDOW: u32 = 4;
const MAX_WINDOWS: usize = 64;

/// How far the service can filter its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lists {
    /// It does not list at all, or refuses the filter.
    None,
    /// What is not done.
    Whole,
    /// What is not done, by the time of creation.
    Windows,
}

/// What one round of walks was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) started: Instant,
    pub(super) pages: u32,
    /// What the service turned out not to be able to do; `None` if all walks came to their ends.
    pub(super) trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A filter was refused.
    Refused,
    /// Lists are denied, or not served.
    Denied,
    /// A fault that passes.
    Failed,
}

#[derive(Debug)]
pub(super) struct Plan {
    interval: Option<Duration>,
    page_size: u32,
    walks: usize,
    lists: Lists,
    /// When what was found out about the service is forgotten.
    forget_at: Option<Instant>,
    /// Of the last whole round.
    pages: Option<u32>,
    last_started: Option<Instant>,
    failures: u32,
}

impl Plan {
    pub(super) fn new(policy: &TrackPolicy, lists: Lists) -> Self {
        Self {
            interval: policy.interval,
            page_size: policy.page_size.max(1),
            walks: policy.walks.max(1),
            lists,
            forget_at: None,
            pages: None,
            last_started: None,
            failures: 0,
        }
    }

    /// Whether sweeps need fewer calls than asking about each of so many operations.
    pub(super) fn sweeps(&mut self, operations: usize, now: Instant) -> bool {
        if self.forget_at.is_some_and(|at| at <= now) {
            (self.lists, self.forget_at, self.pages) = (Lists::Windows, None, None);
        }
        if self.lists == Lists::None {
            return false;
        }
        let operations = u32::try_from(operations).unwrap_or(u32::MAX);
        let pages = self.pages.unwrap_or_else(|| operations.div_ceil(self.page_size).max(1));
        let sweeps_a_minute = 60.0 * f64::from(pages) / self.interval_of(pages).as_secs_f64().max(0.001);
        let is_cheaper = sweeps_a_minute < GETS_A_MINUTE * f64::from(operations);
        if !is_cheaper && self.pages.is_some() && self.forget_at.is_none() {
            // The list may get shorter: there are others' operations in it.
            self.forget_at = Some(later(now, RETRY_AFTER));
        }
        is_cheaper
    }

    /// When the next round may begin.
    pub(super) fn next_round(&self, now: Instant) -> Instant {
        let Some(last) = self.last_started else { return now };
        let interval = self.interval_of(self.pages.unwrap_or(1));
        let wait = interval.saturating_mul(1_u32.checked_shl(self.failures.min(8)).unwrap_or(u32::MAX));
        later(last, wait.min(MAX_BACKOFF.max(interval)))
    }

    /// Into how many windows the list is best cut.
    pub(super) fn windows(&self) -> usize {
        match (self.lists, self.pages) {
            (Lists::Windows, Some(pages)) => {
                let by_size = usize::try_from(pages.div_ceil(PAGES_A_WINDOW)).unwrap_or(MAX_WINDOWS);
                let for_all = self.walks.min(usize::try_from(pages / 2).unwrap_or(MAX_WINDOWS));
                by_size.max(for_all).clamp(1, MAX_WINDOWS)
            }
            _ => 1,
        }
    }

    /// Takes note of a round.
    pub(super) fn ended(&mut self, round: Round, now: Instant) {
        self.last_started = Some(round.started);
        match round.trouble {
            None => (self.pages, self.failures) = (Some(round.pages), 0),
            Some(Trouble::Failed) => self.failures = self.failures.saturating_add(1),
            Some(Trouble::Refused) if self.lists == Lists::Windows && self.windows() > 1 => {
                self.lists = Lists::Whole;
                self.forget_at = Some(later(now, RETRY_AFTER));
            }
            Some(Trouble::Refused | Trouble::Denied) => {
                self.lists = Lists::None;
                self.forget_at = Some(later(now, RETRY_AFTER));
            }
        }
    }

    /// Whether the last round has failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    fn interval_of(&self, pages: u32) -> Duration {
        self.interval.unwrap_or_else(|| scaled(A_PAGE, f64::from(pages)).clamp(SHORT, LONG))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(&TrackPolicy::default(), Lists::Windows)
    }

    fn round(started: Instant, pages: u32, trouble: Option<Trouble>) -> Round {
        Round { started, pages, trouble }
    }

    #[test]
    fn a_few_are_asked_about_alone_and_many_together() {
        let now = Instant::now();
        let mut plan = plan();
        let sweeps = [0, 1, 10, 11, 100_000].map(|operations| plan.sweeps(operations, now));
        assert_eq!(sweeps, [false, false, false, true, true]);
    }

    #[test]
    fn what_others_have_in_the_list_makes_sweeps_dear_for_a_while() {
        let now = Instant::now();
        let mut plan = plan();
        plan.ended(round(now, 500, None), now);
        assert!(!plan.sweeps(1_000, now) && plan.sweeps(10_000, now));
        assert!(!plan.sweeps(1_000, now + Duration::from_mins(9)));
        assert!(plan.sweeps(1_000, now + Duration::from_mins(10)), "the list is looked at again");
    }

    #[test]
    fn rounds_follow_each_other_by_their_cost_and_more_seldom_after_failures() {
        let now = Instant::now();
        let mut plan = plan();
        let next = |plan: &Plan| (plan.next_round(now) - now).as_millis();
        assert_eq!(next(&plan), 0);
        for (pages, wait) in [(1, 3_000), (10, 4_600), (13, 5_980), (1_000, 6_000)] {
            plan.ended(round(now, pages, None), now);
            assert_eq!(next(&plan), wait, "{pages}");
        }
        for wait in [12_000, 24_000, 48_000, 60_000, 60_000] {
            plan.ended(round(now, 0, Some(Trouble::Failed)), now);
            assert_eq!(next(&plan), wait);
        }
        plan.ended(round(now, 1_000, None), now);
        assert_eq!(next(&plan), 6_000);
    }

    #[test]
    fn windows_are_many_where_the_list_is_long() {
        let now = Instant::now();
        let mut plan = plan();
        assert_eq!(plan.windows(), 1, "nothing is known of times yet");
        for (pages, windows) in [(1, 1), (2, 1), (4, 2), (10, 4), (100, 25), (1_000, 64)] {
            plan.ended(round(now, pages, None), now);
            assert_eq!(plan.windows(), windows, "{pages}");
        }
    }

    #[test]
    fn a_service_that_refuses_is_asked_for_less_and_again_later() {
        let now = Instant::now();
        let mut plan = plan();
        plan.ended(round(now, 10, None), now);
        plan.ended(round(now, 0, Some(Trouble::Refused)), now);
        assert!(plan.sweeps(10_000, now) && plan.windows() == 1);
        plan.ended(round(now, 0, Some(Trouble::Refused)), now);
        assert!(!plan.sweeps(10_000, now));
        let later = now + Duration::from_mins(10);
        assert!(plan.sweeps(10_000, later));
        plan.ended(round(now, 0, Some(Trouble::Denied)), later);
        assert!(!plan.sweeps(10_000, later));
    }
}
