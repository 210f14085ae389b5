//! What 10,000 pollers in one process cost while they wait, each a task that awaits `until_done` over one operation
//! that goes on and on.
//!
//! - Memory: what the thread holds more on the heap (`allocation-counter`) when each has polled once and waits than
//!   before they were started, with tasks, names and last answers. The connection has been through as many calls
//!   before, so that what it keeps of a crowd is not counted.
//! - CPU: that of this process (`CLOCK_PROCESS_CPUTIME_ID`) in real time; the server is this program started again,
//!   and does not count. The interval is 30 s from the first wait on. `cpu_percent` is over 4 s in which no poll is due:
//!   what waiting costs. `polling_cpu_percent` is over 30 s in which every poller polls: some 350 calls a second, each
//!   by itself.
//! - Spread (`peak_over_mean`), in virtual time: 10,000 pollers start in the same second, and their polls are counted
//!   second by second for ten minutes from when the last of them has reached the longest wait.
//! - `schedule`, in virtual time: 1,000 operations that end evenly between 30 and 90 s, a poller each; `calls` is how often
//!   they ask in all, `lag_mean_s` how late they notice the end.
//! - `budget`, in virtual time: 10,000 pollers for an hour at the documented quota of 3,000 calls a minute, while the
//!   client makes a call of its own each second; `own_latency_ratio` is that of these calls to an idle client's.
//!
//! `cargo bench --bench pollers`; a minute and a half.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that fails may panic"
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are small and positive, or chance"
)]

mod support;
#[path = "support/virtual_time.rs"]
mod virtual_time;

use std::env;
use std::future::{Future, IntoFuture as _};
use std::mem::size_of_val;
use std::time::{Duration, Instant};

use contact_center_insights::Client;
use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::call::Budget;
use contact_center_insights::lro::{PollPolicy, Poller};
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use support::{NAME, Server, TOKEN, cpu_time, runtime};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use virtual_time::Server as VirtualServer;

type Training = Poller<IssueModel, CreateIssueModelMetadata>;

const POLLERS: usize = 10_000;
const INTERVAL: Duration = Duration::from_secs(30);

fn main() {
    if env::args().nth(1).as_deref() == Some("serve") {
        return support::serve(support::running());
    }
    let server = Server::start();
    let runtime = runtime();
    let token = Credentials::from_token(Token::new(TOKEN).unwrap());
    let client = runtime
        .block_on(async { Client::builder().with_endpoint(&server.address).with_credentials(token).build() })
        .unwrap();
    runtime.block_on(crowd(&client));

    let started = Instant::now();
    // The second poll is due after a third of the interval at the earliest.
    let heap = allocation_counter::measure(|| runtime.block_on(start(&client))).bytes_current;
    assert!(started.elapsed() < INTERVAL / 3, "too slow: no moment in which all pollers wait");
    let bytes_each = heap as f64 / POLLERS as f64;
    let mut one = poller(&client, 0);
    println!("bytes of heap each={bytes_each:.0}, of these the future={}", size_of_val(&one.until_done()));

    let idle = percent_of_a_core(&runtime, Duration::from_secs(4));
    assert!(started.elapsed() < INTERVAL / 3, "too slow: a poll was due");
    // Until all have made their second poll, after which the waits are the policy's steady ones.
    sleep(&runtime, (INTERVAL + INTERVAL / 10).saturating_sub(started.elapsed()));
    let polling = percent_of_a_core(&runtime, INTERVAL);

    let peak_over_mean = in_virtual_time(peak_over_mean());
    println!(
        "pollers n={POLLERS} bytes_each={bytes_each:.0} cpu_percent={idle:.3} \
         peak_over_mean={peak_over_mean:.2} polling_cpu_percent={polling:.2}"
    );
    let (calls, lag) = in_virtual_time(schedule());
    println!("schedule calls={calls} lag_mean_s={lag:.1}");
    let Hour { busiest_minute, refused, gave_up, own_latency_ratio } = in_virtual_time(hour());
    println!(
        "budget pollers={POLLERS} busiest_minute={busiest_minute} refused={refused} gave_up={gave_up} \
         own_latency_ratio={own_latency_ratio:.2}"
    );
}

fn poller(client: &Client, number: usize) -> Training {
    let policy = PollPolicy::default().with_first_wait(INTERVAL).with_max_wait(INTERVAL);
    let poller: Training = client.poller(format!("{}{number:05}", NAME.trim_end_matches("67890"))).unwrap();
    poller.with_policy(policy)
}

/// As many calls at once as pollers will make.
async fn crowd(client: &Client) {
    let calls: Vec<_> =
        (0..POLLERS).map(|_| tokio::spawn(client.get_operation(NAME).into_future())).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

/// Starts the pollers, and returns when each has polled once.
async fn start(client: &Client) {
    for number in 0..POLLERS {
        let mut poller = poller(client, number);
        tokio::spawn(async move { poller.until_done().await.expect("it never ends") });
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
}

fn sleep(runtime: &Runtime, time: Duration) {
    runtime.block_on(async { tokio::time::sleep(time).await });
}

fn percent_of_a_core(runtime: &Runtime, window: Duration) -> f64 {
    let (cpu, wall) = (cpu_time(), Instant::now());
    sleep(runtime, window);
    100.0 * cpu_time().saturating_sub(cpu).as_secs_f64() / wall.elapsed().as_secs_f64()
}

/// Runs in virtual time, on a runtime of its own.
fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(run)
}

/// The busiest second over the mean one, of pollers that started in the same second and have reached the longest wait.
async fn peak_over_mean() -> f64 {
    let server = VirtualServer::start(Vec::new(), u32::MAX, 1);
    let client = server.client(None);
    let policy = PollPolicy::default().with_first_wait(Duration::from_secs(1));
    for number in 0..POLLERS {
        let poller: Training = client.poller(VirtualServer::name(number)).unwrap();
        let mut poller = poller.with_policy(policy.clone());
        tokio::spawn(async move { poller.until_done().await });
    }
    tokio::time::sleep(Duration::from_secs(800)).await;
    let seconds = &server.per_second()[180..780];
    let mean = f64::from(seconds.iter().sum::<u32>()) / seconds.len() as f64;
    f64::from(*seconds.iter().max().unwrap()) / mean
}

/// Calls and mean lag in seconds over operations that end after 30 to 90 s, one Get each.
async fn schedule() -> (u64, f64) {
    let ends = (0..1_000).map(|number| Duration::from_millis(30_000 + number * 60)).collect();
    let server = VirtualServer::start(ends, u32::MAX, 1);
    let client = server.client(None);
    let mut waiting = JoinSet::new();
    for number in 0..1_000 {
        let started = VirtualServer::running(VirtualServer::name(number));
        let mut poller = client.operations().follow::<IssueModel, CreateIssueModelMetadata>(started);
        let end = server.ends(number);
        waiting.spawn(async move {
            poller.until_done().await.unwrap();
            end.elapsed().as_secs_f64()
        });
    }
    let lags = waiting.join_all().await;
    (server.calls(), lags.iter().sum::<f64>() / lags.len() as f64)
}

/// What 10,000 pollers for an hour against the documented quota come to.
struct Hour {
    busiest_minute: u32,
    refused: u64,
    gave_up: usize,
    own_latency_ratio: f64,
}

async fn hour() -> Hour {
    let quota = Budget::default().calls_per_minute();
    let server = VirtualServer::start(Vec::new(), quota, 2);
    let client = server.client(Some(Budget::default()));
    let idle = latency(&client).await;
    let mut waiting = JoinSet::new();
    for number in 0..POLLERS {
        let started = VirtualServer::running(VirtualServer::name(number));
        let mut poller = client.operations().follow::<IssueModel, CreateIssueModelMetadata>(started);
        waiting.spawn(async move { poller.until_done().await });
    }
    let (mut busy, mut calls) = (Duration::ZERO, 0);
    while calls < 3_600 {
        busy += latency(&client).await;
        calls += 1;
        tokio::time::sleep(Duration::from_millis(980)).await;
    }
    let mut gave_up = 0;
    while waiting.try_join_next().is_some() {
        gave_up += 1;
    }
    Hour {
        busiest_minute: server.per_minute().into_iter().max().unwrap(),
        refused: server.refused(),
        gave_up,
        own_latency_ratio: busy.as_secs_f64() / f64::from(calls) / idle.as_secs_f64(),
    }
}

/// Of one call of the user's own.
async fn latency(client: &Client) -> Duration {
    let started = tokio::time::Instant::now();
    client.get_operation(VirtualServer::name(0)).await.unwrap();
    started.elapsed()
}
