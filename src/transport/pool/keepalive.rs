//! Watches a connection from within the task that drives it: pings while calls are in flight, and gives it up when one
//! is not answered.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Context;
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Sleep, sleep};

use super::health::Health;
use super::settings::PoolSettings;
use crate::transport::endpoint::DEFAULT_UNIVERSE;

/// Towards Google's front ends, which answer more frequent pings with GOAWAY.
const INTERVAL_AT_GOOGLE: Duration = Duration::from_mins(1);
/// gRPC's own servers allow no more pings while they have nothing to say, unless they are told to (gRFC A8).
pub(super) const INTERVAL_ELSEWHERE: Duration = Duration::from_mins(5);

/// Between pings while calls are in flight, where the caller sets nothing: `host` is Google's if it is in `universe`, or in
/// Google's own.
pub(in crate::transport) fn default_interval(host: &str, universe: &str) -> Duration {
    let host = host.to_ascii_lowercase();
    let is_within = |domain: &str| host.strip_suffix(domain).is_some_and(|name| name.ends_with('.'));
    if is_within(DEFAULT_UNIVERSE) || is_within(universe) { INTERVAL_AT_GOOGLE } else { INTERVAL_ELSEWHERE }
}

/// The interval that a pool's next connection starts with, in milliseconds.
#[derive(Debug)]
pub(super) struct Interval(AtomicU64);

impl Interval {
    pub(super) fn new(interval: Duration) -> Self {
        // A ping without a pause would be a busy loop.
        Self(AtomicU64::new(millis(interval).max(1)))
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Acquire))
    }

    /// `used` was too short. Connections that end for the same interval lengthen it once.
    pub(super) fn double(&self, used: Duration) {
        self.0.fetch_max(millis(used).saturating_mul(2), Ordering::AcqRel);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Pings, and when the next is due.
pub(super) struct Keepalive {
    pings: PingPong,
    interval: Duration,
    timeout: Duration,
    while_idle: bool,
    is_awaiting: bool,
    /// Calls that were ever sent, when the last ping was due.
    used: usize,
    timer: Pin<Box<Sleep>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Liveness {
    Alive,
    /// Not one call since the last time that a ping was due.
    Idle,
    /// A ping was not answered in time.
    Dead,
}

impl Keepalive {
    pub(super) fn new(pings: PingPong, interval: Duration, settings: &PoolSettings) -> Self {
        Self {
            pings,
            interval,
            timeout: settings.keepalive_timeout,
            while_idle: settings.keepalive_while_idle,
            is_awaiting: false,
            used: 0,
            timer: Box::pin(sleep(interval)),
        }
    }

    /// Costs one look at a timer when nothing is due, which is nearly always.
    pub(super) fn poll(&mut self, health: &Health, cx: &mut Context<'_>) -> Liveness {
        loop {
            // An error means that the connection is ending by itself.
            if self.is_awaiting && self.pings.poll_pong(cx).is_ready() {
                self.is_awaiting = false;
                self.wait(self.interval);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Liveness::Alive;
            }
            if self.is_awaiting {
                return Liveness::Dead;
            }
            let is_wanted = self.while_idle || health.in_flight() > 0;
            self.is_awaiting = is_wanted && self.pings.send_ping(Ping::opaque()).is_ok();
            self.wait(if self.is_awaiting { self.timeout } else { self.interval });
            let is_unused = std::mem::replace(&mut self.used, health.used()) == health.used();
            if is_unused && health.in_flight() == 0 {
                // To be polled again for the timer that was just set.
                cx.waker().wake_by_ref();
                return Liveness::Idle;
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.timer.set(sleep(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_is_pinged_each_minute_and_others_each_five() {
        for (host, universe, minutes) in [
            ("contactcenterinsights.googleapis.com", "googleapis.com", 1),
            ("europe-west1-contactcenterinsights.GoogleAPIs.com", "googleapis.com", 1),
            ("contactcenterinsights.mtls.googleapis.com", "googleapis.com", 1),
            ("contactcenterinsights.example.cloud", "example.cloud", 1),
            ("contactcenterinsights.googleapis.com", "example.cloud", 1),
            ("contactcenterinsights.example.cloud", "googleapis.com", 5),
            ("evilgoogleapis.com", "googleapis.com", 5),
            ("googleapis.com.example.org", "googleapis.com", 5),
            ("localhost", "googleapis.com", 5),
            ("127.0.0.1", "googleapis.com", 5),
        ] {
            assert_eq!(default_interval(host, universe), Duration::from_mins(minutes), "{host}");
        }
    }

    #[test]
    fn the_interval_is_doubled_once_for_all_connections_that_used_it() {
        let interval = Interval::new(Duration::from_mins(1));
        for _ in 0..8 {
            interval.double(Duration::from_mins(1));
        }
        assert_eq!(interval.get(), Duration::from_mins(2));
        interval.double(Duration::from_mins(2));
        assert_eq!(interval.get(), Duration::from_mins(4));
        interval.double(Duration::MAX);
        assert_eq!(interval.get(), Duration::from_millis(u64::MAX), "as far as it goes");
        assert_eq!(Interval::new(Duration::ZERO).get(), Duration::from_millis(1));
    }
}
