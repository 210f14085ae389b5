//! Operations as they are written down, and what there is to write.

use std::sync::Arc;

use imbl::OrdMap;

use super::job::Job;
use super::running::{Running, Saved};
use super::{Engine, Entry};

impl<W> Engine<W> {
    /// From now on, the names of operations that change are kept until they are taken.
    pub(crate) fn record(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// The operations that have changed since the last time.
    pub(crate) fn take_changes(&mut self) -> Vec<String> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default().into_iter().collect()
    }

    /// Whether any has.
    pub(crate) fn has_changes(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| !changes.is_empty())
    }

    /// An operation as it can be written down.
    pub(crate) fn save(&self, name: &str) -> Option<Saved> {
        let serial = *self.places.get(name)?;
        let entry = self.look(name)?;
        Some(match &entry.running {
            Some(running) => running.save(serial),
            None => Saved::ended(serial, entry.operation.clone()),
        })
    }

    /// All operations as they can be written down, by location and in the order of their starts.
    pub(crate) fn save_all(&self) -> impl Iterator<Item = Saved> {
        let entries = self.locations.values().flat_map(OrdMap::values);
        entries.filter_map(|entry| self.save(&entry.name))
    }

    /// Takes in what was written down. `job` makes the job of a method out of its bytes; `None` if it cannot.
    pub(crate) fn restore(
        &mut self,
        saved: &Saved,
        job: impl FnOnce(&str, &[u8]) -> Option<(&'static str, Box<dyn Job<W>>)>,
    ) -> Option<()> {
        let serial = saved.serial;
        let operation = saved.operation.clone().unwrap_or_default();
        let running = if saved.method.is_empty() { None } else { Some(Running::restore(saved, job)?) };
        let (name, started) = (operation.name.as_str().into(), running.as_ref().map(Running::create_time));
        self.insert_entry(serial, Arc::new(Entry { name, operation, running, started, until: None }));
        Some(())
    }
}
