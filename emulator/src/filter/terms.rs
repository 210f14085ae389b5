//! The product's own terms: what its documentation lets filters say beyond the fields of a message.
//!
//! What a term means where the documentation is silent is a guess, listed in the emulator's README.

use contact_center_insights::any;

use super::literal::Test;
use super::path::Cell;
use crate::message::wire;

/// One such term.
#[derive(Debug)]
pub(crate) struct Term {
    /// What filters call it, dots included.
    pub(crate) name: &'static str,
    pub(crate) means: Means,
    pub(crate) operators: Operators,
}

/// Whether a text passes.
type Passes<'a> = &'a mut dyn FnMut(&str) -> bool;

/// Where the values of a term come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Means {
    /// These fields; a value of any counts.
    Fields(&'static [&'static str]),
    /// Strings made from the bytes of the resource, each handed to the test until one passes.
    Texts(fn(&[u8], Passes<'_>) -> bool),
    /// A time made from the bytes.
    Time(fn(&[u8]) -> Option<(i64, i32)>),
    /// A number of `google.rpc.Code`, made from the bytes.
    Code(fn(&[u8]) -> Option<i32>),
    /// `=` stands for `>=` on this field.
    From(&'static str),
    /// `=` stands for `<=` on this field.
    Until(&'static str),
}

/// Which operators a term takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operators {
    /// `=` and `:`.
    Equality,
    /// `!=` as well.
    Difference,
    /// All.
    Any,
}

impl Means {
    /// Whether what is made from the bytes passes; without a test, whether anything is made.
    pub(crate) fn matches(self, resource: &[u8], test: Option<&Test>) -> bool {
        let passes = |cell: Cell<'_>| test.is_none_or(|test| test.passes(cell));
        match self {
            Texts(texts) => texts(resource, &mut |text| passes(Cell::Text(text))),
            Time(time) => time(resource).is_some_and(|time| passes(Cell::Time(time))),
            Code(code) => code(resource).is_some_and(|code| passes(Cell::Int(code.into()))),
            // These are compiled to paths.
            Fields(_) | From(_) | Until(_) => false,
        }
    }
}

use Means::{Code, Fields, From, Texts, Time, Until};
use Operators::{Any, Difference, Equality};

const fn term(name: &'static str, means: Means, operators: Operators) -> Term {
    Term { name, means, operators }
}

/// The terms for resources of this type.
pub(crate) fn terms(full_name: &str) -> &'static [Term] {
    match full_name {
        "google.cloud.contactcenterinsights.v1.Conversation" => CONVERSATION,
        "google.cloud.contactcenterinsights.v1.FeedbackLabel" => FEEDBACK_LABEL,
        "google.longrunning.Operation" => OPERATION,
        _ => &[],
    }
}

/// What lists can be ordered by beside fields, with the field that is meant.
pub(crate) fn order_terms(full_name: &str) -> &'static [(&'static str, &'static str)] {
    match full_name {
        "google.cloud.contactcenterinsights.v1.Conversation" => &[
            ("customer_satisfaction_rating", "quality_metadata.customer_satisfaction_rating"),
            ("latest_analysis", "latest_analysis.create_time"),
        ],
        _ => &[],
    }
}

const CONVERSATION: &[Term] = &[
    term("agent_id", Fields(&["agent_id", "quality_metadata.agent_info.agent_id"]), Equality),
    term(
        "agent_team",
        Fields(&["quality_metadata.agent_info.team", "quality_metadata.agent_info.teams"]),
        Equality,
    ),
    term(
        "quality_metadata.agent_info.agent_type",
        Fields(&["quality_metadata.agent_info.agent_type"]),
        Equality,
    ),
    term("customer_satisfaction_rating", Fields(&["quality_metadata.customer_satisfaction_rating"]), Any),
    term("language", Fields(&["language_code"]), Difference),
    term(
        "latest_analysis.analysis_result.call_analysis_metadata.phrase_matchers.id",
        Texts(phrase_matchers),
        Equality,
    ),
    term(
        "dialogflow_conversation",
        Fields(&["data_source.dialogflow_source.dialogflow_conversation"]),
        Equality,
    ),
    // No field of this version of the API holds it, so that no conversation has one.
    term("dialogflow_conversation_profile_id", Texts(|_, _| false), Equality),
];

const FEEDBACK_LABEL: &[Term] = &[
    term("issue_model_id", Texts(|label, test| labeled(label, "issueModels", test)), Equality),
    term("qa_question_id", Texts(|label, test| labeled(label, "qaQuestions", test)), Equality),
    term("qa_scorecard_id", Texts(|label, test| labeled(label, "qaScorecards", test)), Equality),
    term("min_create_time", From("create_time"), Equality),
    term("max_create_time", Until("create_time"), Equality),
    term("min_update_time", From("update_time"), Equality),
    term("max_update_time", Until("update_time"), Equality),
    term("feedback_label_type", Texts(label_type), Difference),
];

const OPERATION: &[Term] = &[
    term("metadata.operation_type", Texts(operation_type), Difference),
    term("metadata.conversation_id", Texts(conversation_id), Difference),
    term("metadata.create_time", Time(|operation| metadata_time(operation, CREATE_TIME)), Any),
    term("metadata.end_time", Time(|operation| metadata_time(operation, END_TIME)), Any),
    term("status_code", Code(status_code), Difference),
];

/// The ids of the matchers that matched: the last segment of each name.
fn phrase_matchers(conversation: &[u8], test: Passes<'_>) -> bool {
    const LATEST_ANALYSIS: u32 = 12;
    const ANALYSIS_RESULT: u32 = 7;
    const CALL_ANALYSIS_METADATA: u32 = 2;
    const PHRASE_MATCHERS: u32 = 7;
    const NAME: u32 = 1;
    let into = |bytes, number| wire::last(bytes, number).map(wire::Wire::bytes);
    let metadata = into(conversation, LATEST_ANALYSIS)
        .and_then(|analysis| into(analysis, ANALYSIS_RESULT))
        .and_then(|result| into(result, CALL_ANALYSIS_METADATA))
        .unwrap_or_default();
    wire::fields(metadata).filter(|(number, _)| *number == PHRASE_MATCHERS).any(|(_, entry)| {
        let (_, value) = wire::entry(entry.bytes());
        let name = value.map(|value| wire::text(value.bytes(), NAME)).unwrap_or_default();
        // An id may carry a revision, which is not a part of it here.
        let id = last_segment(name);
        test(id.split_once('@').map_or(id, |(id, _)| id))
    })
}

/// The id that follows `collection` in the name of what a label is about.
fn labeled(label: &[u8], collection: &str, test: Passes<'_>) -> bool {
    const LABELED_RESOURCE: u32 = 3;
    let mut segments = wire::text(label, LABELED_RESOURCE).split('/');
    segments.find(|segment| *segment == collection).and_then(|_| segments.next()).is_some_and(test)
}

/// A label with text is one of topic modelling, one with an answer is one of quality AI.
fn label_type(label: &[u8], test: Passes<'_>) -> bool {
    let mut kinds = wire::fields(label).filter_map(|(number, _)| match number {
        4 => Some("TOPIC_MODELING"),
        7 => Some("QUALITY_AI"),
        _ => None,
    });
    kinds.next().is_some_and(test)
}

/// `type_url` and `value` of an operation's metadata.
fn metadata(operation: &[u8]) -> Option<(&str, &[u8])> {
    const METADATA: u32 = 2;
    let any = wire::last(operation, METADATA)?.bytes();
    let value = wire::last(any, 2).map(wire::Wire::bytes).unwrap_or_default();
    Some((any::type_name(wire::text(any, 1)), value))
}

/// The method that started it, as the type of its metadata names it.
fn operation_type(operation: &[u8], test: Passes<'_>) -> bool {
    let Some((name, _)) = metadata(operation) else { return false };
    let name = name.rsplit('.').next().unwrap_or(name);
    let name = name.strip_suffix("Metadata").unwrap_or(name);
    test(name.strip_suffix("Operation").unwrap_or(name))
}

/// The conversation that an analysis is of, or that an upload is to make.
fn conversation_id(operation: &[u8], test: Passes<'_>) -> bool {
    const CONVERSATION: u32 = 3;
    const REQUEST: u32 = 3;
    const CONVERSATION_ID: u32 = 3;
    let Some((name, value)) = metadata(operation) else { return false };
    let id = match name.rsplit('.').next().unwrap_or(name) {
        "CreateAnalysisOperationMetadata" => last_segment(wire::text(value, CONVERSATION)),
        "UploadConversationMetadata" => {
            let request = wire::last(value, REQUEST).map(wire::Wire::bytes).unwrap_or_default();
            let asked = wire::text(request, CONVERSATION_ID);
            // Without an id of its own, the name is known once there is a response: `Any` of a conversation.
            if asked.is_empty() { last_segment(response_name(operation)) } else { asked }
        }
        _ => return false,
    };
    !id.is_empty() && test(id)
}

fn response_name(operation: &[u8]) -> &str {
    const RESPONSE: u32 = 5;
    let any = wire::last(operation, RESPONSE).map(wire::Wire::bytes).unwrap_or_default();
    wire::text(wire::last(any, 2).map(wire::Wire::bytes).unwrap_or_default(), 1)
}

/// The numbers of these fields in every metadata type of the API that has them, as a test checks.
const CREATE_TIME: u32 = 1;
const END_TIME: u32 = 2;

/// A time in metadata of one of the API's own types.
fn metadata_time(operation: &[u8], number: u32) -> Option<(i64, i32)> {
    let (name, value) = metadata(operation)?;
    name.strip_prefix("google.cloud.contactcenterinsights.v1.")?;
    Some(wire::seconds_nanos(wire::last(value, number)?.bytes()))
}

/// Of an operation that has ended.
fn status_code(operation: &[u8]) -> Option<i32> {
    const DONE: u32 = 3;
    const ERROR: u32 = 4;
    wire::last(operation, DONE).filter(|done| done.varint() != 0)?;
    let Some(error) = wire::last(operation, ERROR) else { return Some(0) };
    Some(wire::last(error.bytes(), 1).map_or(0, |code| wire::truncate(code.varint())))
}

fn last_segment(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
    use prost_reflect::DescriptorPool;

    use super::*;
    use crate::contract::Contract;

    #[test]
    fn metadata_times_have_one_number_in_all_types() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let types: Vec<_> = Contract::get()
            .methods()
            .filter_map(|method| method.operation.clone())
            .map(|(_, metadata)| pool.get_message_by_name(&metadata).unwrap())
            .collect();
        for (name, number) in [("create_time", CREATE_TIME), ("end_time", END_TIME)] {
            let found: Vec<_> = types.iter().filter_map(|kind| kind.get_field_by_name(name)).collect();
            assert_eq!(found.len(), 16, "all but that of QueryMetrics");
            assert!(found.iter().all(|field| field.number() == number));
        }
    }
}
