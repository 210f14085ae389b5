//! What an emulator starts with, from JSON.

use std::collections::BTreeSet;

use bytes::Bytes;
use contact_center_insights::Status;
use contact_center_insights::json;
use contact_center_insights::proto::longrunning::Operation;
use prost::{Message as _, Name as _};
use serde_json::{Map, Value};

use crate::contract::{Contract, ResourceType, fits};
use crate::message::wire;
use crate::names::OPERATION;
use crate::state::State;

const OPERATIONS: &str = "operations";

/// Operations and resources to start with.
///
/// A seed is one JSON object. Its keys are `operations` and the plural names of the API's resources, such as
/// `conversations`, `analyses` and `issueModels`, each a list of resources in `ProtoJSON` with their full `name`. They
/// are loaded as they are: what is output only is kept, and nothing is made up. An operation that is not done stays
/// so until it is cancelled.
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
}

impl Seed {
    /// Reads a seed.
    ///
    /// # Errors
    /// [`SeedError`] if the text is not JSON, a collection is unknown, or an entry cannot be read, has no name of its
    /// collection's pattern, or the name of another. The message names the entry.
    pub fn from_json(text: &str) -> Result<Self, SeedError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| SeedError(format!("not JSON: {error}")))?;
        let Value::Object(collections) = value else {
            return Err(SeedError(format!("not a JSON object with the keys {}", known())));
        };
        if let Some(unknown) = collections.keys().find(|key| !is_known(key)) {
            return Err(SeedError(format!("collection `{unknown}` is unknown; collections are {}", known())));
        }
        let mut seed = Self::default();
        for bytes in
            read(&collections, OPERATIONS, &Operation::full_name(), &|name| check_name(OPERATION.0, name))?
        {
            let operation = Operation::decode(bytes).map_err(|error| SeedError(error.to_string()))?;
            seed.operations.push(operation);
        }
        for resource in Contract::get().resources() {
            let check = |name: &str| check_resource(resource, name);
            let items = read(&collections, &resource.plural, resource.message.full_name(), &check)?;
            seed.resources.extend(items.into_iter().map(|bytes| (resource.index, bytes)));
        }
        Ok(seed)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.resources.is_empty()
    }

    /// Puts everything into a state, in place of what has the same name there.
    pub(crate) fn apply(self, state: &mut State) {
        self.operations.into_iter().for_each(|operation| state.place(operation));
        for (index, bytes) in self.resources {
            if let Some(resource) = Contract::get().resources().get(index) {
                state.world.store.put_raw(resource, bytes);
            }
        }
    }
}

/// The entries of a collection, encoded.
fn read(
    collections: &Map<String, Value>,
    collection: &str,
    message: &str,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> Result<Vec<Bytes>, SeedError> {
    let entries = match collections.get(collection) {
        None => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(SeedError(format!("collection `{collection}` is not a list"))),
    };
    let mut names = BTreeSet::new();
    let mut items = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let label =
            entry.get("name").and_then(Value::as_str).map_or("without name".to_owned(), |n| format!("`{n}`"));
        let error = |why: String| SeedError(format!("{collection}[{index}] ({label}): {why}"));
        let item = json::to_bytes(message, entry).map_err(|source| error(source.to_string()))?;
        let name = wire::text(&item, 1).to_owned();
        check(&name).map_err(error)?;
        if !names.insert(name) {
            return Err(error("an earlier entry has the same name".to_owned()));
        }
        items.push(item.into());
    }
    Ok(items)
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

/// Why something cannot be seeded; names the entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SeedError(String);

impl SeedError {
    /// What was placed could not be written down.
    pub(crate) fn from_status(status: &Status) -> Self {
        Self(status.message().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Seed::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn all_collections_are_read() {
        let seed = Seed::from_json(
            r#"{
                "operations": [{"name": "projects/p/locations/l/operations/1"}],
                "conversations": [{"name": "projects/p/locations/l/conversations/c", "turnCount": 3}],
                "analyses": [{"name": "projects/p/locations/l/conversations/c/analyses/a"}],
                "issueModels": [{"name": "projects/p/locations/l/issueModels/m", "state": "DEPLOYED"}]
            }"#,
        )
        .unwrap();
        let mut state = State::default();
        seed.apply(&mut state);
        let name = "projects/p/locations/l/conversations/c";
        let conversation: contact_center_insights::proto::insights::Conversation =
            state.world.store.get(name).unwrap();
        assert_eq!(conversation.turn_count, 3, "what is output only is kept");
        assert!(Seed::from_json("{}").unwrap().is_empty());
    }

    #[test]
    fn text_that_is_not_json_is_located() {
        let message = error("{\n  \"operations\": [,]\n}");
        assert!(message.contains("line 2 column 18"), "{message}");
        assert!(error("[]").contains("`issueModels`"));
    }

    #[test]
    fn an_unknown_collection_is_answered_with_the_known() {
        for text in [r#"{"models": []}"#, r#"{"models": 1}"#] {
            let message = error(text);
            assert!(
                message.contains("`models` is unknown") && message.contains("`issueModels`"),
                "{message}"
            );
        }
        assert!(error(r#"{"analyses": {}}"#).contains("`analyses` is not a list"));
    }

    #[test]
    fn a_bad_entry_is_named() {
        let good = r#"{"name": "projects/p/locations/l/operations/1"}"#;
        let message = error(&format!(
            r#"{{"operations": [{good}, {{"name": "projects/p/locations/l/operations/2", "foo": 1}}]}}"#
        ));
        assert!(message.starts_with("operations[1] (`projects/p/locations/l/operations/2`): "), "{message}");
        assert!(message.contains("'foo'"), "{message}");
        let message = error(&format!(r#"{{"operations": [{good}, {good}]}}"#));
        assert!(message.contains("operations[1]") && message.contains("same name"), "{message}");
        let message = error(r#"{"issueModels": [{"displayName": "x"}]}"#);
        assert!(
            message.contains("issueModels[0] (without name)") && message.contains("{issue_model}"),
            "{message}"
        );
        assert!(error(&format!(r#"{{"conversations": [{good}]}}"#)).contains("form"));
    }
}
