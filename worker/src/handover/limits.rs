//! How many results are in hand at once, how often each is tried, and how long the waits between are.

use std::time::Duration;

use crate::row::Settlement;
use crate::time::scaled;

/// How results are handed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// How many a round takes. A worker makes four rounds at the same time: 4 of them are 16 in hand.
    pub(crate) at_once: usize,
    /// How long a handler has for one.
    pub(crate) deadline: Duration,
    pub(crate) tries: u32,
    pub(crate) first_wait: Duration,
    pub(crate) longest_wait: Duration,
}

/// Rounds that a worker makes at the same time.
pub(crate) const LANES: usize = 4;

impl Default for Limits {
    fn default() -> Self {
        Self {
            at_once: 4,
            deadline: Duration::from_mins(1),
            tries: 20,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_mins(10),
        }
    }
}

impl Limits {
    /// How many results one round takes at most.
    #[must_use]
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// How long a handler has for one result.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// What becomes of a result whose `tries` earlier tries have failed, as has this one for `reason`.
    #[must_use]
    pub fn after_failure(&self, tries: u32, reason: String) -> Settlement {
        if tries.saturating_add(1) >= self.tries {
            return Settlement::Buried { reason };
        }
        let grown = self.first_wait.saturating_mul(2_u32.saturating_pow(tries)).min(self.longest_wait);
        // So that what failed together is not tried again together.
        Settlement::Failed { reason, wait: scaled(grown, 0.75 + fastrand::f64() / 4.0) }
    }
}

/// What a round has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Round {
    /// Taken by the handler.
    pub handed: u64,
    /// To be tried again.
    pub failed: u64,
    /// Tried for the last time.
    pub buried: u64,
    /// For how long the end of each was known before.
    pub ages: Vec<Duration>,
}

impl Round {
    /// Counts one.
    pub fn note(&mut self, settlement: &Settlement) {
        let counter = match settlement {
            Settlement::Handed => &mut self.handed,
            Settlement::Failed { .. } => &mut self.failed,
            Settlement::Buried { .. } => &mut self.buried,
        };
        *counter = counter.saturating_add(1);
    }

    /// Notes for how long the end of one was known.
    pub fn note_age(&mut self, age: Duration) {
        self.ages.push(age);
    }

    /// Whether there was nothing to hand over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_the_last_failure_buries() {
        let limits = Limits::default();
        let mut before = Duration::ZERO;
        for tries in 0..19 {
            let Settlement::Failed { wait, .. } = limits.after_failure(tries, String::new()) else {
                panic!("buried after {tries}");
            };
            assert!(
                wait <= limits.longest_wait && (wait > before || wait > Duration::from_mins(7)),
                "{tries}: {wait:?}"
            );
            before = wait;
        }
        for tries in [19, 20, u32::MAX] {
            assert!(
                matches!(limits.after_failure(tries, "why".into()), Settlement::Buried { reason } if reason == "why")
            );
        }
    }
}
