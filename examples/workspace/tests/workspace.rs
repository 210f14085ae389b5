//! Our client and that of Insights over one transport: one connection, one token, and the same care for operations.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests that fail may panic"
)]
#![allow(unreachable_pub, reason = "a module of this test")]

mod gateway;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contact_center_insights::auth::Token;
use contact_center_insights::call::{CallSettings, Caller, RetryPolicy};
use contact_center_insights::error::BoxError;
use contact_center_insights::lro::{Outcome, PollPolicy, Poller};
use contact_center_insights::prost::Message as _;
use contact_center_insights::prost_types::FileDescriptorSet;
use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use contact_center_insights::proto::insights::issue_model::ModelType;
use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, CreateIssueModelRequest, IssueModel, ListConversationsRequest,
};
use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::{Client, Code, Credentials, Error};
use example_workspace::Transcoder;
use example_workspace::proto::transcoding_client::TranscodingClient;
use example_workspace::proto::{Recording, TranscodeMetadata, TranscodeRecordingRequest};
use gateway::{Gateway, OPERATION, RECORDING};
use tokio_stream::StreamExt as _;

const PARENT: &str = "projects/p/locations/us-central1";
const TARGET: &str = "gs://acme/7.wav";

/// No waits: tests do not sleep.
fn at_once() -> PollPolicy {
    PollPolicy::default().with_first_wait(Duration::ZERO).with_max_wait(Duration::ZERO)
}

fn transcoder(gateway: &Gateway) -> Transcoder {
    let retry = RetryPolicy::default().with_first_wait(Duration::ZERO).with_max_wait(Duration::ZERO);
    let transport = gateway.transport(Credentials::anonymous());
    Transcoder::new(Caller::new(transport, CallSettings::default().with_retry(retry)))
}

async fn start(transcoder: &Transcoder) -> Poller<Recording, TranscodeMetadata> {
    transcoder.transcode_recording(RECORDING, TARGET).await.unwrap().with_policy(at_once())
}

#[tokio::test]
async fn both_clients_share_one_connection_and_one_token() {
    let gateway = Gateway::start().await;
    let fetches = Arc::new(AtomicUsize::new(0));
    let counted = fetches.clone();
    let credentials = Credentials::from_source(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, BoxError>(Token::new("acme")?.expires_in(Duration::from_hours(1))) }
    });
    let transport = gateway.transport(credentials);
    let insights = Client::builder().with_transport(transport.clone()).build().unwrap();
    let transcoder = Transcoder::new(transport);

    // An operation of ours ends in what a conversation of theirs is created from: it is the same type.
    let recording = start(&transcoder).await.until_done().await.unwrap();
    let conversation = Conversation { data_source: recording.data_source, ..Default::default() };
    let request = CreateConversationRequest {
        parent: PARENT.into(),
        conversation: Some(conversation.clone()),
        ..Default::default()
    };
    let created = insights.create_conversation(request).await.unwrap();
    assert_eq!(created.data_source, conversation.data_source);

    // An operation of theirs, asked about by the same method of the same service.
    let issue_model = Some(IssueModel {
        display_name: "billing".into(),
        model_type: ModelType::TypeV2.into(),
        ..Default::default()
    });
    let request = CreateIssueModelRequest { parent: PARENT.into(), issue_model };
    let training = insights.create_issue_model(request).await.unwrap().with_policy(at_once());
    assert_eq!(training.await.unwrap().display_name, "billing");

    let list = ListConversationsRequest { parent: PARENT.into(), ..Default::default() };
    for _ in 0..20 {
        let (ours, theirs) =
            tokio::join!(transcoder.get_recording(RECORDING), insights.list_conversations(list.clone()));
        assert_eq!(ours.unwrap().name, RECORDING);
        assert_eq!(theirs.unwrap().conversations.len(), 1);
    }

    assert_eq!(gateway.connections.load(Ordering::SeqCst), 1);
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    let tokens = gateway.transcoder.tokens();
    assert_eq!(tokens, vec!["Bearer acme"; tokens.len()]);
    assert!(tokens.len() > 20);
}

#[tokio::test]
async fn the_generated_stub_works_as_it_is_and_its_answer_is_followed() {
    let gateway = Gateway::start().await;
    let transport = gateway.transport(Credentials::anonymous());
    let mut stub = TranscodingClient::new(transport.clone());
    let request = TranscodeRecordingRequest { name: RECORDING.into(), target_uri: TARGET.into() };
    let started = stub.transcode_recording(request).await.unwrap().into_inner();

    let operations = Transcoder::new(transport).operations().clone().with_policy(at_once());
    let mut poller = operations.follow::<Recording, TranscodeMetadata>(started);
    assert_eq!(poller.name(), OPERATION);
    assert_eq!(poller.until_done().await.unwrap().name, RECORDING);
}

#[tokio::test]
async fn a_poller_shows_our_metadata_and_bears_with_faults() {
    let gateway = Gateway::start().await;
    let poller = start(&transcoder(&gateway)).await;
    gateway.transcoder.faults.store(3, Ordering::SeqCst);
    let percents = poller
        .into_stream()
        .map(|operation| operation.unwrap().metadata().unwrap().unwrap().percent)
        .collect::<Vec<_>>();
    assert_eq!(percents.await, [0, 50, 100]);
}

#[tokio::test]
async fn another_process_goes_on_from_a_handle() {
    let gateway = Gateway::start().await;
    let handle = start(&transcoder(&gateway)).await.handle();
    assert_eq!(handle.name, OPERATION);
    assert_eq!(handle.response.as_deref(), Some("acme.transcoding.v1.Recording"));

    let operations = transcoder(&gateway).operations().clone().with_policy(at_once());
    let resumed = operations.resume::<Recording, TranscodeMetadata>(handle.clone()).unwrap();
    assert_eq!(resumed.await.unwrap().name, RECORDING);
    let wrong = operations.resume::<IssueModel, TranscodeMetadata>(handle);
    assert!(matches!(wrong, Err(Error::Resume { name, .. }) if name == OPERATION));
}

#[tokio::test]
async fn operations_are_got_listed_and_cancelled_by_name() {
    let gateway = Gateway::start().await;
    let transcoder = transcoder(&gateway);
    let operations = transcoder.operations();

    let request = ListOperationsRequest { name: RECORDING.into(), ..Default::default() };
    let listed = operations.list(request).into_pages().into_items().collect::<Vec<_>>().await;
    assert_eq!(listed[0].as_ref().unwrap().name, OPERATION);

    operations.cancel(OPERATION).await.unwrap();
    let operation = operations.get::<Recording, TranscodeMetadata>(OPERATION).await.unwrap();
    assert!(matches!(operation.outcome(), Some(Outcome::Cancelled(_))), "{operation:?}");
    let ended = operations.poller::<Recording, TranscodeMetadata>(OPERATION).unwrap().await;
    assert!(matches!(ended, Err(Error::Cancelled { name, .. }) if name == OPERATION));
}

#[tokio::test]
async fn our_lists_are_walked_page_by_page() {
    let gateway = Gateway::start().await;
    let transcoder = transcoder(&gateway);
    gateway.transcoder.faults.store(1, Ordering::SeqCst);
    let walk = transcoder.list_recordings("loud").into_pages().with_page_size(2).into_items();
    let names = walk.map(|recording| recording.unwrap().name).collect::<Vec<_>>().await;
    let wanted: Vec<_> = (0..5).map(|id| format!("recordings/{id}")).collect();
    assert_eq!(names, wanted);
    assert_eq!(*gateway.transcoder.asked.lock().unwrap(), ["loud 2 ", "loud 2 2", "loud 2 4"]);

    let later = transcoder.list_recordings("").into_pages().with_page_size(9).with_page_token("3");
    assert_eq!(later.into_items().collect::<Vec<_>>().await.len(), 2);
}

#[tokio::test]
async fn operations_are_waited_for_and_deleted() {
    let gateway = Gateway::start().await;
    let transcoder = transcoder(&gateway);
    let operations = transcoder.operations();
    gateway.transcoder.faults.store(2, Ordering::SeqCst);
    let wait = operations.wait::<Recording, TranscodeMetadata>(OPERATION, Duration::from_secs(30));
    let operation = wait.await.unwrap();
    assert!(operation.is_done());
    assert_eq!(operation.metadata().unwrap().unwrap().percent, 100);
    assert_eq!(*gateway.transcoder.asked.lock().unwrap(), ["wait 30"]);

    operations.delete(OPERATION).await.unwrap();
    assert!(operations.delete(OPERATION).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn our_calls_are_retried_and_their_errors_name_our_method() {
    let gateway = Gateway::start().await;
    let transcoder = transcoder(&gateway);
    gateway.transcoder.faults.store(2, Ordering::SeqCst);
    assert_eq!(transcoder.get_recording(RECORDING).await.unwrap().name, RECORDING);

    let error = transcoder.get_recording("recordings/none").await.unwrap_err();
    assert_eq!(error.code(), Some(Code::NotFound));
    assert_eq!(error.call().unwrap().method(), "acme.transcoding.v1.Transcoding/GetRecording");
}

#[test]
fn the_published_descriptors_are_those_of_the_crate() {
    let published: &[u8] = include_bytes!(env!("IMPORTED_DESCRIPTORS"));
    assert!(published == FILE_DESCRIPTOR_SET);
}

/// Our proto imports them, so that it would not compile without; Insights itself has no use for them.
#[test]
fn the_published_protos_include_what_only_other_services_import() {
    let ours = include_str!("../proto/acme/transcoding/v1/transcoding.proto");
    let published = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    for file in ["google/api/field_info.proto", "google/api/routing.proto"] {
        assert!(ours.contains(&format!("import \"{file}\";")), "{file}");
        assert!(published.file.iter().any(|published| published.name() == file), "{file}");
    }
}
