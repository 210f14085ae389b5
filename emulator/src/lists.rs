//! How the lists of operations are: those of a service may be short, late and in no order, and clients have to bear that.

use std::time::{Duration, SystemTime};

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

    /// Lists operations as they were this long ago, by the times of each: what has ended since is listed as running, and
    /// what has started since is not listed. It makes no difference when lists are asked for, nor whether an operation comes
    /// from a seed, a snapshot or an earlier process; one whose metadata has no times is listed as it is.
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

    /// When what is listed now was so; `None` if that is before all time.
    pub(crate) fn shown(&self, now: SystemTime) -> Option<SystemTime> {
        now.checked_sub(self.lag)
    }

    pub(crate) fn is_late(&self) -> bool {
        !self.lag.is_zero()
    }

    pub(crate) fn is_unordered(&self) -> bool {
        self.is_unordered
    }
}
