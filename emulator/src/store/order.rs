//! The resources of one location: by name, and in the two orders that lists come in, so that a page begins where the last
//! one ended.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use imbl::OrdMap;

use crate::contract::{Contract, ResourceType};
use crate::message::wire;

/// One resource.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its place in the order of creation.
    pub(crate) serial: u64,
    /// The message.
    pub(crate) bytes: Bytes,
}

/// A time as bytes that compare as times do; what has none comes first.
pub(crate) type TimeKey = [u8; 13];

/// Where a resource stands by its time, and among equals by its creation.
type Place = (TimeKey, u64);

/// An order, and after which place in it a walk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// In order of creation.
    Created { after: Option<u64> },
    /// By `create_time`, the oldest first.
    Oldest { after: Option<Place> },
    /// By `create_time`, the newest first.
    Newest { after: Option<Place> },
}

/// The resources of one type.
#[derive(Clone, Debug, Default)]
struct OfType {
    items: OrdMap<Arc<str>, Item>,
    /// Names in order of creation.
    created: OrdMap<u64, Arc<str>>,
    /// Names by time, of types that have one.
    timed: OrdMap<Place, Arc<str>>,
}

/// All resources of a location: for each type, by what their names have below the location.
#[derive(Clone, Debug)]
pub(super) struct LocationResources {
    types: Vec<OfType>,
    bytes: usize,
}

impl Default for LocationResources {
    fn default() -> Self {
        Self { types: Contract::get().resources().iter().map(|_| OfType::default()).collect(), bytes: 0 }
    }
}

impl LocationResources {
    pub(super) fn by_name(&self, resource: &ResourceType) -> Option<&OrdMap<Arc<str>, Item>> {
        self.types.get(resource.index).map(|of| &of.items)
    }

    /// Of all messages together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Item> {
        self.types.iter().flat_map(|of| of.items.values())
    }

    /// Adds a resource; gives the one whose place it takes.
    pub(super) fn put(&mut self, resource: &ResourceType, name: &str, item: Item) -> Option<Item> {
        let of = self.types.get_mut(resource.index)?;
        let (serial, time, size) = (item.serial, create_time(resource, &item.bytes), item.bytes.len());
        let known = of.items.get_key_value(name).map(|(known, _)| Arc::clone(known));
        let name = known.unwrap_or_else(|| name.into());
        let old = of.items.insert(Arc::clone(&name), item);
        self.bytes = self.bytes.saturating_add(size);
        if let Some(old) = &old {
            self.bytes = self.bytes.saturating_sub(old.bytes.len());
            of.forget(resource, old);
        }
        if let Some(time) = time {
            of.timed.insert((time, serial), Arc::clone(&name));
        }
        of.created.insert(serial, name);
        old
    }

    /// Takes a resource out.
    pub(super) fn take(&mut self, resource: &ResourceType, name: &str) -> Option<Item> {
        let of = self.types.get_mut(resource.index)?;
        let taken = of.items.remove(name)?;
        self.bytes = self.bytes.saturating_sub(taken.bytes.len());
        of.forget(resource, &taken);
        Some(taken)
    }

    /// All of a type, with what their names have below the location.
    pub(super) fn walk<'a>(
        &'a self,
        resource: &ResourceType,
        walk: Walk,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Item)> + use<'a> {
        let of = self.types.get(resource.index);
        let names = of.into_iter().flat_map(move |of| of.names(walk));
        names.filter_map(move |name| of?.items.get_key_value(name))
    }
}

impl OfType {
    fn names(&self, walk: Walk) -> Box<dyn Iterator<Item = &Arc<str>> + '_> {
        match walk {
            Walk::Created { after } => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(self.created.range((from, Bound::Unbounded)).map(|(_, name)| name))
            }
            Walk::Oldest { after } => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(self.timed.range((from, Bound::Unbounded)).map(|(_, name)| name))
            }
            Walk::Newest { after } => {
                let until = after.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(self.timed.range((Bound::Unbounded, until)).rev().map(|(_, name)| name))
            }
        }
    }

    fn forget(&mut self, resource: &ResourceType, item: &Item) {
        self.created.remove(&item.serial);
        if let Some(time) = create_time(resource, &item.bytes) {
            self.timed.remove(&(time, item.serial));
        }
    }
}

/// The `create_time` of a resource, of types that have one.
fn create_time(resource: &ResourceType, bytes: &[u8]) -> Option<TimeKey> {
    let time = wire::last(bytes, resource.create_time?).map(|time| wire::seconds_nanos(time.bytes()));
    Some(time_key(time))
}

/// A time as bytes.
pub(crate) fn time_key(time: Option<(i64, i32)>) -> TimeKey {
    let mut key = TimeKey::default();
    let Some((seconds, nanos)) = time else { return key };
    let seconds = (seconds.cast_unsigned() ^ 1 << 63).to_be_bytes();
    let bytes = [1].into_iter().chain(seconds).chain(nanos.cast_unsigned().to_be_bytes());
    key.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_compare_as_bytes() {
        let times =
            [None, Some((i64::MIN, 0)), Some((-1, 5)), Some((0, 0)), Some((0, 7)), Some((i64::MAX, 9))];
        assert!(times.map(time_key).is_sorted());
    }
}
