//! What a poller asks before it makes a call of its own: something that looks for many operations at once. The module
//! `track` implements it, and the client installs it; here is only what pollers need of it.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::{Instant, sleep_until};

use super::policy::PollPolicy;
use crate::call::Caller;
use crate::proto::longrunning::Operation;

/// Looks for the operations of one client together.
pub(crate) trait SharedPolling: fmt::Debug + Send + Sync {
    /// A seat for the poller of the operation of this name; `None` if it has to ask alone.
    fn join(&self, caller: &Caller, name: &str) -> Option<Box<dyn Seat>>;
}

/// The place of one poller among those whose operations are looked for together; left when it is dropped.
pub(crate) trait Seat: fmt::Debug + Send + Sync {
    /// Ready with what the next sweep sees of the operation, which runs; or with `None`: the poller asks itself, since
    /// asking one by one is cheaper, or the operation is gone from the list, or sweeps fail.
    ///
    /// Cancel safe: nothing is lost if it is not polled to its end.
    fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<Option<Operation>>;

    /// Ready when a sweep has not found the operation any more: it is worth asking about.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// The poller has asked itself, and the operation runs: here is what it heard, and when it would ask again.
    fn heard(&mut self, operation: &Operation, due: Instant);
}

/// What replies of the calls of a client are made with.
#[derive(Clone, Debug)]
pub(crate) struct Following {
    pub(crate) policy: PollPolicy,
    /// `None` if every poller asks alone.
    pub(crate) shared: Option<Arc<dyn SharedPolling>>,
}

/// The seat of a poller, once it has asked.
#[derive(Debug, Default)]
pub(super) struct Seated {
    seat: Option<Box<dyn Seat>>,
    /// The next poll is a call of its own in any case.
    is_urgent: bool,
}

impl Seated {
    /// Waits until `due`, or until a sweep has not found the operation any more, which is then asked about alone: whether
    /// it was that.
    pub(super) async fn sleep_until(&mut self, due: Instant) -> bool {
        let Some(seat) = &mut self.seat else {
            sleep_until(due).await;
            return false;
        };
        let is_gone = tokio::select! {
            biased;
            () = sleep_until(due) => false,
            () = poll_fn(|cx| seat.poll_gone(cx)) => true,
        };
        self.is_urgent |= is_gone;
        is_gone
    }

    /// What the next sweep of the client sees of the operation, if it makes one and the operation runs.
    pub(super) async fn look(&mut self, caller: &Caller, name: &str) -> Option<Operation> {
        if self.is_urgent {
            return None;
        }
        if self.seat.is_none() {
            let shared = caller.reply_context::<Following>()?.shared.as_ref()?;
            self.seat = shared.join(caller, name);
        }
        let seat = self.seat.as_mut()?;
        poll_fn(|cx| seat.poll_look(cx)).await
    }

    /// The poller has asked itself, and would do so again at `due`.
    pub(super) fn heard(&mut self, operation: &Operation, due: Instant) {
        self.is_urgent = false;
        if operation.done {
            self.seat = None;
        } else if let Some(seat) = &mut self.seat {
            seat.heard(operation, due);
        }
    }

    /// Has the next poll be a call of its own.
    pub(super) fn hurry(&mut self) {
        self.is_urgent = true;
    }
}
