//! How the fields of each message behave, from `google.api.field_behavior`, in a form that is quick to ask.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use super::options::numbers;

/// A value of `google.api.FieldBehavior` that the emulator acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trait {
    Required = 2,
    OutputOnly = 3,
    InputOnly = 4,
    Immutable = 5,
}

/// Fields that the descriptors call required, and that requests lack all the same which Google's pages print or
/// Google's tools send: to tune a revision with all labels, to analyse all conversations.
const OPTIONAL_ALL_THE_SAME: [(&str, &str); 2] = [
    ("google.cloud.contactcenterinsights.v1.BulkAnalyzeConversationsRequest", "filter"),
    ("google.cloud.contactcenterinsights.v1.TuneQaScorecardRevisionRequest", "filter"),
];

/// One message.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    behaviors: HashMap<u32, Vec<i32>>,
    /// Whether a field of it, or of a message within it, has any of these.
    deep: Vec<i32>,
    /// The required fields of a message that holds no messages.
    flat: Option<Vec<(u32, String)>>,
}

impl Shape {
    /// Whether the field of this number behaves so.
    pub(crate) fn has(&self, field: u32, behavior: Trait) -> bool {
        self.behaviors.get(&field).is_some_and(|found| found.contains(&(behavior as i32)))
    }

    /// The numbers and names of the required fields, of a message that holds no messages.
    pub(crate) fn flat(&self) -> Option<&[(u32, String)]> {
        self.flat.as_deref()
    }

    /// Whether any field behaves so, of this message or of one within it.
    pub(crate) fn has_within(&self, behavior: Trait) -> bool {
        self.deep.contains(&(behavior as i32))
    }
}

pub(super) fn read(pool: &DescriptorPool) -> HashMap<String, Shape> {
    let mut shapes: HashMap<String, Shape> =
        pool.all_messages().map(|message| (message.full_name().to_owned(), own(pool, &message))).collect();
    // What lies within is known once nothing changes any more; messages may hold each other in a circle.
    loop {
        let mut changed = false;
        for message in pool.all_messages() {
            let within: Vec<i32> = message
                .fields()
                .filter_map(|field| shapes.get(inner(&field)?.full_name()).map(|shape| shape.deep.clone()))
                .flatten()
                .collect();
            let Some(shape) = shapes.get_mut(message.full_name()) else { continue };
            for behavior in within {
                if !shape.deep.contains(&behavior) {
                    shape.deep.push(behavior);
                    changed = true;
                }
            }
        }
        if !changed {
            return shapes;
        }
    }
}

fn own(pool: &DescriptorPool, message: &MessageDescriptor) -> Shape {
    let mut shape = Shape::default();
    for field in message.fields() {
        let mut behaviors = numbers(pool, &field.options(), "google.api.field_behavior");
        if OPTIONAL_ALL_THE_SAME.contains(&(message.full_name(), field.name())) {
            behaviors.retain(|behavior| *behavior != Trait::Required as i32);
        }
        if !behaviors.is_empty() {
            shape.deep.extend(&behaviors);
            shape.behaviors.insert(field.number(), behaviors);
        }
    }
    let is_flat = message.fields().all(|field| !matches!(field.kind(), Kind::Message(_)) && !field.is_list());
    let required = message.fields().filter(|field| shape.has(field.number(), Trait::Required));
    let required = required.map(|field| (field.number(), field.name().to_owned())).collect();
    shape.flat = is_flat.then_some(required);
    shape
}

/// The message that a field is, or holds many of.
fn inner(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => match entry.map_entry_value_field().kind() {
            Kind::Message(value) => Some(value),
            _ => None,
        },
        Kind::Message(message) => Some(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::contract::Contract;

    use super::*;

    #[test]
    fn every_annotation_is_read() {
        let contract = Contract::get();
        let count = |behavior: i32| {
            let shapes = contract.shapes.iter().filter(|(name, _)| name.starts_with("google.cloud."));
            shapes
                .flat_map(|(_, shape)| shape.behaviors.values())
                .filter(|list| list.contains(&behavior))
                .count()
        };
        assert_eq!([2, 3, 4, 5, 8].map(count), [105, 100, 2, 13, 5]);
    }

    #[test]
    fn what_lies_within_is_seen_from_outside() {
        let shape = |name: &str| {
            Contract::get().shape(&format!("google.cloud.contactcenterinsights.v1.{name}")).unwrap()
        };
        assert!(shape("CreatePhraseMatcherRequest").has_within(Trait::OutputOnly));
        assert!(!shape("GetViewRequest").has_within(Trait::OutputOnly));
        assert!(shape("Conversation").has(16, Trait::InputOnly));
    }
}
