//! What benches share: a server of one operation in a process of its own, the generated service over hyper on one
//! thread; and this process's clock of CPU time.

#![allow(dead_code, reason = "a module of each bench, which uses its part")]

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use contact_center_insights::any::pack;
use contact_center_insights::proto::insights::issue_model::{InputDataConfig, ModelType, State};
use contact_center_insights::proto::insights::issue_model_label_stats::IssueStats;
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel, IssueModelLabelStats,
};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prost::Message as _;
use prost_types::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::{Request, Response, Status};

pub(crate) const NAME: &str = "projects/my-project/locations/us-central1/operations/12345678901234567890";
/// The routing header of calls about it.
pub(crate) const ROUTING: &str =
    "name=projects%2Fmy-project%2Flocations%2Fus-central1%2Foperations%2F12345678901234567890";
/// Issues that the trained model knows.
pub(crate) const ISSUES: i64 = 6;

/// As long as those of Google.
pub(crate) const TOKEN: &str = "ya29.c.c0ASRK0Ga0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijkl\
                     mnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST";

/// What this process has used of the CPU, all threads together.
pub(crate) fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("a positive time")
}

/// One thread: on two cores that is steadier than two workers a side.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The server's process. It ends when its standard input does: with this value, or with this process.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
}

impl Server {
    /// The bench must `serve` when it is started with that argument.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more arguments after `serve`.
    pub(crate) fn start_with(args: &[&str]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .arg("serve")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program, again");
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).expect("an address");
        Self { process, address: address.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How the server serves.
#[derive(Clone, Copy, Default)]
pub(crate) struct Serving {
    /// On one connection at once.
    pub(crate) max_streams: Option<u32>,
    /// Of each call.
    pub(crate) delay: Duration,
}

/// Ends this process when its standard input does.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}

/// Serves on a free port of loopback, which it prints, until standard input ends.
pub(crate) fn serve(operation: Operation) {
    serve_as(operation, Serving::default());
}

pub(crate) fn serve_as(operation: Operation, serving: Serving) {
    end_with_parent();
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("http://{}", listener.local_addr().expect("bound"));
        let service = OperationsServer::new(Constant(operation, serving.delay));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a TCP socket");
            let service = TowerToHyperService::new(service.clone());
            let mut http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            if let Some(max) = serving.max_streams {
                http2.max_concurrent_streams(max);
            }
            tokio::spawn(http2.serve_connection(TokioIo::new(stream), service));
        }
    });
}

/// The operation that trained a model: between 1 and 2 KiB, as such operations are.
pub(crate) fn finished() -> Operation {
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

/// The same without what the model's training says of itself: as most operations, less than 1 KiB.
pub(crate) fn brief() -> Operation {
    let operation = finished();
    let result = operation.result.map(|result| match result {
        Outcome::Response(response) => {
            let model: IssueModel = response.to_msg().expect("packed above");
            Outcome::Response(pack(&IssueModel { training_stats: None, ..model }))
        }
        error @ Outcome::Error(_) => error,
    });
    Operation { result, ..operation }
}

/// The same while it runs.
pub(crate) fn running() -> Operation {
    Operation { done: false, result: None, ..finished() }
}

#[derive(Clone)]
struct Constant(Operation, Duration);

#[tonic::async_trait]
impl Operations for Constant {
    async fn get_operation(&self, _: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        if !self.1.is_zero() {
            tokio::time::sleep(self.1).await;
        }
        Ok(Response::new(self.0.clone()))
    }
}
