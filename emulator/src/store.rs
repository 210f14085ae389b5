//! Every resource, as encoded bytes, by project, location, type and name.
//!
//! The maps are persistent: a [`Resources`] is cloned in no time, and stays as it was while others write. Everything
//! that changes goes through [`Store::apply`], so that it can be written down; to reset is to drop.

mod fork;
mod ids;
mod order;
mod resources;

use std::ops::{Bound, Deref};
use std::sync::Arc;

use bytes::Bytes;
use contact_center_insights::Status;
use imbl::OrdSet;
use prost::{Message, Name};

use self::ids::Ids;
pub(crate) use self::order::{Item, Walk, time_key};
pub(crate) use self::resources::{Resources, decode, of};
use self::resources::{entry, entry_or};
use crate::contract::{Contract, ResourceType};
use crate::message::wire;
use crate::projects::ProjectNumbers;
use crate::{errors, names};

/// Where every resource has its name.
const NAME: u32 = 1;

/// When a resource expires, in seconds and nanoseconds, and its name.
pub(crate) type Expiry = (i64, i32, Arc<str>);

/// A change of the store, as it can be written down and done again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A resource is made, or replaced.
    Put { name: String, serial: u64, bytes: Bytes },
    /// A resource is gone.
    Remove { name: String },
    /// All of a project is gone; or all.
    Clear { project: Option<String> },
}

/// The resources, and the one place where they change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    resources: Resources,
    ids: Ids,
    serial: u64,
    /// When resources expire, and which.
    expiries: OrdSet<Expiry>,
    /// What has changed since it was last asked, if anyone wants to know.
    changes: Option<Vec<Change>>,
}

impl Deref for Store {
    type Target = Resources;

    fn deref(&self) -> &Resources {
        &self.resources
    }
}

impl Store {
    /// Does a change, whether it is new or read from where it was written down.
    pub(crate) fn apply(&mut self, change: Change) {
        match &change {
            Change::Put { name, serial, bytes } => self.place(name, *serial, bytes.clone()),
            Change::Remove { name } => drop(self.take(name)),
            Change::Clear { project } => self.drop_all(project.as_deref()),
        }
        if let Some(changes) = &mut self.changes {
            changes.push(change);
        }
    }

    /// An empty one, for projects with these numbers.
    pub(crate) fn new(numbers: ProjectNumbers) -> Self {
        Self { resources: Resources::new(Arc::new(numbers)), ..Self::default() }
    }

    /// Notes how the project of a name is written: whatever else is put there is reached by that spelling too.
    pub(crate) fn know(&mut self, name: &str) {
        let project = names::project(name);
        if project.is_empty() || self.resources.projects.contains_key(project) {
            return;
        }
        let number = self.resources.numbers.of(project).into_owned();
        entry_or(&mut self.resources.spellings, &number, project);
    }

    /// From now on, changes are kept until they are taken.
    pub(crate) fn record(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// What has changed since the last time.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether there is any.
    pub(crate) fn has_changes(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| !changes.is_empty())
    }

    /// All resources as they are now.
    pub(crate) fn snapshot(&self) -> Resources {
        self.resources.clone()
    }

    /// An id of 19 digits, as those of the service are, counted up: the same calls get the same ids.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.ids.resource()
    }

    /// A name for an operation, made in the same way.
    pub(crate) fn new_operation(&mut self, location: &str) -> String {
        self.know(location);
        format!("{location}/operations/{}", self.ids.operation())
    }

    /// Gives back the ids that were given out since `before`: nothing of what they were for has come about.
    pub(crate) fn give_back_ids(&self, before: &Self) {
        self.ids.give_back(&before.ids);
    }

    /// The last ids in use, of operations and of resources.
    pub(crate) fn last_ids(&self) -> (u64, u64) {
        self.ids.last()
    }

    /// Makes sure that no new name will be this one.
    pub(crate) fn reserve(&mut self, name: &str) {
        self.ids.reserve(names::id(name));
    }

    /// Adds a resource, or `ALREADY_EXISTS`.
    pub(crate) fn insert<T: Message + Name>(&mut self, item: &T) -> Result<(), Status> {
        self.insert_raw(of::<T>()?, item.encode_to_vec().into())
    }

    /// The same, encoded.
    pub(crate) fn insert_raw(&mut self, resource: &ResourceType, bytes: Bytes) -> Result<(), Status> {
        let name = wire::text(&bytes, NAME).to_owned();
        self.check_free(resource, &name)?;
        self.apply(Change::Put { name, serial: self.serial + 1, bytes });
        Ok(())
    }

    /// Adds a resource, or puts it in place of the one of its name.
    pub(crate) fn put<T: Message + Name>(&mut self, item: &T) -> Result<(), Status> {
        self.put_raw(of::<T>()?, item.encode_to_vec().into());
        Ok(())
    }

    /// The same, encoded.
    pub(crate) fn put_raw(&mut self, resource: &ResourceType, bytes: Bytes) {
        let name = wire::text(&bytes, NAME).to_owned();
        let serial = self.find(resource, &name).map(|item| item.serial);
        let serial = serial.unwrap_or(self.serial + 1);
        self.apply(Change::Put { name, serial, bytes });
    }

    /// Changes a resource, or `NOT_FOUND`; gives it back as it is then.
    pub(crate) fn update<T: Message + Name + Default>(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut T),
    ) -> Result<T, Status> {
        let mut item: T = self.get(name)?;
        change(&mut item);
        self.put(&item)?;
        Ok(item)
    }

    /// `ALREADY_EXISTS` if the name is taken.
    pub(crate) fn check_free(&self, resource: &ResourceType, name: &str) -> Result<(), Status> {
        match self.find(resource, name) {
            Some(_) => Err(errors::already_exists(&resource.kind, name)),
            None => Ok(()),
        }
    }

    /// Takes a resource out with everything that lies below it, or `NOT_FOUND`.
    pub(crate) fn remove(&mut self, resource: &ResourceType, name: &str) -> Result<(), Status> {
        self.raw(resource, name)?;
        let contract = Contract::get();
        let mut below = Vec::new();
        for other in
            contract.resources().iter().filter(|other| other.parent_pattern().starts_with(resource.pattern()))
        {
            below.extend(self.below(other, name).map(|item| wire::text(&item.bytes, NAME).to_owned()));
        }
        for name in below.into_iter().chain([name.to_owned()]) {
            self.apply(Change::Remove { name });
        }
        Ok(())
    }

    /// Takes all of a project out, or all; what is given back is to be dropped, which takes longer.
    pub(crate) fn clear(&mut self, project: Option<&str>) -> Resources {
        let before = self.snapshot();
        self.apply(Change::Clear { project: project.map(str::to_owned) });
        before
    }

    /// What expires first of all, or after `after`.
    pub(crate) fn next_expiry(&self, after: Option<&Expiry>) -> Option<&Expiry> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.clone()));
        self.expiries.range((from, Bound::Unbounded)).next()
    }

    /// Takes out a resource whose time has come.
    pub(crate) fn expire(&mut self, expiry: &Expiry) {
        let (.., name) = expiry;
        let resource = Contract::get().resource_named(name);
        if resource.is_none_or(|resource| self.remove(resource, name).is_err()) {
            self.expiries.remove(expiry);
        }
    }

    fn place(&mut self, name: &str, serial: u64, bytes: Bytes) {
        let Some(resource) = Contract::get().resource_named(name) else { return };
        self.serial = self.serial.max(serial);
        self.ids.reserve(names::id(name));
        self.know(name);
        let expires = self.expiry(resource, name, &bytes);
        let project = Arc::<str>::from(self.spelling(names::project(name)));
        let location = entry(entry(&mut self.resources.projects, &project), names::location_id(name));
        let old = location.put(resource, names::below(name), Item { serial, bytes });
        if let Some(expired) = old.and_then(|old| self.expiry(resource, name, &old.bytes)) {
            self.expiries.remove(&expired);
        }
        if let Some(expires) = expires {
            self.expiries.insert(expires);
        }
    }

    fn take(&mut self, name: &str) -> Option<Item> {
        let resource = Contract::get().resource_named(name)?;
        let project = Arc::<str>::from(self.spelling(names::project(name)));
        let project = self.resources.projects.get_mut(&project)?;
        let taken = project.get_mut(names::location_id(name))?.take(resource, names::below(name))?;
        if let Some(expired) = self.expiry(resource, name, &taken.bytes) {
            self.expiries.remove(&expired);
        }
        Some(taken)
    }

    fn drop_all(&mut self, project: Option<&str>) {
        let Some(project) = project else {
            self.resources = Resources::new(Arc::clone(&self.resources.numbers));
            self.expiries.clear();
            return;
        };
        let number = self.numbers.of(project).into_owned();
        let project = self.spelling(project).to_owned();
        self.resources.projects.remove(project.as_str());
        self.resources.spellings.remove(number.as_str());
        let gone = |name: &str| self.resources.numbers.of(names::project(name)) == number;
        self.expiries = self.expiries.iter().filter(|(.., name)| !gone(name)).cloned().collect();
    }

    /// When a resource expires, under the one name that it has here however its project is written.
    fn expiry(&self, resource: &ResourceType, name: &str, bytes: &[u8]) -> Option<Expiry> {
        let (seconds, nanos) = wire::seconds_nanos(wire::last(bytes, resource.expire_time?)?.bytes());
        let spelled = self.spelled(name);
        Some((seconds, nanos, spelled.as_deref().unwrap_or(name).into()))
    }
}

#[cfg(test)]
mod tests;
