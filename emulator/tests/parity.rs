//! The same wrong request gets the same status over gRPC and over REST.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use contact_center_insights::proto::insights::{
    CreateConversationRequest, DeployIssueModelRequest, GetConversationRequest, GetViewRequest,
    ListConversationsRequest,
};
use contact_center_insights::proto::longrunning::{
    CancelOperationRequest, GetOperationRequest, ListOperationsRequest,
};
use contact_center_insights::proto::rpc;
use contact_center_insights::{Code, Status, json};
use serde_json::{Value, json};
use support::{L, World, refused};

/// The status in an answer's `error`, whose code is that of HTTP there.
fn status(answer: &Value) -> Status {
    let error = &answer["error"];
    let code = rpc::Code::from_str_name(error["status"].as_str().unwrap()).unwrap();
    let raw = json!({"code": code as i32, "message": error["message"], "details": error["details"]});
    json::to_message::<rpc::Status>(&raw).unwrap().into()
}

#[tokio::test]
async fn r38_r52_both_transports_refuse_alike() {
    let mut world = World::new("immediate").await;
    let model = format!("{L}/issueModels/1");
    let list = ListConversationsRequest { parent: L.into(), ..ListConversationsRequest::default() };
    let operations = ListOperationsRequest { name: L.into(), ..ListOperationsRequest::default() };
    let get = |name: &str| GetOperationRequest { name: name.into() };
    let insights = &mut world.insights;
    let pairs: Vec<(Status, &str, String)> = vec![
        (
            refused(world.operations.get_operation(get(&format!("{L}/operations/1"))).await),
            "GET",
            format!("{L}/operations/1"),
        ),
        (
            refused(
                world
                    .operations
                    .cancel_operation(CancelOperationRequest { name: format!("{L}/operations/1") })
                    .await,
            ),
            "POST",
            format!("{L}/operations/1:cancel"),
        ),
        (
            refused(
                world
                    .operations
                    .list_operations(ListOperationsRequest { filter: "x=1".into(), ..operations.clone() })
                    .await,
            ),
            "GET",
            format!("{L}/operations?filter=x%3D1"),
        ),
        (
            refused(
                world.operations.list_operations(ListOperationsRequest { page_size: -1, ..operations }).await,
            ),
            "GET",
            format!("{L}/operations?pageSize=-1"),
        ),
        (
            refused(
                insights
                    .list_conversations(ListConversationsRequest { page_token: "?".into(), ..list.clone() })
                    .await,
            ),
            "GET",
            format!("{L}/conversations?pageToken=%3F"),
        ),
        (
            refused(
                insights
                    .list_conversations(ListConversationsRequest { order_by: "colour".into(), ..list })
                    .await,
            ),
            "GET",
            format!("{L}/conversations?orderBy=colour"),
        ),
        (
            refused(
                insights
                    .get_conversation(GetConversationRequest {
                        name: format!("{L}/conversations/x"),
                        view: 9,
                    })
                    .await,
            ),
            "GET",
            format!("{L}/conversations/x?view=9"),
        ),
        (
            refused(
                insights
                    .create_conversation(CreateConversationRequest { parent: L.into(), ..Default::default() })
                    .await,
            ),
            "POST",
            format!("{L}/conversations"),
        ),
        (
            refused(insights.deploy_issue_model(DeployIssueModelRequest { name: model.clone() }).await),
            "POST",
            format!("{model}:deploy"),
        ),
        (
            refused(insights.get_view(GetViewRequest { name: format!("{L}/views/1") }).await),
            "GET",
            format!("{L}/views/1"),
        ),
    ];
    for (grpc, verb, path) in pairs {
        let (_, answer) = world.rest(verb, &path, "").await;
        assert_eq!(grpc, status(&answer), "{path}");
        assert!(grpc.detail::<rpc::ErrorInfo>().is_some() && grpc.code() != Code::Unknown, "{grpc:?}");
    }
}
