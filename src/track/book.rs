//! The operations that are looked for in one location, as a state that is stepped from outside: the time is an argument,
//! and nothing is asked here.
//!
//! It is kept small, for there can be a hundred thousand: an id, and 32 bytes together with what a tracker adds.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::window::{Created, Window};
use crate::time::later;

/// Times are counted in these since the book was begun: enough for 16 months in 32 bits, and then all is due.
const TICK: Duration = Duration::from_millis(10);

/// What is listed as running for so long is asked about all the same, some sooner and some later: the list may be wrong.
pub(super) const RECHECK: Duration = Duration::from_hours(6);

/// Operations by id, each with an `M` of those who wait for it.
#[derive(Debug)]
pub(super) struct Book<M> {
    origin: Instant,
    entries: HashMap<Box<str>, Entry<M>>,
    round: u32,
    /// How many are in no window.
    undated: usize,
}

#[derive(Debug)]
struct Entry<M> {
    created: Created,
    /// Not asked about before this.
    due: u32,
    /// Asked about alone after this, whatever lists say.
    recheck: u32,
    /// The last round that saw it, or in which it was entered.
    seen: u32,
    /// How often it was asked about alone.
    asked: u8,
    /// It is being asked about now.
    is_asking: bool,
    member: M,
}

/// What became of an entry that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entered {
    New,
    Known,
}

impl<M> Book<M> {
    pub(super) fn new(origin: Instant) -> Self {
        Self { origin, entries: HashMap::new(), round: 0, undated: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether walks by windows would miss more than they find.
    pub(super) fn is_mostly_undated(&self) -> bool {
        self.undated > self.len() / 2
    }

    /// Enters an operation that is not to be asked about before `due`.
    pub(super) fn enter(&mut self, id: &str, member: M, due: Instant) -> Entered {
        if self.entries.contains_key(id) {
            return Entered::Known;
        }
        let (recheck, due) = (self.tick(later(due, self.recheck())), self.tick(due));
        let (created, seen) = (Created::UNKNOWN, self.round);
        let entry = Entry { created, due, recheck, seen, asked: 0, is_asking: false, member };
        self.entries.insert(id.into(), entry);
        Entered::New
    }

    pub(super) fn member(&mut self, id: &str) -> Option<&mut M> {
        self.entries.get_mut(id).map(|entry| &mut entry.member)
    }

    pub(super) fn members(&mut self) -> impl Iterator<Item = &mut M> {
        self.entries.values_mut().map(|entry| &mut entry.member)
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<M> {
        let entry = self.entries.remove(id)?;
        self.undated = self.undated.saturating_sub(usize::from(entry.created == Created::NEVER));
        if self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(self.entries.len().saturating_mul(2));
        }
        Some(entry.member)
    }

    /// Takes out everything, with the time before which it is not to be asked about.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Box<str>, M, Instant)> {
        let origin = self.origin;
        self.undated = 0;
        self.entries.drain().map(move |(id, entry)| (id, entry.member, at(origin, entry.due)))
    }

    /// Begins a round of walks: what is entered from now on is not looked for in it.
    pub(super) fn begin_round(&mut self) {
        self.round = self.round.saturating_add(1);
    }

    /// A walk of this round has listed the operation, which runs.
    pub(super) fn saw(&mut self, id: &str, created: Created) -> Option<&mut M> {
        let round = self.round;
        let entry = self.entries.get_mut(id)?;
        entry.seen = round;
        self.undated = date(entry, created, self.undated);
        Some(&mut entry.member)
    }

    /// What a walk of `window`, now at its end, should have listed and has not; it counts as being asked about from now
    /// on. `has_walked_all` says that every window was walked in this round, which tells of what has no known time too.
    pub(super) fn missed(
        &mut self,
        window: Window,
        has_walked_all: bool,
        now: Instant,
    ) -> Vec<(Box<str>, &mut M)> {
        let (round, now) = (self.round, self.tick_before(now));
        let is_missed = |entry: &Entry<M>| {
            let is_covered =
                window.contains(entry.created) || (has_walked_all && entry.created == Created::UNKNOWN);
            is_covered && entry.seen < round && !entry.is_asking && entry.due <= now
        };
        let entries = self.entries.iter_mut().filter(|(_, entry)| is_missed(entry));
        entries
            .map(|(id, entry)| {
                entry.is_asking = true;
                (id.clone(), &mut entry.member)
            })
            .collect()
    }

    /// What is due to be asked about alone, `most` at a time, and counts as that from now on: everything, or where there are
    /// sweeps, only what no window has and what has been listed for long. Also when the next will be due.
    pub(super) fn take_due(
        &mut self,
        is_swept: bool,
        most: usize,
        now: Instant,
    ) -> (Vec<Box<str>>, Option<Instant>) {
        let (mut ids, mut next) = (Vec::new(), None::<u32>);
        let now = self.tick_before(now);
        for (id, entry) in self.entries.iter_mut().filter(|(_, entry)| !entry.is_asking) {
            let is_listed = is_swept && entry.created != Created::NEVER;
            let due = if is_listed { entry.recheck } else { entry.due };
            if due <= now && ids.len() < most {
                entry.is_asking = true;
                ids.push(id.clone());
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        (ids, next.map(|due| at(self.origin, due)))
    }

    /// When the first of all is due that is not being asked about.
    pub(super) fn first_due(&self) -> Option<Instant> {
        let waiting = self.entries.values().filter(|entry| !entry.is_asking);
        waiting.map(|entry| entry.due).min().map(|due| at(self.origin, due))
    }

    /// How often the operation was asked about alone.
    pub(super) fn asked(&self, id: &str) -> u8 {
        self.entries.get(id).map_or(0, |entry| entry.asked)
    }

    /// It was asked about alone and runs, or the question failed: it is not asked about again before `due`.
    pub(super) fn put_back(&mut self, id: &str, created: Created, due: Instant) {
        let (round, recheck, due) = (self.round, self.tick(later(due, self.recheck())), self.tick(due));
        if let Some(entry) = self.entries.get_mut(id) {
            entry.seen = round;
            (entry.due, entry.recheck) = (due, recheck);
            entry.asked = entry.asked.saturating_add(1);
            entry.is_asking = false;
            self.undated = date(entry, created, self.undated);
        }
    }

    /// Some of the known times, evenly drawn.
    pub(super) fn sample(&self) -> Vec<i64> {
        const MOST: usize = 4_096;
        let step = self.len().div_ceil(MOST).max(1);
        self.entries.values().step_by(step).filter_map(|entry| entry.created.micros()).collect()
    }

    /// From three quarters of the whole on, spread over those that are entered together.
    fn recheck(&self) -> Duration {
        let step = u32::try_from(self.len() % 64).unwrap_or_default();
        RECHECK.saturating_sub(RECHECK / 256 * step)
    }

    fn tick(&self, at: Instant) -> u32 {
        let ticks = at.saturating_duration_since(self.origin).as_millis().div_ceil(TICK.as_millis());
        u32::try_from(ticks).unwrap_or(u32::MAX)
    }

    fn tick_before(&self, at: Instant) -> u32 {
        let ticks = at.saturating_duration_since(self.origin).as_millis() / TICK.as_millis();
        u32::try_from(ticks).unwrap_or(u32::MAX)
    }
}

fn at(origin: Instant, tick: u32) -> Instant {
    later(origin, TICK.saturating_mul(tick))
}

/// Notes when the operation was created, if that is news; how many then are in no window.
fn date<M>(entry: &mut Entry<M>, created: Created, undated: usize) -> usize {
    if entry.created != Created::UNKNOWN {
        return undated;
    }
    entry.created = created;
    undated.saturating_add(usize::from(created == Created::NEVER))
}
