//! How the lists of operations are: those of a service may be short, late and in no order, and clients have to bear that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use imbl::OrdMap;

use crate::engine::Operations;

/// How `ListOperations` answers, for tests of clients that conclude from its lists. By default it is right: all that there
/// is, in the order of its start, 1,000 a page at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationLists {
    page_cap: Option<usize>,
    lag: Duration,
    is_unordered: bool,
}

impl OperationLists {
    /// Sends at most this many operations a page, whatever is asked for; 0 counts as 1.
    #[must_use]
    pub fn with_page_cap(mut self, operations: usize) -> Self {
        self.page_cap = Some(operations.max(1));
        self
    }

    /// Lists what there was this long ago, or before: what has ended since is listed as running, and what has started since
    /// is not listed.
    #[must_use]
    pub fn with_lag(mut self, lag: Duration) -> Self {
        self.lag = lag;
        self
    }

    /// Turns the operations of each page round.
    #[must_use]
    pub fn unordered(mut self) -> Self {
        self.is_unordered = true;
        self
    }

    /// The most operations of a page, which is `most` by default.
    pub(crate) fn page_cap(&self, most: usize) -> usize {
        self.page_cap.map_or(most, |cap| cap.min(most))
    }

    pub(crate) fn is_late(&self) -> bool {
        !self.lag.is_zero()
    }

    pub(crate) fn is_unordered(&self) -> bool {
        self.is_unordered
    }
}

/// The operations of the whole emulator.
type All<W> = OrdMap<Arc<str>, Operations<W>>;

/// Operations as they were: as far back as lists lag, and a little more.
#[derive(Debug)]
pub(crate) struct History<W>(VecDeque<(SystemTime, All<W>)>);

impl<W> Clone for History<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W> Default for History<W> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<W> History<W> {
    /// Takes note of how it is now. What no list will show any more is forgotten.
    pub(crate) fn note(&mut self, lists: OperationLists, now: SystemTime, all: impl FnOnce() -> All<W>) {
        if !lists.is_late() {
            return;
        }
        // While a virtual clock stands, all happens at the same time.
        if self.0.back().is_some_and(|(last, _)| *last == now) {
            self.0.pop_back();
        }
        let since = self.0.back().map(|(last, _)| now.duration_since(*last).unwrap_or_default());
        if since.is_none_or(|since| since >= lists.lag / 16) {
            self.0.push_back((now, all()));
        }
        let shown = now.checked_sub(lists.lag).unwrap_or(now);
        while self.0.get(1).is_some_and(|(time, _)| *time <= shown) {
            self.0.pop_front();
        }
    }

    /// What lists show now, and of when that is; `None` if nothing was there then.
    pub(crate) fn shown(&self, lists: OperationLists, now: SystemTime) -> Option<(All<W>, SystemTime)> {
        let shown = now.checked_sub(lists.lag)?;
        let (time, all) = self.0.iter().rev().find(|(time, _)| *time <= shown)?;
        Some((all.clone(), *time))
    }
}
