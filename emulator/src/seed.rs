//! What an emulator starts with, from JSON.

mod error;
mod exact;
mod export;
mod source;

use std::collections::HashMap;
use std::time::SystemTime;

use bytes::Bytes;
use contact_center_insights::json;
use contact_center_insights::proto::longrunning::Operation;
use prost::{Message as _, Name as _};
use serde_json::{Map, Value};

use crate::contract::{Contract, ResourceType, fits};
use crate::engine::Saved;
use crate::message::wire;
use crate::methods;
use crate::names::{self, OPERATION};
use crate::projects::ProjectNumbers;
use crate::state::State;
use crate::store::Change;
pub use error::SeedError;
use exact::{Exact, KEY};
pub(crate) use export::export;
use source::Source;

const OPERATIONS: &str = "operations";

/// Operations and resources to start with.
///
/// A seed is one JSON object. Its keys are `operations` and the plural names of the API's resources, such as
/// `conversations`, `analyses` and `issueModels`, each a list of resources in `ProtoJSON` with their full `name`. They
/// are loaded as they are: what is output only is kept, and nothing is made up. An operation that is not done stays
/// so until it is cancelled, or failed by the admin API.
///
/// What `GET /_emulator/v1/export` gives is a seed that has, under the key `emulator`, also what is needed to go on from
/// exactly there: the order of creation, and the operations that run.
///
/// What `cci operations list` prints is a seed too, and so is a page of a list that the REST API answered. Fields that
/// the REST API has and gRPC lacks are left out with a warning; any other unknown field is an error.
///
/// ```
/// use contact_center_insights_emulator::Seed;
///
/// let seed = Seed::from_json(r#"{"operations": [
///     {"name": "projects/p/locations/us-central1/operations/OPERATION_ID", "done": false}
/// ]}"#)?;
/// assert!(!seed.is_empty());
/// # Ok::<(), contact_center_insights_emulator::SeedError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Seed {
    operations: Vec<Operation>,
    /// Encoded; each with the place of its type in the contract.
    resources: Vec<(usize, Bytes)>,
    /// Of one that was exported.
    exact: Option<Exact>,
}

impl Seed {
    /// Reads a seed.
    ///
    /// # Errors
    /// [`SeedError`] if the text is not JSON, a collection is unknown, or an entry cannot be read, has no name of its
    /// collection's pattern, or the name of another. The message names the entry.
    pub fn from_json(text: &str) -> Result<Self, SeedError> {
        Self::read(text, false)
    }

    /// Reads a seed that may hold what these protos do not know yet, such as a recording of the service as it is now:
    /// unknown fields and enum values are left out, each with a warning that has its path.
    ///
    /// # Errors
    /// As [`Seed::from_json`], but for what is unknown within an entry. An unknown collection is an error all the same.
    ///
    /// ```
    /// use contact_center_insights_emulator::Seed;
    ///
    /// let text = r#"{"operations": [{"name": "projects/p/locations/us-central1/operations/1", "newField": 1}]}"#;
    /// assert!(Seed::from_json(text).unwrap_err().to_string().contains("operations[0].newField: "));
    /// assert!(Seed::from_json_lenient(text).is_ok());
    /// ```
    pub fn from_json_lenient(text: &str) -> Result<Self, SeedError> {
        Self::read(text, true)
    }

    fn read(text: &str, is_lenient: bool) -> Result<Self, SeedError> {
        let value = json::value_from_str(text).map_err(|error| SeedError(error.to_string()))?;
        let mut collections = match value {
            Value::Object(collections) => collections,
            // As `cci operations list` prints them.
            operations @ Value::Array(_) => Map::from_iter([(OPERATIONS.to_owned(), operations)]),
            _ => {
                return Err(SeedError(format!(
                    "not a JSON object with the keys {}, nor a list of operations",
                    known()
                )));
            }
        };
        // A page of the REST API has these beside its list.
        for key in ["nextPageToken", "unreachable"] {
            collections.shift_remove(key);
        }
        let exact = collections.shift_remove(KEY).map(Exact::read).transpose()?;
        if let Some(unknown) = collections.keys().find(|key| !is_known(key)) {
            return Err(SeedError(format!("collection `{unknown}` is unknown; collections are {}", known())));
        }
        let source = Source { collections: &collections, is_lenient, exact: exact.as_ref() };
        let mut seed = Self::default();
        for bytes in
            source.read(OPERATIONS, &Operation::full_name(), &|name| check_name(OPERATION.0, name))?
        {
            let operation = Operation::decode(bytes).map_err(|error| SeedError(error.to_string()))?;
            seed.operations.push(operation);
        }
        for resource in Contract::get().resources() {
            let check = |name: &str| check_resource(resource, name);
            let items = source.read(&resource.plural, resource.message.full_name(), &check)?;
            seed.resources.extend(items.into_iter().map(|bytes| (resource.index, bytes)));
        }
        if let Some(exact) = &exact {
            seed.check_running(exact)?;
        }
        seed.exact = exact;
        Ok(seed)
    }

    /// What is in the list and said to run must be of a method whose jobs can be read.
    fn check_running(&self, exact: &Exact) -> Result<(), SeedError> {
        let mut scratch = State::default();
        for operation in self.operations.iter().filter(|operation| exact.is_running(operation)) {
            let saved = exact.running(operation);
            if saved.is_none_or(|saved| scratch.engine.restore(&saved, methods::job).is_none()) {
                let name = &operation.name;
                return Err(SeedError(format!("{KEY}.running: the operation `{name}` cannot be resumed")));
            }
        }
        Ok(())
    }

    /// Refuses what would be lost where an id and a number name one project: two entries whose names differ in that alone.
    pub(crate) fn check(&self, numbers: &ProjectNumbers) -> Result<(), SeedError> {
        let operations = self.operations.iter().map(|operation| (OPERATIONS, operation.name.as_str()));
        let resources = self.resources.iter().filter_map(|(index, bytes)| {
            let resource = Contract::get().resources().get(*index)?;
            Some((resource.plural.as_str(), wire::text(bytes, 1)))
        });
        let (mut known, mut counts) = (HashMap::new(), HashMap::new());
        for (collection, name) in operations.chain(resources) {
            let count: &mut usize = counts.entry(collection).or_default();
            let numbered = numbers.numbered(name).unwrap_or_else(|| name.to_owned());
            if let Some(other) = known.insert(numbered, name) {
                return Err(SeedError(format!(
                    "{collection}[{count}] (`{name}`): an earlier entry has the same name: it is `{other}`, and both \
                     projects are one"
                )));
            }
            *count += 1;
        }
        Ok(())
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.resources.is_empty()
    }

    /// Puts everything into a state, in place of what has the same name there; gives the time that was exported with it, if
    /// the state is now just what was.
    pub(crate) fn apply(mut self, state: &mut State) -> Option<SystemTime> {
        self.warn_of_locations(state);
        let exact = self.exact.take().unwrap_or_default();
        let is_first = is_empty(state);
        for project in exact.projects() {
            state.know(&format!("projects/{project}/locations/-"));
        }
        let name = |bytes: &Bytes| wire::text(bytes, 1).to_owned();
        self.operations.sort_by_key(|operation| exact.serial(&operation.name));
        self.resources.sort_by_cached_key(|(_, bytes)| exact.serial(&name(bytes)));
        for operation in self.operations {
            place(state, operation, &exact, is_first);
        }
        for (index, bytes) in self.resources {
            let serial = exact.serial(&name(&bytes));
            if is_first && serial != u64::MAX {
                state.world.store.apply(Change::Put { name: name(&bytes), serial, bytes });
            } else if let Some(resource) = Contract::get().resources().get(index) {
                state.world.store.put_raw(resource, bytes);
            }
        }
        for id in exact.last_ids() {
            state.world.store.reserve(&format!("x/{id}"));
        }
        exact.time().filter(|_| is_first)
    }
}

fn is_empty(state: &State) -> bool {
    state.world.store.everything().next().is_none() && state.engine.save_all().next().is_none()
}

/// Places an operation where it was in the order of starts, or at its end; it goes on if it ran. It has the spelling that
/// its project has.
fn place(state: &mut State, mut operation: Operation, exact: &Exact, is_first: bool) {
    let running = exact.running(&operation);
    let serial = Some(exact.serial(&operation.name)).filter(|serial| is_first && *serial != u64::MAX);
    state.know(&operation.name);
    let spelled = |name: &str| state.world.store.spelled(name);
    let running = running.map(|running| running.renamed(spelled));
    operation.name = spelled(&operation.name).unwrap_or(operation.name);
    let name = operation.name.clone();
    let saved = match (running, serial) {
        (None, None) => return state.place(operation),
        (Some(running), None) => {
            state.place(operation);
            let serial = state.engine.save(&name).map_or(u64::MAX, |placed| placed.serial);
            Saved { serial, ..running }
        }
        (running, Some(serial)) => {
            state.world.store.reserve(&name);
            let ended = || Saved { operation: Some(operation), ..Saved::default() };
            Saved { serial, ..running.unwrap_or_else(ended) }
        }
    };
    if state.engine.restore(&saved, methods::job).is_none() {
        tracing::error!(name, "an operation of the seed could not be resumed, though it was checked");
    }
}

impl Seed {
    /// What is in a location that the service is not in is loaded, but no call reaches it.
    fn warn_of_locations(&self, state: &State) {
        if state.world.settings.serves_any_location {
            return;
        }
        let resources = self.resources.iter().map(|(_, bytes)| wire::text(bytes, 1));
        let mut names = self.operations.iter().map(|operation| operation.name.as_str()).chain(resources);
        if let Some(name) = names.find(|name| names::check_location(name).is_err()) {
            tracing::warn!(
                name,
                "the seed has resources in a location that the service is not in: calls are refused there"
            );
        }
    }
}

fn check_name(pattern: &str, name: &str) -> Result<(), String> {
    if fits(pattern, name) { Ok(()) } else { Err(format!("the name is not of the form `{pattern}`")) }
}

fn check_resource(resource: &ResourceType, name: &str) -> Result<(), String> {
    if resource.matches(name) { Ok(()) } else { check_name(resource.pattern(), name) }
}

/// Whether an operation may be placed.
pub(crate) fn check_operation(operation: &Operation) -> Result<(), SeedError> {
    check_name(OPERATION.0, &operation.name)
        .map_err(|why| SeedError(format!("operation `{}`: {why}", operation.name)))
}

fn is_known(collection: &str) -> bool {
    collection == OPERATIONS
        || Contract::get().resources().iter().any(|resource| resource.plural == collection)
}

fn known() -> String {
    let plurals = Contract::get().resources().iter().map(|resource| resource.plural.as_str());
    [OPERATIONS].into_iter().chain(plurals).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
