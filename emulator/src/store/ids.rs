//! Ids of 19 digits, as those of the service are, counted up: the same calls get the same ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Operations begin here, resources there.
const OPERATIONS: u64 = 1_000_000_000_000_000_000;
const RESOURCES: u64 = 2_000_000_000_000_000_000;

/// The ids of a store, of operations and of resources. Clones share what is given out, so that what is done beside the
/// store gets ids of its own; but each counts what it was given itself, and what is refused is counted nowhere.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    /// The last ids given out.
    given: Arc<[AtomicU64; 2]>,
    /// The last ids that are in use here.
    last: [u64; 2],
    /// How many were given out to this one and to those that it is a clone of.
    taken: [u64; 2],
}

impl Default for Ids {
    fn default() -> Self {
        let last = [OPERATIONS, RESOURCES];
        Self { given: Arc::new(last.map(AtomicU64::new)), last, taken: [0; 2] }
    }
}

impl Ids {
    pub(super) fn operation(&mut self) -> u64 {
        let ([given, _], [last, _], [taken, _]) = (&*self.given, &mut self.last, &mut self.taken);
        next(given, last, taken)
    }

    pub(super) fn resource(&mut self) -> u64 {
        let ([_, given], [_, last], [_, taken]) = (&*self.given, &mut self.last, &mut self.taken);
        next(given, last, taken)
    }

    /// The last in use of operations, and of resources.
    pub(super) fn last(&self) -> (u64, u64) {
        let [operation, resource] = self.last;
        (operation, resource)
    }

    /// Goes past an id that is there already. One far from those given out is none of ours, and will not be reached.
    pub(super) fn reserve(&mut self, id: &str) {
        const FAR: u64 = 1_000_000_000_000;
        let Ok(id) = id.parse::<u64>() else { return };
        let kinds = [OPERATIONS, RESOURCES].into_iter().zip(&*self.given).zip(&mut self.last);
        for ((first, given), last) in kinds {
            if (first..first + FAR).contains(&id) {
                given.fetch_max(id, Ordering::Relaxed);
                *last = id.max(*last);
            }
        }
    }

    /// Uses the ids that a fork does.
    pub(super) fn take_in(&mut self, fork: &Self) {
        for (last, other) in self.last.iter_mut().zip(fork.last) {
            *last = other.max(*last);
        }
    }

    /// Gives back what was given out since `before`, of which nothing is used; but not where others have been given ids
    /// meanwhile.
    pub(super) fn give_back(&self, before: &Self) {
        let since = self.last.iter().zip(self.taken).zip(before.last.iter().zip(before.taken));
        for (((last, taken), (first, taken_before)), given) in since.zip(&*self.given) {
            let is_alone = last.checked_sub(*first) == taken.checked_sub(taken_before);
            if is_alone {
                // Not the last any more if another has been given one since.
                let _ = given.compare_exchange(*last, *first, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }
}

fn next(given: &AtomicU64, last: &mut u64, taken: &mut u64) -> u64 {
    *last = given.fetch_add(1, Ordering::Relaxed) + 1;
    *taken += 1;
    *last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_given_out_again_unless_it_lies_between_others() {
        let mut ids = Ids::default();
        let first = ids.resource();
        let before = ids.clone();
        assert_eq!((ids.resource(), ids.resource()), (first + 1, first + 2));
        ids.give_back(&before);
        let mut ids = before;
        assert_eq!((ids.last().1, ids.resource()), (first, first + 1));
        // Beside it, a fork is given one too: neither can give back what the other might use.
        let (base, mut fork) = (ids.clone(), ids.clone());
        assert_eq!((fork.resource(), ids.resource(), fork.resource()), (first + 2, first + 3, first + 4));
        fork.give_back(&base);
        assert_eq!(ids.last().1, first + 3, "what the fork was given is not in use");
        assert_eq!(ids.resource(), first + 5);
        ids.take_in(&fork);
        assert_eq!(ids.last().1, first + 5);
    }

    #[test]
    fn what_is_reserved_meanwhile_stays_reserved() {
        let mut ids = Ids::default();
        let first = ids.operation();
        let before = ids.clone();
        ids.operation();
        ids.reserve(&(first + 10).to_string());
        ids.give_back(&before);
        assert_eq!(before.clone().operation(), first + 11);
    }
}
