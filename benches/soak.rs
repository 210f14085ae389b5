//! Ten minutes of what goes wrong in months: GOAWAY on every connection every 2 s, all connections killed every 5 s, tokens
//! that live 10 s, and a metadata server that fails three times in ten. What must hold: no read fails, no operation is
//! lost, and memory stays flat.
//!
//! - Reads: 16 callers, each a `GetOperation` every 40 ms or so, with the client's defaults.
//! - Operations: 20 at a time, each followed to its end, which comes 5 s after its first poll.
//! - The server is this program started again: gRPC over hyper, which takes only tokens that have not ended, and the
//!   metadata server beside it over HTTP/1.1. A third of its failures is an HTTP 503, a third a 404, a third torn JSON.
//! - Memory: resident set of this process; the median of the second minute (or fifth) against that of the last.
//!
//! `cargo bench --bench soak`; ten minutes, or `-- --seconds N`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may panic"
)]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

#[path = "soak/server.rs"]
mod server;
mod support;

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::error::BoxError;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::{Client, Poller};
use support::{NAME, Server};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const READERS: u64 = 16;
const FOLLOWED: u64 = 20;

#[derive(Default)]
struct Counts {
    reads: AtomicU64,
    failed_reads: AtomicU64,
    operations: AtomicU64,
    lost_operations: AtomicU64,
    token_fetches: AtomicU64,
    failed_fetches: AtomicU64,
}

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "serve") {
        return server::serve();
    }
    // reqwest has none of its own in this workspace, and wants one even for plain HTTP.
    rustls::crypto::ring::default_provider().install_default().expect("nobody else installs one");
    let seconds = args.iter().skip_while(|arg| *arg != "--seconds").nth(1);
    let seconds = seconds.map_or(600, |text| text.parse().expect("a number of seconds"));
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(soak(seconds));
}

async fn soak(seconds: u64) {
    let server = Server::start();
    let (grpc, metadata) = server.address.split_once(' ').expect("two addresses");
    let counts = Arc::new(Counts::default());
    let credentials = Credentials::from_source(source(metadata.to_owned(), counts.clone()));
    let client = Client::builder().with_endpoint(grpc).with_credentials(credentials).build().unwrap();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for reader in 0..READERS {
        tasks.spawn(read(client.clone(), reader, end, counts.clone()));
    }
    for follower in 0..FOLLOWED {
        tasks.spawn(follow(client.clone(), follower, end, counts.clone()));
    }
    let resident = tokio::spawn(watch_memory(end));
    tasks.join_all().await;
    let resident = resident.await.unwrap();
    let part = resident.len() / 5;
    let (early, late) = (median(&resident[part..2 * part]), median(&resident[4 * part..]));
    let read = |count: &AtomicU64| count.load(Relaxed);
    println!(
        "soak seconds={seconds} reads={} failed_reads={} operations={} lost_operations={} token_fetches={} \
         failed_fetches={} rss_kib_early={early} rss_kib_late={late} rss_ratio={:.3}",
        read(&counts.reads),
        read(&counts.failed_reads),
        read(&counts.operations),
        read(&counts.lost_operations),
        read(&counts.token_fetches),
        read(&counts.failed_fetches),
        late as f64 / early as f64,
    );
}

async fn read(client: Client, reader: u64, end: Instant, counts: Arc<Counts>) {
    while Instant::now() < end {
        counts.reads.fetch_add(1, Relaxed);
        if let Err(error) = client.get_operation(NAME).await {
            counts.failed_reads.fetch_add(1, Relaxed);
            eprintln!("a read failed: {error:?}");
        }
        sleep(Duration::from_millis(32 + reader)).await;
    }
}

async fn follow(client: Client, follower: u64, end: Instant, counts: Arc<Counts>) {
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        counts.operations.fetch_add(1, Relaxed);
        let name = format!("projects/p/locations/us-central1/operations/{follower}x{number}");
        let poller: Poller<IssueModel, CreateIssueModelMetadata> = client.poller(name).unwrap();
        if let Err(error) = poller.await {
            counts.lost_operations.fetch_add(1, Relaxed);
            eprintln!("an operation was lost: {error:?}");
        }
    }
}

/// Asks the metadata server, as a backend would.
fn source(
    url: String,
    counts: Arc<Counts>,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = Result<Token, BoxError>> + Send>> + Send + Sync {
    move || {
        let (url, counts) = (url.clone(), counts.clone());
        Box::pin(async move {
            counts.token_fetches.fetch_add(1, Relaxed);
            let fetched = fetch(&url).await;
            counts.failed_fetches.fetch_add(u64::from(fetched.is_err()), Relaxed);
            fetched
        })
    }
}

async fn fetch(url: &str) -> Result<Token, BoxError> {
    let reply = reqwest::Client::new().get(url).header("Metadata-Flavor", "Google").send().await?;
    let answer: serde_json::Value = reply.error_for_status()?.json().await?;
    let token = answer.get("access_token").and_then(serde_json::Value::as_str).ok_or("no token")?;
    let life = answer.get("expires_in").and_then(serde_json::Value::as_u64).ok_or("no lifetime")?;
    Ok(Token::new(token)?.expires_in(Duration::from_secs(life)))
}

/// KiB, once a second.
async fn watch_memory(end: Instant) -> Vec<u64> {
    let mut samples = Vec::new();
    while Instant::now() < end {
        sleep(Duration::from_secs(1)).await;
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        samples
            .push(line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).expect("a number"));
    }
    samples
}

fn median(samples: &[u64]) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().expect("at least ten seconds")
}
