//! What an emulator starts with, from JSON.

mod source;

use bytes::Bytes;
use contact_center_insights::json;
use contact_center_insights::proto::longrunning::Operation;
use prost::{Message as _, Name as _};
use serde_json::{Map, Value};

use crate::contract::{Contract, ResourceType, fits};
use crate::message::wire;
use crate::names::{self, OPERATION};
use crate::state::State;
pub use source::SeedError;
use source::Source;

const OPERATIONS: &str = "operations";

/// Operations and resources to start with.
///
/// A seed is one JSON object. Its keys are `operations` and the plural names of the API's resources, such as
/// `conversations`, `analyses` and `issueModels`, each a list of resources in `ProtoJSON` with their full `name`. They
/// are loaded as they are: what is output only is kept, and nothing is made up. An operation that is not done stays
/// so until it is cancelled.
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
        if let Some(unknown) = collections.keys().find(|key| !is_known(key)) {
            return Err(SeedError(format!("collection `{unknown}` is unknown; collections are {}", known())));
        }
        let mut seed = Self::default();
        let source = Source { collections: &collections, is_lenient };
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
        Ok(seed)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.resources.is_empty()
    }

    /// Puts everything into a state, in place of what has the same name there.
    pub(crate) fn apply(self, state: &mut State) {
        self.warn_of_locations(state);
        self.operations.into_iter().for_each(|operation| state.place(operation));
        for (index, bytes) in self.resources {
            if let Some(resource) = Contract::get().resources().get(index) {
                state.world.store.put_raw(resource, bytes);
            }
        }
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
        assert!(error("7").contains("`issueModels`"));
        assert!(error(r#"{"operations": [], "operations": []}"#).contains("there twice"));
    }

    #[test]
    fn what_lists_print_is_a_seed() {
        let list = r#"[{"name": "projects/p/locations/l/operations/1"}]"#;
        assert_eq!(Seed::from_json(list).unwrap().operations.len(), 1);
        let page = format!(r#"{{"operations": {list}, "nextPageToken": "x"}}"#);
        assert_eq!(Seed::from_json(&page).unwrap().operations.len(), 1);
    }

    #[test]
    fn what_only_rest_has_is_left_out() {
        let analysis = |field: &str| {
            format!(
                r#"{{"operations": [{{"name": "projects/p/locations/l/operations/1", "done": true, "response":
                {{"@type": "type.googleapis.com/google.cloud.contactcenterinsights.v1.Analysis", "{field}": true}}}}]}}"#
            )
        };
        assert!(Seed::from_json(&analysis("satisfiesPzs")).is_ok());
        assert!(error(&analysis("satisfiesPz")).contains("operations[0].response.satisfiesPz: "));
    }

    #[test]
    fn a_lenient_seed_leaves_out_what_is_unknown_and_nothing_else() {
        let model = |field: &str, value: &str| {
            format!(
                r#"{{"issueModels": [{{"name": "projects/p/locations/l/issueModels/m", "{field}": {value}}}]}}"#
            )
        };
        for (field, value) in [("newField", "{}"), ("state", "\"NEW_STATE\"")] {
            assert!(error(&model(field, value)).contains(&format!("issueModels[0].{field}: ")));
            let seed = Seed::from_json_lenient(&model(field, value)).unwrap();
            assert_eq!(seed.resources.len(), 1);
        }
        for (field, value) in [("state", "{}"), ("createTime", "\"yesterday\"")] {
            let message = Seed::from_json_lenient(&model(field, value)).unwrap_err().to_string();
            assert!(message.contains(&format!("issueModels[0].{field}: ")), "{message}");
        }
        assert!(Seed::from_json_lenient(r#"{"models": []}"#).is_err());
    }

    #[test]
    fn a_form_that_is_wrong_is_named_with_its_path() {
        let seed = |kind: &str, value: &str| {
            format!(
                r#"{{"operations": [{{"name": "projects/p/locations/l/operations/1", "response":
                {{"@type": "type.googleapis.com/google.protobuf.{kind}", "value": "{value}"}}}}]}}"#
            )
        };
        let message = error(&seed("Duration", "10ms"));
        assert!(message.contains(r#"operations[0].response.value: "10ms" is not a duration"#), "{message}");
        let message = error(&seed("Timestamp", "20240101"));
        assert!(message.contains("operations[0].response.value: "), "{message}");
        let seed = Seed::from_json(&seed("StringValue", "done")).unwrap();
        let Some(contact_center_insights::proto::longrunning::operation::Result::Response(any)) =
            &seed.operations[0].result
        else {
            panic!("no response");
        };
        assert_eq!(any.value, b"\x0a\x04done");
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
        assert!(message.contains(": operations[1].foo: "), "{message}");
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
