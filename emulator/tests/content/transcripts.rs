//! Conversations from transcript files as they are found in the wild.

use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation_data_source::Source;
use contact_center_insights::proto::insights::conversation_participant::Role;
use contact_center_insights::proto::insights::{
    Conversation, ConversationDataSource, CreateConversationRequest, GcsSource, IngestConversationsMetadata,
};
use contact_center_insights::{Code, Status};
use serde_json::{Value, json};

use crate::ingest::{conversations, ingestion, put, world};
use crate::support::{L, World, metadata, refused};

fn request(uri: &str) -> CreateConversationRequest {
    let source = GcsSource { transcript_uri: uri.into(), ..GcsSource::default() };
    let source = ConversationDataSource { source: Some(Source::GcsSource(source)) };
    let conversation = Conversation { data_source: Some(source), ..Conversation::default() };
    CreateConversationRequest { parent: L.into(), conversation: Some(conversation), ..Default::default() }
}

async fn create(world: &mut World, uri: &str) -> Vec<TranscriptSegment> {
    let made = world.insights.create_conversation(request(uri)).await.unwrap().into_inner();
    made.transcript.unwrap().transcript_segments
}

async fn refuse(world: &mut World, uri: &str) -> Status {
    refused(world.insights.create_conversation(request(uri)).await)
}

/// A result of a call on one channel, in either spelling.
fn result(text: &str, channel: u32, second: u32) -> (Value, Value) {
    let (start, end) = (format!("{second}s"), format!("{}s", second + 1));
    let camel = json!({"alternatives": [{"transcript": text, "words": [{"startTime": start, "endTime": end, "word": text}]}],
        "channelTag": channel, "resultEndTime": end, "languageCode": "en-nz"});
    let snake = json!({"alternatives": [{"transcript": text, "words": [{"start_time": start, "end_time": end, "word": text}]}],
        "channel_tag": channel, "result_end_time": end, "language_code": "en-nz"});
    (camel, snake)
}

#[tokio::test]
async fn p26_a_call_is_the_same_in_either_spelling() {
    let (root, mut world) = world("immediate").await;
    let (one, two) = (result("hallo", 1, 0), result("bye", 2, 4));
    put(root.path(), "b/camel.json", &json!({"results": [one.0, two.0]}).to_string());
    put(root.path(), "b/snake.json", &format!("\u{feff}{}", json!({"results": [one.1, two.1]})));
    let camel = create(&mut world, "gs://b/camel.json").await;
    assert_eq!(camel, create(&mut world, "gs://b/snake.json").await);
    let told: Vec<_> =
        camel.iter().map(|segment| (segment.channel_tag, segment.language_code.as_str())).collect();
    assert_eq!(told, [(1, "en-nz"), (2, "en-nz")]);
    assert_eq!(camel[1].words[0].end_offset.unwrap().seconds, 5);
}

#[tokio::test]
async fn p26_speakers_on_one_channel_become_an_agent_and_a_customer() {
    let (root, mut world) = world("immediate").await;
    let spoken = |text: &str, second: u32, speaker: u32| json!({"startTime": format!("{second}s"), "endTime": format!("{}s", second + 1), "word": text, "speakerTag": speaker});
    let file = json!({"results": [
        {"alternatives": [{"transcript": "where is it here", "words": [spoken("where", 0, 0), spoken("is", 1, 0), spoken("it", 2, 0), spoken("here", 3, 0)]}]},
        {"alternatives": [{"transcript": "", "words": [spoken("where", 0, 2), spoken("is", 1, 2), spoken("it", 2, 2), spoken("here", 3, 1)]}]},
    ]});
    put(root.path(), "b/mono.json", &file.to_string());
    let segments = create(&mut world, "gs://b/mono.json").await;
    let told: Vec<_> = segments
        .iter()
        .map(|segment| {
            (segment.channel_tag, segment.text.as_str(), segment.segment_participant.as_ref().unwrap().role())
        })
        .collect();
    assert_eq!(told, [(2, "where is it", Role::EndUser), (1, "here", Role::HumanAgent)]);
}

#[tokio::test]
async fn p26_an_error_names_file_entry_and_field() {
    let (root, mut world) = world("immediate").await;
    let text = r#"{"entries": [{"text": "a"}, {"text": "b", "startTimestampUsec": 1.5}]}"#;
    put(root.path(), "b/odd.json", text);
    let words = "`gs://b/odd.json`: entries[1].start_timestamp_usec: 1.5 is not an integer";
    let status = refuse(&mut world, "gs://b/odd.json").await;
    assert!(status.code() == Code::InvalidArgument && status.message().contains(words), "{status}");
    let ended = world.insights.ingest_conversations(ingestion("gs://b")).await.unwrap().into_inner();
    let seen: IngestConversationsMetadata = metadata(&ended);
    assert!(seen.partial_errors[0].message.contains(words), "{}", seen.partial_errors[0].message);
    assert!(conversations(&mut world).await.is_empty());
}
