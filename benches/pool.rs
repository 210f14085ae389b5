//! What more connections are worth: `GetOperation` by 512 callers at once, over the pool and over one connection alone, where
//! the server allows 100 streams on each, as Google's front ends do.
//!
//! The server is this program started again, on one thread; each call takes it 20 ms, or no time at all. While a call takes
//! time, one connection can carry no more than 100 calls in that time; where it takes none, the processor is the limit,
//! and connections are worth little. Rounds alternate, and what is compared is the median of the quotients within a
//! round. `connections` is what a client had opened at the end.
//!
//! And what a queue costs: 160,000 calls at once, all but 800 of which wait, against a quarter of them. Where the time grows
//! as the calls do, `ratio_to_quarter` is 4. Not one may fail.
//!
//! `cargo bench --bench pool`; about a minute.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may panic"
)]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

mod support;

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use contact_center_insights::{Client, Credentials, Transport};
use support::{NAME, Serving, runtime};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

const CALLERS: usize = 512;
const ROUNDS: usize = 9;
const CALLS_AT_ONCE: usize = 160_000;

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    if let ["serve", millis] = args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        let delay = Duration::from_millis(millis.parse().expect("a number"));
        return support::serve_as(support::finished(), Serving { max_streams: Some(100), delay });
    }
    let runtime = runtime();
    for (millis, calls) in [(20, 8), (0, 20)] {
        compare(&runtime, millis, calls);
    }
    queue(&runtime);
}

/// All calls at once, and a quarter of them.
fn queue(runtime: &Runtime) {
    let server = support::Server::start_with(&["0"]);
    let address = server.address.trim_start_matches("http://").to_owned();
    let seconds = [CALLS_AT_ONCE / 4, CALLS_AT_ONCE].map(|calls| {
        let (client, _) = client(runtime, &address, 8);
        // Connections are opened before the clock starts.
        run(runtime, &client, CALLERS, 4);
        calls as f64 / run(runtime, &client, calls, 1)
    });
    let [quarter, whole] = seconds;
    println!("queue calls={CALLS_AT_ONCE} seconds={whole:.2} ratio_to_quarter={:.2}", whole / quarter);
}

/// `calls` by each caller, in each round.
fn compare(runtime: &Runtime, millis: u64, calls: usize) {
    let server = support::Server::start_with(&[&millis.to_string()]);
    let address = server.address.trim_start_matches("http://").to_owned();
    let (pool, opened) = client(runtime, &address, 8);
    let (one, opened_one) = client(runtime, &address, 1);
    let single = {
        let (client, opened) = client(runtime, &address, 8);
        run(runtime, &client, 1, 20);
        opened.load(Relaxed)
    };
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let mut rates = [0.0; 2];
        for turn in 0..2 {
            let i = (round + turn) % 2;
            rates[i] = run(runtime, [&pool, &one][i], CALLERS, calls);
        }
        ratios.push(rates[0] / rates[1]);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "pool c={CALLERS} call_ms={millis} throughput_ratio={:.2} connections={} connections_alone={} \
         connections_at_c1={single}",
        ratios[ROUNDS / 2],
        opened.load(Relaxed),
        opened_one.load(Relaxed),
    );
}

fn client(runtime: &Runtime, address: &str, connections: usize) -> (Client, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let (counted, address) = (opened.clone(), address.to_owned());
    let _in_runtime = runtime.enter();
    let transport = Transport::builder("http://localhost".parse().unwrap())
        .with_credentials(Credentials::anonymous())
        .with_max_connections(connections)
        .with_connector(move || {
            counted.fetch_add(1, Relaxed);
            let address = address.clone();
            async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok::<_, std::io::Error>(stream)
            }
        })
        .build()
        .unwrap();
    (Client::builder().with_transport(transport).build().unwrap(), opened)
}

/// Calls a second.
fn run(runtime: &Runtime, client: &Client, callers: usize, calls: usize) -> f64 {
    let started = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    for _ in 0..calls {
                        client.get_operation(NAME).await.expect("every call succeeds");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    (callers * calls) as f64 / started.elapsed().as_secs_f64()
}
