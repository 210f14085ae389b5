//! Ids of 19 digits, as those of the service are, counted up: the same calls get the same ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Operations begin here, resources there.
const OPERATIONS: u64 = 1_000_000_000_000_000_000;
const RESOURCES: u64 = 2_000_000_000_000_000_000;

/// The last ids given out. Clones share them, so that what is done beside the store gets ids of its own.
#[derive(Clone, Debug)]
pub(super) struct Ids(Arc<[AtomicU64; 2]>);

impl Default for Ids {
    fn default() -> Self {
        Self(Arc::new([OPERATIONS, RESOURCES].map(AtomicU64::new)))
    }
}

impl Ids {
    pub(super) fn operation(&self) -> u64 {
        let [operation, _] = &*self.0;
        operation.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn resource(&self) -> u64 {
        let [_, resource] = &*self.0;
        resource.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The last of operations, and of resources.
    pub(super) fn last(&self) -> (u64, u64) {
        let [operation, resource] = &*self.0;
        (operation.load(Ordering::Relaxed), resource.load(Ordering::Relaxed))
    }

    /// Goes past an id that is there already. One far from those given out is none of ours, and will not be reached.
    pub(super) fn reserve(&self, id: &str) {
        const FAR: u64 = 1_000_000_000_000;
        let Ok(id) = id.parse::<u64>() else { return };
        for (first, last) in [OPERATIONS, RESOURCES].into_iter().zip(&*self.0) {
            if (first..first + FAR).contains(&id) {
                last.fetch_max(id, Ordering::Relaxed);
            }
        }
    }
}
