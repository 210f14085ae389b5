//! What time ends: which operation is due next, and what is due and takes long to end.

use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

use super::Engine;
use super::job::FollowUps;

/// When an operation is due, and its place in the order of starts.
pub(crate) type Due = (SystemTime, u64);

impl<W> Engine<W> {
    /// What is due first of all, or after `after`: with its name.
    pub(crate) fn next_due(&self, after: Option<Due>) -> Option<(Due, &Arc<str>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.due.range((from, Bound::Unbounded)).next().map(|(due, name)| (*due, name))
    }

    /// Leaves what is due to whoever asks for [`Self::next_ending`].
    pub(crate) fn end_later(&mut self, due: Due) {
        if let Some(name) = self.due.remove(&due) {
            self.ending.insert(due, name);
        }
    }

    /// The first of what is due and takes long, with its name: it stays the first until it has ended.
    pub(crate) fn next_ending(&self) -> Option<(Due, Arc<str>)> {
        self.ending.get_min().cloned()
    }

    /// The names of what is due and takes long.
    pub(crate) fn endings(&self) -> impl Iterator<Item = &str> {
        self.ending.values().map(AsRef::as_ref)
    }

    /// Whether anything is due that takes long.
    pub(crate) fn has_endings(&self) -> bool {
        !self.ending.is_empty()
    }

    /// No longer waits for what was due and took long, whether it has ended or not.
    pub(crate) fn give_up_ending(&mut self, due: Due) {
        self.ending.remove(&due);
    }
}

impl<W: FollowUps> Engine<W> {
    /// Ends what is due, at the time it was due; nothing, if it has ended meanwhile.
    pub(crate) fn end_due(&mut self, world: &mut W, due: Due, name: &str) {
        let (at, serial) = due;
        self.due.remove(&due);
        self.ending.remove(&due);
        let shown = world.shows_past().then_some(at);
        if self.end_at(serial, name, shown, |running| running.end(world, at)).is_some() {
            self.follow_up(world, at);
        }
    }
}
