//! The rate budget that all calls of a client share, per project: polls wait for their turn in it, and the user's own
//! calls do only after the server has refused one for overload.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::rate::{Rate, Ticket};
use crate::time::later;

/// How many calls a client makes of one project in a minute, all its clones and pollers together.
///
/// The default is the documented quota of this API, 3,000 calls a minute. Every attempt counts. Polls wait for their
/// turn, evenly spread, so that many pollers slow down together and none gives up; the user's own calls never wait before
/// the server has refused a call for overload (`RESOURCE_EXHAUSTED`, or a `RetryInfo`). A refusal halves the rate for its
/// project; it comes back within ten minutes, and meanwhile own calls take their turn too, before polls.
///
/// ```
/// use contact_center_insights::{Client, Credentials, call::Budget};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), contact_center_insights::Error> {
/// // A project whose quota was raised to 6,000, of which this process may use half.
/// let client = Client::builder()
///     .with_endpoint("https://contactcenterinsights.googleapis.com")
///     .with_credentials(Credentials::anonymous())
///     .with_budget(Some(Budget::per_minute(3_000)))
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    calls: u32,
}

impl Budget {
    /// This many calls a minute; 0 counts as 1.
    #[must_use]
    pub const fn per_minute(calls: u32) -> Self {
        Self { calls }
    }

    /// How many calls a minute.
    #[must_use]
    pub const fn calls_per_minute(self) -> u32 {
        self.calls
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::per_minute(3_000)
    }
}

/// Who wants to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// The user: at once, unless the server has refused calls.
    Own,
    /// A poller: in turn.
    Poll,
    /// A page of what many pollers look for together: after polls, of which it spares many.
    Sweep,
}

/// A wait in the rate budget. Dropped, it gives its turn to those behind it.
pub(super) type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How often a poll that waits looks how many are still ahead of it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Projects whose rates are remembered at once. Those that names invent beyond it share one.
const MAX_PROJECTS: usize = 1_024;

/// The rates of all projects that a client has called.
#[derive(Debug)]
pub(super) struct Budgets {
    budget: Budget,
    projects: Mutex<HashMap<Box<str>, Arc<Mutex<Rate>>>>,
}

impl Budgets {
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, projects: Mutex::default() }
    }

    /// The turn of a call about `project`, to be waited for. `None` if it may be made at once, as nearly all of the user's
    /// own may: then it is counted.
    pub(super) fn turn(&self, project: &str, priority: Priority) -> Option<Turn> {
        let rate = self.rate(project);
        Some(match priority {
            Priority::Own => {
                let at = lock(&rate).own(Instant::now())?;
                Box::pin(sleep_until(at))
            }
            Priority::Sweep => Box::pin(turn_of_sweep(rate)),
            Priority::Poll => {
                let ticket = Some(lock(&rate).queue());
                Box::pin(Place { rate, ticket }.reached())
            }
        })
    }

    /// Gives `project` a budget of its own from now on.
    pub(super) fn set(&self, project: &str, budget: Budget) {
        lock(&self.rate(project)).set_quota(budget.calls);
    }

    /// The server has refused a call about `project` for overload, or has asked for a delay.
    pub(super) fn refused(&self, project: &str) {
        lock(&self.rate(project)).refused(Instant::now());
    }

    /// Learns that two spellings, id and number, are of one project: answers of this API have the number.
    pub(super) fn same_project(&self, one: &str, other: &str) {
        if one == other || one.is_empty() || other.is_empty() {
            return;
        }
        let rate = self.rate(one);
        let mut projects = lock(&self.projects);
        if projects.len() < MAX_PROJECTS || projects.contains_key(other) {
            projects.insert(other.into(), rate);
        }
    }

    fn rate(&self, project: &str) -> Arc<Mutex<Rate>> {
        let mut projects = lock(&self.projects);
        if let Some(rate) = projects.get(project) {
            return rate.clone();
        }
        // The empty name, which is in no name of a resource, stands for the rest.
        let key = if projects.len() < MAX_PROJECTS { project } else { "" };
        let new = || Arc::new(Mutex::new(Rate::new(self.budget.calls, Instant::now())));
        projects.entry(key.into()).or_insert_with(new).clone()
    }
}

async fn turn_of_sweep(rate: Arc<Mutex<Rate>>) {
    let asked = Instant::now();
    loop {
        let now = Instant::now();
        let Some(at) = lock(&rate).sweep(asked, now) else { return };
        sleep_until(at.min(later(now, LOOK_AGAIN))).await;
    }
}

/// A place among the polls that wait; left when it is dropped.
struct Place {
    rate: Arc<Mutex<Rate>>,
    ticket: Option<Ticket>,
}

impl Place {
    /// Ends when it is the turn of this poll, which is counted then.
    async fn reached(mut self) {
        while let Some(ticket) = self.ticket {
            let now = Instant::now();
            let at = lock(&self.rate).poll(ticket, now);
            match at {
                None => self.ticket = None,
                // Those ahead may go away, and leave their turn.
                Some(at) => sleep_until(at.min(later(now, LOOK_AGAIN))).await,
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.ticket.take().is_some() {
            lock(&self.rate).leave();
        }
    }
}

/// A poisoned lock only means that a panic passed by; what it guards is written in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    impl Budgets {
        async fn enter(&self, project: &str, priority: Priority) {
            if let Some(turn) = self.turn(project, priority) {
                turn.await;
            }
        }
    }

    fn since(then: Instant, now: Instant) -> Duration {
        now.saturating_duration_since(then)
    }

    #[tokio::test(start_paused = true)]
    async fn own_calls_do_not_wait_and_polls_are_spread() {
        let budgets = Arc::new(Budgets::new(Budget::per_minute(600)));
        let started = Instant::now();
        for _ in 0..10_000 {
            budgets.enter("p", Priority::Own).await;
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
        budgets.enter("q", Priority::Poll).await;
        assert_eq!(started.elapsed(), Duration::ZERO, "another project");
        budgets.enter("p", Priority::Poll).await;
        let waited = since(started, Instant::now());
        assert!(waited > Duration::from_secs(30) && waited <= Duration::from_mins(1), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_polls_than_the_budget() {
        let budgets = Arc::new(Budgets::new(Budget::default()));
        let (started, minutes) = (Instant::now(), Arc::new([const { AtomicUsize::new(0) }; 12]));
        for _ in 0..10_000 {
            let (budgets, minutes) = (budgets.clone(), minutes.clone());
            tokio::spawn(async move {
                loop {
                    budgets.enter("p", Priority::Poll).await;
                    let second = started.elapsed().as_secs();
                    let Some(window) = minutes.get(usize::try_from(second / 60).unwrap()) else { return };
                    window.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        tokio::time::sleep(Duration::from_mins(13)).await;
        let counts: Vec<_> = minutes.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert!(counts.iter().all(|count| (2_500..=3_000).contains(count)), "{counts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_that_changes_holds_from_then_on_and_for_its_project_alone() {
        let budgets = Budgets::new(Budget::per_minute(6_000));
        budgets.set("p", Budget::per_minute(60));
        let seconds = async |project| {
            let started = Instant::now();
            for _ in 0..20 {
                budgets.enter(project, Priority::Poll).await;
            }
            started.elapsed().as_secs()
        };
        assert!((17..=23).contains(&seconds("p").await));
        assert_eq!(seconds("q").await, 0);
        budgets.set("p", Budget::per_minute(600));
        assert!(seconds("p").await <= 3);
    }

    #[tokio::test(start_paused = true)]
    async fn sweeps_leave_half_of_the_rate_and_let_polls_go_before() {
        let budgets = Arc::new(Budgets::new(Budget::default()));
        let started = Instant::now();
        for _ in 0..7_500 {
            budgets.enter("p", Priority::Sweep).await;
        }
        let minutes = started.elapsed().as_secs_f64() / 60.0;
        assert!(minutes > 4.9 && minutes < 5.5, "{minutes}");
        let started = Instant::now();
        for _ in 0..1_000 {
            budgets.enter("p", Priority::Poll).await;
        }
        assert!(started.elapsed() < Duration::from_secs(22), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sweep_gets_its_turn_among_polls_without_end() {
        let budgets = Arc::new(Budgets::new(Budget::per_minute(600)));
        for _ in 0..100 {
            let budgets = budgets.clone();
            tokio::spawn(async move {
                loop {
                    budgets.enter("p", Priority::Poll).await;
                }
            });
        }
        let started = Instant::now();
        budgets.enter("p", Priority::Sweep).await;
        budgets.enter("p", Priority::Sweep).await;
        assert!(started.elapsed() <= Duration::from_secs(125), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_that_goes_away_leaves_its_turn_to_the_next() {
        let budgets = Arc::new(Budgets::new(Budget::per_minute(60)));
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(budgets.enter("p", Priority::Poll))).collect();
        for place in &mut waiting {
            let polled = tokio::time::timeout(Duration::from_millis(1), place).await;
            drop(polled);
        }
        let started = Instant::now();
        let last = waiting.pop().unwrap();
        drop(waiting);
        last.await;
        assert!(started.elapsed() <= Duration::from_secs(7), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_own_calls_take_their_turn_before_polls() {
        let budgets = Arc::new(Budgets::new(Budget::per_minute(60)));
        budgets.refused("p");
        let started = Instant::now();
        let poll = tokio::spawn({
            let budgets = budgets.clone();
            async move {
                for _ in 0..20 {
                    budgets.enter("p", Priority::Poll).await;
                }
                Instant::now()
            }
        });
        for _ in 0..20 {
            budgets.enter("p", Priority::Own).await;
        }
        let own = started.elapsed();
        assert!(own > Duration::from_secs(30) && own < Duration::from_secs(45), "{own:?}");
        assert!(since(started, poll.await.unwrap()) > own);
        let before = Instant::now();
        for _ in 0..20 {
            budgets.enter("other", Priority::Own).await;
        }
        assert_eq!(Instant::now(), before, "another project");
    }

    #[tokio::test(start_paused = true)]
    async fn id_and_number_share_one_rate_and_invented_projects_do_too() {
        let budgets = Budgets::new(Budget::per_minute(60));
        budgets.same_project("id", "123");
        budgets.refused("123");
        let started = Instant::now();
        for _ in 0..10 {
            budgets.enter("id", Priority::Own).await;
        }
        assert!(started.elapsed() > Duration::from_secs(10), "{:?}", started.elapsed());
        for project in 0..100_000 {
            budgets.rate(&format!("p{project}"));
        }
        assert!(lock(&budgets.projects).len() <= MAX_PROJECTS + 1);
    }
}
