//! Ids of 19 digits, as those of the service are, counted up: the same calls get the same ids.

/// Operations begin here, resources there.
const OPERATIONS: u64 = 1_000_000_000_000_000_000;
const RESOURCES: u64 = 2_000_000_000_000_000_000;

/// The last ids given out.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    operation: u64,
    resource: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self { operation: OPERATIONS, resource: RESOURCES }
    }
}

impl Ids {
    pub(super) fn operation(&mut self) -> u64 {
        self.operation += 1;
        self.operation
    }

    pub(super) fn resource(&mut self) -> u64 {
        self.resource += 1;
        self.resource
    }

    /// The last of operations, and of resources.
    pub(super) fn last(&self) -> (u64, u64) {
        (self.operation, self.resource)
    }

    /// Goes past an id that is there already. One far from those given out is none of ours, and will not be reached.
    pub(super) fn reserve(&mut self, id: &str) {
        const FAR: u64 = 1_000_000_000_000;
        let Ok(id) = id.parse::<u64>() else { return };
        for (first, last) in [(OPERATIONS, &mut self.operation), (RESOURCES, &mut self.resource)] {
            if (first..first + FAR).contains(&id) {
                *last = id.max(*last);
            }
        }
    }
}
