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
//! - Spread: not measured but computed, from the default `PollPolicy` and seeded chance over virtual time: 10,000
//!   pollers start in the same second, and polls are counted second by second for ten minutes from when the last of
//!   them has reached the longest wait. Before that there are as many polls as pollers start.
//!
//! `cargo bench --bench pollers`; just over a minute.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that fails may panic")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers are small and positive, or chance"
)]

mod support;

use std::env;
use std::future::IntoFuture as _;
use std::mem::size_of_val;
use std::time::{Duration, Instant};

use contact_center_insights::Client;
use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::lro::{PollPolicy, Poller};
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use support::{NAME, Server, TOKEN, cpu_time, runtime};
use tokio::runtime::Runtime;

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

    let peak_over_mean = peak_over_mean(&PollPolicy::default());
    println!(
        "pollers n={POLLERS} bytes_each={bytes_each:.0} cpu_percent={idle:.3} \
         peak_over_mean={peak_over_mean:.2} polling_cpu_percent={polling:.2}"
    );
}

fn poller(client: &Client, number: usize) -> Poller<IssueModel, CreateIssueModelMetadata> {
    let policy = PollPolicy::default().with_first_wait(INTERVAL).with_max_wait(INTERVAL);
    let poller = client.poller(format!("{}{number:05}", NAME.trim_end_matches("67890"))).unwrap();
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

/// The busiest second over the mean one, of pollers that started in the same second.
fn peak_over_mean(policy: &PollPolicy) -> f64 {
    // After so many polls every wait is among the longest.
    let growing = (0..100).take_while(|polls| policy.wait(*polls, 1.0) < INTERVAL).count();
    let (mut chance, mut all_slow, mut polls) = (Jitter(1), 0.0_f64, Vec::new());
    for _ in 0..POLLERS {
        let mut now = chance.next();
        for poll in 0..100 {
            now += policy.wait(poll, chance.next()).as_secs_f64();
            polls.push(now);
            if poll as usize == growing {
                all_slow = all_slow.max(now);
            }
        }
    }
    let mut seconds = [0_u32; 600];
    for second in polls.iter().filter(|at| **at >= all_slow).map(|at| (at - all_slow) as usize) {
        if let Some(count) = seconds.get_mut(second) {
            *count += 1;
        }
    }
    let mean = f64::from(seconds.iter().sum::<u32>()) / seconds.len() as f64;
    f64::from(*seconds.iter().max().unwrap()) / mean
}

/// Numbers from 0 to 1, the same in every run (splitmix64).
struct Jitter(u64);

impl Jitter {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }
}
