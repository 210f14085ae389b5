//! Which part of a project's quota this process may use: of K cohorts that the project has, it holds k, so it may use k/K.
//!
//! A cohort is held by one process at a time, so that all parts together are one. Overload that this process sees halves
//! its own part, as for every client (`Caller`); it comes back within ten minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contact_center_insights::call::{Budget, Caller};

/// Of a project's quota, what following operations may take; the rest is for those who start them.
const TRACKING: f64 = 0.8;

/// The parts that this process has of each project.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    caller: Caller,
    /// Calls a minute that a project has.
    quota: u32,
    held: Arc<Mutex<HashMap<String, u32>>>,
}

/// That a cohort is held.
#[derive(Debug)]
pub(crate) struct Hold {
    shares: Shares,
    project: String,
    cohorts: u32,
}

impl Shares {
    pub(crate) fn new(caller: Caller, quota: u32) -> Self {
        Self { caller, quota, held: Arc::default() }
    }

    /// One more of the `cohorts` of `project` is held, until what is given back is dropped.
    pub(crate) fn hold(&self, project: &str, cohorts: u32) -> Hold {
        let mut held = self.held();
        let count = held.entry(project.to_owned()).or_default();
        *count = count.saturating_add(1);
        self.set(project, *count, cohorts);
        Hold { shares: self.clone(), project: project.to_owned(), cohorts }
    }

    /// Calls a minute that one cohort of so many may make.
    pub(crate) fn of_cohort(&self, cohorts: u32) -> u32 {
        share(self.quota, 1, cohorts)
    }

    fn set(&self, project: &str, held: u32, cohorts: u32) {
        self.caller.set_budget(project, Budget::per_minute(share(self.quota, held, cohorts)));
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        let Some(count) = held.get_mut(&self.project) else { return };
        *count = count.saturating_sub(1);
        let left = *count;
        if left == 0 {
            held.remove(&self.project);
        }
        // With none held no calls are made, and the next hold says what it may.
        self.shares.set(&self.project, left, self.cohorts);
    }
}

/// Calls a minute for `held` of `cohorts`; one at least.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between zero and the quota"
)]
fn share(quota: u32, held: u32, cohorts: u32) -> u32 {
    let part = f64::from(held) / f64::from(cohorts.max(held).max(1));
    ((f64::from(quota) * TRACKING * part) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_together_are_within_the_quota() {
        for cohorts in [1, 2, 7, 12, 100, 2_000] {
            let parts: u32 = (0..cohorts).map(|_| share(3_000, 1, cohorts)).sum();
            assert!(parts <= 2_400, "{cohorts}: {parts}");
            assert!(share(3_000, cohorts, cohorts) == 2_400);
        }
        assert_eq!((share(3_000, 0, 5), share(0, 1, 1), share(3_000, 3, 2)), (1, 1, 2_400));
    }
}
