//! What a call over REST costs the server, against the same call over gRPC: processor time, not time that passes.
//!
//! The emulator has a runtime of its own; the client is on the main thread, and all other threads of the process are the
//! emulator's. Both transports are asked in turn, round by round, so that a busy machine disturbs both alike; what is
//! printed is the median over the rounds of the quotient within a round. For how long a thread had a processor is read
//! from `/proc/self/task/*/schedstat`, so that this bench is for Linux.
//!
//! `cargo bench --package contact-center-insights-emulator --bench rest`; under a minute.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that fails may panic")]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::fs;
use std::sync::mpsc;

use contact_center_insights::json;
use contact_center_insights::proto::insights::contact_center_insights_client::ContactCenterInsightsClient;
use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, ListConversationsRequest, UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::proto::longrunning::{GetOperationRequest, ListOperationsRequest, Operation};
use contact_center_insights_emulator::Emulator;
use tokio::runtime::Builder;
use tonic::transport::{Channel, Endpoint};

const L: &str = "projects/p/locations/us-central1";
/// Where nothing but what is created by this bench is.
const M: &str = "projects/p/locations/us-east1";
const DOCUMENTED: &str = include_str!("../tests/data/documented_operation.json");
const ROUNDS: usize = 31;
const AT_ONCE: usize = 16;
/// What the lists are long.
const LISTED: usize = 100;

/// What is asked, and how often in a round.
#[derive(Clone, Copy)]
enum Call {
    Get,
    Conversations,
    Operations,
    Create,
}

const CALLS: [(Call, &str, usize); 4] = [
    (Call::Get, "get_operation", 1600),
    (Call::Conversations, "list_conversations", 160),
    (Call::Operations, "list_operations", 160),
    (Call::Create, "create_conversation", 800),
];

struct Clients {
    insights: ContactCenterInsightsClient<Channel>,
    operations: OperationsClient<Channel>,
    http: reqwest::Client,
    base: String,
}

fn main() {
    let address = emulator();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let clients = runtime.block_on(Clients::new(&address));
    runtime.block_on(clients.fill());
    for (call, name, count) in CALLS {
        let measure = |is_rest: bool| {
            let before = others();
            runtime.block_on(at_once(count, |number| {
                let clients = &clients;
                async move {
                    if is_rest { clients.rest(call, number).await } else { clients.grpc(call, number).await }
                }
            }));
            (others() - before) as f64 / count as f64 / 1e3
        };
        for is_rest in [false, true, false, true] {
            measure(is_rest);
        }
        let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (measure(false), measure(true))).collect();
        println!(
            "rest call={name} grpc_us={:.1} rest_us={:.1} cpu_ratio={:.2}",
            median(rounds.iter().map(|round| round.0)),
            median(rounds.iter().map(|round| round.1)),
            median(rounds.iter().map(|round| round.1 / round.0)),
        );
    }
}

/// Makes calls, some of them at once: a server that sleeps between two calls is measured waking up.
async fn at_once<F: Future<Output = ()>>(count: usize, call: impl Fn(usize) -> F) {
    let call = &call;
    let callers = (0..AT_ONCE).map(|first| async move {
        for number in (first..count).step_by(AT_ONCE) {
            call(number).await;
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

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Nanoseconds that the threads beside this one have had a processor.
fn others() -> u64 {
    let own = fs::read_link("/proc/thread-self").unwrap();
    let threads = fs::read_dir("/proc/self/task").unwrap().map(Result::unwrap);
    let threads = threads.filter(|thread| Some(thread.file_name().as_os_str()) != own.file_name());
    // One that has just ended has nothing to say.
    let spent = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    spent.map(|stat| stat.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn emulator() -> String {
    let (ready, address) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let emulator = Emulator::builder().start().await.unwrap();
            let value = serde_json::from_str(DOCUMENTED).unwrap();
            let operation =
                Operation { name: format!("{L}/operations/1"), ..json::to_operation(&value).unwrap() };
            emulator.put_operation(operation).unwrap();
            ready.send(emulator.host()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    address.recv().unwrap()
}

fn conversation(number: usize) -> Conversation {
    Conversation {
        agent_id: format!("agent-{}", number % 10),
        language_code: "en-US".into(),
        labels: [("team".to_owned(), "a".to_owned()), ("number".to_owned(), number.to_string())].into(),
        obfuscated_user_id: format!("user-{number}"),
        ..Conversation::default()
    }
}

impl Clients {
    async fn new(address: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = format!("http://{address}");
        let channel = Endpoint::new(base.clone()).unwrap().connect().await.unwrap();
        Self {
            insights: ContactCenterInsightsClient::new(channel.clone()),
            operations: OperationsClient::new(channel),
            http: reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap(),
            base: format!("{base}/v1"),
        }
    }

    /// Makes what the lists show.
    async fn fill(&self) {
        for number in 0..LISTED {
            self.create(L, number).await;
            let request = UploadConversationRequest {
                parent: L.into(),
                conversation: Some(conversation(number)),
                ..UploadConversationRequest::default()
            };
            self.insights.clone().upload_conversation(request).await.unwrap();
        }
    }

    async fn create(&self, parent: &str, number: usize) {
        let request = CreateConversationRequest {
            parent: parent.into(),
            conversation: Some(conversation(number)),
            ..CreateConversationRequest::default()
        };
        self.insights.clone().create_conversation(request).await.unwrap();
    }

    async fn grpc(&self, call: Call, number: usize) {
        match call {
            Call::Get => {
                let request = GetOperationRequest { name: format!("{L}/operations/1") };
                self.operations.clone().get_operation(request).await.unwrap();
            }
            Call::Conversations => {
                let request =
                    ListConversationsRequest { parent: L.into(), page_size: 100, ..Default::default() };
                let page = self.insights.clone().list_conversations(request).await.unwrap().into_inner();
                assert_eq!(page.conversations.len(), LISTED);
            }
            Call::Operations => {
                let request = ListOperationsRequest { name: L.into(), page_size: 100, ..Default::default() };
                let page = self.operations.clone().list_operations(request).await.unwrap().into_inner();
                assert_eq!(page.operations.len(), LISTED);
            }
            Call::Create => self.create(M, number).await,
        }
    }

    async fn rest(&self, call: Call, number: usize) {
        let base = &self.base;
        let request = match call {
            Call::Get => self.http.get(format!("{base}/{L}/operations/1")),
            Call::Conversations => self.http.get(format!("{base}/{L}/conversations?pageSize=100")),
            Call::Operations => self.http.get(format!("{base}/{L}/operations?pageSize=100")),
            Call::Create => {
                let body = json::from_message(&conversation(number)).unwrap().to_string();
                self.http.post(format!("{base}/{M}/conversations")).body(body)
            }
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.unwrap().len() > 100);
    }
}
