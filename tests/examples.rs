//! The examples run.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(dead_code, unreachable_pub, reason = "the examples are programs; here their `main` is not called")]

#[path = "../examples/analyze_conversations.rs"]
mod analyze_conversations;
#[path = "../examples/custom_token_source.rs"]
mod custom_token_source;
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
async fn list_all_runs() {
    assert_eq!(list_all::run().await.unwrap(), 250);
}

#[tokio::test]
async fn custom_token_source_runs() {
    custom_token_source::run().await.unwrap();
}
