//! What one client's dear calls cost the others: how long `GetOperation` takes one of them, while a neighbour keeps the
//! emulator busy.
//!
//! The emulator runs on two threads, as `cci emulator` does on a small machine; the neighbour makes one call after the
//! other on a thread of its own, and on the main thread a client asks for an operation every few milliseconds. On two
//! processors the three share what there is, so that `case=idle` says what the machine is worth.
//!
//! `cargo bench --package contact-center-insights-emulator --bench neighbours`; a minute.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that fails may panic")]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use contact_center_insights_emulator::{Emulator, Profile, Seed};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Endpoint;

const L: &str = "projects/123456789012/locations/us-central1";
/// For how long each case is watched, and how often.
const WATCHED: Duration = Duration::from_secs(8);
const EVERY: Duration = Duration::from_millis(4);
/// Where there are very many conversations.
const FULL: &str = "projects/123456789012/locations/us-east1";
const LISTED: usize = 100_000;
const CONVERSATIONS: usize = 3000;
const COMPARISONS: usize = 1000;

/// One call of the neighbour, over REST.
struct Dear {
    case: &'static str,
    verb: &'static str,
    path: String,
    body: String,
    statuses: &'static [u16],
}

fn main() {
    let address = emulator();
    let runtime = runtime();
    let channel = Endpoint::new(format!("http://{address}")).unwrap();
    let client = OperationsClient::new(runtime.block_on(channel.connect()).unwrap());
    for dear in cases() {
        let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let neighbour = {
            let (address, stop, made) = (address.clone(), Arc::clone(&stop), Arc::clone(&made));
            let case = dear.case;
            let thread = std::thread::spawn(move || keep_busy(&address, &dear, &stop, &made));
            (case, thread)
        };
        let before = resident();
        let mut times = runtime.block_on(watch(&client));
        stop.store(true, Ordering::Relaxed);
        neighbour.1.join().unwrap();
        times.sort_unstable();
        let at = |share: usize| {
            let place = (times.len() * share / 1000).min(times.len() - 1);
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        println!(
            "neighbours case={} calls={} dear_calls={} p50_ms={:.2} p99_ms={:.2} max_ms={:.2} \
             rss_before_mb={:.0} rss_after_mb={:.0}",
            neighbour.0,
            times.len(),
            made.load(Ordering::Relaxed),
            at(500),
            at(990),
            at(1000),
            before,
            resident(),
        );
    }
}

/// Megabytes of this process that are in memory, its clients and all; a page has 4096 bytes.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0 / 1e6
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// How long each call took.
async fn watch(client: &OperationsClient<tonic::transport::Channel>) -> Vec<Duration> {
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < WATCHED {
        let started = Instant::now();
        let request = GetOperationRequest { name: format!("{L}/operations/1") };
        client.clone().get_operation(request).await.unwrap();
        times.push(started.elapsed());
        tokio::time::sleep(EVERY).await;
    }
    times
}

fn keep_busy(address: &str, dear: &Dear, stop: &AtomicBool, made: &AtomicUsize) {
    if dear.verb.is_empty() {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime().block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{address}/v1/{}", dear.path);
        while !stop.load(Ordering::Relaxed) {
            let request = http.request(dear.verb.parse().unwrap(), &url).body(dear.body.clone());
            let mut answer = request.send().await.unwrap();
            assert!(dear.statuses.contains(&answer.status().as_u16()), "{}: {}", dear.case, answer.status());
            while answer.chunk().await.unwrap().is_some() {}
            made.fetch_add(1, Ordering::Relaxed);
        }
    });
}

fn cases() -> Vec<Dear> {
    let one = |case, verb, path: &str, body: String, statuses| Dear {
        case,
        verb,
        path: path.to_owned(),
        body,
        statuses,
    };
    let comparisons: Vec<String> =
        (0..COMPARISONS).map(|number| format!("labels.key{}%3D%22{number}%22", number % 64)).collect();
    let filter = format!("{L}/conversations?filter={}", comparisons.join("%20OR%20"));
    vec![
        one("idle", "", "", String::new(), &[200]),
        one("analysis", "POST", &format!("{L}/conversations/large/analyses"), "{}".into(), &[200]),
        // It is refused as too much work, or answered: that the others do not wait is what counts.
        one("filter", "GET", &filter, String::new(), &[200, 400]),
        one("bad_body", "POST", &format!("{L}/conversations"), bad_body(), &[400]),
        one("long_list", "GET", &format!("{FULL}/conversations?pageSize={LISTED}"), String::new(), &[200]),
    ]
}

/// 60 MB of JSON that is wrong in its last byte.
fn bad_body() -> String {
    let label = r#""key": "a value of some length, as labels have it", "#;
    format!("{{\"labels\": {{{}]", label.repeat(60_000_000 / label.len()))
}

fn emulator() -> String {
    let (ready, address) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let builder = Emulator::builder().with_profile(Profile::immediate()).with_journal_limit(0);
            let emulator = builder.with_seed(seed()).start().await.unwrap();
            let operation = Operation { name: format!("{L}/operations/1"), ..Operation::default() };
            emulator.put_operation(operation).unwrap();
            ready.send(emulator.host()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    address.recv().unwrap()
}

/// A conversation with 3 MB of transcript, many with labels, and very many elsewhere.
fn seed() -> Seed {
    let said = "I called on Monday about order 4711 of Acme Shipping, and paid $20.50 for a refund that is terrible. ";
    let segment = |number: usize| {
        json!({
            "text": said.repeat(3),
            "channelTag": 1 + number % 2,
            "segmentParticipant": {"role": if number.is_multiple_of(2) { "END_USER" } else { "HUMAN_AGENT" }},
        })
    };
    let segments: Vec<Value> = (0..3_000_000 / (said.len() * 3)).map(segment).collect();
    let large =
        json!({"name": format!("{L}/conversations/large"), "transcript": {"transcriptSegments": segments}});
    let labelled = (0..CONVERSATIONS).map(|number| {
        let labels: serde_json::Map<String, Value> =
            (0..64).map(|key| (format!("key{key}"), Value::String(format!("value-{number}")))).collect();
        json!({"name": format!("{L}/conversations/call-{number}"), "labels": labels})
    });
    let listed = (0..LISTED).map(|number| {
        json!({"name": format!("{FULL}/conversations/call-{number}"), "agentId": format!("{}", number % 100)})
    });
    let conversations: Vec<Value> = std::iter::once(large).chain(labelled).chain(listed).collect();
    Seed::from_json(&json!({"conversations": conversations}).to_string()).unwrap()
}
