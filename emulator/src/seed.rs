//! The `seed` room: what an emulator starts with, from JSON.

use std::collections::BTreeSet;

use contact_center_insights::json;
use contact_center_insights::proto::insights::{Analysis, Conversation, IssueModel};
use contact_center_insights::proto::longrunning::Operation;
use prost::{Message, Name};
use serde_json::{Map, Value};

use crate::methods::State;
use crate::names::{OPERATION, Pattern};
use crate::store::{Collection, Resource};

const COLLECTIONS: [&str; 4] = ["operations", "conversations", "analyses", "issueModels"];

/// Operations and resources to start with.
///
/// A seed is one JSON object. Its keys are `operations`, `conversations`, `analyses` and `issueModels`, each a list
/// of resources in `ProtoJSON` with their full `name`. They are loaded as they are: what is output only is kept, and
/// nothing is made up. An operation that is not done stays so until it is cancelled.
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
    conversations: Vec<Conversation>,
    analyses: Vec<Analysis>,
    issue_models: Vec<IssueModel>,
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
        if let Some(unknown) = collections.keys().find(|key| !COLLECTIONS.contains(&key.as_str())) {
            return Err(SeedError(format!("collection `{unknown}` is unknown; collections are {}", known())));
        }
        Ok(Self {
            operations: read(&collections, "operations", OPERATION, |item: &Operation| &item.name)?,
            conversations: read(&collections, "conversations", Conversation::PATTERN, Resource::name)?,
            analyses: read(&collections, "analyses", Analysis::PATTERN, Resource::name)?,
            issue_models: read(&collections, "issueModels", IssueModel::PATTERN, Resource::name)?,
        })
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
            && self.conversations.is_empty()
            && self.analyses.is_empty()
            && self.issue_models.is_empty()
    }

    /// The state to start with. Names are unique already, so that nothing is left out.
    pub(crate) fn into_state(self) -> State {
        let mut state = State::default();
        self.operations.into_iter().for_each(|operation| state.engine.place(operation));
        fill(&mut state.store.conversations, self.conversations);
        fill(&mut state.store.analyses, self.analyses);
        fill(&mut state.store.issue_models, self.issue_models);
        state
    }
}

fn fill<T: Resource>(collection: &mut Collection<T>, items: Vec<T>) {
    for item in items {
        if let Err(status) = collection.insert(item) {
            tracing::error!(%status, "not seeded");
        }
    }
}

fn read<T: Message + Name + Default>(
    collections: &Map<String, Value>,
    collection: &str,
    pattern: Pattern,
    name: impl Fn(&T) -> &str,
) -> Result<Vec<T>, SeedError> {
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
        let item: T = json::to_message(entry).map_err(|source| error(source.to_string()))?;
        check_name(pattern, name(&item)).map_err(error)?;
        if !names.insert(name(&item).to_owned()) {
            return Err(error("an entry before it has the same name".to_owned()));
        }
        items.push(item);
    }
    Ok(items)
}

fn check_name(pattern: Pattern, name: &str) -> Result<(), String> {
    if pattern.matches(name) { Ok(()) } else { Err(format!("the name is not of the form `{}`", pattern.0)) }
}

/// Whether an operation may be placed.
pub(crate) fn check_operation(operation: &Operation) -> Result<(), SeedError> {
    check_name(OPERATION, &operation.name)
        .map_err(|why| SeedError(format!("operation `{}`: {why}", operation.name)))
}

fn known() -> String {
    COLLECTIONS.map(|name| format!("`{name}`")).join(", ")
}

/// Why something cannot be seeded; names the entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SeedError(String);

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
        let state = seed.into_state();
        let conversation = state.store.conversations.get("projects/p/locations/l/conversations/c").unwrap();
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
