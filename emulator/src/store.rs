//! The `store` room: resources by collection, in memory.

use std::collections::BTreeMap;

use contact_center_insights::Status;
use contact_center_insights::proto::insights::{Analysis, Conversation, IssueModel};
use prost::{Message, Name};
use prost_types::Timestamp;

use crate::fault;
use crate::names::Pattern;

/// A resource that a collection can hold.
pub(crate) trait Resource: Message + Name + Default + Clone {
    /// What errors call it.
    const KIND: &'static str;
    /// What its name looks like.
    const PATTERN: Pattern;

    /// Its full name.
    fn name(&self) -> &str;

    /// When it was created, for lists in that order.
    fn created(&self) -> Option<Timestamp>;
}

macro_rules! resource {
    ($type:ty, $kind:literal, $pattern:literal) => {
        impl Resource for $type {
            const KIND: &'static str = $kind;
            const PATTERN: Pattern = Pattern($pattern);

            fn name(&self) -> &str {
                &self.name
            }

            fn created(&self) -> Option<Timestamp> {
                self.create_time
            }
        }
    };
}

resource!(
    Conversation,
    "conversation",
    "projects/{project}/locations/{location}/conversations/{conversation}"
);
resource!(
    Analysis,
    "analysis",
    "projects/{project}/locations/{location}/conversations/{conversation}/analyses/{analysis}"
);
resource!(IssueModel, "issue model", "projects/{project}/locations/{location}/issueModels/{issue_model}");

/// All resources of one type, by name.
#[derive(Debug)]
pub(crate) struct Collection<T> {
    items: BTreeMap<String, (u64, T)>,
    serial: u64,
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), serial: 0 }
    }
}

impl<T: Resource> Collection<T> {
    /// The resource, or `NOT_FOUND`.
    pub(crate) fn get(&self, name: &str) -> Result<&T, Status> {
        self.items.get(name).map(|(_, item)| item).ok_or_else(|| fault::not_found(T::KIND, name))
    }

    /// The resource to be changed, or `NOT_FOUND`.
    pub(crate) fn get_mut(&mut self, name: &str) -> Result<&mut T, Status> {
        self.items.get_mut(name).map(|(_, item)| item).ok_or_else(|| fault::not_found(T::KIND, name))
    }

    /// `ALREADY_EXISTS` if the name is taken.
    pub(crate) fn check_free(&self, name: &str) -> Result<(), Status> {
        if self.items.contains_key(name) { Err(fault::already_exists(T::KIND, name)) } else { Ok(()) }
    }

    /// Adds a resource, unless its name is taken.
    pub(crate) fn insert(&mut self, item: T) -> Result<(), Status> {
        self.check_free(item.name())?;
        self.serial += 1;
        self.items.insert(item.name().to_owned(), (self.serial, item));
        Ok(())
    }

    /// Takes a resource out, or `NOT_FOUND`.
    pub(crate) fn remove(&mut self, name: &str) -> Result<T, Status> {
        self.items.remove(name).map(|(_, item)| item).ok_or_else(|| fault::not_found(T::KIND, name))
    }

    /// What belongs to `parent`, by name, each with its place in the order of insertion.
    pub(crate) fn children(&self, parent: &str) -> impl Iterator<Item = (u64, &T)> {
        let prefix = format!("{parent}/");
        self.items
            .range(prefix.clone()..)
            .take_while(move |(name, _)| name.starts_with(&prefix))
            .map(|(_, (serial, item))| (*serial, item))
    }
}

/// Everything but the operations.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) conversations: Collection<Conversation>,
    pub(crate) analyses: Collection<Analysis>,
    pub(crate) issue_models: Collection<IssueModel>,
    ids: u64,
}

impl Store {
    /// An id of 19 digits, as those of the service are, counted up: the same calls get the same ids.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.ids += 1;
        2_000_000_000_000_000_000 + self.ids
    }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::Code;

    use super::*;

    fn model(location: &str, id: &str) -> IssueModel {
        IssueModel {
            name: format!("projects/p/locations/{location}/issueModels/{id}"),
            ..IssueModel::default()
        }
    }

    #[test]
    fn r28_r41_names_are_taken_once_and_given_up_once() {
        let mut models = Collection::default();
        models.insert(model("l", "a")).unwrap();
        assert_eq!(models.insert(model("l", "a")).unwrap_err().code(), Code::AlreadyExists);
        let name = model("l", "a").name;
        assert_eq!(models.remove(&name).unwrap().name, name);
        assert_eq!(models.remove(&name).unwrap_err().code(), Code::NotFound);
        assert_eq!(models.get(&name).unwrap_err().code(), Code::NotFound);
    }

    #[test]
    fn children_are_those_of_the_parent_alone() {
        let mut models = Collection::default();
        for (location, id) in [("l", "a"), ("l2", "b"), ("k", "c"), ("l", "d")] {
            models.insert(model(location, id)).unwrap();
        }
        let ids: Vec<_> = models.children("projects/p/locations/l").map(|(_, model)| &model.name).collect();
        assert_eq!(ids, [&model("l", "a").name, &model("l", "d").name]);
    }

    #[test]
    fn ids_have_nineteen_digits() {
        let mut store = Store::default();
        assert_eq!(store.new_id().to_string().len(), 19);
        assert_ne!(store.new_id(), store.new_id());
    }
}
