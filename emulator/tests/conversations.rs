//! Conversations from start to end, through the generated gRPC stubs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use contact_center_insights::proto::insights::{
    Analysis, Conversation, ConversationView, CreateAnalysisRequest, CreateConversationRequest,
    DeleteConversationRequest, GetAnalysisRequest, GetConversationRequest, ListConversationsRequest,
    UploadConversationMetadata, UploadConversationRequest, conversation,
};
use support::{L, World, metadata, refused, response, seed};

use contact_center_insights::Code;
use contact_center_insights_emulator::{Emulator, ManualClock};

#[tokio::test]
async fn an_upload_ends_in_a_conversation() {
    let mut world = World::new("polls:1").await;
    let request = UploadConversationRequest {
        parent: L.into(),
        conversation: Some(Conversation {
            metadata_json: "{}".into(),
            agent_id: "7".into(),
            ..Conversation::default()
        }),
        conversation_id: "call-0001".into(),
        ..UploadConversationRequest::default()
    };
    let started = world.insights.upload_conversation(request.clone()).await.unwrap().into_inner();
    let echo = metadata::<UploadConversationMetadata>(&started).request.unwrap();
    assert_eq!(echo.conversation.unwrap().metadata_json, "", "r40");
    assert_eq!(refused(world.insights.upload_conversation(request.clone()).await).code(), Code::Aborted);
    let conversation: Conversation = response(&world.poll(&started.name).await);
    assert_eq!(conversation.name, format!("{L}/conversations/call-0001"));
    assert_eq!(refused(world.insights.upload_conversation(request).await).code(), Code::AlreadyExists);
}

#[tokio::test]
async fn conversations_are_created_read_and_deleted() {
    let clock = ManualClock::default();
    let mut world = World::of(Emulator::builder().with_clock(clock.clone()).start().await.unwrap());
    let ttl = prost_types::Duration { seconds: 60, nanos: 0 };
    let request = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(Conversation {
            name: "ignored".into(),
            turn_count: 9,
            metadata_json: "{}".into(),
            expiration: Some(conversation::Expiration::Ttl(ttl)),
            ..Conversation::default()
        }),
        conversation_id: "call-0001".into(),
    };
    let made = world.insights.create_conversation(request.clone()).await.unwrap().into_inner();
    assert_eq!(made.name, format!("{L}/conversations/call-0001"), "r27");
    assert_eq!((made.turn_count, made.metadata_json.as_str()), (0, ""), "r36 and r40");
    let Some(conversation::Expiration::ExpireTime(expires)) = made.expiration else { panic!("{made:?}") };
    assert_eq!(expires.seconds - made.create_time.unwrap().seconds, 60);
    assert_eq!(
        refused(world.insights.create_conversation(request.clone()).await).code(),
        Code::AlreadyExists,
        "r28"
    );
    let bad = CreateConversationRequest { conversation_id: "A".into(), ..request };
    assert_eq!(refused(world.insights.create_conversation(bad).await).code(), Code::InvalidArgument, "r30");

    let get = GetConversationRequest { name: made.name.clone(), view: ConversationView::Full as i32 };
    assert_eq!(world.insights.get_conversation(get).await.unwrap().into_inner(), made, "r25");
    let delete = DeleteConversationRequest { name: made.name, force: false };
    world.insights.delete_conversation(delete.clone()).await.unwrap();
    assert_eq!(refused(world.insights.delete_conversation(delete).await).code(), Code::NotFound, "r41");
}

#[tokio::test]
async fn r42_a_conversation_with_analyses_is_deleted_only_by_force() {
    let mut world = World::new("immediate").await;
    let name = world.conversation("").await.name;
    let request = CreateAnalysisRequest { parent: name.clone(), analysis: Some(Analysis::default()) };
    let analysis: Analysis = response(&world.insights.create_analysis(request).await.unwrap().into_inner());
    let delete = DeleteConversationRequest { name, force: false };
    assert_eq!(
        refused(world.insights.delete_conversation(delete.clone()).await).code(),
        Code::FailedPrecondition
    );
    world.insights.delete_conversation(DeleteConversationRequest { force: true, ..delete }).await.unwrap();
    let get = GetAnalysisRequest { name: analysis.name };
    assert_eq!(refused(world.insights.get_analysis(get).await).code(), Code::NotFound);
}

#[tokio::test]
async fn conversations_are_listed_newest_first_while_others_are_added() {
    let clock = ManualClock::default();
    let mut world = World::of(Emulator::builder().with_clock(clock.clone()).start().await.unwrap());
    let mut names = Vec::new();
    for _ in 0..5 {
        names.insert(0, world.conversation("").await.name);
        clock.advance(Duration::from_secs(1));
    }
    let request =
        ListConversationsRequest { parent: L.into(), page_size: 2, ..ListConversationsRequest::default() };
    let first = world.insights.list_conversations(request.clone()).await.unwrap().into_inner();
    world.conversation("").await;
    let rest =
        ListConversationsRequest { page_token: first.next_page_token, page_size: 100, ..request.clone() };
    let rest = world.insights.list_conversations(rest).await.unwrap().into_inner();
    assert_eq!(rest.next_page_token, "");
    let walked: Vec<_> =
        first.conversations.into_iter().chain(rest.conversations).map(|found| found.name).collect();
    assert_eq!(walked, names);
    let filtered = ListConversationsRequest { filter: "medium=\"CHAT\"".into(), ..request.clone() };
    assert!(world.insights.list_conversations(filtered).await.unwrap().into_inner().conversations.is_empty());
    let ordered = ListConversationsRequest { order_by: "create_time".into(), page_size: 9, ..request };
    let found = world.insights.list_conversations(ordered).await.unwrap().into_inner().conversations;
    assert!(found.len() == 6 && found[0].name == names[4], "r20");
}

#[tokio::test]
async fn r45_the_basic_view_leaves_out_the_transcript() {
    let name = format!("{L}/conversations/call-0001");
    let text = format!(
        r#"{{"conversations": [{{"name": "{name}", "transcript": {{"transcriptSegments": [{{"text": "hello"}}]}}}}]}}"#
    );
    let mut world = World::of(Emulator::builder().with_seed(seed(&text)).start().await.unwrap());
    for (view, has) in [(0, true), (1, false), (2, true)] {
        let get = GetConversationRequest { name: name.clone(), view };
        let found = world.insights.get_conversation(get).await.unwrap().into_inner();
        assert_eq!(found.transcript.is_some(), has, "{view}");
        let list = ListConversationsRequest { parent: L.into(), view, ..ListConversationsRequest::default() };
        let found = world.insights.list_conversations(list).await.unwrap().into_inner().conversations;
        assert_eq!(found[0].transcript.is_some(), view == 2, "{view}");
    }
    let get = GetConversationRequest { name, view: 7 };
    assert_eq!(refused(world.insights.get_conversation(get).await).code(), Code::InvalidArgument);
}
