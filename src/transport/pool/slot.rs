//! A place for one request on a connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use super::connection::Connection;
use super::pulse::Watch;
use super::{Opener, Pool};
use crate::error::{BoxError, PingsUnanswered, TooManyPings};

/// A place for one request on a connection; it is free again when this is dropped.
pub(super) struct Slot {
    pool: Pool,
    pub(super) connection: Arc<Connection>,
}

impl Slot {
    pub(super) fn new(pool: &Pool, connection: Arc<Connection>) -> Self {
        connection.health().enter();
        Self { pool: pool.clone(), connection }
    }

    /// An eye on the connection, if its runtime is not the caller's: else who is polled is driven.
    pub(super) fn watch(&self, here: &Handle) -> Option<Box<Watch>> {
        let pulse = self.connection.health().pulse();
        (here.id() != pulse.runtime()).then(|| Box::new(Watch::new(pulse.clone())))
    }

    /// Nobody drives the connection.
    pub(super) fn pass_over(&self) {
        self.pool.pass_over(self.connection.health().pulse().runtime());
    }

    /// The reason for which a stream ended, if h2 cannot know it.
    pub(super) fn explain(&self, error: h2::Error) -> BoxError {
        let health = self.connection.health();
        if health.is_dead() {
            return PingsUnanswered(error).into();
        }
        if !error.is_reset()
            && let Some(next) = health.interval_after_too_many_pings()
        {
            return TooManyPings { interval: health.ping_interval(), next, source: error }.into();
        }
        error.into()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connection.health().leave();
        if self.pool.0.waiting.load(Ordering::SeqCst) > 0 {
            self.pool.serve(self.pool.0.lock(), Opener::Waiting);
        }
    }
}
