//! How the pollers of a client ask: together, unless told otherwise.

use super::ClientBuilder;

impl ClientBuilder {
    /// Whether the pollers of the client are answered together, by sweeps of `ListOperations`, wherever that takes fewer
    /// calls than to ask about each operation. They are by default; a few pollers ask one by one in any case, as do those
    /// of other services' operations, those with waits of their own ([`PollPolicy::with_first_wait`](crate::PollPolicy::with_first_wait) and
    /// [`PollPolicy::with_max_wait`](crate::PollPolicy::with_max_wait)), and all where the service refuses to list.
    ///
    /// A poller does not behave otherwise for it: what a list tells only spares polls of what still runs, and the end of
    /// an operation is always heard from `GetOperation`.
    #[must_use]
    pub fn with_shared_polling(mut self, is_shared: bool) -> Self {
        self.asks_alone = !is_shared;
        self
    }
}
