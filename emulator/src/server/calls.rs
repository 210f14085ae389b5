//! The calls of one connection: whether there has been one, how many are in flight, and since when there is none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::patience::wait;

/// Counts the calls of a connection.
#[derive(Debug)]
pub(super) struct Calls {
    is_greeted: AtomicBool,
    greeted: Notify,
    count: Mutex<Count>,
    /// When the last call has ended.
    ended: Notify,
}

#[derive(Debug)]
struct Count {
    open: usize,
    /// When a call began or ended last.
    last: Instant,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            is_greeted: AtomicBool::new(false),
            greeted: Notify::new(),
            count: Mutex::new(Count { open: 0, last: Instant::now() }),
            ended: Notify::new(),
        }
    }
}

impl Calls {
    /// The client has said what it wants: its first request's head is there, or the preface of HTTP/2.
    pub(super) fn greet(&self) {
        if !self.is_greeted.swap(true, Ordering::Relaxed) {
            self.greeted.notify_one();
        }
    }

    /// A call has come.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.greet();
        let mut count = self.count();
        count.open = count.open.saturating_add(1);
        count.last = Instant::now();
        InFlight(Arc::clone(self))
    }

    /// Until the client has said nothing for so long, from now on; never if it speaks before that.
    pub(super) async fn silent(&self, limit: Duration) {
        tokio::select! {
            biased;
            () = self.greeted.notified() => std::future::pending().await,
            () = wait(limit) => {}
        }
    }

    /// Until there has been no call for so long.
    pub(super) async fn idle(&self, limit: Duration) {
        loop {
            let Count { open, last } = *self.count();
            if open > 0 {
                self.ended.notified().await;
                continue;
            }
            match limit.checked_sub(last.elapsed()) {
                Some(left) if !left.is_zero() => wait(left).await,
                _ => return,
            }
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that has not ended; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Calls>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut count = self.0.count();
        count.open = count.open.saturating_sub(1);
        count.last = Instant::now();
        if count.open == 0 {
            self.0.ended.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_its_last_call_is_long_over() {
        let calls = Arc::new(Calls::default());
        let begin = Instant::now();
        let (one, two) = (calls.begin(), calls.begin());
        let idle = tokio::spawn({
            let calls = Arc::clone(&calls);
            async move { calls.idle(LIMIT).await }
        });
        tokio::time::sleep(LIMIT * 3).await;
        drop(one);
        tokio::time::sleep(LIMIT * 3).await;
        assert!(!idle.is_finished(), "a call is in flight");
        drop(two);
        tokio::time::sleep(LIMIT / 2).await;
        drop(calls.begin());
        idle.await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), (LIMIT * 6 + LIMIT / 2 + LIMIT).as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_greeting_stops_the_timer() {
        let calls = Arc::new(Calls::default());
        calls.silent(LIMIT).await;
        calls.greet();
        let late = tokio::time::timeout(LIMIT * 100, calls.silent(LIMIT)).await;
        assert!(late.is_err());
    }
}
