//! What the published descriptors say: which method a path is of, and the types of its messages.

use std::collections::BTreeSet;

use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::Value as Json;

use crate::http_rule;

const OPERATION: &str = "google.longrunning.Operation";
/// The service configuration states where operations are; `operations.proto` has patterns for any service.
const OPERATIONS: [(&str, &str, &str); 3] = [
    ("GetOperation", "GET", "/v1/projects/*/locations/*/operations/*"),
    ("ListOperations", "GET", "/v1/projects/*/locations/*/operations"),
    ("CancelOperation", "POST", "/v1/projects/*/locations/*/operations/*:cancel"),
];

/// The methods, messages and names of the API.
#[derive(Debug, Default)]
pub(crate) struct Contract {
    pool: DescriptorPool,
    routes: Vec<Route>,
    /// Names of fields, enum values and methods, which nobody made up.
    words: BTreeSet<String>,
}

/// What is sent and what comes back.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) input: MessageDescriptor,
    /// The message that the body is, if there is one.
    pub(crate) body: Option<MessageDescriptor>,
    pub(crate) output: MessageDescriptor,
}

impl Method {
    /// Whether it starts an operation.
    pub(crate) fn is_long_running(&self) -> bool {
        self.output.full_name() == OPERATION && self.name != "GetOperation"
    }
}

#[derive(Debug)]
struct Route {
    verb: String,
    /// The path's segments; `*` is any, and a custom verb is part of the last.
    segments: Vec<String>,
    method: Method,
}

impl Contract {
    /// Reads the descriptors that the library was built from.
    pub(crate) fn new() -> Self {
        // They are readable, or the library would not have been built; without them, everything is unknown.
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let routes = methods.flat_map(|method| routes(&pool, &method)).collect();
        let mut words = BTreeSet::new();
        for message in pool.all_messages() {
            words.extend(
                message.fields().flat_map(|field| [field.name().to_owned(), field.json_name().to_owned()]),
            );
        }
        for kind in pool.all_enums() {
            words.extend(kind.values().map(|value| value.name().to_owned()));
        }
        for service in pool.services() {
            words.extend(service.methods().map(|method| method.name().to_owned()));
        }
        Self { pool, routes, words }
    }

    /// The method of a decoded path; none if it is in the REST API only.
    pub(crate) fn method(&self, verb: &str, path: &str) -> Option<&Method> {
        let found: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let route = self.routes.iter().find(|route| route.verb == verb && fits(&route.segments, &found))?;
        Some(&route.method)
    }

    /// The type that an `@type` names.
    pub(crate) fn message_of_url(&self, url: &str) -> Option<MessageDescriptor> {
        self.pool.get_message_by_name(url.rsplit('/').next()?)
    }

    /// `google.rpc.Status`, which errors are.
    pub(crate) fn status(&self) -> Option<MessageDescriptor> {
        self.pool.get_message_by_name("google.rpc.Status")
    }

    /// Whether a word is the name of a field, an enum's value or a method.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Takes fields that no published proto has out of a message's JSON.
    pub(crate) fn strip_unknown(&self, message: &MessageDescriptor, value: &mut Json) {
        let Json::Object(fields) = value else { return };
        let of_any = match message.full_name() {
            "google.protobuf.Any" => match fields.get("@type").and_then(Json::as_str) {
                Some(url) => self.message_of_url(url),
                None => return,
            },
            "google.protobuf.Struct" | "google.protobuf.Value" => return,
            _ => Some(message.clone()),
        };
        let Some(message) = of_any else { return };
        let field =
            |key: &str| message.get_field_by_json_name(key).or_else(|| message.get_field_by_name(key));
        fields.retain(|key, _| key == "@type" || field(key).is_some());
        for (key, value) in fields.iter_mut() {
            let Some(field) = field(key) else { continue };
            let Kind::Message(inner) = field.kind() else { continue };
            let mut each: Vec<&mut Json> = match value {
                Json::Array(list) => list.iter_mut().collect(),
                Json::Object(entries) if field.is_map() => entries.values_mut().collect(),
                single => vec![single],
            };
            let inner = if field.is_map() {
                match inner.map_entry_value_field().kind() {
                    Kind::Message(inner) => inner,
                    _ => continue,
                }
            } else {
                inner
            };
            for value in &mut each {
                self.strip_unknown(&inner, value);
            }
        }
    }
}

fn fits(segments: &[String], found: &[&str]) -> bool {
    let is_match = |(pattern, part): (&String, &&str)| match pattern.strip_prefix('*') {
        Some("") => !part.is_empty(),
        Some(verb) => part.strip_suffix(verb).is_some_and(|id| !id.is_empty()),
        None => pattern == part,
    };
    let ends_alike = |pattern: &str, part: &str| pattern.contains(':') || !is_verb(part);
    segments.len() == found.len()
        && segments.iter().zip(found).all(is_match)
        && segments.last().zip(found.last()).is_some_and(|(pattern, part)| ends_alike(pattern, part))
}

/// Whether a last segment ends in a custom verb, such as `7:cancel`.
fn is_verb(segment: &str) -> bool {
    segment
        .rsplit_once(':')
        .is_some_and(|(_, verb)| !verb.is_empty() && verb.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

fn routes(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<Route> {
    let input = method.input();
    let made = |verb: &str, path: &str, body: Option<MessageDescriptor>| Route {
        verb: verb.to_owned(),
        segments: path.trim_start_matches('/').split('/').map(str::to_owned).collect(),
        method: Method {
            name: method.name().to_owned(),
            input: input.clone(),
            body,
            output: method.output(),
        },
    };
    if method.parent_service().full_name() == "google.longrunning.Operations" {
        let own = OPERATIONS.iter().filter(|(name, ..)| *name == method.name());
        return own
            .map(|(_, verb, path)| made(verb, path, (*verb == "POST").then(|| input.clone())))
            .collect();
    }
    let routes = http_rule::of(pool, method).into_iter().map(|rule| {
        let body = match rule.body.as_str() {
            "" => None,
            "*" => Some(input.clone()),
            field => input.get_field_by_name(field).and_then(|field| field.kind().as_message().cloned()),
        };
        made(&rule.verb, &plain(&rule.template), body)
    });
    routes.collect()
}

/// `/v1/{name=projects/*}:do` without what names its variables.
fn plain(template: &str) -> String {
    let parts = template.split_inclusive(['{', '}']).map(|part| match part.strip_suffix('}') {
        Some(variable) => variable.split_once('=').map_or("*", |(_, pattern)| pattern),
        None => part.strip_suffix('{').unwrap_or(part),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn methods_are_found_by_their_paths() {
        let contract = Contract::new();
        let l = "/v1/projects/p/locations/l";
        for (verb, path, wanted) in [
            ("GET", "/conversations/7", Some(("GetConversation", None, "Conversation"))),
            ("POST", "/conversations", Some(("CreateConversation", Some("Conversation"), "Conversation"))),
            (
                "POST",
                "/conversations:ingest",
                Some(("IngestConversations", Some("IngestConversationsRequest"), "Operation")),
            ),
            ("PATCH", "/views/x", Some(("UpdateView", Some("View"), "View"))),
            ("GET", "/operations", Some(("ListOperations", None, "ListOperationsResponse"))),
            (
                "POST",
                "/operations/1:cancel",
                Some(("CancelOperation", Some("CancelOperationRequest"), "Empty")),
            ),
            ("GET", "/operations/1", Some(("GetOperation", None, "Operation"))),
            ("DELETE", "/operations/1", None),
            ("POST", "/conversations/7:sample", None),
            ("GET", "/dashboards", None),
        ] {
            let found = contract.method(verb, &format!("{l}{path}"));
            let found = found.map(|method| {
                (
                    method.name.clone(),
                    method.body.as_ref().map(|body| body.name().to_owned()),
                    method.output.name().to_owned(),
                )
            });
            let wanted = wanted.map(|(name, body, output): (&str, Option<&str>, &str)| {
                (name.to_owned(), body.map(str::to_owned), output.to_owned())
            });
            assert_eq!(found, wanted, "{verb} {path}");
        }
        assert!(contract.method("POST", &format!("{l}/conversations:ingest")).unwrap().is_long_running());
    }

    #[test]
    fn fields_of_no_published_proto_are_taken_out() {
        let contract = Contract::new();
        let operation = contract.message_of_url("google.longrunning.Operation").unwrap();
        let url = "type.googleapis.com/google.cloud.contactcenterinsights.v1.Conversation";
        let mut value = json!({
            "name": "x",
            "response": {"@type": url, "correlationInfo": {}, "labels": {"correlationInfo": "kept"},
                "transcript": {"transcriptSegments": [{"text": "a", "mood": 1}]}},
            "metadata": {"@type": "type.googleapis.com/a.Unknown", "kept": 1},
        });
        contract.strip_unknown(&operation, &mut value);
        assert_eq!(
            value,
            json!({
                "name": "x",
                "response": {"@type": url, "labels": {"correlationInfo": "kept"},
                    "transcript": {"transcriptSegments": [{"text": "a"}]}},
                "metadata": {"@type": "type.googleapis.com/a.Unknown", "kept": 1},
            })
        );
    }
}
