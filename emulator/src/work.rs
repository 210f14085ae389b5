//! How much a call may look at: little, where others wait for it, and much, but not everything, where nobody does.
//!
//! A step is about what it takes to look at one field of an encoded message, a few nanoseconds. Steps are counted, and
//! not time, so that the same call over the same resources always ends in the same way.

use std::cell::Cell;

use contact_center_insights::Status;

use crate::errors;

/// What a call may do where others wait for it: well under a millisecond.
const BRIEF: u64 = 50_000;
/// What a call may do at all: seconds.
const MOST: u64 = 1_000_000_000;

/// The steps that a call has left.
#[derive(Debug)]
pub(crate) struct Work(Cell<u64>);

/// None are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

impl Work {
    /// For a call that others wait for.
    pub(crate) fn brief() -> Self {
        Self::of(BRIEF)
    }

    /// For a call that nobody waits for.
    pub(crate) fn most() -> Self {
        Self::of(MOST)
    }

    /// So many steps.
    pub(crate) fn of(steps: u64) -> Self {
        Self(Cell::new(steps))
    }

    /// Does one step; that it was one too many, [`Self::check`] says.
    pub(crate) fn step(&self) {
        self.0.set(self.0.get().saturating_sub(1));
    }

    /// Does some.
    ///
    /// # Errors
    /// [`Spent`] if so many are not left; then none are.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Spent> {
        self.0.set(self.0.get().saturating_sub(steps as u64));
        self.check()
    }

    /// Whether any are left.
    ///
    /// # Errors
    /// [`Spent`] if not.
    pub(crate) fn check(&self) -> Result<(), Spent> {
        if self.is_spent() { Err(Spent) } else { Ok(()) }
    }

    /// Whether none are left.
    pub(crate) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

impl From<Spent> for Status {
    fn from(_: Spent) -> Self {
        let why = format!(
            "asks for more than {MOST} steps, each a look at one field: compare fewer fields, or ask for fewer resources"
        );
        errors::invalid("filter", &why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_down_and_not_below_zero() {
        let work = Work::of(3);
        work.step();
        assert_eq!(work.spend(1), Ok(()));
        assert_eq!(work.spend(7), Err(Spent));
        work.step();
        assert!(work.is_spent() && work.check() == Err(Spent));
        assert!(Status::from(Spent).message().contains("1000000000 steps"));
    }
}
