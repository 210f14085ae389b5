//! How long operations are waited for, and how often asked about.

use std::fmt::Display;
use std::future::pending;
use std::time::Duration;

use contact_center_insights::lro::PollPolicy;
use tokio::time::{Instant, sleep_until};

/// How long polls may fail before the first answer: a mistyped endpoint is then the likelier reason; and a local server
/// that is not there will not come by itself.
const OUTAGE_AT_START: Duration = Duration::from_secs(30);
const LOCAL_OUTAGE_AT_START: Duration = Duration::from_secs(5);

/// How long an outage is waited for where no flag says it.
pub(super) const MAX_OUTAGE: Duration = Duration::from_mins(10);

/// How long the last look may take, once the time is over.
pub(super) const LAST_LOOK: Duration = Duration::from_secs(5);

/// What is said once the service answers after an outage.
pub(super) const ANSWERS_AGAIN: &str = "note: the service answers again";

/// What is said when an outage begins.
pub(super) fn no_answer(error: impl Display) -> String {
    format!("note: {error}; trying again")
}

/// Returns at the deadline, with it; never if there is none.
pub(super) async fn until(deadline: Option<Instant>) -> Instant {
    match deadline {
        Some(deadline) => {
            sleep_until(deadline).await;
            deadline
        }
        None => pending().await,
    }
}

/// How long is waited, and how often asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Without it, for as long as it takes.
    pub(super) timeout: Option<Duration>,
    /// Without it, as the kind of the operation has it.
    pub(super) interval: Option<Duration>,
    pub(super) max_outage: Duration,
}

impl Patience {
    /// Until when; without an end, or with one that no clock reaches, never.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.timeout.and_then(|timeout| Instant::now().checked_add(timeout))
    }

    /// Until when a first look may take; without an end, never.
    pub(super) fn last_look(&self) -> Option<Instant> {
        self.deadline().and_then(|deadline| deadline.checked_add(LAST_LOOK))
    }

    /// How long nothing may be heard before the first answer.
    pub(super) fn outage_at_start(&self, is_local: bool) -> Duration {
        if is_local { LOCAL_OUTAGE_AT_START } else { OUTAGE_AT_START }.min(self.max_outage)
    }

    /// Whether nobody waits any longer for a service that has not answered since then, or at all.
    pub(super) fn is_over(&self, started: Instant, answered: Option<Instant>, is_local: bool) -> bool {
        match answered {
            Some(answered) => answered.elapsed() >= self.max_outage,
            None => started.elapsed() >= self.outage_at_start(is_local),
        }
    }

    pub(super) fn policy(&self, is_local: bool) -> PollPolicy {
        let policy = PollPolicy::default()
            .with_max_outage(self.max_outage)
            .with_max_outage_at_start(self.outage_at_start(is_local));
        match self.interval {
            Some(interval) => policy.with_first_wait(interval).with_max_wait(interval),
            None => policy,
        }
    }
}
