//! A call that waits for a place: it is told of one, or of a failure to connect, or to enter the pool again.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use super::Pool;
use super::progress::Stage;
use super::pulse::LOOK;
use super::queue::Ticket;
use super::state::Grant;
use crate::error::Unreachable;
use crate::time::later;

/// A place in the queue, which ends when this is dropped.
pub(super) struct Waiter {
    pool: Pool,
    place: Place,
    grant: oneshot::Receiver<Grant>,
    is_told: bool,
    /// Where others depend on a runtime that is not the caller's, it looks whether that is being driven.
    look: Option<Pin<Box<Sleep>>>,
}

/// What remains of a place in the queue for who enters again.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) ticket: Ticket,
    since: Instant,
}

impl Place {
    pub(super) fn new(ticket: Ticket) -> Self {
        Self { ticket, since: Instant::now() }
    }
}

impl Waiter {
    pub(super) fn new(pool: Pool, place: Place, grant: oneshot::Receiver<Grant>, looks: bool) -> Self {
        let look = looks.then(|| Box::pin(sleep(LOOK)));
        Self { pool, place, grant, is_told: false, look }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Since it entered the queue first.
    pub(super) fn waited(&self) -> Duration {
        self.place.since.elapsed()
    }

    pub(super) fn stage(&self) -> Stage {
        match self.pool.sound_connections() {
            0 => Stage::Connecting,
            connections => Stage::Queued { connections },
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Grant> {
        if let Some(look) = &mut self.look {
            while look.as_mut().poll(cx).is_ready() {
                look.as_mut().reset(later(Instant::now(), LOOK));
                if let Ok(runtime) = Handle::try_current() {
                    // What comes of it is told like everything else.
                    self.pool.look_around(&runtime);
                }
            }
        }
        Pin::new(&mut self.grant).poll(cx).map(|told| {
            self.is_told = true;
            told.unwrap_or_else(|_| Grant::Failed(Unreachable::new("the pool is gone".into())))
        })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if !self.is_told {
            self.pool.leave(self.place.ticket);
        }
    }
}
