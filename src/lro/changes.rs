//! A poller as a stream: yields on change, is paced by the policy, and is fused.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio_stream::Stream;

use super::operation::Operation;
use super::poller::Poller;
use crate::any::Unpack;
use crate::error::Error;

type Step<R, M> = Pin<Box<dyn Future<Output = (Poller<R, M>, Result<(), Error>)> + Send>>;

/// The snapshots of an operation as they change; see [`Poller::into_stream`].
///
/// It makes as many `GetOperation` calls as the policy says, whether or not they show a change. An error ends
/// the stream, as does the end of the operation; after that it yields `None` for ever.
pub struct Changes<R, M> {
    state: State<R, M>,
    shown: Option<Operation<R, M>>,
}

impl<R: Unpack, M: 'static> Poller<R, M> {
    /// A stream of snapshots: the first, then each that differs from the one before, the finished one last.
    #[must_use]
    pub fn into_stream(self) -> Changes<R, M> {
        Changes { state: State::Idle(Box::new(self)), shown: None }
    }
}

enum State<R, M> {
    Idle(Box<Poller<R, M>>),
    Polling(Step<R, M>),
    Ended,
}

impl<R: 'static, M: 'static> Changes<R, M> {
    /// What has not been shown yet, if the poller has it.
    fn news(&mut self, poller: &Poller<R, M>) -> Option<Operation<R, M>> {
        let last = poller.last().filter(|last| self.shown.as_ref() != Some(last))?;
        self.shown = Some(last.clone());
        self.shown.clone()
    }
}

impl<R: 'static, M: 'static> Stream for Changes<R, M> {
    type Item = Result<Operation<R, M>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Idle(poller) => {
                    if let Some(operation) = self.news(&poller) {
                        if !operation.is_done() {
                            self.state = State::Idle(poller);
                        }
                        return Poll::Ready(Some(Ok(operation)));
                    }
                    self.state = State::Polling(Box::pin(step(*poller)));
                }
                State::Polling(mut future) => {
                    let progress = future.as_mut().poll(cx);
                    if progress.is_pending() {
                        self.state = State::Polling(future);
                    }
                    let (poller, result) = ready!(progress);
                    if let Err(error) = result {
                        return Poll::Ready(Some(Err(error)));
                    }
                    self.state = State::Idle(Box::new(poller));
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

async fn step<R, M>(mut poller: Poller<R, M>) -> (Poller<R, M>, Result<(), Error>) {
    poller.until_due().await;
    let result = poller.ask_patiently(None).await.map(|_| ());
    (poller, result)
}

impl<R, M> fmt::Debug for Changes<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Idle(_) => "idle",
            State::Polling(_) => "polling",
            State::Ended => "ended",
        };
        f.debug_struct("Changes").field("state", &state).finish_non_exhaustive()
    }
}
