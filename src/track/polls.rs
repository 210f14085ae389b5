//! Pollers of one client, answered together by sweeps where that takes fewer calls: what `lro` asks through its trait.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::book::{Book, Entered, RECHECK};
use super::key;
use super::location::{Location, Member};
use super::policy::TrackPolicy;
use super::window::Created;
use crate::call::Caller;
use crate::lro::{Following, PollPolicy, Seat, SharedPolling};
use crate::proto::longrunning::Operation;

/// A poller waits for a sweep no longer than this before it asks itself: the runtime that sweeps may not be driven.
const PATIENCE: Duration = Duration::from_secs(90);

/// The locations in which pollers of a client have seats.
#[derive(Debug, Default)]
pub(crate) struct SharedPolls {
    locations: Mutex<HashMap<String, Weak<Location<Waiter>>>>,
}

/// A poller as the sweep of its location knows it.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    waker: Option<Waker>,
    state: Waiting,
}

#[derive(Debug, Default)]
enum Waiting {
    /// For its next poll to be due.
    #[default]
    Away,
    /// For the next sweep.
    Looking,
    Seen(Box<Operation>),
    /// It is to ask itself: the operation was missed, or there are no sweeps now.
    Asking,
}

impl Waiter {
    fn turn(&mut self, state: Waiting) {
        self.state = state;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Member for Waiter {
    fn seen(&mut self, operation: Operation) {
        if matches!(self.state, Waiting::Looking) {
            self.turn(Waiting::Seen(Box::new(operation)));
        }
    }

    fn missed(&mut self) {
        self.turn(Waiting::Asking);
    }
}

impl SharedPolling for SharedPolls {
    fn join(&self, caller: &Caller, name: &str) -> Option<Box<dyn Seat>> {
        let (parent, id) = key::split(name)?;
        let location = self.location(caller, parent);
        // A second poller of the same operation asks alone: there are not many.
        let asked_at = Instant::now();
        let entered = location.lock().book.enter(id, Waiter::default(), asked_at);
        let place = || Place { location, id: id.into(), patience: None, asked_at };
        (entered == Entered::New).then(|| Box::new(place()) as Box<dyn Seat>)
    }
}

impl SharedPolls {
    /// What the replies of a client that follow operations are made with.
    pub(crate) fn following(policy: PollPolicy, asks_alone: bool) -> Arc<Following> {
        let shared = || Arc::new(Self::default()) as Arc<dyn SharedPolling>;
        Arc::new(Following { policy, shared: (!asks_alone).then(shared) })
    }

    fn location(&self, caller: &Caller, parent: &str) -> Arc<Location<Waiter>> {
        let mut locations = self.locations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(location) = locations.get(parent).and_then(Weak::upgrade) {
            return location;
        }
        locations.retain(|_, location| location.strong_count() > 0);
        let location = Arc::new(Location::new(caller.clone(), parent.to_owned(), TrackPolicy::default()));
        locations.insert(parent.to_owned(), Arc::downgrade(&location));
        location
    }
}

/// The seat of one poller.
struct Place {
    location: Arc<Location<Waiter>>,
    id: Box<str>,
    /// While it waits for a sweep.
    patience: Option<Pin<Box<Sleep>>>,
    /// When it last asked itself, or joined.
    asked_at: Instant,
}

impl Place {
    /// As [`Seat::poll_look`], without its patience; whether somebody has to begin to sweep.
    fn look(&self, cx: &Context<'_>) -> (Poll<Option<Operation>>, bool) {
        if self.asked_at.elapsed() > RECHECK {
            return (Poll::Ready(None), false);
        }
        let mut state = self.location.lock();
        let members = state.book.len();
        if !state.plan.sweeps(members, Instant::now()) || state.plan.is_failing() {
            return (Poll::Ready(None), false);
        }
        let is_served = state.is_served;
        let Some(waiter) = state.book.member(&self.id) else {
            return (Poll::Ready(None), false);
        };
        match std::mem::take(&mut waiter.state) {
            Waiting::Seen(operation) => return (Poll::Ready(Some(*operation)), false),
            Waiting::Asking => {
                waiter.state = Waiting::Asking;
                return (Poll::Ready(None), false);
            }
            Waiting::Away | Waiting::Looking => waiter.state = Waiting::Looking,
        }
        waiter.waker = Some(cx.waker().clone());
        state.is_served = true;
        (Poll::Pending, !is_served)
    }
}

impl Seat for Place {
    fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<Option<Operation>> {
        let (looked, is_first) = self.look(cx);
        if is_first {
            // Outside of the lock: a runtime that ends drops the task at once.
            tokio::spawn(serve(Served(self.location.clone())));
        }
        if looked.is_ready() {
            self.patience = None;
            return looked;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        if patience.as_mut().poll(cx).is_ready() {
            self.patience = None;
            // Whoever sweeps there is given up.
            self.location.lock().is_served = false;
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.location.lock();
        let Some(waiter) = state.book.member(&self.id) else { return Poll::Pending };
        if matches!(waiter.state, Waiting::Asking) {
            return Poll::Ready(());
        }
        // One that went away from a look does not want its answer any more.
        waiter.state = Waiting::Away;
        waiter.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn heard(&mut self, operation: &Operation, due: Instant) {
        self.asked_at = Instant::now();
        let mut state = self.location.lock();
        state.book.put_back(&self.id, Created::of(operation), due);
        if let Some(waiter) = state.book.member(&self.id) {
            waiter.state = Waiting::Away;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.location.lock().book.remove(&self.id);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("name", &self.location.name(&self.id)).finish_non_exhaustive()
    }
}

/// Sweeps the location as long as that is worth its calls.
async fn serve(served: Served) {
    let location = &served.0;
    loop {
        let next = {
            let mut state = location.lock();
            let (now, members) = (Instant::now(), state.book.len());
            if !state.is_served || !state.plan.sweeps(members, now) {
                return;
            }
            state.plan.next_round(now)
        };
        sleep_until(next).await;
        let (round, spelling) = location.sweep(None, |_| ()).await;
        if let Some(spelling) = spelling {
            location.caller.learn_operation(&location.parent, &spelling);
        }
        let mut state = location.lock();
        state.plan.ended(round, Instant::now());
        if round.trouble.is_some() {
            dismiss(&mut state.book);
        }
    }
}

/// Has everybody who waits for a sweep ask itself.
fn dismiss(book: &mut Book<Waiter>) {
    for waiter in book.members().filter(|waiter| matches!(waiter.state, Waiting::Looking)) {
        waiter.turn(Waiting::Asking);
    }
}

/// A location that is swept; nobody waits for it any more once this is dropped.
struct Served(Arc<Location<Waiter>>);

impl Drop for Served {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_served = false;
        dismiss(&mut state.book);
    }
}
