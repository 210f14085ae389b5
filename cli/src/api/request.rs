//! A request that is put together from JSON and from fields given as text.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::Rpc;
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;

/// A request in JSON, not complete yet.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    rpc: &'a Rpc,
    value: Value,
}

impl<'a> Draft<'a> {
    /// Begins with a request in JSON; `null` for an empty one.
    pub(crate) fn new(rpc: &'a Rpc, data: Value) -> Result<Self, Failure> {
        let value = match data {
            Value::Null => Value::Object(Map::new()),
            Value::Object(_) => data,
            _ => {
                let problem = format!("a {} is given as a JSON object", rpc.request().name());
                return Err(Failure::new(Exit::Usage, problem));
            }
        };
        Ok(Self { rpc, value })
    }

    /// Sets a dotted field, such as `issue_model.display_name`, in either spelling. What is repeated is appended to.
    pub(crate) fn set(&mut self, path: &str, text: &str) -> Result<(), Failure> {
        let refused = |problem: String| Failure::new(Exit::Usage, format!("`{path}`: {problem}"));
        let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
        let mut message = self.rpc.request();
        let mut value = &mut self.value;
        let mut parents = parents.split('.').filter(|part| !part.is_empty());
        while let Some(part) = parents.next() {
            let field = field_of(&message, part).map_err(refused)?;
            value = entry(value, &field).ok_or_else(|| refused(format!("`{part}` holds no fields")))?;
            let Kind::Message(inner) = field.kind() else {
                return Err(refused(format!("`{part}` holds no fields")));
            };
            if field.is_map() {
                // What follows is the key, with all its dots.
                let rest: Vec<&str> = parents.chain([last]).collect();
                let parsed = value_of(&inner.map_entry_value_field(), text).map_err(refused)?;
                return put(value, rest.join("."), parsed)
                    .ok_or_else(|| refused("it is not a map".to_owned()));
            }
            message = inner;
        }
        let not_here = || refused("it stands below what is not an object".to_owned());
        // `labels.team=x` ends in a key, too.
        let field = field_of(&message, last).map_err(refused)?;
        let new = value_of(&field, text).map_err(refused)?;
        let key = key_in(value, &field);
        match (field.is_list(), new) {
            (true, Value::Array(more)) => {
                let known = value
                    .as_object_mut()
                    .ok_or_else(not_here)?
                    .entry(key)
                    .or_insert_with(|| Value::Array(vec![]));
                known.as_array_mut().ok_or_else(not_here)?.extend(more);
                Ok(())
            }
            (_, new) => put(value, key, new).ok_or_else(not_here),
        }
    }

    /// The request as it is.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }
}

/// The field of a message, in the spelling of the proto, of JSON, or of a flag.
fn field_of(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, String> {
    let proto = name.replace('-', "_");
    message.get_field_by_name(&proto).or_else(|| message.get_field_by_json_name(name)).ok_or_else(|| {
        let known: Vec<_> = message.fields().map(|field| field.name().to_owned()).collect();
        format!("`{name}` is not a field of {}, which has {}", message.name(), known.join(", "))
    })
}

/// The key by which a field stands in an object already, else its name in JSON.
fn key_in(object: &Value, field: &FieldDescriptor) -> String {
    let is_there = object.get(field.name()).is_some();
    if is_there { field.name() } else { field.json_name() }.to_owned()
}

/// The value of a field of an object, made an object if there is none.
fn entry<'v>(object: &'v mut Value, field: &FieldDescriptor) -> Option<&'v mut Value> {
    let key = key_in(object, field);
    let inner = object.as_object_mut()?.entry(key).or_insert(Value::Null);
    if inner.is_null() {
        *inner = Value::Object(Map::new());
    }
    inner.is_object().then_some(inner)
}

fn put(object: &mut Value, key: String, value: Value) -> Option<()> {
    object.as_object_mut()?.insert(key, value);
    Some(())
}

/// The value of a field in JSON, from text: a scalar or the name of an enum's value as it is, a message as JSON. Of what
/// is repeated, one item, or a list in JSON.
///
/// # Errors
/// What is wrong with the text, and what is expected.
fn value_of(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    if field.is_map() {
        return json(text, "an object");
    }
    if field.is_list() {
        if text.trim_start().starts_with('[')
            && let Ok(list @ Value::Array(_)) = serde_json::from_str(text)
        {
            return Ok(list);
        }
        return Ok(Value::Array(vec![single(&field.kind(), text)?]));
    }
    single(&field.kind(), text)
}

fn single(kind: &Kind, text: &str) -> Result<Value, String> {
    Ok(match kind {
        Kind::Bool => match text {
            "true" => true.into(),
            "false" => false.into(),
            _ => return Err(format!("{text:?} is not true or false")),
        },
        Kind::Enum(known) => {
            let name = text.to_ascii_uppercase().replace('-', "_");
            let mut names = known.values().map(|value| value.name().to_owned());
            if names.any(|known| known == name) {
                name.into()
            } else if let Ok(number) = text.parse::<i32>() {
                number.into()
            } else {
                let names: Vec<_> = known.values().map(|value| value.name().to_owned()).collect();
                return Err(format!("{text:?} is not one of {}", names.join(", ")));
            }
        }
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Duration" => match duration::parse(text) {
                Ok(span) => format!("{}.{:09}s", span.as_secs(), span.subsec_nanos()).into(),
                Err(_) => Value::String(text.to_owned()),
            },
            "google.protobuf.Timestamp" | "google.protobuf.FieldMask" => Value::String(text.to_owned()),
            _ => return json(text, message.name()),
        },
        Kind::String | Kind::Bytes => Value::String(text.to_owned()),
        // All digits stay: JSON has whole numbers of 64 bits as strings.
        _ => Value::String(text.trim().to_owned()),
    })
}

fn json(text: &str, what: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) => Err(format!("{what} is given as JSON, and this is not: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Api;
    use super::*;

    #[test]
    fn fields_are_set_by_their_kinds() {
        let api = Api::get();
        let rpc = api.rpc("CreateConversation").unwrap();
        let mut draft = Draft::new(rpc, json!({"conversation": {"agent_id": "1"}})).unwrap();
        for (path, text) in [
            ("parent", "projects/p/locations/l"),
            ("conversation_id", "007"),
            ("conversation.agent_id", "7"),
            ("conversation.medium", "chat"),
            ("conversation.ttl", "1h"),
            ("conversation.labels.team.of", "x.y"),
            ("conversation.data-source", r#"{"gcsSource": {"transcriptUri": "gs://b/o"}}"#),
        ] {
            draft.set(path, text).unwrap();
        }
        let wanted = json!({
            "parent": "projects/p/locations/l",
            "conversationId": "007",
            "conversation": {
                "agent_id": "7",
                "medium": "CHAT",
                "ttl": "3600.000000000s",
                "labels": {"team.of": "x.y"},
                "dataSource": {"gcsSource": {"transcriptUri": "gs://b/o"}},
            },
        });
        assert_eq!(draft.value(), &wanted);
    }

    #[test]
    fn what_is_repeated_is_appended_to() {
        let api = Api::get();
        let mut draft = Draft::new(api.rpc("TuneQaScorecardRevision").unwrap(), Value::Null).unwrap();
        draft.set("validate_only", "true").unwrap();
        assert_eq!(draft.value(), &json!({"validateOnly": true}));
        let mut draft = Draft::new(api.rpc("UpdatePhraseMatcher").unwrap(), Value::Null).unwrap();
        let group = r#"{"type": "ALL_OF"}"#;
        draft.set("phrase_matcher.phrase_match_rule_groups", group).unwrap();
        draft.set("phrase_matcher.phrase_match_rule_groups", &format!("[{group}]")).unwrap();
        let groups = &draft.value()["phraseMatcher"]["phraseMatchRuleGroups"];
        assert_eq!(groups.as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_set_says_why() {
        let api = Api::get();
        let mut draft = Draft::new(api.rpc("CreateConversation").unwrap(), Value::Null).unwrap();
        for (path, text, words) in [
            ("parnt", "x", "`parnt` is not a field of CreateConversationRequest, which has parent,"),
            ("parent.x", "x", "`parent` holds no fields"),
            ("conversation.medium", "fax", "is not one of MEDIUM_UNSPECIFIED, PHONE_CALL"),
            ("conversation", "{", "Conversation is given as JSON"),
            ("conversation.obfuscated_user_id.x", "1", "holds no fields"),
        ] {
            let failure = draft.set(path, text).unwrap_err().to_string();
            assert!(failure.contains(words), "{path}: {failure}");
        }
        assert!(Draft::new(api.rpc("GetView").unwrap(), json!([])).is_err());
    }
}
