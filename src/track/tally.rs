//! What a tracker has in hand, and what it has done.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{Notify, Semaphore};

/// What a [`Tracker`](super::Tracker) has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrackStatistics {
    /// Operations that are tracked.
    pub pending: usize,
    /// Ends that were found, those of lost operations included.
    pub ended: u64,
    /// Operations that the service does not know any more.
    pub lost: u64,
    /// Calls of `GetOperation` that were answered, also by `NOT_FOUND`.
    pub gets: u64,
    /// Calls of `GetOperation` that failed in spite of their retries; each is made again later.
    pub failed_gets: u64,
    /// Pages of `ListOperations` that came.
    pub pages: u64,
    /// Sweeps that came to their ends.
    pub sweeps: u64,
    /// Sweeps that did not.
    pub failed_sweeps: u64,
}

#[derive(Debug)]
pub(super) struct Tally {
    permits: Semaphore,
    pub(super) pending: AtomicUsize,
    pub(super) ended: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) gets: AtomicU64,
    pub(super) failed_gets: AtomicU64,
    pub(super) pages: AtomicU64,
    pub(super) sweeps: AtomicU64,
    pub(super) failed_sweeps: AtomicU64,
    is_closed: AtomicBool,
    /// Tells those who wait for the next end that there may be none.
    pub(super) drained: Notify,
}

impl Tally {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            permits: Semaphore::new(capacity.min(Semaphore::MAX_PERMITS)),
            pending: AtomicUsize::default(),
            ended: AtomicU64::default(),
            lost: AtomicU64::default(),
            gets: AtomicU64::default(),
            failed_gets: AtomicU64::default(),
            pages: AtomicU64::default(),
            sweeps: AtomicU64::default(),
            failed_sweeps: AtomicU64::default(),
            is_closed: AtomicBool::default(),
            drained: Notify::new(),
        }
    }

    /// Waits until one more may be tracked.
    ///
    /// Cancel safe.
    pub(super) async fn reserve(&self) {
        // It is never closed.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }

    /// Gives back what was reserved.
    pub(super) fn release(&self) {
        self.permits.add_permits(1);
    }

    /// One is not tracked any more.
    pub(super) fn forget(&self) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
        self.release();
        if self.is_drained() {
            self.drained.notify_waiters();
        }
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.drained.notify_waiters();
    }

    /// Whether nothing will end any more.
    pub(super) fn is_drained(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst) && self.pending.load(Ordering::SeqCst) == 0
    }

    pub(super) fn statistics(&self) -> TrackStatistics {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TrackStatistics {
            pending: self.pending.load(Ordering::Relaxed),
            ended: get(&self.ended),
            lost: get(&self.lost),
            gets: get(&self.gets),
            failed_gets: get(&self.failed_gets),
            pages: get(&self.pages),
            sweeps: get(&self.sweeps),
            failed_sweeps: get(&self.failed_sweeps),
        }
    }
}

pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
