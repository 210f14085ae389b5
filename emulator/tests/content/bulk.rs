//! Analyses, of one conversation and of many; deletion of many.

use contact_center_insights::Code;
use contact_center_insights::proto::insights::analysis_result::Metadata;
use contact_center_insights::proto::insights::conversation_participant::Role;
use contact_center_insights::proto::insights::phrase_match_rule_config::Config;
use contact_center_insights::proto::insights::phrase_match_rule_group::PhraseMatchRuleGroupType;
use contact_center_insights::proto::insights::phrase_matcher::PhraseMatcherType;
use contact_center_insights::proto::insights::{
    Analysis, AnnotatorSelector, BulkAnalyzeConversationsMetadata, BulkAnalyzeConversationsRequest,
    BulkAnalyzeConversationsResponse, BulkDeleteConversationsMetadata, BulkDeleteConversationsRequest,
    CreateAnalysisRequest, CreatePhraseMatcherRequest, ExactMatchConfig, GetConversationRequest,
    PhraseMatchRule, PhraseMatchRuleConfig, PhraseMatchRuleGroup, PhraseMatcher,
};

use super::ingest::{chat, conversations, ingestion, put, world};
use crate::support::{L, World, metadata, refused, response};

/// Four chats, in two of which a parcel is spoken of.
async fn ingested(profile: &str) -> (tempfile::TempDir, World) {
    let (root, mut world) = world(profile).await;
    for (index, line) in
        ["My parcel is late", "I hate this bill", "Where is the parcel", "Hi"].iter().enumerate()
    {
        put(root.path(), &format!("b/{index}.json"), &chat(&["How can I help", line, "Sorry, I refund $20"]));
    }
    let started = world.insights.ingest_conversations(ingestion("gs://b")).await.unwrap().into_inner();
    while !world.poll(&started.name).await.done {}
    (root, world)
}

async fn matcher(world: &mut World, query: &str) -> PhraseMatcher {
    let exact = Config::ExactMatchConfig(ExactMatchConfig::default());
    let config = Some(PhraseMatchRuleConfig { config: Some(exact) });
    let rule = PhraseMatchRule { query: query.into(), config, ..PhraseMatchRule::default() };
    let group = PhraseMatchRuleGroup {
        r#type: PhraseMatchRuleGroupType::AllOf.into(),
        phrase_match_rules: vec![rule],
    };
    let request = CreatePhraseMatcherRequest {
        parent: L.into(),
        phrase_matcher: Some(PhraseMatcher {
            display_name: query.into(),
            r#type: PhraseMatcherType::AllOf.into(),
            active: true,
            phrase_match_rule_groups: vec![group],
            ..PhraseMatcher::default()
        }),
    };
    world.insights.create_phrase_matcher(request).await.unwrap().into_inner()
}

fn bulk(filter: &str, percentage: f32) -> BulkAnalyzeConversationsRequest {
    BulkAnalyzeConversationsRequest {
        parent: L.into(),
        filter: filter.into(),
        analysis_percentage: percentage,
        annotator_selector: None,
    }
}

#[tokio::test]
async fn an_analysis_finds_what_was_said() {
    let (_root, mut world) = ingested("immediate").await;
    let parcel = matcher(&mut world, "parcel").await;
    let late = conversations(&mut world).await.remove(0);
    let request = CreateAnalysisRequest { parent: late.name.clone(), analysis: Some(Analysis::default()) };
    let operation = world.insights.create_analysis(request).await.unwrap().into_inner();
    let analysis: Analysis = response(&operation);
    let Some(Metadata::CallAnalysisMetadata(found)) = analysis.analysis_result.clone().unwrap().metadata
    else {
        panic!()
    };
    assert_eq!(found.phrase_matchers.keys().collect::<Vec<_>>(), [&parcel.name]);
    assert!(found.entities.values().any(|entity| entity.display_name == "$20"));
    assert_eq!(found.sentiments.len(), 1, "the customer's alone");
    assert!(found.silence.is_some() && !found.intents.is_empty());

    let request = GetConversationRequest { name: late.name.clone(), view: 0 };
    let now = world.insights.get_conversation(request).await.unwrap().into_inner();
    assert_eq!(now.latest_analysis, Some(analysis));
    assert!(now.latest_summary.unwrap().text.contains("parcel"));
    // Sentiments are the customer's alone; one that feels nothing has an empty one.
    for segment in now.transcript.unwrap().transcript_segments {
        let role = segment.segment_participant.unwrap().role();
        assert_eq!(segment.sentiment.is_some(), role == Role::EndUser, "{role:?}: {}", segment.text);
    }
}

#[tokio::test]
async fn r04_what_a_selector_names_must_be_there() {
    let (_root, mut world) = ingested("immediate").await;
    let name = conversations(&mut world).await.remove(0).name;
    for (matcher, code) in [
        (format!("{L}/phraseMatchers/none"), Code::NotFound),
        ("phraseMatchers/none".to_owned(), Code::InvalidArgument),
    ] {
        let selector = AnnotatorSelector {
            run_phrase_matcher_annotator: true,
            phrase_matchers: vec![matcher],
            ..AnnotatorSelector::default()
        };
        let analysis = Some(Analysis { annotator_selector: Some(selector), ..Analysis::default() });
        let request = CreateAnalysisRequest { parent: name.clone(), analysis };
        assert_eq!(refused(world.insights.create_analysis(request).await).code(), code);
    }
}

#[tokio::test]
async fn r11_bulk_analysis_counts_what_it_does() {
    let (_root, mut world) = ingested("polls:2").await;
    matcher(&mut world, "parcel").await;
    let started = world.insights.bulk_analyze_conversations(bulk("turn_count>\"0\"", 100.0)).await.unwrap();
    let name = started.into_inner().name;
    let running: BulkAnalyzeConversationsMetadata = metadata(&world.poll(&name).await);
    assert_eq!((running.completed_analyses_count, running.total_requested_analyses_count), (2, 4));
    let ended = world.poll(&name).await;
    let seen: BulkAnalyzeConversationsMetadata = metadata(&ended);
    assert_eq!((seen.completed_analyses_count, seen.failed_analyses_count), (4, 0));
    let answer: BulkAnalyzeConversationsResponse = response(&ended);
    assert_eq!((answer.successful_analysis_count, answer.failed_analysis_count), (4, 0));
    let all = conversations(&mut world).await;
    assert!(all.iter().all(|conversation| conversation.latest_analysis.is_some()));

    let status = refused(world.insights.bulk_analyze_conversations(bulk("turn_count>\"x\"", 100.0)).await);
    assert!(status.message().contains("at byte 0"), "{status}");
    for percentage in [0.0, -1.0, 100.5, f32::NAN] {
        let status =
            refused(world.insights.bulk_analyze_conversations(bulk("turn_count>\"0\"", percentage)).await);
        assert_eq!(status.code(), Code::InvalidArgument, "{percentage}");
    }
}

/// A conversation that is deleted while it waits for its analysis is one that fails, and the rest goes on.
#[tokio::test]
async fn r11_partial_failures_are_counted_and_told() {
    let (_root, mut world) = ingested("polls:2").await;
    let started = world.insights.bulk_analyze_conversations(bulk("turn_count>\"0\"", 100.0)).await.unwrap();
    let gone = conversations(&mut world).await.remove(1).name;
    let request = contact_center_insights::proto::insights::DeleteConversationRequest {
        name: gone.clone(),
        force: true,
    };
    world.insights.delete_conversation(request).await.unwrap();
    let name = started.into_inner().name;
    world.poll(&name).await;
    let ended = world.poll(&name).await;
    let seen: BulkAnalyzeConversationsMetadata = metadata(&ended);
    assert_eq!((seen.completed_analyses_count, seen.failed_analyses_count), (3, 1));
    assert_eq!(
        seen.completed_analyses_count + seen.failed_analyses_count,
        seen.total_requested_analyses_count
    );
    assert!(seen.partial_errors[0].message.contains(gone.rsplit('/').next().unwrap()));
    let answer: BulkAnalyzeConversationsResponse = response(&ended);
    assert_eq!((answer.successful_analysis_count, answer.failed_analysis_count), (3, 1));
}

#[tokio::test]
async fn r06_one_bulk_analysis_at_a_time_in_a_location() {
    let (_root, mut world) = ingested("polls:2").await;
    world.insights.bulk_analyze_conversations(bulk("turn_count>\"0\"", 50.0)).await.unwrap();
    let status = refused(world.insights.bulk_analyze_conversations(bulk("turn_count>\"0\"", 50.0)).await);
    assert_eq!(status.code(), Code::Aborted);
}

fn deletion(filter: &str, max_delete_count: i32, force: bool) -> BulkDeleteConversationsRequest {
    BulkDeleteConversationsRequest { parent: L.into(), filter: filter.into(), max_delete_count, force }
}

#[tokio::test]
async fn r42_bulk_deletion_keeps_what_is_analysed_unless_forced() {
    let (_root, mut world) = ingested("immediate").await;
    let analysed = conversations(&mut world).await.remove(0).name;
    let request = CreateAnalysisRequest { parent: analysed.clone(), analysis: Some(Analysis::default()) };
    world.insights.create_analysis(request).await.unwrap();

    let status = refused(world.insights.bulk_delete_conversations(deletion("", 0, false)).await);
    assert!(status.message().contains("matches 4 conversations"), "{status}");
    assert_eq!(conversations(&mut world).await.len(), 4, "asking deletes nothing");

    let done = world.insights.bulk_delete_conversations(deletion("", 4, false)).await.unwrap().into_inner();
    let seen: BulkDeleteConversationsMetadata = metadata(&done);
    assert!(seen.partial_errors.len() == 1 && seen.partial_errors[0].message.contains(&analysed));
    assert_eq!(
        conversations(&mut world).await.iter().map(|left| left.name.clone()).collect::<Vec<_>>(),
        [analysed]
    );

    world.insights.bulk_delete_conversations(deletion("latest_analysis:\"*\"", 10, true)).await.unwrap();
    assert!(conversations(&mut world).await.is_empty());
}
