//! The names in a message that say what is addressed, or what a resource is called itself: not what it refers to.
//!
//! Names are rewritten on the encoded bytes, where the descriptors say that they are: the fields of a request that hold
//! the name of a resource of this API, and the `name` of every resource, wherever one is held by another message.

use std::collections::HashMap;
use std::sync::OnceLock;

use prost_reflect::{Kind, MessageDescriptor};

use super::splice::{put, put_bytes};
use super::wire::{self, Wire, fields};
use crate::contract::{Contract, ResourceType};

const OPERATION: &str = "google.longrunning.Operation";

/// Where a message has such names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnNames {
    /// Strings that are one.
    texts: Vec<u32>,
    /// Messages that have some.
    within: Vec<(u32, OwnNames)>,
    /// An `Any` that may hold a resource.
    packed: Option<u32>,
}

/// Those of a method's request, and of its response.
pub(crate) fn of_method(path: &str) -> Option<&'static (OwnNames, OwnNames)> {
    static METHODS: OnceLock<HashMap<&str, (OwnNames, OwnNames)>> = OnceLock::new();
    let methods = METHODS.get_or_init(|| {
        let methods = Contract::get().methods();
        let both = |input, output| (OwnNames::of_request(input), OwnNames::of_response(output));
        methods.map(|method| (method.path.as_str(), both(&method.input, &method.output))).collect()
    });
    methods.get(path)
}

/// Those of a resource, by the full name of its message.
fn of_resource(message: &str) -> Option<&'static OwnNames> {
    static RESOURCES: OnceLock<HashMap<&str, OwnNames>> = OnceLock::new();
    let resources = RESOURCES.get_or_init(|| {
        let resources = Contract::get().resources().iter();
        let of = |resource: &'static ResourceType| {
            (resource.message.full_name(), OwnNames::of_response(&resource.message))
        };
        resources.map(of).collect()
    });
    resources.get(message)
}

impl OwnNames {
    /// Of a request: the strings that address something, and the name of a resource that it holds.
    fn of_request(input: &MessageDescriptor) -> Self {
        let mut found = Self::of(input, &mut Vec::new());
        let texts = input.fields().filter(|field| matches!(field.kind(), Kind::String) && !field.is_list());
        let addresses = texts.filter(Contract::is_address);
        found.texts.extend(addresses.map(|field| field.number()));
        found.texts.sort_unstable();
        found.texts.dedup();
        found
    }

    /// Of a response.
    fn of_response(output: &MessageDescriptor) -> Self {
        Self::of(output, &mut Vec::new())
    }

    fn of(message: &MessageDescriptor, above: &mut Vec<String>) -> Self {
        let mut found = Self::default();
        if message.full_name() == OPERATION {
            const NAME: u32 = 1;
            const RESPONSE: u32 = 5;
            return Self { texts: vec![NAME], packed: Some(RESPONSE), ..found };
        }
        // What holds itself is followed once.
        if above.iter().any(|name| name == message.full_name()) {
            return found;
        }
        above.push(message.full_name().to_owned());
        if Contract::get().resources().iter().any(|resource| resource.message == *message) {
            found.texts.extend(message.get_field_by_name("name").map(|field| field.number()));
        }
        for field in message.fields().filter(|field| !field.is_map()) {
            let Kind::Message(inner) = field.kind() else { continue };
            let inner = Self::of(&inner, above);
            if inner != Self::default() {
                found.within.push((field.number(), inner));
            }
        }
        above.pop();
        found
    }

    /// What a request addresses: its parent or name, or the name of the resource that it holds. Of a field that is
    /// there more than once, the last counts.
    pub(crate) fn addressed<'a>(&self, request: &'a [u8]) -> Option<&'a str> {
        let texts = self.texts.iter().map(|text| wire::text(request, *text)).find(|text| !text.is_empty());
        let within = || {
            let mut held =
                self.within.iter().filter_map(|(number, inner)| Some((wire::last(request, *number)?, inner)));
            held.find_map(|(message, inner)| inner.addressed(message.bytes()))
        };
        texts.or_else(within)
    }

    /// The message with its names as `rename` has them; `None` if it leaves all as they are.
    pub(crate) fn renamed(&self, message: &[u8], rename: &dyn Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
        let change = |(number, wire): (u32, Wire<'_>)| -> Option<Vec<u8>> {
            let Wire::Bytes(bytes) = wire else { return None };
            if self.texts.contains(&number) {
                return rename(std::str::from_utf8(bytes).ok()?).map(String::into_bytes);
            }
            if self.packed == Some(number) {
                return renamed_any(bytes, rename);
            }
            let (_, inner) = self.within.iter().find(|(within, _)| *within == number)?;
            inner.renamed(bytes, rename)
        };
        let changes: Vec<Option<Vec<u8>>> = fields(message).map(change).collect();
        if changes.iter().all(Option::is_none) {
            return None;
        }
        let mut answer = Vec::with_capacity(message.len() + 32);
        for ((number, wire), changed) in fields(message).zip(changes) {
            match changed {
                Some(bytes) => put_bytes(&mut answer, number, &bytes),
                None => put(&mut answer, number, wire),
            }
        }
        Some(answer)
    }
}

/// The same for a resource in an `Any`; whatever else is in one stays as it is.
fn renamed_any(any: &[u8], rename: &dyn Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    const TYPE_URL: u32 = 1;
    const VALUE: u32 = 2;
    let kind = wire::text(any, TYPE_URL);
    let names = of_resource(kind.rsplit('/').next().unwrap_or_default())?;
    let value = names.renamed(wire::last(any, VALUE)?.bytes(), rename)?;
    let mut answer = Vec::with_capacity(any.len() + 32);
    put_bytes(&mut answer, TYPE_URL, wire::text(any, TYPE_URL).as_bytes());
    put_bytes(&mut answer, VALUE, &value);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use contact_center_insights::any;
    use contact_center_insights::proto::insights::{
        Analysis, AnnotatorSelector, Conversation, CreateAnalysisRequest, ListConversationsResponse,
        UpdateConversationRequest,
    };
    use contact_center_insights::proto::longrunning::Operation;
    use contact_center_insights::proto::longrunning::operation::Result as Outcome;
    use prost::Message as _;

    use super::*;
    use crate::contract::INSIGHTS;

    fn upper(name: &str) -> Option<String> {
        (name.to_uppercase() != name).then(|| name.to_uppercase())
    }

    fn conversation() -> Conversation {
        let selector = AnnotatorSelector { issue_models: vec!["m".into()], ..AnnotatorSelector::default() };
        let analysis =
            Analysis { name: "a".into(), annotator_selector: Some(selector), ..Analysis::default() };
        Conversation {
            name: "c".into(),
            agent_id: "x".into(),
            latest_analysis: Some(analysis),
            turn_count: -1,
            ..Conversation::default()
        }
    }

    fn names(method: &str) -> &'static (OwnNames, OwnNames) {
        of_method(method).unwrap()
    }

    #[test]
    fn a_resource_its_children_and_lists_are_renamed_and_references_are_not() {
        let (_, list) = names(&format!("{INSIGHTS}/ListConversations"));
        let listed =
            ListConversationsResponse { conversations: vec![conversation()], next_page_token: "t".into() };
        let seen = list.renamed(&listed.encode_to_vec(), &upper).unwrap();
        let seen = ListConversationsResponse::decode(&*seen).unwrap();
        let mut wanted = listed;
        wanted.conversations[0].name = "C".into();
        wanted.conversations[0].latest_analysis.as_mut().unwrap().name = "A".into();
        assert_eq!(seen, wanted);
        assert_eq!(list.renamed(&seen.encode_to_vec(), &upper), None);
    }

    #[test]
    fn an_operation_is_renamed_with_the_resource_that_it_ends_in() {
        let (_, get) = names("google.longrunning.Operations/GetOperation");
        let operation = |name: &str, analysis: &str| Operation {
            name: name.into(),
            metadata: Some(any::pack(&conversation())),
            done: true,
            result: Some(Outcome::Response(any::pack(&Analysis {
                name: analysis.into(),
                ..Analysis::default()
            }))),
        };
        let seen = get.renamed(&operation("o", "a").encode_to_vec(), &upper).unwrap();
        assert_eq!(Operation::decode(&*seen).unwrap(), operation("O", "A"));
    }

    #[test]
    fn requests_are_renamed_where_they_address() {
        let (update, _) = names(&format!("{INSIGHTS}/UpdateConversation"));
        let request = UpdateConversationRequest { conversation: Some(conversation()), ..Default::default() };
        assert_eq!(update.addressed(&request.encode_to_vec()), Some("c"));
        let seen = update.renamed(&request.encode_to_vec(), &upper).unwrap();
        let seen = UpdateConversationRequest::decode(&*seen).unwrap().conversation.unwrap();
        assert_eq!((seen.name.as_str(), seen.agent_id.as_str()), ("C", "x"));
        let (create, _) = names(&format!("{INSIGHTS}/CreateAnalysis"));
        let analysis = conversation().latest_analysis;
        let request = CreateAnalysisRequest { parent: "p".into(), analysis };
        assert_eq!(create.addressed(&request.encode_to_vec()), Some("p"), "not what it refers to");
        let seen = create.renamed(&request.encode_to_vec(), &upper).unwrap();
        assert_eq!(CreateAnalysisRequest::decode(&*seen).unwrap().parent, "P");
        for method in Contract::get().methods().filter(|method| method.name != "QueryMetrics") {
            assert!(
                !OwnNames::of_request(&method.input).texts.is_empty()
                    || method.name.starts_with("Update")
                    || method.name == "InitializeEncryptionSpec",
                "{}",
                method.name
            );
        }
    }
}
