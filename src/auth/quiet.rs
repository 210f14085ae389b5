//! Panics of a credentials crate end a fetch, and become its error; what they print is kept from stderr. It would look
//! like a fault of the program, and shows what the crate was at work on.

use std::cell::Cell;
#[cfg(feature = "google-authz")]
use std::future::poll_fn;
use std::panic;
#[cfg(feature = "google-authz")]
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "google-authz")]
use std::pin::pin;
use std::sync::Once;
#[cfg(feature = "google-authz")]
use std::task::Poll;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// For as long as this is held, panics of this thread are not reported by the panic hook.
///
/// The first one puts a hook of ours in front of the one that is there, which hears of all other panics. A program that
/// sets a hook of its own afterwards hears of these too.
#[derive(Debug)]
pub(super) struct Quiet {
    was_quiet: bool,
}

impl Quiet {
    pub(super) fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |report| {
                if !IS_QUIET.try_with(Cell::get).unwrap_or_default() {
                    previous(report);
                }
            }));
        });
        Self { was_quiet: IS_QUIET.replace(true) }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A thread that ends has nothing more to say.
        let _ = IS_QUIET.try_with(|is_quiet| is_quiet.set(self.was_quiet));
    }
}

/// Runs a future to its end; `None` if that is a panic, which is not reported.
#[cfg(feature = "google-authz")]
pub(super) async fn quietly<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _quiet = Quiet::begin();
        // It is not polled again after a panic, so that nobody sees what that left behind.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;

    use super::*;

    /// In one test, since the hook is that of the whole process.
    #[test]
    fn only_panics_of_quiet_threads_and_futures_are_kept_from_the_hook() {
        let heard = Arc::new(AtomicUsize::new(0));
        let before = panic::take_hook();
        let count = heard.clone();
        panic::set_hook(Box::new(move |report| {
            if report.payload().downcast_ref::<&str>().is_some_and(|text| *text == "planted") {
                count.fetch_add(1, SeqCst);
            } else {
                before(report);
            }
        }));
        let quiet = thread::spawn(|| {
            let outer = Quiet::begin();
            drop(Quiet::begin());
            assert!(IS_QUIET.get(), "the outer one still holds");
            let ended = panic::catch_unwind(|| panic!("planted"));
            drop(outer);
            assert!(ended.is_err() && !IS_QUIET.get());
        });
        quiet.join().unwrap();
        assert_eq!(heard.load(SeqCst), 0);
        assert!(thread::spawn(|| panic!("planted")).join().is_err());
        assert_eq!(heard.load(SeqCst), 1);
        #[cfg(feature = "google-authz")]
        {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(of_futures());
            assert_eq!(heard.load(SeqCst), 1);
        }
    }

    /// A future is quiet only while it is polled.
    #[cfg(feature = "google-authz")]
    async fn of_futures() {
        let seen = quietly(async {
            let first = IS_QUIET.get();
            tokio::task::yield_now().await;
            (first, IS_QUIET.get())
        });
        let task = tokio::spawn(async {
            let mut before = Vec::new();
            for _ in 0..3 {
                before.push(IS_QUIET.get());
                tokio::task::yield_now().await;
            }
            before
        });
        assert_eq!(seen.await, Some((true, true)));
        assert_eq!(task.await.unwrap(), [false; 3]);
        assert_eq!(quietly(async { panic!("planted") }).await, None::<()>);
        assert!(!IS_QUIET.get());
    }
}
