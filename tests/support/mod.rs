//! A scripted server of operations, over HTTP/2 in memory: no socket, so that paused time moves only when
//! everything waits for it.

#![allow(dead_code, unreachable_pub, reason = "a module of each test file, which uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use contact_center_insights::any::pack;
use contact_center_insights::auth::Credentials;
use contact_center_insights::error::BoxError;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{
    CancelOperationRequest, GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Operation,
};
use contact_center_insights::{Client, Transport};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

/// The operation that tests follow.
pub const NAME: &str = "projects/p/locations/us-central1/operations/1";

/// What the server does with one call.
#[derive(Clone)]
pub enum Step {
    Answer(Box<Operation>),
    Fail(Status),
    Hang,
    /// What the time says.
    At(Arc<dyn Fn(Instant) -> Step + Send + Sync>),
}

/// One call as the server saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: &'static str,
    pub headers: MetadataMap,
    pub at: Instant,
}

/// The server's script and journal. When the script is over, the last step is repeated.
#[derive(Clone, Default)]
pub struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    cancelled: Arc<Mutex<Vec<String>>>,
    pages: Arc<Mutex<VecDeque<ListOperationsResponse>>>,
    tokens: Arc<Mutex<Vec<String>>>,
}

impl Script {
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), ..Self::default() }
    }

    pub fn with_pages(pages: impl IntoIterator<Item = ListOperationsResponse>) -> Self {
        Self { pages: Arc::new(Mutex::new(pages.into_iter().collect())), ..Self::default() }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn cancelled(&self) -> Vec<String> {
        self.cancelled.lock().unwrap().clone()
    }

    /// The page tokens that were asked for.
    pub fn tokens(&self) -> Vec<String> {
        self.tokens.lock().unwrap().clone()
    }

    /// Seconds between the calls, rounded to hundredths: timers tick in milliseconds.
    pub fn gaps(&self) -> Vec<f64> {
        let seen = self.seen();
        seen.windows(2)
            .map(|pair| match pair {
                [a, b] => ((b.at - a.at).as_secs_f64() * 100.0).round() / 100.0,
                _ => unreachable!("windows of two"),
            })
            .collect()
    }

    pub fn client(&self) -> Client {
        self.client_with(Credentials::anonymous())
    }

    pub fn client_with(&self, credentials: Credentials) -> Client {
        client_over(OperationsServer::new(self.clone()), credentials)
    }

    fn see(&self, method: &'static str, headers: &MetadataMap) {
        self.seen.lock().unwrap().push(Seen { method, headers: headers.clone(), at: Instant::now() });
    }

    fn next(&self) -> Step {
        let mut steps = self.steps.lock().unwrap();
        let step = if steps.len() > 1 { steps.pop_front() } else { steps.front().cloned() };
        match step.expect("a script") {
            Step::At(step) => step(Instant::now()),
            step => step,
        }
    }
}

/// A client whose connections are pipes to `service`.
pub fn client_over<S, B>(service: S, credentials: Credentials) -> Client
where
    S: tower::Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    // The same waits every time.
    let builder = Client::builder().with_transport(dial(service, credentials)).with_jitter_seed(7);
    builder.build().unwrap()
}

/// A transport whose connections are pipes to `service`.
pub fn dial<S, B>(service: S, credentials: Credentials) -> Transport
where
    S: tower::Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(theirs), TowerToHyperService::new(service.clone())),
        );
        async move { Ok::<_, std::io::Error>(ours) }
    };
    Transport::builder("http://localhost:1".parse().unwrap())
        .with_credentials(credentials)
        .with_connector(dial)
        .build()
        .unwrap()
}

#[tonic::async_trait]
impl Operations for Script {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.see("GetOperation", request.metadata());
        match self.next() {
            Step::Answer(operation) => Ok(Response::new(*operation)),
            Step::Fail(status) => Err(status),
            Step::Hang | Step::At(_) => std::future::pending().await,
        }
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        self.see("ListOperations", request.metadata());
        self.tokens.lock().unwrap().push(request.into_inner().page_token);
        let mut pages = self.pages.lock().unwrap();
        let last = pages.front().cloned().unwrap_or_default();
        Ok(Response::new(if pages.len() > 1 { pages.pop_front().unwrap() } else { last }))
    }

    async fn cancel_operation(
        &self,
        request: Request<CancelOperationRequest>,
    ) -> Result<Response<()>, Status> {
        self.see("CancelOperation", request.metadata());
        self.cancelled.lock().unwrap().push(request.into_inner().name);
        Ok(Response::new(()))
    }
}

pub fn answer(operation: Operation) -> Step {
    Step::Answer(Box::new(operation))
}

pub fn fail(code: Code) -> Step {
    Step::Fail(Status::new(code, "scripted"))
}

/// A refusal that asks for this delay.
pub fn retry_info(seconds: i64, nanos: i32) -> Step {
    let delay = prost_types::Duration { seconds, nanos };
    let info = contact_center_insights::proto::rpc::RetryInfo { retry_delay: Some(delay) };
    let busy = contact_center_insights::Status::new(Code::ResourceExhausted, "slow").with_detail(&info);
    Step::Fail(busy.into())
}

/// Still running; `note` makes one snapshot differ from another.
pub fn running(note: &str) -> Operation {
    let request = contact_center_insights::proto::insights::CreateIssueModelRequest {
        parent: note.to_owned(),
        ..Default::default()
    };
    let metadata = CreateIssueModelMetadata { request: Some(request), ..Default::default() };
    Operation { name: NAME.to_owned(), metadata: Some(pack(&metadata)), ..Default::default() }
}

pub fn succeeded() -> Operation {
    Operation { done: true, result: Some(Outcome::Response(pack(&model()))), ..running("end") }
}

pub fn failed(code: Code) -> Operation {
    let status = contact_center_insights::Status::new(code, "scripted").into();
    Operation { done: true, result: Some(Outcome::Error(status)), ..running("end") }
}

pub fn model() -> IssueModel {
    IssueModel { display_name: "billing".into(), ..Default::default() }
}
