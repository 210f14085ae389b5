//! A server of one finished operation, for benches: the generated service over hyper, on one thread.

use std::io::Read as _;

use contact_center_insights::any::pack;
use contact_center_insights::proto::insights::issue_model::{InputDataConfig, ModelType, State};
use contact_center_insights::proto::insights::issue_model_label_stats::IssueStats;
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel, IssueModelLabelStats,
};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation, WaitOperationRequest,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prost::Message as _;
use prost_types::Timestamp;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

pub(crate) const NAME: &str = "projects/my-project/locations/us-central1/operations/12345678901234567890";
/// The routing header of calls about it.
pub(crate) const ROUTING: &str =
    "name=projects%2Fmy-project%2Flocations%2Fus-central1%2Foperations%2F12345678901234567890";
/// Issues that the trained model knows.
pub(crate) const ISSUES: i64 = 6;

/// Serves on a free port of loopback, which it prints, until standard input ends.
pub(crate) fn serve() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("http://{}", listener.local_addr().expect("bound"));
        let service = OperationsServer::new(Finished(finished()));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a TCP socket");
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
}

/// The operation that trained a model: between 1 and 2 KiB, as such operations are.
fn finished() -> Operation {
    let project = "projects/my-project/locations/us-central1";
    let at = |seconds| Some(Timestamp { seconds, nanos: 123_456_000 });
    let input_data_config = InputDataConfig {
        training_conversations_count: 12_345,
        filter: "medium = \"PHONE_CALL\" AND create_time > \"2026-01-01T00:00:00Z\"".to_owned(),
        ..Default::default()
    };
    let asked = IssueModel {
        display_name: "Billing, spring 2026".to_owned(),
        input_data_config: Some(input_data_config),
        model_type: ModelType::TypeV2.into(),
        ..Default::default()
    };
    let issue = |i: i64| {
        let issue = format!("{project}/issueModels/9876543210/issues/{}", 1_000_000 + i);
        let stats = IssueStats {
            issue: issue.clone(),
            labeled_conversations_count: 100 + i,
            display_name: format!("Customer asks about invoice item {i}"),
        };
        (issue, stats)
    };
    let trained = IssueModel {
        name: format!("{project}/issueModels/9876543210"),
        create_time: at(1_780_000_000),
        update_time: at(1_780_003_600),
        issue_count: ISSUES,
        state: State::Undeployed.into(),
        training_stats: Some(IssueModelLabelStats {
            analyzed_conversations_count: 12_000,
            unclassified_conversations_count: 345,
            issue_stats: (0..ISSUES).map(issue).collect(),
        }),
        ..asked.clone()
    };
    let request = CreateIssueModelRequest { parent: project.to_owned(), issue_model: Some(asked) };
    let metadata = CreateIssueModelMetadata {
        create_time: at(1_780_000_000),
        end_time: at(1_780_003_600),
        request: Some(request),
    };
    let operation = Operation {
        name: NAME.to_owned(),
        metadata: Some(pack(&metadata)),
        done: true,
        result: Some(Outcome::Response(pack(&trained))),
    };
    assert!((1024..2048).contains(&operation.encoded_len()), "{} bytes", operation.encoded_len());
    operation
}

#[derive(Clone)]
struct Finished(Operation);

#[tonic::async_trait]
impl Operations for Finished {
    async fn get_operation(&self, _: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn list_operations(
        &self,
        _: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        Err(Status::unimplemented("ListOperations"))
    }

    async fn cancel_operation(&self, _: Request<CancelOperationRequest>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("CancelOperation"))
    }

    async fn delete_operation(&self, _: Request<DeleteOperationRequest>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("DeleteOperation"))
    }

    async fn wait_operation(&self, _: Request<WaitOperationRequest>) -> Result<Response<Operation>, Status> {
        Err(Status::unimplemented("WaitOperation"))
    }
}
