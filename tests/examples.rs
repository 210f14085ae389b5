//! The examples run.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(dead_code, unreachable_pub, reason = "the examples are programs; here their `main` is not called")]

use contact_center_insights::{Client, Code, Credentials};
use contact_center_insights_emulator::{Emulator, Fault};

#[path = "../examples/analyze_conversations.rs"]
mod analyze_conversations;
#[path = "../examples/custom_token_source.rs"]
mod custom_token_source;
#[path = "../examples/follow_many.rs"]
mod follow_many;
#[path = "../examples/get_operation.rs"]
mod get_operation;
#[path = "../examples/list_all.rs"]
mod list_all;

#[tokio::test]
async fn get_operation_runs() {
    get_operation::run(None).await.unwrap();
}

#[tokio::test]
async fn analyze_conversations_runs() {
    let names = analyze_conversations::run().await.unwrap();
    assert_eq!(names.len(), 3);
}

#[tokio::test]
async fn follow_many_runs() {
    let statistics = follow_many::run().await.unwrap();
    assert_eq!((statistics.ended, statistics.lost, statistics.pending), (4, 0, 0));
}

#[tokio::test]
async fn list_all_runs() {
    assert_eq!(list_all::run().await.unwrap(), 250);
}

#[tokio::test]
async fn list_all_does_not_count_a_page_that_failed() {
    let refused = Fault::code(Code::PermissionDenied, "no more").with_method("ListConversations").after(1);
    let emulator = Emulator::builder().with_fault(refused).start().await.unwrap();
    let builder = Client::builder().with_endpoint(emulator.endpoint());
    let client = builder.with_credentials(Credentials::anonymous()).build().unwrap();
    list_all::fill(&client).await.unwrap();
    let error = list_all::count(&client).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::PermissionDenied), "{error}");
}

#[tokio::test]
async fn custom_token_source_runs() {
    custom_token_source::run().await.unwrap();
}
