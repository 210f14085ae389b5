//! What this client costs over the bare generated stub: `GetOperation`, and its metadata and response decoded.
//!
//! Three variants ask the same server process for the same finished operation over loopback: this client; the
//! generated stub over a plain tonic channel, whose interceptor sends the same headers from constants; and the same
//! stub, which sends the token alone. In each round every variant makes its calls in turn, and what is compared is
//! the median over the rounds of the quotient within a round, so that a busy machine disturbs both sides alike.
//! Nothing is done to favour a side: the stub's channel has no HTTP/2 keepalive, which ours has and pays for.
//!
//! - CPU is that of this process (`CLOCK_PROCESS_CPUTIME_ID`); the server is this program started again, and does
//!   not count. Each side runs on one thread: on two cores that is steadier than two workers a side.
//! - Allocations are counted by `allocation-counter`, whose bookkeeping costs every variant the same for each.
//! - Instructions are counted by callgrind, one caller at a time: this program under valgrind makes a few calls,
//!   then 10,000 more, and the difference counts. Without valgrind the ratio is `unmeasured`.
//!
//! `cargo bench --bench overhead`; under two minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that fails may panic"
)]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

mod support;

use std::env;
use std::process::Command;
use std::time::Instant;

use contact_center_insights::Client;
use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::lro::Operation;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::GetOperationRequest;
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use support::{NAME, Server, TOKEN, cpu_time, runtime};
use tokio::runtime::Runtime;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

const VARIANTS: [&str; 3] = ["client", "stub", "token-only"];
const CONCURRENCY: [usize; 3] = [1, 16, 64];
const ROUNDS: usize = 41;
/// Calls of one variant in one round: about a tenth of a second.
const CALLS: [usize; 3] = [1_500, 3_200, 3_840];
const COUNTED_CALLS: usize = 10_000;
const WARM_UP: usize = 500;

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => support::serve(support::finished()),
        ["call", variant, address, callers, calls] => {
            let number = |text: &str| text.parse().expect("a number");
            let runtime = runtime();
            let variant = runtime.block_on(Variant::new(variant, address));
            runtime.block_on(variant.run(number(callers), number(calls)));
        }
        _ => compare(),
    }
}

fn compare() {
    let server = Server::start();
    let instructions = VARIANTS.map(|variant| instructions(variant, &server.address));
    let runtime = runtime();
    let variants = VARIANTS.map(|name| runtime.block_on(Variant::new(name, &server.address)));
    for variant in &variants {
        runtime.block_on(variant.run(16, WARM_UP));
    }
    let mut summary = Vec::new();
    println!(
        "{:>3} {:<11} {:>9} {:>9} {:>12} {:>13}",
        "c", "variant", "cpu us", "calls/s", "allocations", "instructions"
    );
    for (callers, calls) in CONCURRENCY.into_iter().zip(CALLS) {
        let rounds: Vec<[Sample; 3]> =
            (0..ROUNDS).map(|round| sample_round(round, &runtime, &variants, callers, calls)).collect();
        let allocations = variants.each_ref().map(|variant| {
            let run = || runtime.block_on(variant.run(callers, calls));
            allocation_counter::measure(run).count_total as f64 / calls as f64
        });
        for (i, name) in VARIANTS.into_iter().enumerate() {
            let cpu = median(rounds.iter().map(|round| round[i].cpu));
            let rate = median(rounds.iter().map(|round| 1.0 / round[i].wall));
            let counted = instructions[i].map_or("unmeasured".to_owned(), |n| format!("{n:.0}"));
            println!(
                "{callers:>3} {name:<11} {:>9.2} {rate:>9.0} {:>12.1} {counted:>13}",
                cpu * 1e6,
                allocations[i]
            );
        }
        let cpu_ratio = median(rounds.iter().map(|[ours, stub, _]| ours.cpu / stub.cpu));
        let cpu_ratio_vs_token_only = median(rounds.iter().map(|[ours, _, token]| ours.cpu / token.cpu));
        let throughput_ratio = median(rounds.iter().map(|[ours, stub, _]| stub.wall / ours.wall));
        let instructions_ratio = match instructions {
            [Some(ours), Some(stub), _] => format!("{:.3}", ours / stub),
            _ => "unmeasured".to_owned(),
        };
        let extra = ((allocations[0] - allocations[1]) * 10.0).round() / 10.0;
        summary.push(format!(
            "overhead c={callers} cpu_ratio={cpu_ratio:.3} throughput_ratio={throughput_ratio:.3} \
             instructions_ratio={instructions_ratio} allocations={extra} \
             cpu_ratio_vs_token_only={cpu_ratio_vs_token_only:.3}"
        ));
    }
    println!("{}", summary.join("\n"));
}

/// Seconds a call.
#[derive(Clone, Copy, Default)]
struct Sample {
    cpu: f64,
    wall: f64,
}

/// One sample of each variant; who goes first changes from round to round.
fn sample_round(
    round: usize,
    runtime: &Runtime,
    variants: &[Variant; 3],
    callers: usize,
    calls: usize,
) -> [Sample; 3] {
    let mut samples = [Sample::default(); 3];
    for turn in 0..3 {
        let i = (round + turn) % 3;
        let (cpu, wall) = (cpu_time(), Instant::now());
        runtime.block_on(variants[i].run(callers, calls));
        let calls = calls as f64;
        samples[i] = Sample {
            cpu: cpu_time().saturating_sub(cpu).as_secs_f64() / calls,
            wall: wall.elapsed().as_secs_f64() / calls,
        };
    }
    samples
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Instructions a call; `None` without valgrind.
fn instructions(variant: &str, address: &str) -> Option<f64> {
    let collected = |calls: usize| -> Option<f64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe().ok()?)
            .args(["call", variant, address, "1", &calls.to_string()])
            .output()
            .ok()?;
        // `==123== Collected : 1234567`
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
    };
    let few = collected(WARM_UP)?;
    Some((collected(WARM_UP + COUNTED_CALLS)? - few) / COUNTED_CALLS as f64)
}

/// A call that is made again and again by concurrent callers, each with its own clone, over one connection.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a box would burden the stub")]
enum Variant {
    Client(Client),
    Stub(OperationsClient<InterceptedService<Channel, Headers>>),
}

impl Variant {
    async fn new(name: &str, address: &str) -> Self {
        if name == "client" {
            let token = Credentials::from_token(Token::new(TOKEN).unwrap());
            return Self::Client(
                Client::builder().with_endpoint(address).with_credentials(token).build().unwrap(),
            );
        }
        let channel = Channel::from_shared(address.to_owned()).unwrap().connect().await.expect("the server");
        let headers = Headers::new(name == "stub");
        Self::Stub(OperationsClient::with_interceptor(channel, headers))
    }

    async fn run(&self, callers: usize, calls: usize) {
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let mut caller = self.clone();
                tokio::spawn(async move {
                    for _ in 0..calls / callers {
                        caller.call().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("every call succeeds");
        }
    }

    async fn call(&mut self) {
        let (metadata, model): (CreateIssueModelMetadata, IssueModel) = match self {
            Self::Client(client) => {
                let operation: Operation<IssueModel, CreateIssueModelMetadata> =
                    client.get_operation(NAME).await.unwrap().cast();
                (operation.metadata().unwrap().unwrap(), operation.result().unwrap().unwrap())
            }
            Self::Stub(stub) => {
                let request = GetOperationRequest { name: NAME.to_owned() };
                let operation = stub.get_operation(request).await.unwrap().into_inner();
                let Some(Outcome::Response(response)) = operation.result else { panic!("it succeeded") };
                (operation.metadata.unwrap().to_msg().unwrap(), response.to_msg().unwrap())
            }
        };
        assert!(metadata.end_time.is_some() && model.issue_count == support::ISSUES);
    }
}

/// What the client sends, as constants; `others` is empty for the stub that sends the token alone.
#[derive(Clone)]
struct Headers {
    token: MetadataValue<Ascii>,
    others: Vec<(&'static str, MetadataValue<Ascii>)>,
}

impl Headers {
    fn new(all: bool) -> Self {
        let mut token: MetadataValue<Ascii> = format!("Bearer {TOKEN}").parse().unwrap();
        token.set_sensitive(true);
        let others = [
            ("x-goog-request-params", support::ROUTING),
            ("x-goog-api-client", "gl-rust/1.95.0 gapic/0.1.0 grpc/0.14-tonic"),
            ("grpc-timeout", "60001m"),
        ];
        let others = others.map(|(name, value)| (name, MetadataValue::from_static(value)));
        Self { token, others: if all { others.into() } else { Vec::new() } }
    }
}

impl tonic::service::Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers = request.metadata_mut();
        headers.insert("authorization", self.token.clone());
        for (name, value) in &self.others {
            headers.insert(*name, value.clone());
        }
        Ok(request)
    }
}
