//! How long connections are kept that do nothing, and timers that leave the network its turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// A wait is this many sleeps: where time is paused, as in tests, a runtime that waits for the network jumps to its next
/// timer, and an answer may take several turns.
const STEPS: u32 = 20;

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

/// Waits this long, by tokio's clock.
pub(super) fn wait(time: Duration) -> Wait {
    let step = time / STEPS;
    Wait { step, left: STEPS, sleep: Box::pin(tokio::time::sleep(step)) }
}

/// A wait in steps.
#[derive(Debug)]
pub(super) struct Wait {
    step: Duration,
    left: u32,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        while self.left > 0 {
            ready!(self.sleep.as_mut().poll(cx));
            self.left = self.left.saturating_sub(1);
            self.sleep = Box::pin(tokio::time::sleep(self.step));
        }
        Poll::Ready(())
    }
}

impl Sleep for Wait {}

/// hyper's timers, in steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience;

impl Timer for Patience {
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(wait(time))
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
            let over = begin.elapsed() - time;
            assert!(over <= Duration::from_millis(u64::from(STEPS) + 1), "{time:?} {over:?}");
            let begin = tokio::time::Instant::now();
            Patience.sleep_until(begin.into_std() + time).await;
            assert!(begin.elapsed() >= time);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_of_the_clock_is_one_step() {
        let mut wait = tokio_test_poll(wait(Duration::from_secs(20)));
        assert!(wait().is_pending());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(wait().is_pending(), "what has come meanwhile is seen first");
    }

    fn tokio_test_poll(mut wait: Wait) -> impl FnMut() -> Poll<()> {
        move || Pin::new(&mut wait).poll(&mut Context::from_waker(std::task::Waker::noop()))
    }
}
