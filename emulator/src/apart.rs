//! Where calls are made that take long: on threads of their own, a few at a time, so that those that do not are answered
//! meanwhile. It works in every runtime of tokio, of one thread or of many.

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;

use contact_center_insights::Status;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

use crate::errors;
use crate::outbox::Outbox;

/// However few processors there are.
const LEAST: usize = 2;

/// From here on, in bytes, what is read, written or copied is better done apart.
pub(crate) const LARGE: usize = 64 * 1024;

/// Places for what takes long, and for what is large.
#[derive(Debug)]
pub(crate) struct Apart {
    places: Semaphore,
    large: Arc<Semaphore>,
}

impl Default for Apart {
    fn default() -> Self {
        let places = available_parallelism().map_or(LEAST, usize::from).max(LEAST);
        Self { places: Semaphore::new(places), large: Arc::new(Semaphore::new(1)) }
    }
}

impl Apart {
    /// Takes all places, until this is dropped.
    #[cfg(test)]
    pub(crate) fn occupied(&self) -> tokio::sync::SemaphorePermit<'_> {
        let all = u32::try_from(self.places.available_permits()).unwrap();
        self.places.try_acquire_many(all).unwrap()
    }

    /// The one place for a request that is larger than those of the API may be, so that memory is bounded.
    ///
    /// # Errors
    /// None: nothing closes it.
    pub(crate) async fn large(&self) -> Result<OwnedSemaphorePermit, Status> {
        Arc::clone(&self.large).acquire_owned().await.map_err(failed)
    }

    /// Does something that takes long, once there is a place for it, and the connection that it is for takes answers.
    ///
    /// # Errors
    /// `INTERNAL` if it panicked, which nothing should.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        outbox: &Outbox,
        act: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Status> {
        loop {
            let place = self.places.acquire().await.map_err(failed)?;
            if outbox.is_open() {
                let done = spawn_blocking(act).await.map_err(|error: JoinError| failed(error));
                drop(place);
                return done;
            }
            drop(place);
            outbox.opened().await;
        }
    }
}

fn failed(error: impl fmt::Display) -> Status {
    errors::internal(format!("a call ended before it was answered: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_takes_long_has_a_thread_of_its_own_even_in_a_runtime_of_one() {
        let (apart, outbox) = (Apart::default(), Outbox::default());
        let (tell, told) = std::sync::mpsc::channel();
        // It waits for what is done after it on the one thread of the runtime.
        let waits = apart.run(&outbox, move || told.recv().unwrap());
        let tells = async { tell.send(7).unwrap() };
        assert_eq!(tokio::join!(waits, tells).0.unwrap(), 7);
    }

    #[tokio::test]
    async fn nothing_is_begun_for_a_connection_that_takes_no_answers() {
        let (apart, outbox) = (Apart::default(), Outbox::default());
        let held = outbox.hold(usize::MAX);
        let mut waits = std::pin::pin!(apart.run(&outbox, || 7));
        assert!(futures_pending(waits.as_mut()).await);
        drop(held);
        assert_eq!(waits.await.unwrap(), 7);
    }

    /// Whether a future is not ready yet.
    async fn futures_pending<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
    }
}
