//! Operations, and the issue models and analyses they make, from start to end, through the generated gRPC stubs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use contact_center_insights::proto::insights::issue_model::State;
use contact_center_insights::proto::insights::{
    Analysis, AnnotatorSelector, Conversation, CreateAnalysisOperationMetadata, CreateAnalysisRequest,
    CreateIssueModelMetadata, DeleteConversationRequest, DeleteIssueModelRequest, DeployIssueModelRequest,
    GetAnalysisRequest, GetConversationRequest, GetIssueModelRequest, IssueModel, ListAnalysesRequest,
    ListIssueModelsRequest, UndeployIssueModelRequest, UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, ListOperationsRequest, Operation, WaitOperationRequest,
};
use contact_center_insights::proto::rpc::ErrorInfo;
use contact_center_insights::{Code, Status};
use contact_center_insights_emulator::{ErrorDetails, ManualClock, Profile};
use support::{L, World, metadata, refused, response, seed};

fn training_count(operation: &Operation) -> i64 {
    let metadata: CreateIssueModelMetadata = metadata(operation);
    let config = metadata.request.unwrap().issue_model.unwrap().input_data_config.unwrap();
    config.training_conversations_count
}

#[tokio::test]
async fn a_model_is_trained_deployed_undeployed_and_deleted() {
    let mut world = World::new("polls:4").await;
    for _ in 0..8 {
        world.conversation("").await;
    }
    let started = world.train("complaints").await;
    assert!(!started.done && started.result.is_none());
    assert_eq!(training_count(&started), 0);
    let mut counts = Vec::new();
    let done = loop {
        let operation = world.poll(&started.name).await;
        counts.push(training_count(&operation));
        if operation.done {
            break operation;
        }
    };
    assert_eq!(counts, [2, 4, 6, 8]);
    let model: IssueModel = response(&done);
    assert_eq!((model.display_name.as_str(), model.state()), ("complaints", State::Undeployed));
    assert_eq!(model.issue_count, 3);
    assert_eq!(model.training_stats.as_ref().unwrap().analyzed_conversations_count, 8);
    let finished: CreateIssueModelMetadata = metadata(&done);
    assert!(finished.end_time.is_some() && finished.create_time.is_some());

    let name = model.name.clone();
    let get = GetIssueModelRequest { name: name.clone() };
    assert_eq!(world.insights.get_issue_model(get.clone()).await.unwrap().into_inner(), model, "r25");
    for (during, after) in [(State::Deploying, State::Deployed), (State::Undeploying, State::Undeployed)] {
        let started = if during == State::Deploying {
            world.insights.deploy_issue_model(DeployIssueModelRequest { name: name.clone() }).await
        } else {
            world.insights.undeploy_issue_model(UndeployIssueModelRequest { name: name.clone() }).await
        };
        let operation = started.unwrap().into_inner().name;
        assert_eq!(world.insights.get_issue_model(get.clone()).await.unwrap().into_inner().state(), during);
        while !world.poll(&operation).await.done {}
        assert_eq!(world.insights.get_issue_model(get.clone()).await.unwrap().into_inner().state(), after);
    }
    let deleted =
        world.insights.delete_issue_model(DeleteIssueModelRequest { name }).await.unwrap().into_inner();
    assert_eq!(
        world.insights.get_issue_model(get.clone()).await.unwrap().into_inner().state(),
        State::Deleting
    );
    while !world.poll(&deleted.name).await.done {}
    response::<()>(&world.poll(&deleted.name).await);
    assert_eq!(refused(world.insights.get_issue_model(get).await).code(), Code::NotFound);
}

#[tokio::test]
async fn r05_a_model_is_visible_while_it_is_trained() {
    let mut world = World::new("polls:2").await;
    let operation = world.train("early").await;
    let request = ListIssueModelsRequest { parent: L.into() };
    let models = world.insights.list_issue_models(request.clone()).await.unwrap().into_inner().issue_models;
    assert_eq!((models.len(), models[0].state()), (1, State::Unspecified));
    let got = world.insights.get_issue_model(GetIssueModelRequest { name: models[0].name.clone() }).await;
    assert_eq!(got.unwrap().into_inner(), models[0]);
    world.operations.cancel_operation(CancelOperationRequest { name: operation.name }).await.unwrap();
    assert!(world.insights.list_issue_models(request).await.unwrap().into_inner().issue_models.is_empty());
}

#[tokio::test]
async fn r06_a_second_operation_on_a_model_is_aborted() {
    let name = format!("{L}/issueModels/1");
    let models = seed(&format!(r#"{{"issueModels": [{{"name": "{name}", "state": "UNDEPLOYED"}}]}}"#));
    let mut world = World::of(crate::support::builder().with_seed(models).start().await.unwrap());
    let request = DeployIssueModelRequest { name: name.clone() };
    let first = world.insights.deploy_issue_model(request.clone()).await.unwrap().into_inner();
    let error = refused(world.insights.deploy_issue_model(request.clone()).await);
    assert_eq!(error.code(), Code::Aborted);
    assert!(error.message().contains(&first.name), "{error}");
    assert_eq!(
        refused(world.insights.delete_issue_model(DeleteIssueModelRequest { name: name.clone() }).await)
            .code(),
        Code::Aborted
    );
    while !world.poll(&first.name).await.done {}
    assert_eq!(refused(world.insights.deploy_issue_model(request).await).code(), Code::FailedPrecondition);
    world.insights.undeploy_issue_model(UndeployIssueModelRequest { name: name.clone() }).await.unwrap();
}

#[tokio::test]
async fn r07_r08_cancel_ends_a_running_operation_once_and_undoes_it() {
    let mut world = World::new("polls:5").await;
    let operation = world.train("never").await;
    let cancel = CancelOperationRequest { name: operation.name.clone() };
    world.operations.cancel_operation(cancel.clone()).await.unwrap();
    let cancelled = world.poll(&operation.name).await;
    let Some(Outcome::Error(status)) = cancelled.result.clone() else { panic!("{cancelled:?}") };
    assert!(cancelled.done);
    assert_eq!(Status::from(status).code(), Code::Cancelled);
    world.operations.cancel_operation(cancel).await.unwrap();
    assert_eq!(world.poll(&operation.name).await, cancelled);
    let listed = world.insights.list_issue_models(ListIssueModelsRequest { parent: L.into() }).await.unwrap();
    assert!(listed.into_inner().issue_models.is_empty());
}

#[tokio::test]
async fn r09_delete_and_wait_are_unimplemented() {
    let mut world = World::new("immediate").await;
    let name = world.train("m").await.name;
    let error =
        refused(world.operations.delete_operation(DeleteOperationRequest { name: name.clone() }).await);
    assert_eq!(error.code(), Code::Unimplemented);
    let error = refused(world.operations.wait_operation(WaitOperationRequest { name, timeout: None }).await);
    assert_eq!(error.code(), Code::Unimplemented);
}

#[tokio::test]
async fn r10_operations_are_listed_by_location_filter_and_page() {
    let mut world = World::new("polls:1").await;
    let mut names = Vec::new();
    for _ in 0..5 {
        // Of these a location may have many at a time.
        let request = UploadConversationRequest {
            parent: L.into(),
            conversation: Some(Conversation::default()),
            ..UploadConversationRequest::default()
        };
        names.push(world.insights.upload_conversation(request).await.unwrap().into_inner().name);
    }
    world.poll(&names[3]).await;
    let request = ListOperationsRequest { name: L.into(), page_size: 2, ..ListOperationsRequest::default() };
    let (mut walked, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListOperationsRequest { page_token: token, ..request.clone() };
        let page = world.operations.list_operations(request).await.unwrap().into_inner();
        walked.extend(page.operations.into_iter().map(|operation| operation.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(walked, names);
    let done = ListOperationsRequest { filter: "done=true".into(), ..request.clone() };
    let page = world.operations.list_operations(done).await.unwrap().into_inner().operations;
    assert_eq!((page.len(), &page[0].name), (1, &names[3]));
    let elsewhere = ListOperationsRequest { name: "projects/other/locations/us".into(), ..request.clone() };
    assert!(world.operations.list_operations(elsewhere).await.unwrap().into_inner().operations.is_empty());
    let partial = ListOperationsRequest { return_partial_success: true, ..request };
    assert_eq!(refused(world.operations.list_operations(partial).await).code(), Code::Unimplemented);
}

#[tokio::test]
async fn time_based_operations_end_on_the_emulators_clock() {
    let clock = ManualClock::default();
    let builder = crate::support::builder().with_clock(clock.clone()).with_profile(Profile::polls(1));
    let builder = builder.with_method_profile("CreateIssueModel", "time:1h".parse().unwrap());
    let mut world = World::of(builder.start().await.unwrap());
    for _ in 0..10 {
        world.conversation("").await;
    }
    let name = world.train("slow").await.name;
    clock.advance(Duration::from_mins(30));
    assert_eq!(training_count(&world.poll(&name).await), 5);
    clock.advance(Duration::from_hours(2));
    let models = world.insights.list_issue_models(ListIssueModelsRequest { parent: L.into() }).await.unwrap();
    assert_eq!(
        models.into_inner().issue_models[0].state(),
        State::Undeployed,
        "completed before it was asked after"
    );
    let metadata: CreateIssueModelMetadata = metadata(&world.poll(&name).await);
    let took = metadata.end_time.unwrap().seconds - metadata.create_time.unwrap().seconds;
    assert_eq!(took, 3600, "it ended when it was due");
}

#[tokio::test]
async fn a_scripted_failure_ends_the_operation_and_undoes_it() {
    for details in [ErrorDetails::Calls, ErrorDetails::All] {
        let profile = "polls:1,fail=RESOURCE_EXHAUSTED:ten models at most".parse().unwrap();
        let builder = crate::support::builder().with_profile(profile).with_error_details(details);
        let mut world = World::of(builder.start().await.unwrap());
        let name = world.train("eleventh").await.name;
        let done = world.poll(&name).await;
        let Some(Outcome::Error(status)) = done.result else { panic!("{done:?}") };
        let status = Status::from(status);
        assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "ten models at most"));
        let method = status.detail::<ErrorInfo>().map(|info| info.metadata["method"].clone());
        let told = (details == ErrorDetails::All).then(|| "CreateIssueModel".to_owned());
        assert_eq!(method, told, "a profile has a code and a message, and no details of its own");
        let request = ListIssueModelsRequest { parent: L.into() };
        let listed = world.insights.list_issue_models(request).await.unwrap();
        assert!(listed.into_inner().issue_models.is_empty());
    }
}

#[tokio::test]
async fn an_analysis_appears_when_it_is_complete() {
    let mut world = World::new("polls:2").await;
    let conversation = world.conversation("call-0001").await;
    let selector = AnnotatorSelector { run_sentiment_annotator: true, ..AnnotatorSelector::default() };
    let asked = Analysis { annotator_selector: Some(selector.clone()), ..Analysis::default() };
    let request = CreateAnalysisRequest { parent: conversation.name.clone(), analysis: Some(asked) };
    let started = world.insights.create_analysis(request).await.unwrap().into_inner();
    let running: CreateAnalysisOperationMetadata = metadata(&started);
    assert_eq!(
        (running.conversation.as_str(), running.annotator_selector),
        (conversation.name.as_str(), Some(selector))
    );
    let list = ListAnalysesRequest { parent: conversation.name.clone(), ..ListAnalysesRequest::default() };
    assert!(world.insights.list_analyses(list.clone()).await.unwrap().into_inner().analyses.is_empty());
    world.poll(&started.name).await;
    let analysis: Analysis = response(&world.poll(&started.name).await);
    assert!(analysis.analysis_result.is_some() && analysis.request_time.is_some());
    let get = GetAnalysisRequest { name: analysis.name.clone() };
    assert_eq!(world.insights.get_analysis(get).await.unwrap().into_inner(), analysis);
    assert_eq!(
        world.insights.list_analyses(list).await.unwrap().into_inner().analyses,
        std::slice::from_ref(&analysis)
    );
    let get = GetConversationRequest { name: conversation.name.clone(), view: 0 };
    let found = world.insights.get_conversation(get).await.unwrap().into_inner();
    assert_eq!(found.latest_analysis, Some(analysis));
}

#[tokio::test]
async fn r04_an_analysis_of_what_was_deleted_meanwhile_ends_in_an_error() {
    let mut world = World::new("polls:1").await;
    let name = world.conversation("").await.name;
    let request = CreateAnalysisRequest { parent: name.clone(), analysis: Some(Analysis::default()) };
    let started = world.insights.create_analysis(request.clone()).await.unwrap().into_inner();
    let delete = DeleteConversationRequest { name: name.clone(), force: false };
    world.insights.delete_conversation(delete).await.unwrap();
    let done = world.poll(&started.name).await;
    let Some(Outcome::Error(status)) = done.result else { panic!("{done:?}") };
    assert_eq!(Status::from(status).code(), Code::NotFound);
    assert_eq!(
        refused(world.insights.create_analysis(request).await).code(),
        Code::NotFound,
        "and of the call, later"
    );
}
