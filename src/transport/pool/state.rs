//! What a pool keeps under its lock: connections, the queue, and the task that opens more.

use std::sync::Arc;

use tokio::runtime::Id;
use tokio::time::Instant;

use super::connection::Connection;
use super::pulse::Pulse;
use super::queue::Queue;
use super::slot::Slot;
use crate::error::Unreachable;

#[derive(Default)]
pub(super) struct PoolState {
    pub(super) connections: Vec<Arc<Connection>>,
    /// Calls that wait for a place.
    pub(super) queue: Queue<Grant>,
    /// The task that opens connections.
    pub(super) opening: Option<Arc<Pulse>>,
    /// In a row, to connect.
    pub(super) failures: u32,
    pub(super) not_before: Option<Instant>,
}

/// What a call that waited is told.
pub(super) enum Grant {
    Slot(Slot),
    Failed(Unreachable),
    /// To enter again, with its place in the queue: someone must open a connection, and whoever told it cannot.
    Again,
}

impl PoolState {
    /// Of the connections that a call of this runtime finds a place on, the one with the fewest calls in flight.
    pub(super) fn least_busy(&self, runtime: Option<Id>) -> Option<Arc<Connection>> {
        let with_room = self.connections.iter().filter(|connection| connection.has_room_for(runtime));
        with_room.min_by_key(|connection| connection.health().in_flight()).cloned()
    }

    pub(super) fn sound(&self) -> usize {
        self.connections.iter().filter(|connection| connection.is_sound()).count()
    }

    /// The tasks that calls depend on.
    pub(super) fn pulses(&self) -> impl Iterator<Item = &Pulse> {
        let sound = self.connections.iter().filter(|connection| connection.is_sound());
        sound.map(|connection| &**connection.health().pulse()).chain(self.opening.as_deref())
    }

    /// Whether any of them is run by another runtime.
    pub(super) fn is_elsewhere(&self, here: Option<Id>) -> bool {
        self.pulses().any(|pulse| Some(pulse.runtime()) != here)
    }

    pub(super) fn pass_over(&mut self, runtime: Id) {
        tracing::debug!(%runtime, "nobody drives the runtime of a connection");
        for connection in &self.connections {
            if connection.health().pulse().runtime() == runtime {
                connection.health().set_stalled();
            }
        }
        self.opening.take_if(|opening| opening.runtime() == runtime);
    }

    /// Whether `by` was still the task that opens connections.
    pub(super) fn end_opening(&mut self, by: &Arc<Pulse>) -> bool {
        self.opening.take_if(|opening| Arc::ptr_eq(opening, by)).is_some()
    }
}
