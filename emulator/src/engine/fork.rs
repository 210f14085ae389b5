//! An engine beside the engine, on which something is done that takes long, and what becomes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Engine, Entry};

impl<W> Clone for Engine<W> {
    fn clone(&self) -> Self {
        Self {
            locations: self.locations.clone(),
            places: self.places.clone(),
            due: self.due.clone(),
            ending: self.ending.clone(),
            claims: self.claims.clone(),
            past: self.past.clone(),
            serial: self.serial,
            changes: self.changes.clone(),
        }
    }
}

impl<W> Engine<W> {
    /// Another of the same, which knows what changes in it.
    pub(crate) fn fork(&self) -> Self {
        Self { changes: Some(BTreeSet::new()), ..self.clone() }
    }

    /// Whether what `fork` has changed since it was like `base` is here as it was in `base`, and what it wants to have
    /// for itself is free.
    pub(crate) fn agrees(&self, base: &Self, fork: &Self) -> bool {
        fork.changed().all(|name| {
            let is_same = match (self.shared(name), base.shared(name)) {
                (Some(here), Some(there)) => Arc::ptr_eq(here, there),
                (None, None) => true,
                _ => false,
            };
            let claims = fork.look(name).and_then(|entry| entry.running.as_ref());
            let mut claims = claims.iter().flat_map(|running| &running.start.claims);
            is_same && claims.all(|claim| self.claims.get(claim).is_none_or(|owner| **owner == *name))
        })
    }

    /// Takes in what `fork` has changed. What is new in it gets a place of its own, in its order.
    pub(crate) fn take_in(&mut self, fork: &Self) {
        let mut changed: Vec<(u64, &str)> =
            fork.changed().map(|name| (fork.places.get(name).copied().unwrap_or_default(), name)).collect();
        changed.sort_unstable();
        for (_, name) in changed {
            match fork.shared(name) {
                Some(entry) => {
                    let known = self.places.get(name).copied();
                    self.insert_entry(known.unwrap_or(self.serial + 1), Arc::clone(entry));
                }
                None => self.forget(name),
            }
        }
    }

    fn changed(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().flatten().map(String::as_str)
    }

    pub(super) fn shared(&self, name: &str) -> Option<&Arc<Entry<W>>> {
        let serial = self.places.get(name)?;
        self.locations.get(crate::names::location(name))?.get(serial)
    }
}
