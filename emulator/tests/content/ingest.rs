//! Ingestion from a directory that stands for Cloud Storage.

use std::path::Path;

use contact_center_insights::Code;
use contact_center_insights::proto::insights::conversation::Medium;
use contact_center_insights::proto::insights::conversation_data_source::Source as DataSource;
use contact_center_insights::proto::insights::ingest_conversations_request::{
    ConversationConfig, GcsSource, ObjectConfig, Source, TranscriptObjectConfig,
};
use contact_center_insights::proto::insights::{
    Conversation, ConversationView, IngestConversationsMetadata, IngestConversationsRequest,
    ListConversationsRequest,
};

use crate::support::{L, World, metadata, refused};

/// A chat between an agent and a customer, as a file.
pub(crate) fn chat(lines: &[&str]) -> String {
    let entries = lines.iter().enumerate().map(|(index, text)| {
        let (role, user_id) = if index % 2 == 0 { ("AGENT", 2) } else { ("CUSTOMER", 1) };
        serde_json::json!({"text": text, "role": role, "user_id": user_id,
            "start_timestamp_usec": 1_600_000_000_000_000_u64 + 10_000_000 * index as u64})
    });
    serde_json::json!({ "entries": entries.collect::<Vec<_>>() }).to_string()
}

pub(crate) fn put(root: &Path, name: &str, content: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// An emulator with a directory for its buckets.
pub(crate) async fn world(profile: &str) -> (tempfile::TempDir, World) {
    let root = tempfile::tempdir().unwrap();
    let builder = crate::support::builder().with_profile(profile.parse().unwrap()).with_gcs_root(root.path());
    (root, World::of(builder.start().await.unwrap()))
}

pub(crate) fn ingestion(uri: &str) -> IngestConversationsRequest {
    IngestConversationsRequest {
        parent: L.into(),
        source: Some(Source::GcsSource(GcsSource { bucket_uri: uri.into(), ..GcsSource::default() })),
        object_config: Some(ObjectConfig::TranscriptObjectConfig(TranscriptObjectConfig {
            medium: Medium::Chat.into(),
        })),
        ..IngestConversationsRequest::default()
    }
}

/// All conversations, with their transcripts, in order of the file they are from.
pub(crate) async fn conversations(world: &mut World) -> Vec<Conversation> {
    let request = ListConversationsRequest {
        parent: L.into(),
        view: ConversationView::Full.into(),
        ..ListConversationsRequest::default()
    };
    let mut found = world.insights.list_conversations(request).await.unwrap().into_inner().conversations;
    found.sort_by_key(uri);
    found
}

pub(crate) fn uri(conversation: &Conversation) -> String {
    match conversation.data_source.as_ref().and_then(|found| found.source.as_ref()) {
        Some(DataSource::GcsSource(source)) => source.transcript_uri.clone(),
        _ => String::new(),
    }
}

/// Processed, duplicates, successful, failed, and how many errors there are.
fn counts(metadata: &IngestConversationsMetadata) -> (i32, i32, i32, i32, usize) {
    let stats = metadata.ingest_conversations_stats.unwrap();
    (
        stats.processed_object_count,
        stats.duplicates_skipped_count,
        stats.successful_ingest_count,
        stats.failed_ingest_count,
        metadata.partial_errors.len(),
    )
}

#[tokio::test]
async fn transcripts_become_conversations_once() {
    let (root, mut world) = world("polls:2").await;
    put(root.path(), "b/chats/1.json", &chat(&["Hello", "My parcel is late", "I am sorry"]));
    put(root.path(), "b/chats/2.json", &chat(&["Hello", "Hi"]));
    put(root.path(), "b/chats/bad.json", "{");
    put(root.path(), "b/other/3.json", &chat(&["No"]));

    let started = world.insights.ingest_conversations(ingestion("gs://b/chats")).await.unwrap().into_inner();
    assert_eq!(counts(&metadata(&started)), (0, 0, 0, 0, 0));
    let running = world.poll(&started.name).await;
    assert_eq!(counts(&metadata(&running)), (1, 0, 1, 0, 0));
    assert!(conversations(&mut world).await.is_empty(), "not before the end");
    let ended = world.poll(&started.name).await;
    assert!(ended.done);
    let seen: IngestConversationsMetadata = metadata(&ended);
    assert_eq!(counts(&seen), (3, 0, 2, 1, 1));
    assert_eq!(seen.partial_errors[0].code, Code::InvalidArgument as i32);
    assert!(
        seen.partial_errors[0].message.contains("gs://b/chats/bad.json"),
        "{}",
        seen.partial_errors[0].message
    );

    let made = conversations(&mut world).await;
    assert_eq!(made.iter().map(uri).collect::<Vec<_>>(), ["gs://b/chats/1.json", "gs://b/chats/2.json"]);
    assert_eq!((made[0].turn_count, made[0].medium()), (3, Medium::Chat));
    assert_eq!(made[0].transcript.as_ref().unwrap().transcript_segments[1].text, "My parcel is late");

    put(root.path(), "b/chats/4.json", &chat(&["New"]));
    let again = world.insights.ingest_conversations(ingestion("gs://b/chats")).await.unwrap().into_inner();
    world.poll(&again.name).await;
    assert_eq!(counts(&metadata(&world.poll(&again.name).await)), (4, 2, 1, 1, 1));
    assert_eq!(conversations(&mut world).await.len(), 3);
}

#[tokio::test]
async fn the_request_says_more_about_the_conversations() {
    let (root, mut world) = world("immediate").await;
    put(root.path(), "b/1.json", &chat(&["Hello", "Hi"]));
    put(root.path(), "meta/1.json", r#"{"customer_satisfaction_rating": 5, "queue": "north"}"#);
    let mut request = ingestion("gs://b");
    let Some(Source::GcsSource(source)) = &mut request.source else { panic!() };
    source.metadata_bucket_uri = Some("gs://meta".into());
    source.custom_metadata_keys = vec!["queue".into()];
    request.conversation_config =
        Some(ConversationConfig { agent_id: "007".into(), agent_channel: 2, customer_channel: 1 });
    assert!(world.insights.ingest_conversations(request).await.unwrap().into_inner().done);
    let made = conversations(&mut world).await.remove(0);
    assert_eq!((made.agent_id.as_str(), made.labels["queue"].as_str()), ("007", "north"));
    assert_eq!(made.quality_metadata.unwrap().customer_satisfaction_rating, 5);
    let channels: Vec<i32> =
        made.transcript.unwrap().transcript_segments.iter().map(|segment| segment.channel_tag).collect();
    assert_eq!(channels, [2, 1]);
}

#[tokio::test]
async fn a_sample_is_of_its_size_and_always_the_same() {
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let (root, mut world) = world("immediate").await;
        for index in 0..20 {
            put(root.path(), &format!("b/{index:02}.json"), &chat(&["Hello"]));
        }
        let request = IngestConversationsRequest { sample_size: Some(5), ..ingestion("gs://b") };
        world.insights.ingest_conversations(request).await.unwrap();
        drawn.push(conversations(&mut world).await.iter().map(uri).collect::<Vec<_>>());
    }
    assert_eq!(drawn[0].len(), 5);
    assert_eq!(drawn[0], drawn[1]);
}

/// What prevents the start is an error of the call, and says what to do.
#[tokio::test]
async fn r04_an_ingestion_that_cannot_start_is_refused() {
    let (_root, mut world) = world("immediate").await;
    for (request, code, why) in [
        (ingestion("gs://none"), Code::NotFound, "gs://none"),
        (ingestion("gs://b/../x"), Code::InvalidArgument, "gs://BUCKET/OBJECT"),
        (IngestConversationsRequest { source: None, ..ingestion("") }, Code::InvalidArgument, "gcs_source"),
        (
            IngestConversationsRequest { sample_size: Some(0), ..ingestion("gs://b") },
            Code::InvalidArgument,
            "sample_size",
        ),
    ] {
        let status = refused(world.insights.ingest_conversations(request).await);
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(why), "{status}");
    }
    let mut bare = World::new("immediate").await;
    let status = refused(bare.insights.ingest_conversations(ingestion("gs://b")).await);
    assert!(status.code() == Code::FailedPrecondition && status.message().contains("--gcs-root"), "{status}");
}

#[tokio::test]
async fn r06_one_ingestion_at_a_time_in_a_location() {
    let (root, mut world) = world("polls:2").await;
    put(root.path(), "b/1.json", &chat(&["Hello"]));
    world.insights.ingest_conversations(ingestion("gs://b")).await.unwrap();
    let status = refused(world.insights.ingest_conversations(ingestion("gs://b")).await);
    assert_eq!(status.code(), Code::Aborted);
    let elsewhere =
        IngestConversationsRequest { parent: "projects/p/locations/eu".into(), ..ingestion("gs://b") };
    world.insights.ingest_conversations(elsewhere).await.unwrap();
}
