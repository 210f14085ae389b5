//! What is known of a connection by the task that drives it, by the calls on it, and by the pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use super::ping_interval::Interval;
use super::pulse::Pulse;

/// What is known of a connection.
#[derive(Debug)]
pub(super) struct Health {
    /// Of the task that drives it.
    pulse: Arc<Pulse>,
    /// Requests that have not been answered to the end.
    in_flight: AtomicUsize,
    /// How many the server allows at once.
    limit: AtomicUsize,
    /// Requests that were ever sent.
    used: AtomicUsize,
    state: AtomicU8,
    /// Whether nobody drives its runtime: calls of other runtimes keep away.
    is_stalled: AtomicBool,
    /// Whether the server has said anything.
    has_spoken: AtomicBool,
    /// Of its own pings, and of all connections that are opened after it.
    pings: (Duration, Arc<Interval>),
    is_pinged_too_often: AtomicBool,
}

const OPEN: u8 = 0;
/// Takes no new requests; those in flight may still be answered.
const CLOSING: u8 = 1;
/// As `CLOSING`, and because pings were not answered.
const DEAD: u8 = 2;

impl Health {
    pub(super) fn new(pulse: Pulse, interval: Arc<Interval>) -> Self {
        Self {
            pulse: Arc::new(pulse),
            in_flight: AtomicUsize::new(0),
            limit: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            state: AtomicU8::new(OPEN),
            is_stalled: AtomicBool::new(false),
            has_spoken: AtomicBool::new(false),
            pings: (interval.get(), interval),
            is_pinged_too_often: AtomicBool::new(false),
        }
    }

    pub(super) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.load(Ordering::Acquire) == DEAD
    }

    pub(super) fn close(&self) {
        self.state.fetch_max(CLOSING, Ordering::AcqRel);
    }

    pub(super) fn close_as_dead(&self) {
        self.state.fetch_max(DEAD, Ordering::AcqRel);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Acquire)
    }

    pub(super) fn set_stalled(&self) {
        self.is_stalled.store(true, Ordering::Release);
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(super) fn has_room(&self) -> bool {
        self.is_open() && self.in_flight() < self.limit.load(Ordering::Acquire)
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Release);
    }

    pub(super) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.used.fetch_add(1, Ordering::Relaxed);
    }

    /// Who leaves looks at the queue afterwards, and who joins it looks here afterwards: one of them sees the other.
    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn has_spoken(&self) -> bool {
        self.has_spoken.load(Ordering::Relaxed)
    }

    /// Something came from the server.
    pub(super) fn on_read(&self) {
        if !self.has_spoken() {
            self.has_spoken.store(true, Ordering::Relaxed);
        }
    }

    /// Of its pings while calls are in flight.
    pub(super) fn ping_interval(&self) -> Duration {
        self.pings.0
    }

    /// The interval of connections that are opened from now on, if the server closes this one for its pings.
    pub(super) fn interval_after_too_many_pings(&self) -> Option<Duration> {
        self.is_pinged_too_often.load(Ordering::Acquire).then(|| self.pings.1.get())
    }

    /// The server closes the connection for being pinged too often: connections that are opened from now on ping half as
    /// often as this one.
    pub(super) fn on_too_many_pings(&self) {
        let (interval, shared) = &self.pings;
        shared.double(*interval);
        self.is_pinged_too_often.store(true, Ordering::Release);
        self.close();
    }
}
