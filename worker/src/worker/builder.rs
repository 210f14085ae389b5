//! The options of a worker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::Client;
use contact_center_insights::any::Unpack;
use contact_center_insights::call::{Budget, CallSettings, Caller};
use contact_center_insights::lro::Operations;
use tokio::sync::{Mutex, Notify};

use super::{Inner, Worker};
use crate::engine::{Engine, Pace};
use crate::handover::{HandOver, Handler, Handlers, Limits};
use crate::lanes::AtLeastOnce;
use crate::metrics::Metrics;
use crate::share::Shares;
use crate::store::Store;

/// Collects the options of a [`Worker`].
pub struct WorkerBuilder<S> {
    store: S,
    client: Client,
    handlers: Handlers,
    limits: Limits,
    pace: Pace,
    quota: Option<Budget>,
    retention: Duration,
}

/// For so long it is remembered that a result was handed over.
const RETENTION: Duration = Duration::from_hours(7 * 24);

impl<S: Store> WorkerBuilder<S> {
    pub(super) fn new(store: S, client: &Client) -> Self {
        Self {
            store,
            client: client.clone(),
            handlers: Handlers::default(),
            limits: Limits::default(),
            pace: Pace::default(),
            quota: None,
            retention: RETENTION,
        }
    }

    /// Hands results of operations that end in an `R`, with metadata of type `M`, to this handler, at least once each. Of
    /// several that fit, the first gets it; a handler of [`Payload`](contact_center_insights::Payload)s takes any, those of
    /// unknown types too. A result that no handler takes counts as one that could not be handed over.
    #[must_use]
    pub fn on<R: Unpack, M: Unpack>(mut self, handler: impl Handler<R, M>) -> Self {
        self.handlers.add(handler);
        self
    }

    /// Gives a handler this long for one result. A minute by default.
    #[must_use]
    pub fn with_handler_timeout(mut self, timeout: Duration) -> Self {
        self.limits.deadline = timeout;
        self
    }

    /// Tries each result this often before it is buried. 20 by default; 0 counts as 1.
    #[must_use]
    pub fn with_tries(mut self, tries: u32) -> Self {
        self.limits.tries = tries.max(1);
        self
    }

    /// Waits after the first failure, and at most, before a result is tried again; the wait doubles from the one to the
    /// other. A second and ten minutes by default.
    #[must_use]
    pub fn with_waits(mut self, first: Duration, longest: Duration) -> Self {
        (self.limits.first_wait, self.limits.longest_wait) = (first, longest);
        self
    }

    /// Has at most this many results in hand at once, rounded up to a multiple of four; after a crash, no more than these
    /// come again. 16 by default.
    #[must_use]
    pub fn with_in_hand(mut self, results: usize) -> Self {
        self.limits.at_once = results.div_ceil(crate::handover::LANES).max(1);
        self
    }

    /// Holds a cohort no longer than this; a worker that is frozen, or cut off, for longer loses it to another. A minute
    /// by default.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.pace.deadline = deadline;
        self
    }

    /// Looks at a cohort no more often than this. 5 s by default.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.pace.interval = interval;
        self
    }

    /// Takes no operation for lost that was registered more recently than this. A minute by default.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.pace.grace = grace;
        self
    }

    /// Asks the service for nothing while so many results wait to be handed over. 1,000 by default; 0 counts as 1.
    #[must_use]
    pub fn with_backlog(mut self, results: u64) -> Self {
        self.pace.backlog = results.max(1);
        self
    }

    /// The quota of each project, which all workers of the store share: 3,000 calls a minute by default, as documented.
    /// Following operations takes four fifths of it, and each worker the part that its cohorts are of all. An endpoint
    /// that is plaintext and on this machine, such as an emulator, has none by default.
    #[must_use]
    pub fn with_quota(mut self, quota: Budget) -> Self {
        self.quota = Some(quota);
        self
    }

    /// Remembers for this long that a result was handed over, so that to register the operation once more does nothing.
    /// Seven days by default.
    #[must_use]
    pub fn with_retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// A worker that hands results over to the handlers that were added. Without one, it can register and start, but not
    /// run.
    #[must_use]
    pub fn build(mut self) -> Worker<S> {
        let defect = self.handlers.is_empty().then(|| "a worker that runs needs a handler".to_owned());
        let handlers = std::mem::take(&mut self.handlers);
        self.finish(AtLeastOnce::new(handlers), defect)
    }

    /// A worker that hands results over in another way: within a transaction of the store, say
    /// (`store::postgres::InTransaction`, `store::sqlite::InTransaction`).
    #[must_use]
    pub fn build_with<H: HandOver<S>>(self, hand_over: H) -> Worker<S, H> {
        let is_ambiguous = !self.handlers.is_empty();
        let defect = is_ambiguous.then(|| "handlers that were added with `on` would get nothing".to_owned());
        self.finish(hand_over, defect)
    }

    fn finish<H: HandOver<S>>(self, hand_over: H, defect: Option<String>) -> Worker<S, H> {
        // Of its own: what it takes of a budget is no concern of the user's calls.
        let mut settings = CallSettings::default();
        if let Some(quota) = self.quota {
            settings = settings.with_budget(Some(quota));
        }
        let caller = Caller::new(self.client.transport().clone(), settings);
        let quota = self.quota.unwrap_or_default().calls_per_minute();
        let shares = Shares::new(caller.clone(), quota);
        let metrics = Arc::new(Metrics::default());
        let engine = Engine::new(self.store, Operations::new(caller), shares, self.pace, metrics);
        Worker(Arc::new(Inner {
            engine,
            hand_over,
            limits: self.limits,
            defect,
            retention: self.retention,
            scout: Mutex::default(),
            found: Notify::new(),
        }))
    }
}

impl<S: fmt::Debug> fmt::Debug for WorkerBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerBuilder")
            .field("store", &self.store)
            .field("handlers", &self.handlers)
            .finish_non_exhaustive()
    }
}
