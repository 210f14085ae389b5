//! What the one worker of a file holds, and when its cohorts are due: in memory, since it is alone.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::time::{Micros, since};

#[derive(Debug, Default)]
pub(super) struct Held {
    cohorts: HashSet<i64>,
    outcomes: HashSet<i64>,
    /// When cohorts are due; those that are not here are due at once.
    due: HashMap<i64, Micros>,
}

impl Held {
    /// Takes the one of `cohorts` that is due and has waited longest.
    pub(super) fn take_cohort(&mut self, cohorts: &[i64], now: Micros) -> Option<i64> {
        self.due.retain(|id, _| cohorts.contains(id));
        let free = cohorts.iter().copied().filter(|id| !self.cohorts.contains(id));
        let due = free.map(|id| (self.due.get(&id).copied().unwrap_or(Micros::MIN), id));
        let (at, id) = due.min()?;
        (at <= now && self.cohorts.insert(id)).then_some(id)
    }

    pub(super) fn free_cohort(&mut self, id: i64) {
        self.cohorts.remove(&id);
    }

    pub(super) fn set_due(&mut self, id: i64, at: Micros) {
        self.due.insert(id, at);
    }

    /// How much later than planned the cohort is that has waited longest.
    pub(super) fn lateness(&self, now: Micros) -> Duration {
        self.due.values().copied().min().map_or(Duration::ZERO, |at| since(at, now))
    }

    pub(super) fn has_outcome(&self, id: i64) -> bool {
        self.outcomes.contains(&id)
    }

    pub(super) fn outcomes(&self) -> usize {
        self.outcomes.len()
    }

    pub(super) fn take_outcome(&mut self, id: i64) -> bool {
        self.outcomes.insert(id)
    }

    pub(super) fn free_outcome(&mut self, id: i64) {
        self.outcomes.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cohort_is_taken_once_and_the_longest_waiting_first() {
        let mut held = Held::default();
        held.set_due(1, 50);
        held.set_due(2, 40);
        held.set_due(3, 200);
        assert_eq!(held.take_cohort(&[1, 2, 3], 100), Some(2));
        assert_eq!(held.take_cohort(&[1, 2, 3], 100), Some(1));
        assert_eq!(held.take_cohort(&[1, 2, 3], 100), None, "the third is not due");
        assert_eq!(held.take_cohort(&[1, 2, 3, 4], 100), Some(4), "nothing is known of it");
        held.free_cohort(2);
        assert_eq!(held.take_cohort(&[1, 2, 3, 4], 100), Some(2));
    }
}
