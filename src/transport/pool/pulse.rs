//! Whether a task that others depend on is still being run. A connection belongs to the runtime that opened it, and where
//! nobody drives that runtime any more (`current_thread`, between two `block_on`), calls of other runtimes would wait in
//! vain. They look: is the task polled when it is woken? Calls of the same runtime need not, and do not.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Id;
use tokio::time::{Instant, Sleep, sleep};

use crate::time::later;

/// Between two looks.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// A task that was woken and has not been polled for so long is not being run.
const SILENCE: Duration = Duration::from_secs(3);

/// A task's sign of life.
#[derive(Debug)]
pub(super) struct Pulse {
    runtime: Id,
    /// Odd while the task is being polled, one more after.
    beats: AtomicU64,
    waker: OnceLock<Waker>,
    /// When it was last woken for a sign of life, and what `beats` was.
    probe: Mutex<Option<(Instant, u64)>>,
    is_abandoned: AtomicBool,
}

impl Pulse {
    pub(super) fn new(runtime: Id) -> Self {
        let (beats, waker, probe) = (AtomicU64::new(0), OnceLock::new(), Mutex::default());
        Self { runtime, beats, waker, probe, is_abandoned: AtomicBool::new(false) }
    }

    pub(super) fn runtime(&self) -> Id {
        self.runtime
    }

    fn beats(&self) -> u64 {
        self.beats.load(Ordering::SeqCst)
    }

    /// Wakes the task, unless it has not been polled since it was woken last; then says whether that is long ago.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        let beats = self.beats();
        let mut probe = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((woken, before)) = *probe
            && before == beats
        {
            return now.saturating_duration_since(woken) >= SILENCE;
        }
        *probe = Some((now, beats));
        drop(probe);
        // A task that was never polled is due anyway.
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
        false
    }

    /// The task was dropped before it came to its end.
    pub(super) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::SeqCst)
    }
}

/// A task that gives signs of life.
pub(super) struct Pulsing<F> {
    pulse: Arc<Pulse>,
    task: F,
}

impl<F> Pulsing<F> {
    pub(super) fn new(pulse: Arc<Pulse>, task: F) -> Self {
        Self { pulse, task }
    }
}

impl<F: Future + Unpin> Future for Pulsing<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        // The waker of a spawned task stays the same.
        this.pulse.waker.get_or_init(|| cx.waker().clone());
        this.pulse.beats.fetch_add(1, Ordering::SeqCst);
        let polled = Pin::new(&mut this.task).poll(cx);
        this.pulse.beats.fetch_add(1, Ordering::SeqCst);
        polled
    }
}

/// A request's eye on the task that drives its connection.
pub(super) struct Watch {
    pulse: Arc<Pulse>,
    /// Of the task, before the request was given to it.
    before: u64,
    timer: Pin<Box<Sleep>>,
}

impl Watch {
    /// To be made before the request is given to the connection.
    pub(super) fn new(pulse: Arc<Pulse>) -> Self {
        let before = pulse.beats();
        Self { pulse, before, timer: Box::pin(sleep(LOOK)) }
    }

    /// Ready when nobody runs the task.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if self.pulse.is_silent(now) {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(later(now, LOOK));
        }
        Poll::Pending
    }

    /// Whether the task has not run since before it was given the request. Asked after the stream was dropped: when the task
    /// runs again, h2 sends nothing of the request but its head and a reset.
    pub(super) fn is_untouched(&self) -> bool {
        self.before.is_multiple_of(2) && self.pulse.beats() == self.before
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::runtime::Handle;
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_is_not_polled_is_silent_and_one_that_is_polled_is_not() {
        let pulse = Arc::new(Pulse::new(Handle::current().id()));
        let mut task = Pulsing::new(pulse.clone(), poll_fn(|_| Poll::<()>::Pending));
        poll_fn(|cx| Poll::Ready(Pin::new(&mut task).poll(cx).is_pending())).await;
        for _ in 0..10 {
            assert!(!pulse.is_silent(Instant::now()));
            advance(SILENCE).await;
            // It was woken, and runs.
            poll_fn(|cx| Poll::Ready(Pin::new(&mut task).poll(cx).is_pending())).await;
        }
        assert!(!pulse.is_silent(Instant::now()), "it has run since it was woken");
        advance(SILENCE / 2).await;
        assert!(!pulse.is_silent(Instant::now()));
        advance(SILENCE / 2).await;
        assert!(pulse.is_silent(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_knows_whether_the_task_has_run_since() {
        let pulse = Arc::new(Pulse::new(Handle::current().id()));
        let watch = Watch::new(pulse.clone());
        assert!(watch.is_untouched());
        let during = {
            let pulse = pulse.clone();
            let mut task =
                Pulsing::new(pulse.clone(), poll_fn(move |_| Poll::Ready(Watch::new(pulse.clone()))));
            poll_fn(move |cx| Pin::new(&mut task).poll(cx)).await
        };
        assert!(!watch.is_untouched());
        assert!(!during.is_untouched(), "it may have been taken up by the poll that was under way");
        assert!(Watch::new(pulse).is_untouched());
    }
}
