//! What a call costs: `GetOperation` of the emulator, over gRPC and over REST, against a bare tonic server that answers
//! the same call with a constant.
//!
//! Each server has a thread of its own, and one client of each kind asks them in turn, so that a busy machine disturbs
//! all alike; what is compared is the median over the rounds of the quotient within a round.
//!
//! `cargo bench --package contact-center-insights-emulator --bench calls`; half a minute.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that fails may panic")]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::future::Future;
use std::sync::mpsc;
use std::time::Instant;

use contact_center_insights::json;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use contact_center_insights_emulator::Emulator;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

const NAME: &str = "projects/p/locations/us-central1/operations/1";
const DOCUMENTED: &str = include_str!("../tests/data/documented_operation.json");
const ROUNDS: usize = 31;
const CALLS: usize = 2000;
const AT_ONCE: usize = 16;

fn main() {
    let (ours, bare) = (emulator(), bare());
    let runtime = runtime();
    let [ours_grpc, bare_grpc] = [&ours, &bare].map(|address| runtime.block_on(grpc(address)));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{ours}/v1/{NAME}");
    let time = |kind: usize| {
        let started = Instant::now();
        runtime.block_on(at_once(|| async {
            match kind {
                0 => get(&ours_grpc).await,
                1 => get(&bare_grpc).await,
                _ => {
                    let answer = http.get(&url).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    assert!(answer.bytes().await.unwrap().len() > 500);
                }
            }
        }));
        started.elapsed().as_secs_f64() / CALLS as f64
    };
    for kind in 0..3 {
        time(kind);
    }
    let rounds: Vec<[f64; 3]> = (0..ROUNDS).map(|_| [time(0), time(1), time(2)]).collect();
    let median = |of: &dyn Fn(&[f64; 3]) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(ROUNDS / 2).copied().unwrap_or_default()
    };
    println!(
        "calls grpc_us={:.1} bare_us={:.1} rest_us={:.1} grpc_over_bare={:.2} rest_over_bare={:.2}",
        median(&|round| round[0]) * 1e6,
        median(&|round| round[1]) * 1e6,
        median(&|round| round[2]) * 1e6,
        median(&|round| round[1] / round[0]),
        median(&|round| round[1] / round[2]),
    );
}

async fn at_once<F: Future<Output = ()>>(call: impl Fn() -> F) {
    let call = &call;
    let callers = (0..AT_ONCE).map(|_| async move {
        for _ in 0..CALLS / AT_ONCE {
            call().await;
        }
    });
    // All on this task, until the last one is ready.
    let mut pinned: Vec<_> = callers.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        pinned.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if pinned.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

async fn get(client: &OperationsClient<Channel>) {
    let request = GetOperationRequest { name: NAME.into() };
    let operation = client.clone().get_operation(request).await.unwrap().into_inner();
    assert!(operation.metadata.is_some());
}

async fn grpc(address: &str) -> OperationsClient<Channel> {
    OperationsClient::new(Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What both servers answer with.
fn operation() -> Operation {
    let value = serde_json::from_str(DOCUMENTED).unwrap();
    Operation { name: NAME.into(), ..json::to_operation(&value).unwrap() }
}

/// Starts a server on a thread of its own; gives its address.
fn serve<F: Future<Output = ()>>(start: impl FnOnce(mpsc::Sender<String>) -> F + Send + 'static) -> String {
    let (ready, address) = mpsc::channel();
    std::thread::spawn(move || runtime().block_on(start(ready)));
    address.recv().unwrap()
}

fn emulator() -> String {
    serve(|ready| async move {
        let emulator = Emulator::builder().start().await.unwrap();
        emulator.put_operation(operation()).unwrap();
        ready.send(emulator.host()).unwrap();
        std::future::pending::<()>().await;
    })
}

fn bare() -> String {
    serve(|ready| async move {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap().with_nodelay(Some(true));
        ready.send(incoming.local_addr().unwrap().to_string()).unwrap();
        let service = OperationsServer::new(Constant(operation()));
        Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
    })
}

struct Constant(Operation);

#[tonic::async_trait]
impl Operations for Constant {
    async fn get_operation(&self, _: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        Ok(Response::new(self.0.clone()))
    }
}
