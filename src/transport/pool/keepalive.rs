//! Watches a connection from within the task that drives it: pings while calls are in flight, and gives it up when one
//! is not answered.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Sleep, sleep};

use super::health::Health;
use super::settings::PoolSettings;
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
