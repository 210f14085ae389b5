//! Filters against conversations, operations and labels, and against the obvious evaluator.

use std::sync::LazyLock;

use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use contact_center_insights::proto::insights::analysis_result::{CallAnalysisMetadata, Metadata};
use contact_center_insights::proto::insights::conversation::quality_metadata::AgentInfo;
use contact_center_insights::proto::insights::conversation::{Medium, QualityMetadata};
use contact_center_insights::proto::insights::conversation_participant::Role;
use contact_center_insights::proto::insights::feedback_label::LabelType;
use contact_center_insights::proto::insights::{
    Analysis, AnalysisResult, BulkAnalyzeConversationsMetadata, Conversation,
    CreateAnalysisOperationMetadata, FeedbackLabel, PhraseMatchData, UploadConversationMetadata,
    UploadConversationRequest, qa_answer,
};
use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};
use contact_center_insights::proto::rpc::{self, BadRequest};
use contact_center_insights::{Code, any};
use prost::Message;
use prost_reflect::DescriptorPool;
use prost_types::{Duration, Timestamp};

use super::*;

mod differential;
mod oracle;
mod product;

/// The descriptor of a message of the API, or of another by its full name.
pub(crate) fn descriptor(name: &str) -> MessageDescriptor {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap());
    let full = if name.contains('.') {
        name.to_owned()
    } else {
        format!("google.cloud.contactcenterinsights.v1.{name}")
    };
    POOL.get_message_by_name(&full).unwrap()
}

pub(super) fn time(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

/// A conversation with something in every field that the service's documentation filters on.
fn conversation() -> Conversation {
    let agent = AgentInfo {
        agent_id: "agent-2".into(),
        teams: vec!["blue".into(), "red".into()],
        agent_type: Role::HumanAgent.into(),
        ..AgentInfo::default()
    };
    let matched = PhraseMatchData {
        phrase_matcher: "projects/p/locations/l/phraseMatchers/77@3".into(),
        ..PhraseMatchData::default()
    };
    let analysis = CallAnalysisMetadata {
        phrase_matchers: [("x".into(), matched)].into(),
        ..CallAnalysisMetadata::default()
    };
    Conversation {
        name: "projects/p/locations/l/conversations/c1".into(),
        agent_id: "007".into(),
        language_code: "en-US".into(),
        medium: Medium::PhoneCall.into(),
        turn_count: 12,
        create_time: Some("2021-01-01T12:00:00Z".parse().unwrap()),
        duration: Some(Duration { seconds: 20, nanos: 0 }),
        labels: [("key_only".into(), String::new()), ("key_1".into(), "value_1".into())].into(),
        quality_metadata: Some(QualityMetadata {
            customer_satisfaction_rating: 4,
            agent_info: vec![AgentInfo::default(), agent],
            ..QualityMetadata::default()
        }),
        latest_analysis: Some(Analysis {
            create_time: Some("2021-02-01T00:00:00Z".parse().unwrap()),
            analysis_result: Some(AnalysisResult {
                metadata: Some(Metadata::CallAnalysisMetadata(analysis)),
                ..AnalysisResult::default()
            }),
            ..Analysis::default()
        }),
        ..Conversation::default()
    }
}

fn check<T: Message>(listed: &str, resource: &T, matching: &[&str], others: &[&str]) {
    let (listed, bytes) = (descriptor(listed), resource.encode_to_vec());
    let matches =
        |text: &str| Filter::compile(text, &listed).unwrap_or_else(|e| panic!("{text}: {e}")).matches(&bytes);
    for text in matching {
        assert!(matches(text), "{text} should match");
    }
    for text in others {
        assert!(!matches(text), "{text} should not match");
    }
}

#[test]
fn the_documented_terms_for_conversations() {
    check(
        "Conversation",
        &conversation(),
        &[
            "",
            r#"create_time>"2021-01-01T00:00:00-08:00" create_time<"2021-01-02T00:00:00-08:00" agent_id="007" turn_count>="10""#,
            r#"agent_id="agent-2""#,
            r#"quality_metadata.agent_info.agent_id:"agent-2""#,
            r#"agent_team="red""#,
            r#"quality_metadata.agent_info.teams:"blue""#,
            r#"quality_metadata.agent_info.agent_type="HUMAN_AGENT""#,
            r#"quality_metadata.agent_info.agent_type:"HUMAN_AGENT""#,
            r#"latest_analysis:"*""#,
            r"latest_analysis:*",
            r#"latest_analysis.create_time>"2021-01-31T00:00:00Z""#,
            r#"latest_analysis.analysis_result.call_analysis_metadata.phrase_matchers.id:"77""#,
            r#"medium="PHONE_CALL""#,
            r#"labels:"key_only""#,
            r#"labels.key_1:"value_1""#,
            r#"labels.key_1="value_1""#,
            r#"labels.key_only:"*""#,
            r#"quality_metadata.customer_satisfaction_rating>"3""#,
            r#"customer_satisfaction_rating<"5""#,
            r#"duration<="20s""#,
            r#"language="en-US""#,
            r#"-data_source:"gcs_source""#,
            r#"-dialogflow_conversation_profile_id="x""#,
            r#"quality_metadata:"agent_info""#,
        ],
        &[
            r#"agent_id="006""#,
            r#"agent_team="green""#,
            r#"-latest_analysis:"*""#,
            r#"latest_analysis.analysis_result.call_analysis_metadata.phrase_matchers.id:"78""#,
            r#"medium="CHAT""#,
            r#"medium!="PHONE_CALL""#,
            r#"labels:"key_2""#,
            r#"labels.key_1:"value_2""#,
            r#"labels.key_2!="x""#,
            r#"labels:"value_1""#,
            r#"duration>"20s""#,
            r#"start_time:"*""#,
            r#"dialogflow_conversation="x""#,
            r#"dialogflow_conversation_profile_id:"*""#,
            r#"quality_metadata:"menu_path""#,
        ],
    );
}

#[test]
fn r21_precedence_and_negation() {
    check(
        "Conversation",
        &conversation(),
        &[
            // `OR` binds tighter: (1 OR 2) AND 12, not 1 OR (2 AND 12).
            r#"turn_count="12" OR turn_count="1" AND turn_count="12""#,
            r#"NOT turn_count="1" AND turn_count="12""#,
            r#"-(turn_count="1" OR turn_count="2")"#,
            r#"turn_count="12" (turn_count="1" OR medium="PHONE_CALL")"#,
        ],
        &[
            r#"turn_count="12" OR turn_count="12" AND turn_count="1""#,
            r#"turn_count="12" turn_count="1""#,
            r#"-turn_count="12""#,
        ],
    );
}

#[test]
fn r21_strings_have_wildcards_at_their_ends() {
    check(
        "Conversation",
        &conversation(),
        &[r#"name="*/c1""#, r#"name:"projects/p/*""#, r#"name="*/locations/l/*""#, r#"name!="q*""#],
        &[r#"name="*/c2""#, r#"name="projects/*/c1""#],
    );
}

#[test]
fn r22_what_does_not_fit_is_an_invalid_argument_with_its_place() {
    let listed = descriptor("Conversation");
    for (bad, place, why) in [
        (r#"colour="red""#, 0, "no field `colour`"),
        (r#"turn_count="12" and agent_id="1""#, 16, "compared with nothing"),
        (r#"turn_count="twelve""#, 0, "whole number"),
        (r#"medium="CHAT" OR medium="FAX""#, 17, "not one of MEDIUM_UNSPECIFIED"),
        (r#"medium>"CHAT""#, 0, "has no order"),
        (r#"create_time>"yesterday""#, 0, "is not a time like"),
        (r#"(agent_id="1" AND -duration>"20")"#, 19, "not a duration"),
        (r#"agent_id>"1""#, 0, "takes only `=`"),
        (r#"labels="k""#, 0, "is a map"),
        (r#"transcript="x""#, 0, "compared with nothing"),
        (r#"agent_id.x="1""#, 0, "has no fields"),
        (r#"agent_id="1" AND contains(agent_id, "1")"#, 17, "compared with nothing"),
        (r#"agent_id=f("1")"#, 0, "not a value"),
        (r"agent_id=a.b", 0, "put it in quotes"),
        (r#"agent_id="1" AND"#, 13, "unexpected keyword"),
        (r"agent_id=", 9, "end of filter"),
        (r#"agent_id="1"#, 9, "unterminated"),
    ] {
        let error = Filter::compile(bad, &listed).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{bad}");
        let message = error.message();
        assert!(message.contains(&format!("at byte {place}:")) && message.contains(why), "{bad}: {message}");
        let violations = error.detail::<BadRequest>().unwrap().field_violations;
        assert_eq!(violations[0].field, "filter");
    }
}

#[test]
fn r22_a_filter_has_a_size() {
    let listed = descriptor("Conversation");
    let compile = |count: usize| Filter::compile(&r#"agent_id="1" "#.repeat(count), &listed);
    assert!(compile(1000).is_ok());
    assert!(compile(1001).unwrap_err().message().contains("1000 comparisons"));
    assert!(compile(10_000).unwrap_err().message().contains("longer"));
    let deep = format!("{}agent_id=\"1\"{}", "(".repeat(40), ")".repeat(40));
    assert!(Filter::compile(&deep, &listed).unwrap_err().message().contains("nested deeper"));
}

#[test]
fn r23_what_is_unset_on_the_way_matches_nothing() {
    let all = [
        r#"latest_analysis.name="x""#,
        r#"latest_analysis.name!="x""#,
        r#"latest_analysis.create_time!="2021-01-31T00:00:00Z""#,
        r#"duration!="1s""#,
        r#"labels.k!="x""#,
        r#"quality_metadata.customer_satisfaction_rating!="3""#,
    ];
    check("Conversation", &Conversation::default(), &[r#"NOT latest_analysis.name="x""#], &all);
}

#[test]
fn r24_only_has_looks_into_lists() {
    let listed = descriptor("Conversation");
    for bad in [
        r#"quality_metadata.agent_info.agent_id="agent-2""#,
        r#"quality_metadata.agent_info.teams="red""#,
        r#"quality_metadata.agent_info.0.agent_id:"agent-2""#,
    ] {
        let message = Filter::compile(bad, &listed).unwrap_err().message().to_owned();
        assert!(message.contains("is a list"), "{message}");
    }
}

#[test]
fn bounds_are_those_of_the_top_level() {
    let bounds = |text: &str| Filter::compile(text, &descriptor("Conversation")).unwrap().bounds(3);
    let (a, b) = (r#"create_time>="1970-01-01T00:00:10Z""#, r#"create_time<"1970-01-01T00:00:20Z""#);
    assert_eq!(bounds(&format!("{a} {b}")), (Some((10, 0)), Some((20, 0))));
    assert_eq!(bounds(&format!("{a} AND ({b} agent_id=\"1\")")), (Some((10, 0)), Some((20, 0))));
    assert_eq!(bounds(a), (Some((10, 0)), None));
    assert_eq!(bounds(&format!("{a} OR {b}")), (None, None));
    assert_eq!(bounds(&format!("-{a}")), (None, None));
    assert_eq!(bounds(r#"start_time>"1970-01-01T00:00:10Z""#), (None, None));
    assert_eq!(bounds(r#"latest_analysis.create_time>"1970-01-01T00:00:10Z""#), (None, None));
}
