//! What printing and parsing JSON cost, against prost-reflect's dynamic messages in the same run.
//!
//! Three documents: one operation, one conversation with 200 turns, and a list of 100 operations. Each side prints from
//! the same wire bytes to text, and parses the same text to wire bytes. In each round both sides do the same work in
//! turn, and what is compared is the median over the rounds of the quotient within a round, so that a busy machine
//! disturbs both alike.
//!
//! An `Any` is a plain message to neither: both know every type that is in these.
//!
//! `cargo bench --bench json`; half a minute. Lines of the form
//! `json case=… bytes=… print_ns_per_byte=… print_ratio=… parse_ns_per_byte=… parse_ratio=…`; bytes are those of the text,
//! and ratios are ours over theirs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that fails may panic"
)]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::hint::black_box;
use std::time::Instant;

use contact_center_insights::any::pack;
use contact_center_insights::json::{Printer, Reader};
use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use contact_center_insights::proto::insights::conversation::{Transcript, transcript};
use contact_center_insights::proto::insights::{
    BulkAnalyzeConversationsMetadata, BulkAnalyzeConversationsRequest, BulkAnalyzeConversationsResponse,
    Conversation, ConversationParticipant, SentimentData,
};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::{ListOperationsResponse, Operation};
use prost::{Message, Name};
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions,
};
use prost_types::Timestamp;
use transcript::TranscriptSegment;
use transcript::transcript_segment::WordInfo;

const ROUNDS: usize = 41;
/// Bytes of text that each side goes through in one round.
const WORK: usize = 1_000_000;

fn main() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    case(&pool, "operation", &operation(0));
    case(&pool, "conversation", &conversation());
    let operations = (0..100).map(operation).collect();
    case(&pool, "list", &ListOperationsResponse { operations, ..Default::default() });
}

fn operation(index: i64) -> Operation {
    let time = |seconds| Some(Timestamp { seconds: 1_767_225_600 + seconds, nanos: 123_000_000 });
    let parent = "projects/my-project/locations/us-central1";
    let request = BulkAnalyzeConversationsRequest {
        parent: parent.into(),
        filter: "agent_id=\"7\" AND turn_count>\"4\"".into(),
        analysis_percentage: 12.5,
        ..Default::default()
    };
    let metadata = BulkAnalyzeConversationsMetadata {
        create_time: time(index),
        end_time: time(index + 600),
        request: Some(request),
        completed_analyses_count: 990,
        failed_analyses_count: 10,
        total_requested_analyses_count: 1000,
        ..Default::default()
    };
    let response =
        BulkAnalyzeConversationsResponse { successful_analysis_count: 990, failed_analysis_count: 10 };
    Operation {
        name: format!("{parent}/operations/{index:019}"),
        metadata: Some(pack(&metadata)),
        done: true,
        result: Some(Outcome::Response(pack(&response))),
    }
}

fn conversation() -> Conversation {
    let words = "I have been waiting for my parcel since Tuesday and nobody could tell me where it is";
    let segment = |turn: i32| TranscriptSegment {
        message_time: Some(Timestamp { seconds: 1_767_225_600 + i64::from(turn), nanos: 0 }),
        text: words.into(),
        confidence: 0.93,
        words: words
            .split(' ')
            .map(|word| WordInfo { word: word.into(), confidence: 0.87, ..Default::default() })
            .collect(),
        language_code: "en-US".into(),
        channel_tag: turn % 2 + 1,
        segment_participant: Some(ConversationParticipant { role: turn % 2 + 1, ..Default::default() }),
        sentiment: Some(SentimentData { magnitude: 0.25, score: -0.4 }),
        ..Default::default()
    };
    Conversation {
        name: "projects/my-project/locations/us-central1/conversations/call-0001".into(),
        agent_id: "7".into(),
        turn_count: 200,
        labels: [("team".to_owned(), "parcels".to_owned())].into(),
        transcript: Some(Transcript { transcript_segments: (0..200).map(segment).collect() }),
        ..Default::default()
    }
}

fn case<T: Message + Name>(pool: &DescriptorPool, title: &str, message: &T) {
    let name = T::full_name();
    let descriptor = pool.get_message_by_name(&name).unwrap();
    let bytes = message.encode_to_vec();
    let text = Printer::new().text(&name, &bytes).unwrap();
    assert_eq!(text.len(), print_by_reflection(&descriptor, &bytes).len(), "both print the same");
    assert_eq!(Reader::new().bytes(&name, &text).unwrap().value, bytes);

    let times = WORK.div_ceil(text.len());
    let print = ratio(
        times,
        || drop(black_box(Printer::new().text(&name, black_box(&bytes)).unwrap())),
        || drop(black_box(print_by_reflection(&descriptor, black_box(&bytes)))),
    );
    let parse = ratio(
        times,
        || drop(black_box(Reader::new().bytes(&name, black_box(text.as_str())).unwrap())),
        || drop(black_box(parse_by_reflection(&descriptor, black_box(&text)))),
    );
    let per_byte = |ns: f64| ns / (times * text.len()) as f64;
    println!(
        "json case={title} bytes={} print_ns_per_byte={:.2} print_ratio={:.3} parse_ns_per_byte={:.2} parse_ratio={:.3}",
        text.len(),
        per_byte(print.0),
        print.1,
        per_byte(parse.0),
        parse.1
    );
}

fn print_by_reflection(descriptor: &MessageDescriptor, bytes: &[u8]) -> String {
    let message = DynamicMessage::decode(descriptor.clone(), bytes).unwrap();
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let mut serializer = serde_json::Serializer::new(&mut out);
    message.serialize_with_options(&mut serializer, &SerializeOptions::new()).unwrap();
    String::from_utf8(out).unwrap()
}

fn parse_by_reflection(descriptor: &MessageDescriptor, text: &str) -> Vec<u8> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let options = DeserializeOptions::new();
    let message = DynamicMessage::deserialize_with_options(descriptor.clone(), &mut deserializer, &options);
    message.unwrap().encode_to_vec()
}

/// Median nanoseconds of ours in a round, and the median of ours over theirs.
fn ratio(times: usize, ours: impl Fn(), theirs: impl Fn()) -> (f64, f64) {
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        (0..times).for_each(|_| work());
        start.elapsed().as_nanos() as f64
    };
    time(&ours);
    time(&theirs);
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (time(&ours), time(&theirs))).collect();
    (
        median(rounds.iter().map(|(ours, _)| *ours).collect()),
        median(rounds.iter().map(|(ours, theirs)| ours / theirs).collect()),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
