//! A gateway on a loopback socket, as a company has one: it serves its own transcoding, and hands on to an emulator what
//! is for Insights.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use contact_center_insights::any::pack;
use contact_center_insights::error::BoxError;
use contact_center_insights::proto::insights::conversation_data_source::Source;
use contact_center_insights::proto::insights::{ConversationDataSource, GcsSource};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation, WaitOperationRequest,
};
use contact_center_insights::{Code, Credentials, Status as Ended, Transport};
use contact_center_insights_emulator::Emulator;
use example_workspace::proto::transcoding_server::{Transcoding, TranscodingServer};
use example_workspace::proto::{
    GetRecordingRequest, ListRecordingsRequest, ListRecordingsResponse, Recording, TranscodeMetadata,
    TranscodeRecordingRequest,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::{Request, Response, Status};
use tower::{ServiceExt as _, service_fn};

pub const RECORDING: &str = "recordings/7";
pub const OPERATION: &str = "recordings/7/operations/transcode";
const TARGET: &str = "gs://acme/7.wav";

/// The gateway, and what it saw.
pub struct Gateway {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    pub transcoder: Recorder,
    /// Stops when it is dropped.
    _emulator: Emulator,
}

impl Gateway {
    pub async fn start() -> Self {
        let emulator = Emulator::builder().with_profile("immediate".parse().unwrap());
        let emulator = emulator.with_min_training_conversations(0).start().await.unwrap();
        let insights =
            Transport::new(emulator.endpoint().parse().unwrap(), Credentials::anonymous()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, transcoder) = (Arc::new(AtomicUsize::new(0)), Recorder::default());
        tokio::spawn(accept(listener, connections.clone(), transcoder.clone(), insights));
        Self { address, connections, transcoder, _emulator: emulator }
    }

    pub fn transport(&self, credentials: Credentials) -> Transport {
        Transport::new(format!("http://{}", self.address).parse().unwrap(), credentials).unwrap()
    }
}

async fn accept(
    listener: TcpListener,
    connections: Arc<AtomicUsize>,
    recorder: Recorder,
    insights: Transport,
) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        let (recorder, insights) = (recorder.clone(), insights.clone());
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            route(request.map(Body::new), recorder.clone(), insights.clone())
        });
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::spawn(connection);
    }
}

/// Where a call belongs is seen by its path; that of an operation, by the routing header (AIP-4222).
async fn route(
    mut request: http::Request<Body>,
    recorder: Recorder,
    insights: Transport,
) -> Result<http::Response<Body>, BoxError> {
    let routing = request.headers().get("x-goog-request-params");
    let is_recording = routing.is_some_and(|value| value.as_bytes().starts_with(b"name=recordings%2F"));
    let path = request.uri().path().to_owned();
    if path.starts_with("/acme.transcoding.v1.") {
        recorder.see_token(&request);
        Ok(TranscodingServer::new(recorder).oneshot(request).await?)
    } else if path.starts_with("/google.longrunning.") && is_recording {
        recorder.see_token(&request);
        Ok(OperationsServer::new(recorder).oneshot(request).await?)
    } else {
        *request.uri_mut() = path.parse()?;
        Ok(insights.oneshot(request).await?.map(Body::new))
    }
}

/// The transcoding service: one recording, and one operation, which is done at the second look.
#[derive(Clone, Default)]
pub struct Recorder {
    /// How many of the next calls fail with UNAVAILABLE.
    pub faults: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
    is_cancelled: Arc<AtomicBool>,
    tokens: Arc<Mutex<Vec<String>>>,
    /// The pages that were asked for, and the waits in seconds.
    pub asked: Arc<Mutex<Vec<String>>>,
    is_deleted: Arc<AtomicBool>,
}

impl Recorder {
    /// The `authorization` headers that came, one a call.
    pub fn tokens(&self) -> Vec<String> {
        self.tokens.lock().unwrap().clone()
    }

    fn see_token(&self, request: &http::Request<Body>) {
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        self.tokens.lock().unwrap().push(token.unwrap_or_default().to_owned());
    }

    fn fault(&self) -> Result<(), Status> {
        let left = self.faults.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Err(Status::unavailable("scripted")) } else { Ok(()) }
    }

    fn operation(&self, percent: i32) -> Operation {
        let metadata = TranscodeMetadata { percent, warnings: Vec::new() };
        let result = if self.is_cancelled.load(Ordering::SeqCst) {
            Some(Outcome::Error(Ended::new(Code::Cancelled, "as asked").into()))
        } else {
            (percent == 100).then(|| Outcome::Response(pack(&recording())))
        };
        Operation { name: OPERATION.into(), metadata: Some(pack(&metadata)), done: result.is_some(), result }
    }
}

fn recording() -> Recording {
    let source = Source::GcsSource(GcsSource { audio_uri: TARGET.into(), ..Default::default() });
    let data_source = Some(ConversationDataSource { source: Some(source) });
    Recording { name: RECORDING.into(), data_source, ..Default::default() }
}

#[tonic::async_trait]
impl Transcoding for Recorder {
    async fn get_recording(
        &self,
        request: Request<GetRecordingRequest>,
    ) -> Result<Response<Recording>, Status> {
        self.fault()?;
        let name = request.into_inner().name;
        if name == RECORDING {
            Ok(Response::new(recording()))
        } else {
            Err(Status::not_found(format!("no recording `{name}`")))
        }
    }

    /// Five recordings, in pages of as many as are asked for.
    async fn list_recordings(
        &self,
        request: Request<ListRecordingsRequest>,
    ) -> Result<Response<ListRecordingsResponse>, Status> {
        self.fault()?;
        let ListRecordingsRequest { filter, page_size, page_token } = request.into_inner();
        self.asked.lock().unwrap().push(format!("{filter} {page_size} {page_token}"));
        let begin: i32 = page_token.parse().unwrap_or(0);
        let end = (begin + page_size).min(5);
        let recordings =
            (begin..end).map(|id| Recording { name: format!("recordings/{id}"), ..recording() }).collect();
        let next_page_token = if end < 5 { end.to_string() } else { String::new() };
        Ok(Response::new(ListRecordingsResponse { recordings, next_page_token }))
    }

    async fn transcode_recording(
        &self,
        _: Request<TranscodeRecordingRequest>,
    ) -> Result<Response<Operation>, Status> {
        Ok(Response::new(self.operation(0)))
    }
}

#[tonic::async_trait]
impl Operations for Recorder {
    async fn get_operation(&self, _: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        self.fault()?;
        let percent = if self.looks.fetch_add(1, Ordering::SeqCst) == 0 { 50 } else { 100 };
        Ok(Response::new(self.operation(percent)))
    }

    async fn list_operations(
        &self,
        _: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let operations = vec![self.operation(50)];
        Ok(Response::new(ListOperationsResponse { operations, ..Default::default() }))
    }

    async fn delete_operation(&self, _: Request<DeleteOperationRequest>) -> Result<Response<()>, Status> {
        let is_gone = self.is_deleted.swap(true, Ordering::SeqCst);
        if is_gone { Err(Status::not_found("gone")) } else { Ok(Response::new(())) }
    }

    async fn wait_operation(
        &self,
        request: Request<WaitOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.fault()?;
        let seconds = request.into_inner().timeout.unwrap_or_default().seconds;
        self.asked.lock().unwrap().push(format!("wait {seconds}"));
        Ok(Response::new(self.operation(100)))
    }

    async fn cancel_operation(&self, _: Request<CancelOperationRequest>) -> Result<Response<()>, Status> {
        self.is_cancelled.store(true, Ordering::SeqCst);
        Ok(Response::new(()))
    }
}
