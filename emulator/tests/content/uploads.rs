//! Transcripts of conversations that are created or uploaded one by one.

use contact_center_insights::Code;
use contact_center_insights::proto::insights::conversation::Medium;
use contact_center_insights::proto::insights::conversation_data_source::Source;
use contact_center_insights::proto::insights::{
    Conversation, ConversationDataSource, CreateConversationRequest, GcsSource, RedactionConfig,
    UploadConversationMetadata, UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;

use super::ingest::{chat, put, world};
use crate::support::{L, World, metadata, refused, response};

fn conversation(uri: &str) -> Conversation {
    let source = GcsSource { transcript_uri: uri.into(), ..GcsSource::default() };
    Conversation {
        medium: Medium::Chat.into(),
        data_source: Some(ConversationDataSource { source: Some(Source::GcsSource(source)) }),
        ..Conversation::default()
    }
}

fn creation(uri: &str) -> CreateConversationRequest {
    CreateConversationRequest {
        parent: L.into(),
        conversation: Some(conversation(uri)),
        ..Default::default()
    }
}

fn upload(uri: &str) -> UploadConversationRequest {
    UploadConversationRequest {
        parent: L.into(),
        conversation: Some(conversation(uri)),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_transcript_is_read_where_there_are_buckets() {
    let (root, mut world) = world("immediate").await;
    put(root.path(), "b/1.json", &chat(&["Hello", "My parcel"]));
    put(root.path(), "b/bad.json", "[]");
    let created = world.insights.create_conversation(creation("gs://b/1.json")).await.unwrap().into_inner();
    assert_eq!((created.turn_count, created.duration.unwrap().seconds), (2, 10));
    assert_eq!(created.transcript.unwrap().transcript_segments[1].text, "My parcel");
    for (uri, code) in [("gs://b/none.json", Code::NotFound), ("gs://b/bad.json", Code::InvalidArgument)] {
        assert_eq!(refused(world.insights.create_conversation(creation(uri)).await).code(), code);
    }
    let mut bare = World::new("immediate").await;
    let created = bare.insights.create_conversation(creation("gs://b/1.json")).await.unwrap().into_inner();
    assert!(created.transcript.is_none(), "without buckets nothing is read");
}

/// What goes wrong while the operation runs is its error, not that of the call.
#[tokio::test]
async fn r04_an_upload_that_cannot_be_read_ends_in_an_error() {
    let (root, mut world) = world("polls:1").await;
    put(root.path(), "b/1.json", &chat(&["Hello", "My parcel"]));
    let config = RedactionConfig { deidentify_template: "t".into(), ..RedactionConfig::default() };
    let request =
        UploadConversationRequest { redaction_config: Some(config.clone()), ..upload("gs://b/1.json") };
    let started = world.insights.upload_conversation(request).await.unwrap().into_inner();
    assert_eq!(metadata::<UploadConversationMetadata>(&started).applied_redaction_config, Some(config));
    let made: Conversation = response(&world.poll(&started.name).await);
    assert_eq!(made.turn_count, 2);
    let started = world.insights.upload_conversation(upload("gs://b/none.json")).await.unwrap().into_inner();
    let Some(Outcome::Error(status)) = world.poll(&started.name).await.result else { panic!() };
    assert_eq!(status.code, Code::NotFound as i32);
}
