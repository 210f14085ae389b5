//! Resources to be read: all that there are at one moment, by project, location, type and name.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use contact_center_insights::Status;
use imbl::OrdMap;
use prost::{Message, Name};

use super::order::{Item, LocationResources, Walk};
use crate::contract::{Contract, ResourceType};
use crate::message::wire;
use crate::projects::{self, ProjectNumbers};
use crate::{errors, names};

/// Where every resource has its name.
const NAME: u32 = 1;

/// All resources at one moment; a clone is a snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    /// By project, as it was written first, and by the id of the location.
    pub(super) projects: OrdMap<Arc<str>, OrdMap<Arc<str>, LocationResources>>,
    /// How each project was written first, by its number.
    pub(super) spellings: OrdMap<Arc<str>, Arc<str>>,
    pub(super) numbers: Arc<ProjectNumbers>,
}

impl Resources {
    pub(super) fn new(numbers: Arc<ProjectNumbers>) -> Self {
        Self { numbers, ..Self::default() }
    }

    /// The numbers of projects.
    pub(crate) fn numbers(&self) -> &Arc<ProjectNumbers> {
        &self.numbers
    }

    /// How a project is written here, whether it is named by its id or by its number.
    pub(crate) fn spelling<'a>(&'a self, project: &'a str) -> &'a str {
        if self.projects.contains_key(project) {
            return project;
        }
        self.spellings.get(&*self.numbers.of(project)).map_or(project, |spelling| spelling)
    }

    /// A name with its project as it is written here; `None` if that is how it is written already.
    pub(crate) fn spelled(&self, name: &str) -> Option<String> {
        let (project, below) = projects::split(name)?;
        let spelling = self.spelling(project);
        (spelling != project).then(|| format!("projects/{spelling}/{below}"))
    }

    /// The refusal of a name that nothing has.
    pub(crate) fn missing(&self, resource: &ResourceType, name: &str) -> Status {
        let number = self.numbers.of(names::project(name));
        errors::no_resource(resource.message.name(), &resource.kind, &number, name)
    }

    fn map(&self, resource: &ResourceType, name: &str) -> Option<&OrdMap<Arc<str>, Item>> {
        let project = self.projects.get(self.spelling(names::project(name)))?;
        project.get(names::location_id(name))?.by_name(resource)
    }

    fn location(&self, name: &str) -> Option<&LocationResources> {
        self.projects.get(self.spelling(names::project(name)))?.get(names::location_id(name))
    }

    /// How many bytes the resources of a location have together.
    pub(crate) fn weight(&self, location: &str) -> usize {
        self.location(location).map_or(0, LocationResources::bytes)
    }

    /// All of this type below a location, or below what lies in it if the rest of `parent` is `-`, in an order that is
    /// kept: a walk begins where the last one ended, and costs what it looks at. `None` for any other parent.
    pub(crate) fn walk<'a>(
        &'a self,
        resource: &ResourceType,
        parent: &'a str,
        walk: Walk,
    ) -> Option<impl Iterator<Item = &'a Item> + use<'a>> {
        let within = names::below(parent);
        let any = within.split('/').any(|segment| segment == "-");
        if !within.is_empty() && !any {
            return None;
        }
        let location = self.location(parent);
        let all = location.map(|location| location.walk(resource, walk));
        let found = all.into_iter().flatten().filter(move |(name, _)| !any || lies_below(within, name));
        Some(found.map(|(_, item)| item))
    }

    /// The resource of this name.
    pub(crate) fn find(&self, resource: &ResourceType, name: &str) -> Option<&Item> {
        self.map(resource, name)?.get(names::below(name))
    }

    /// The bytes of the resource, or `NOT_FOUND`.
    pub(crate) fn raw(&self, resource: &ResourceType, name: &str) -> Result<&Bytes, Status> {
        let found = self.find(resource, name).map(|item| &item.bytes);
        found.ok_or_else(|| self.missing(resource, name))
    }

    /// The resource, or `NOT_FOUND`.
    pub(crate) fn get<T: Message + Name + Default>(&self, name: &str) -> Result<T, Status> {
        decode(self.raw(of::<T>()?, name)?)
    }

    /// The resource, if there is one: for what is often not there, an error would be made only to be dropped.
    pub(crate) fn look<T: Message + Name + Default>(&self, name: &str) -> Result<Option<T>, Status> {
        self.find(of::<T>()?, name).map(|item| decode(&item.bytes)).transpose()
    }

    /// All of this type whose names begin with `parent`, in order of name: those of a location, or of what lies in
    /// it. `-` stands for any one id.
    pub(crate) fn below<'a>(
        &'a self,
        resource: &ResourceType,
        parent: &'a str,
    ) -> impl Iterator<Item = &'a Item> + use<'a> {
        let within = names::below(parent);
        let any = within.split('/').any(|segment| segment == "-");
        let prefix = if within.is_empty() || any { String::new() } else { format!("{within}/") };
        let first = (Bound::Included(Arc::from(prefix.as_str())), Bound::Unbounded);
        let items = self.map(resource, parent).into_iter().flat_map(move |map| map.range(first.clone()));
        items
            // Where every name fits, none is looked at: each would be a miss of the processor's cache.
            .take_while(move |(name, _)| prefix.is_empty() || name.starts_with(&prefix))
            .filter(move |(name, _)| !any || lies_below(within, name))
            .map(|(_, item)| item)
    }

    /// The same, decoded, each with its place in the order of creation.
    pub(crate) fn all<T: Message + Name + Default>(&self, parent: &str) -> Result<Vec<(u64, T)>, Status> {
        self.below(of::<T>()?, parent).map(|item| Ok((item.serial, decode(&item.bytes)?))).collect()
    }

    /// How many of a type a location has.
    pub(crate) fn count(&self, resource: &ResourceType, location: &str) -> usize {
        self.map(resource, location).map_or(0, OrdMap::len)
    }

    /// All of a type, project by project.
    pub(crate) fn of_type(&self, resource: &ResourceType) -> impl Iterator<Item = &Item> {
        self.by_location(resource).flat_map(OrdMap::values)
    }

    /// How many of a type there are.
    pub(crate) fn total(&self, resource: &ResourceType) -> usize {
        self.by_location(resource).map(OrdMap::len).sum()
    }

    fn by_location(&self, resource: &ResourceType) -> impl Iterator<Item = &OrdMap<Arc<str>, Item>> {
        let locations = self.projects.values().flat_map(OrdMap::values);
        locations.filter_map(|location| location.by_name(resource))
    }

    /// Every resource, project by project.
    pub(crate) fn everything(&self) -> impl Iterator<Item = &Item> {
        self.projects.values().flat_map(OrdMap::values).flat_map(LocationResources::all)
    }
}

/// Whether `name` lies below `parent`, in which `-` stands for any one segment.
fn lies_below(parent: &str, name: &str) -> bool {
    let mut segments = name.split('/');
    parent.split('/').all(|wanted| segments.next().is_some_and(|found| wanted == "-" || wanted == found))
}

/// The resource type of a message.
pub(crate) fn of<T: Name>() -> Result<&'static ResourceType, Status> {
    let found = Contract::get().resource(T::NAME);
    found.ok_or_else(|| errors::internal(format!("`{}` is not a resource", T::NAME)))
}

/// A resource from its bytes, or `DATA_LOSS` with its name.
pub(crate) fn decode<T: Message + Default>(bytes: &Bytes) -> Result<T, Status> {
    T::decode(bytes.clone()).map_err(|error| errors::torn(wire::text(bytes, NAME), &error.to_string()))
}

/// What a map has for a key, which is copied only if it is new.
pub(super) fn entry<'a, V: Clone + Default>(map: &'a mut OrdMap<Arc<str>, V>, key: &str) -> &'a mut V {
    let known = map.get_key_value(key).map(|(known, _)| known.clone());
    map.entry(known.unwrap_or_else(|| key.into())).or_default()
}

/// Gives a key a value, unless it has one.
pub(super) fn entry_or(map: &mut OrdMap<Arc<str>, Arc<str>>, key: &str, value: &str) {
    if !map.contains_key(key) {
        map.insert(key.into(), value.into());
    }
}
