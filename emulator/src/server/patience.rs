//! How long connections are kept that do nothing, and timers that leave the network its turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Where time is paused, as in tests, a runtime that waits for the network jumps to its next timer at once. Then the
/// network has so long, in real time, to bring what has been sent already; no other timer goes on meanwhile.
const TURN: Duration = Duration::from_millis(200);

/// How long connections are kept that do nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until the head of the first request, or the preface of HTTP/2, is there whole.
    pub(crate) greeting: Duration,
    /// Without a call; `None` for ever.
    pub(crate) idle: Option<Duration>,
    /// Until the other side is asked whether it is there (HTTP/2).
    pub(crate) ping: Duration,
    /// For its answer.
    pub(crate) pong: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(30),
            idle: None,
            ping: Duration::from_mins(1),
            pong: Duration::from_secs(20),
        }
    }
}

/// Waits this long, by tokio's clock, before a connection is closed.
pub(super) fn wait(time: Duration) -> Wait {
    Wait::new(time, TURN)
}

/// A wait, at whose end the network may have a turn.
#[derive(Debug)]
pub(super) struct Wait {
    time: Duration,
    turn: Duration,
    /// In real time.
    began: Instant,
    sleep: Pin<Box<tokio::time::Sleep>>,
    /// When the clock had jumped to the end of this, in real time.
    jumped: Option<Instant>,
}

impl Wait {
    fn new(time: Duration, turn: Duration) -> Self {
        Self { time, turn, began: Instant::now(), sleep: Box::pin(tokio::time::sleep(time)), jumped: None }
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.jumped.is_none() {
            ready!(self.sleep.as_mut().poll(cx));
            if self.began.elapsed() >= self.time {
                return Poll::Ready(());
            }
        }
        let jumped = *self.jumped.get_or_insert_with(Instant::now);
        if jumped.elapsed() >= self.turn {
            return Poll::Ready(());
        }
        // As long as something is to be done, a paused clock stands still.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Sleep for Wait {}

/// hyper's timers: that of the answer to a ping, as long as this, is such a wait, and no other is. Pings that are answered
/// would cost a turn each otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience(pub(super) Duration);

impl Timer for Patience {
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait::new(time, if time == self.0 { TURN } else { Duration::ZERO }))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_as_long_as_it_says() {
        for time in [Duration::ZERO, Duration::from_secs(30), Duration::from_hours(24)] {
            let begin = tokio::time::Instant::now();
            wait(time).await;
            // Sleeps are rounded up to the millisecond.
            let over = begin.elapsed().checked_sub(time).unwrap();
            assert!(over <= Duration::from_millis(1), "{time:?} {over:?}");
            let begin = tokio::time::Instant::now();
            Patience(time).sleep_until(begin.into_std() + time).await;
            Patience(Duration::MAX).sleep(time).await;
            assert!(begin.elapsed() >= time * 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_jump_of_the_clock_the_network_has_its_turn() {
        let mut wait = wait(Duration::from_secs(20));
        let mut poll = || Pin::new(&mut wait).poll(&mut Context::from_waker(std::task::Waker::noop()));
        assert!(poll().is_pending());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(poll().is_pending(), "what has come meanwhile is seen first");
    }
}
