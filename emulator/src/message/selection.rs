//! Partial responses: the fields of an answer that a caller asks for with `fields`, or with `x-goog-fieldmask`.
//!
//! A selection is a list such as `conversations(name,agentId),nextPageToken` or `metadata.createTime`. What is selected
//! is cut out of the encoded answer.

use std::collections::BTreeMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::splice::{put, put_bytes};
use super::wire::{self, Wire};

/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 32;
const ANY: &str = "google.protobuf.Any";

/// What is wanted of a message: all of it if there are no names, else these, each with what is wanted of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection(BTreeMap<String, Selection>);

/// A selection that fits a message, or none: then all is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted(Option<(Selection, MessageDescriptor)>);

impl Selection {
    /// Reads a selection.
    ///
    /// # Errors
    /// The part that cannot be read.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        let mut all = Self::default();
        all.read_list(&mut rest, 0)?;
        if rest.is_empty() { Ok(all) } else { Err(rest.to_owned()) }
    }

    /// Names up to the end, or to a closing parenthesis.
    fn read_list(&mut self, rest: &mut &str, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err((*rest).to_owned());
        }
        let mut wants_all = false;
        loop {
            let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
            let (path, after) = rest.split_at(end);
            *rest = after;
            let path = path.trim();
            let names: Vec<&str> = path.split(['.', '/']).collect();
            if names.iter().any(|name| name.is_empty()) {
                return Err(if path.is_empty() { after.to_owned() } else { path.to_owned() });
            }
            let mut within = Self::default();
            if let Some(after) = rest.strip_prefix('(') {
                *rest = after;
                within.read_list(rest, depth + 1)?;
                *rest = rest.strip_prefix(')').ok_or_else(|| path.to_owned())?.trim_start();
            }
            if names == ["*"] && within.0.is_empty() {
                wants_all = true;
            } else {
                self.add(&names, within);
            }
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => break,
            }
        }
        if wants_all {
            self.0.clear();
        }
        Ok(())
    }

    /// Adds what is wanted below a path. Where all is wanted already, or now, it stays so.
    fn add(&mut self, names: &[&str], within: Self) {
        let [name, below @ ..] = names else { return };
        let is_new = !self.0.contains_key(*name);
        let entry = self.0.entry((*name).to_owned()).or_default();
        if !is_new && entry.0.is_empty() {
            return;
        }
        if !below.is_empty() {
            entry.add(below, within);
        } else if within.0.is_empty() {
            entry.0.clear();
        } else {
            for (name, inner) in within.0 {
                entry.add(&[&name], inner);
            }
        }
    }

    /// Makes sure that a message has what is selected.
    ///
    /// # Errors
    /// What it does not have.
    pub(crate) fn check(self, message: &MessageDescriptor) -> Result<Wanted, String> {
        self.check_at(message, "")?;
        Ok(Wanted(Some((self, message.clone()))))
    }

    fn check_at(&self, message: &MessageDescriptor, path: &str) -> Result<(), String> {
        for (name, within) in &self.0 {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let field = field(message, name).ok_or_else(|| path.clone())?;
            match field.kind() {
                _ if within.0.is_empty() => {}
                // Its keys are not known beforehand, nor is what an `Any` holds.
                Kind::Message(_) if field.is_map() => {}
                Kind::Message(inner) if inner.full_name() == ANY => {}
                Kind::Message(inner) if !inner.full_name().starts_with("google.protobuf.") => {
                    within.check_at(&inner, &path)?;
                }
                _ => return Err(path),
            }
        }
        Ok(())
    }

    fn cut(&self, message: &[u8], descriptor: &MessageDescriptor) -> Vec<u8> {
        if self.0.is_empty() {
            return message.to_vec();
        }
        let mut left = Vec::new();
        for (number, wire) in wire::fields(message) {
            let Some(found) = descriptor.get_field(number) else { continue };
            let Some(within) = self.of(&found) else { continue };
            match (found.kind(), wire) {
                (Kind::Message(inner), Wire::Bytes(bytes)) if !within.0.is_empty() => {
                    if found.is_map() {
                        if within.0.contains_key(wire::entry(bytes).0) {
                            put(&mut left, number, wire);
                        }
                    } else if inner.full_name() == ANY {
                        put_bytes(&mut left, number, &within.cut_any(bytes, &inner));
                    } else {
                        put_bytes(&mut left, number, &within.cut(bytes, &inner));
                    }
                }
                _ => put(&mut left, number, wire),
            }
        }
        left
    }

    fn cut_any(&self, any: &[u8], descriptor: &MessageDescriptor) -> Vec<u8> {
        const TYPE_URL: u32 = 1;
        const VALUE: u32 = 2;
        let name = wire::text(any, TYPE_URL).rsplit('/').next().unwrap_or_default();
        let Some(held) = descriptor.parent_pool().get_message_by_name(name) else { return any.to_vec() };
        let value = wire::last(any, VALUE).map(Wire::bytes).unwrap_or_default();
        let mut left = Vec::new();
        put_bytes(&mut left, TYPE_URL, wire::text(any, TYPE_URL).as_bytes());
        put_bytes(&mut left, VALUE, &self.cut(value, &held));
        left
    }

    fn of(&self, field: &FieldDescriptor) -> Option<&Self> {
        self.0.get(field.json_name()).or_else(|| self.0.get(field.name()))
    }
}

impl Wanted {
    /// What is wanted of an encoded answer.
    pub(crate) fn of(&self, answer: Vec<u8>) -> Vec<u8> {
        match &self.0 {
            Some((selection, message)) => selection.cut(&answer, message),
            None => answer,
        }
    }
}

fn field(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

#[cfg(test)]
mod tests {
    use contact_center_insights::any;
    use contact_center_insights::proto::insights::{Analysis, Conversation, ListConversationsResponse};
    use contact_center_insights::proto::longrunning::Operation;
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;
    use crate::contract::{Contract, INSIGHTS, OPERATIONS};

    fn wanted(method: &str, text: &str) -> Result<Wanted, String> {
        Selection::read(text)?.check(&Contract::get().method(method).unwrap().output)
    }

    fn list() -> ListConversationsResponse {
        let analysis = Some(Analysis {
            name: "a".into(),
            request_time: Some(prost_types::Timestamp::default()),
            ..Analysis::default()
        });
        let conversation = Conversation {
            name: "c".into(),
            agent_id: "7".into(),
            latest_analysis: analysis,
            labels: [("x".into(), "1".into()), ("y".into(), "2".into())].into(),
            ..Conversation::default()
        };
        ListConversationsResponse {
            conversations: vec![conversation.clone(), conversation],
            next_page_token: "t".into(),
        }
    }

    #[test]
    fn what_is_selected_is_cut_out_in_every_notation() {
        let method = format!("{INSIGHTS}/ListConversations");
        let mut one = list();
        one.next_page_token.clear();
        for found in &mut one.conversations {
            let analysis = Some(Analysis { name: "a".into(), ..Analysis::default() });
            *found = Conversation { name: "c".into(), latest_analysis: analysis, ..Conversation::default() };
        }
        for text in [
            "conversations(name,latestAnalysis/name)",
            "conversations.name,conversations.latestAnalysis.name",
            "conversations/latest_analysis(name), conversations ( name )",
        ] {
            let cut = wanted(&method, text).unwrap().of(list().encode_to_vec());
            assert_eq!(ListConversationsResponse::decode(&*cut).unwrap(), one, "{text}");
        }
        for text in ["*", "nextPageToken,conversations", "conversations.name,conversations,nextPageToken,*"] {
            let cut = wanted(&method, text).unwrap().of(list().encode_to_vec());
            assert_eq!(ListConversationsResponse::decode(&*cut).unwrap(), list(), "{text}");
        }
        let cut = wanted(&method, "conversations.labels.y").unwrap().of(list().encode_to_vec());
        let cut = ListConversationsResponse::decode(&*cut).unwrap();
        assert_eq!(cut.conversations[0].labels, [("y".to_owned(), "2".to_owned())].into());
    }

    #[test]
    fn what_an_operation_holds_can_be_selected() {
        let method = format!("{OPERATIONS}/GetOperation");
        let metadata = Some(any::pack(&list().conversations[0]));
        let operation = Operation { name: "o".into(), done: true, metadata, ..Operation::default() };
        let cut = wanted(&method, "done,metadata.agentId").unwrap().of(operation.encode_to_vec());
        let agent = Conversation { agent_id: "7".into(), ..Conversation::default() };
        let left = Operation { done: true, metadata: Some(any::pack(&agent)), ..Operation::default() };
        assert_eq!(Operation::decode(&*cut).unwrap(), left);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let method = format!("{INSIGHTS}/ListConversations");
        for (text, bad) in [
            ("colour", "colour"),
            ("conversations(name,colour)", "conversations.colour"),
            ("nextPageToken.x", "nextPageToken"),
            ("conversations.createTime.seconds", "conversations.createTime"),
            ("conversations(name", "conversations"),
            ("conversations)", ")"),
            ("a,,b", ",b"),
            ("a..b", "a..b"),
            ("a(b)c", "c"),
        ] {
            assert_eq!(wanted(&method, text).unwrap_err(), bad, "{text}");
        }
        assert!(wanted(&method, &"conversations(".repeat(1000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z*.,/() ]{0,40}|\\PC{0,40}") {
            let _ = Selection::read(&text);
        }
    }
}
