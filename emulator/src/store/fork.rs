//! A store beside the store, on which something is done that takes long, and what becomes of it.

use std::collections::BTreeSet;

use super::{Change, Store};
use crate::contract::{Contract, ResourceType};
use crate::names;
use crate::store::Resources;

impl Store {
    /// Another with the same resources, which knows what changes in it. New ids are those of both together.
    pub(crate) fn fork(&self) -> Self {
        Self {
            resources: self.resources.clone(),
            ids: self.ids.clone(),
            serial: self.serial,
            expiries: self.expiries.clone(),
            changes: Some(Vec::new()),
        }
    }

    /// Whether what `changes` are about is here as it was in `base`, and what they add has its parent still.
    pub(crate) fn agrees(&self, base: &Resources, changes: &[Change]) -> bool {
        let mut seen = BTreeSet::new();
        changes.iter().all(|change| match change {
            Change::Put { name, .. } | Change::Remove { name } => {
                !seen.insert(name.as_str()) || (is_same(self, base, name) && has_parent(self, base, name))
            }
            // Whoever takes all out means what is there now.
            Change::Clear { .. } => false,
        })
    }

    /// Whether nothing here has changed since it was like `base`.
    pub(crate) fn is_still(&self, base: &Resources) -> bool {
        let here = &self.resources;
        here.projects.ptr_eq(&base.projects) && here.spellings.ptr_eq(&base.spellings)
    }

    /// Uses the ids that a fork does.
    pub(crate) fn use_ids(&mut self, fork: &Self) {
        self.ids.take_in(&fork.ids);
    }

    /// Becomes like a fork, however much it has changed.
    pub(crate) fn become_like(&mut self, fork: &Self, changes: Vec<Change>) {
        self.resources = fork.resources.clone();
        self.expiries = fork.expiries.clone();
        self.serial = self.serial.max(fork.serial);
        if let Some(own) = &mut self.changes {
            own.extend(changes);
        }
    }

    /// Does what was done in a fork. What is new gets a place of its own in the order of creation, and what lies below
    /// something that is gone goes with it.
    pub(crate) fn take_in(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Put { name, bytes, .. } => {
                    let Some(resource) = Contract::get().resource_named(&name) else { continue };
                    let known = self.find(resource, &name).map(|item| item.serial);
                    let serial = known.unwrap_or(self.serial + 1);
                    self.apply(Change::Put { name, serial, bytes });
                }
                Change::Remove { name } => {
                    if let Some(resource) = Contract::get().resource_named(&name) {
                        // Gone already if what it lay below is.
                        let _ = self.remove(resource, &name);
                    }
                }
                change @ Change::Clear { .. } => self.apply(change),
            }
        }
    }
}

fn is_same(here: &Resources, there: &Resources, name: &str) -> bool {
    let Some(resource) = Contract::get().resource_named(name) else { return true };
    match (here.find(resource, name), there.find(resource, name)) {
        (Some(here), Some(there)) => {
            here.serial == there.serial && std::ptr::eq(here.bytes.as_ptr(), there.bytes.as_ptr())
        }
        (None, None) => true,
        _ => false,
    }
}

/// Whether what `name` lies below is here, or was not there either.
fn has_parent(here: &Resources, there: &Resources, name: &str) -> bool {
    let parent = names::above(name);
    let Some(resource): Option<&ResourceType> = Contract::get().resource_named(parent) else { return true };
    here.find(resource, parent).is_some() || there.find(resource, parent).is_none()
}
