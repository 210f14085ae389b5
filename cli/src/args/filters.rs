//! What the filter of a method can name, for its help: what the service's documentation lists, and where that lists
//! nothing, the fields of what is listed.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::api::Rpc;

/// How wide the help is, in characters.
const WIDTH: usize = 96;

/// Of conversations, by the documentation of filters, of lists and of exports.
const CONVERSATIONS: [(&str, &str); 16] = [
    ("create_time, start_time, update_time", "create_time>\"2026-01-31T00:00:00Z\"; also >=, <, <="),
    ("duration", "duration<=\"20s\""),
    ("turn_count", "turn_count>=\"10\""),
    ("medium", "medium=\"CHAT\" or \"PHONE_CALL\""),
    ("language", "language=\"de-DE\""),
    ("agent_id", "agent_id=\"7\", by = alone"),
    ("agent_team", "agent_team=\"red\""),
    ("quality_metadata.agent_info.agent_id", "also .teams, and .agent_type with \"HUMAN_AGENT\""),
    ("quality_metadata.customer_satisfaction_rating", "a number, by > and <"),
    ("labels.KEY", "labels.queue:\"red\"; labels:\"queue\" asks for the key alone"),
    ("data_source", "Cloud Storage or Dialogflow"),
    ("data_source.dialogflow_source.dialogflow_conversation", "by = alone"),
    ("dialogflow_conversation_profile_id", "by ="),
    ("latest_analysis", "latest_analysis:\"*\" has one, -latest_analysis:\"*\" none"),
    ("latest_analysis.create_time", "as create_time"),
    ("latest_analysis.analysis_result.call_analysis_metadata.phrase_matchers.id", "by :"),
];

/// Of feedback labels, by the comments of the API; they are joined by AND and OR.
const LABELS: [(&str, &str); 5] = [
    ("issue_model_id, qa_question_id", "ids"),
    (SCORECARD, "an id"),
    ("min_create_time, max_create_time", "RFC 3339 times"),
    ("min_update_time, max_update_time", "RFC 3339 times"),
    ("feedback_label_type", "\"QUALITY_AI\" or \"TOPIC_MODELING\""),
];
/// What only labels of one conversation can be found by.
const SCORECARD: &str = "qa_scorecard_id";

const GRAMMAR: &str = "\
Values stand in double quotes, numbers and times too. Terms side by side must all hold; OR, NOT
or - before a term, and parentheses work too.";

/// What help says of the filter.
pub(super) fn fields(rpc: &Rpc) -> String {
    let known = match rpc.name() {
        "ListFeedbackLabels" | "BulkDownloadFeedbackLabels" | "TuneQaScorecardRevision" => {
            table("Filter fields, of feedback labels, joined by AND and OR", &LABELS)
        }
        "ListAllFeedbackLabels" => {
            let those: Vec<_> = LABELS.into_iter().filter(|(field, _)| *field != SCORECARD).collect();
            table("Filter fields, joined by AND and OR", &those)
        }
        "QueryMetrics" => {
            table("Filter fields, of conversations; create_time must be bounded", &CONVERSATIONS)
        }
        name => match rpc.items().and_then(|items| items.kind().as_message().cloned()) {
            Some(items) if name != "ListConversations" => undocumented(&items),
            _ => table("Filter fields, of conversations", &CONVERSATIONS),
        },
    };
    format!("{known}\n\n{GRAMMAR}")
}

fn table(title: &str, rows: &[(&str, &str)]) -> String {
    /// Longer fields have their line for themselves.
    const COLUMN: usize = 36;
    let rows = rows.iter().map(|(field, use_of_it)| {
        let gap = if field.len() > COLUMN { format!("\n  {:COLUMN$}", "") } else { String::new() };
        format!("\n  {field:COLUMN$}{gap} {use_of_it}")
    });
    format!("{title}:{}", rows.collect::<String>())
}

/// Of what the service does not document, the fields that can be compared.
fn undocumented(items: &MessageDescriptor) -> String {
    let names: Vec<String> =
        items.fields().filter(is_compared).map(|field| field.name().to_owned()).collect();
    let text = format!(
        "Which fields the filter knows is not documented. Those of {} that can be compared: {}.",
        items.name(),
        names.join(", ")
    );
    folded(&text)
}

fn is_compared(field: &FieldDescriptor) -> bool {
    let is_value = match field.kind() {
        Kind::Message(message) => {
            matches!(message.full_name(), "google.protobuf.Timestamp" | "google.protobuf.Duration")
        }
        _ => true,
    };
    is_value && !field.is_list()
}

fn folded(text: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split(' ') {
        if !line.is_empty() && line.len().saturating_add(word.len()) >= WIDTH {
            lines = lines + &line + "\n";
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &line
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
    use prost_reflect::DescriptorPool;

    use super::*;
    use crate::api::Api;

    fn of(method: &str) -> String {
        fields(Api::get().rpc(method).unwrap())
    }

    #[test]
    fn each_list_names_the_fields_of_its_own_filter() {
        assert!(of("ListConversations").contains("\n  turn_count "), "{}", of("ListConversations"));
        assert!(of("BulkAnalyzeConversations").contains("agent_team=\"red\""));
        assert!(of("QueryMetrics").contains("create_time must be bounded"));
        assert!(of("ListFeedbackLabels").contains("qa_scorecard_id"));
        assert!(!of("ListAllFeedbackLabels").contains("qa_scorecard_id"));
        assert!(of("ListAllFeedbackLabels").contains("min_update_time"));
        let matchers = of("ListPhraseMatchers");
        assert!(matchers.contains("not documented") && matchers.contains("active"), "{matchers}");
        assert!(
            !matchers.contains("agent_id") && !matchers.contains("phrase_match_rule_groups"),
            "{matchers}"
        );
        assert!(of("ListQaScorecardRevisions").contains("state"));
        for method in ["ListConversations", "ListAnalyses", "ListFeedbackLabels", "ListPhraseMatchers"] {
            assert!(of(method).lines().all(|line| line.len() <= WIDTH), "{}", of(method));
        }
    }

    /// But for those that only the documentation has.
    #[test]
    fn fields_of_conversations_are_there() {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let whole = pool.get_message_by_name("google.cloud.contactcenterinsights.v1.Conversation").unwrap();
        for name in CONVERSATIONS.iter().flat_map(|(names, _)| names.split(", ")) {
            if matches!(name, "agent_team" | "language" | "dialogflow_conversation_profile_id" | "labels.KEY")
            {
                continue;
            }
            // Of a map, by its keys.
            let name = name.strip_suffix(".phrase_matchers.id").unwrap_or(name);
            let mut message = Some(whole.clone());
            for part in name.split('.') {
                let field = message.and_then(|message| message.get_field_by_name(part));
                let field = field.unwrap_or_else(|| panic!("{name}"));
                message = field.kind().as_message().cloned();
            }
        }
    }
}
