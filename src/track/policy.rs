//! How many operations are tracked at once, and how they are looked for.

use std::time::Duration;

/// How a [`Tracker`](super::Tracker) works.
///
/// ```
/// use contact_center_insights::track::TrackPolicy;
///
/// let small = TrackPolicy::default().with_capacity(1_000).with_buffer(16);
/// # let _ = small;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TrackPolicy {
    pub(super) capacity: usize,
    pub(super) buffer: usize,
    pub(super) page_size: u32,
    pub(super) walks: usize,
    pub(super) interval: Option<Duration>,
}

impl Default for TrackPolicy {
    fn default() -> Self {
        Self { capacity: 100_000, buffer: 1_024, page_size: 1_000, walks: 4, interval: None }
    }
}

impl TrackPolicy {
    /// Tracks at most this many operations at once: to add one more then waits until another has ended and was taken.
    /// 100,000 by default, at less than 150 bytes each; 0 counts as 1.
    #[must_use]
    pub fn with_capacity(mut self, operations: usize) -> Self {
        self.capacity = operations;
        self
    }

    /// Has at most this many ended operations wait to be taken; when they do, nothing more is asked. 1,024 by default; 0
    /// counts as 1.
    #[must_use]
    pub fn with_buffer(mut self, ended: usize) -> Self {
        self.buffer = ended;
        self
    }

    /// Asks for pages of this many operations, of which a service may send fewer. 1,000 by default; 0 counts as 1.
    #[must_use]
    pub fn with_page_size(mut self, operations: u32) -> Self {
        self.page_size = operations;
        self
    }

    /// Walks this many parts of a location's list at the same time. 4 by default; 0 counts as 1.
    #[must_use]
    pub fn with_walks(mut self, walks: usize) -> Self {
        self.walks = walks;
        self
    }

    /// Sweeps a location no more often than this. By default every 3 s where one page has all, up to every 6 s.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }
}
