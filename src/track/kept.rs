//! What a tracker remembers of an operation besides its id: eight bytes that stand for the parent and the types it was
//! added with.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::location::Member;
use crate::lro::Handle;
use crate::proto::longrunning::Operation;

/// What was added, without its id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    parent: u32,
    types: u16,
}

/// A tracker learns nothing from what runs.
impl Member for Kept {
    fn seen(&mut self, _: Operation) {}

    fn missed(&mut self) {}
}

/// The parents and the types that operations were added with; there are few.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    parents: Table<String>,
    types: Table<(Option<String>, Option<String>)>,
}

#[derive(Debug)]
struct Table<T> {
    values: Vec<T>,
    places: HashMap<T, usize>,
}

impl Names {
    pub(super) fn keep(&self, handle: &Handle, parent: &str) -> Kept {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parent = tables.parents.place(parent.to_owned());
        let types = tables.types.place((handle.response.clone(), handle.metadata.clone()));
        // More types than the contract has cannot be expected; those beyond are not remembered.
        let types = u16::try_from(types).unwrap_or(u16::MAX);
        Kept { parent: u32::try_from(parent).unwrap_or(u32::MAX), types }
    }

    /// The handle as it was added.
    pub(super) fn handle(&self, kept: Kept, id: &str) -> Handle {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parent = usize::try_from(kept.parent).ok().and_then(|place| tables.parents.values.get(place));
        let name = match parent.map(String::as_str) {
            None | Some("") => id.to_owned(),
            Some(parent) => format!("{parent}/operations/{id}"),
        };
        let types = tables.types.values.get(usize::from(kept.types)).cloned().unwrap_or_default();
        Handle::new(name, types.0, types.1)
    }
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    fn place(&mut self, value: T) -> usize {
        if let Some(place) = self.places.get(&value) {
            return *place;
        }
        let place = self.values.len();
        self.values.push(value.clone());
        self.places.insert(value, place);
        place
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_come_back_as_they_were_added() {
        let names = Names::default();
        let typed = Handle::new("projects/p/locations/l/operations/1".into(), Some("a.R".into()), None);
        let kept = names.keep(&typed, "projects/p/locations/l");
        assert_eq!(names.handle(kept, "1"), typed);
        let bare = Handle::from("operations/2");
        let kept = names.keep(&bare, "");
        assert_eq!(names.handle(kept, "operations/2"), bare);
        assert_eq!(size_of::<Kept>(), 8);
    }
}
