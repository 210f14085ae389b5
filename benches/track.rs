//! What it takes to follow many operations at once, in virtual time: each page of a list takes 0.2 s, each single answer
//! 50 ms.
//!
//! - `n=1000`: a thousand operations of one location that were started together and end evenly between 30 and 90 s.
//!   `calls` are all that were made.
//! - `n=10000` and `n=100000`: a steady state, in which each operation that ends is followed by a new one; they last from
//!   1 minute (an hour) to 12 hours, evenly by the logarithm. Counted is from the end of the third sweep on.
//! - `calls_per_min` is the mean of calls of both kinds, `lag_…_s` how late an end is handed over, `bytes_each` what the
//!   tracker keeps of an operation.
//! - `quota`: 100,000 operations under the documented quota while the client makes a call of its own each second, and
//!   another client takes half of the quota for ten minutes.
//!
//! - `emulator`, in real time: 2,000 operations on the emulator with the documented quotas, of which 30 end each second;
//!   counted in its journal.
//!
//! `cargo bench --bench track`; four minutes.

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

#[path = "support/fleet.rs"]
mod fleet;

use std::time::Duration;

use contact_center_insights::any::{Unpack as _, pack};
use contact_center_insights::call::Budget;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::track::{TrackPolicy, Tracker};
use contact_center_insights::{Client, Code, Credentials, Handle};
use contact_center_insights_emulator::{Emulator, JournalEntry, Quotas};
use fleet::{Fleet, Manners, Run};
use prost_types::Timestamp;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_mins(1);

fn main() {
    in_virtual_time(together(1_000));
    for (n, page, shortest, minutes) in [
        (10_000, 1_000, MINUTE, 60),
        (10_000, 100, MINUTE, 20),
        (100_000, 1_000, 60 * MINUTE, 10),
        (100_000, 100, 60 * MINUTE, 10),
    ] {
        in_virtual_time(steady(n, page, shortest, minutes, bytes_each(n)));
    }
    in_virtual_time(own_calls());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(on_emulator());
}

fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(run)
}

/// Of a known type, as a poller gives it.
fn handle(number: usize) -> Handle {
    Handle::new(Fleet::name(number), None, CreateIssueModelMetadata::expected())
}

async fn together(n: usize) {
    let fleet = Fleet::start(Manners::default());
    let tracker = fleet.client(Some(Budget::default())).operations().tracker(TrackPolicy::default());
    for number in 0..n {
        let lasting = Duration::from_millis(30_000 + (number * 60_000 / n) as u64);
        tracker.add(handle(fleet.begin(lasting))).await.unwrap();
    }
    tracker.close();
    let mut lags = Vec::new();
    while let Some(ended) = tracker.next_ended().await {
        lags.push(fleet.since_end(Fleet::number(&ended.name)).as_secs_f64());
    }
    assert_eq!(lags.len(), n);
    let minutes = fleet.now().as_secs_f64() / 60.0;
    report(n, 1_000, fleet.calls(), minutes, lags, 0.0);
}

/// From 0 to 1, evenly, the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Evenly by the logarithm, up to 12 hours.
fn lasting(shortest: Duration, chance: f64) -> Duration {
    let longest = 720.0 * MINUTE.as_secs_f64();
    Duration::from_secs_f64(shortest.as_secs_f64() * (longest / shortest.as_secs_f64()).powf(chance))
}

/// As many operations as there are at any time, each somewhere in its life: the longer one lasts, the likelier it is there.
async fn population(fleet: &Fleet, n: usize, shortest: Duration, chance: &mut Chance, tracker: &Tracker) {
    let longest = 720.0 * MINUTE.as_secs_f64();
    // Virtual time begins with a history.
    sleep(Duration::from_secs_f64(longest)).await;
    let now = fleet.now();
    let shortest = shortest.as_secs_f64();
    for _ in 0..n {
        let lasting = shortest + (longest - shortest) * chance.next();
        let age = lasting * chance.next();
        let start = now.checked_sub(Duration::from_secs_f64(age)).unwrap();
        let number = fleet.add(Run { start, end: start + Duration::from_secs_f64(lasting), is_dated: true });
        tracker.add(handle(number)).await.unwrap();
    }
}

async fn steady(n: usize, page: usize, shortest: Duration, minutes: u32, bytes_each: f64) {
    let fleet = Fleet::start(Manners { page_cap: page, ..Manners::default() });
    let client = fleet.client(Some(Budget::default()));
    let tracker = client.operations().tracker(TrackPolicy::default().with_capacity(2 * n));
    let mut chance = Chance(42);
    population(&fleet, n, shortest, &mut chance, &tracker).await;
    let mut lags = Vec::new();
    let (mut counted_from, mut calls) = (None, 0);
    while counted_from.is_none_or(|from: Instant| from.elapsed() < MINUTE * minutes) {
        let Ok(ended) = tokio::time::timeout(MINUTE, tracker.next_ended()).await else { continue };
        let number = Fleet::number(&ended.unwrap().name);
        // Each was seen, and what had ended meanwhile was handed over.
        if tracker.statistics().sweeps >= 3 {
            if counted_from.is_none() {
                (counted_from, calls) = (Some(Instant::now()), fleet.calls());
            }
            lags.push(fleet.since_end(number).as_secs_f64());
        }
        let next = fleet.begin(lasting(shortest, chance.next()));
        tracker.add(handle(next)).await.unwrap();
    }
    let counted = counted_from.map_or(0.0, |from| from.elapsed().as_secs_f64() / 60.0);
    report(n, page, fleet.calls() - calls, counted, lags, bytes_each);
}

/// What the tracker keeps of each of so many operations on the heap.
fn bytes_each(n: usize) -> f64 {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let add_all = async || {
        let fleet = Fleet::start(Manners::default());
        let tracker = fleet.client(None).operations().tracker(TrackPolicy::default().with_capacity(n));
        for number in 0..n {
            tracker.add(handle(number)).await.unwrap();
        }
        tracker
    };
    let mut tracker = None;
    let heap = allocation_counter::measure(|| tracker = Some(runtime.block_on(add_all()))).bytes_current;
    assert_eq!(tracker.unwrap().pending(), n);
    heap as f64 / n as f64
}

/// 100,000 operations under the documented quota, of which another client takes half for ten minutes.
async fn own_calls() {
    let n = 100_000;
    let fleet = Fleet::start(Manners { quota: 3_000, ..Manners::default() });
    let client = fleet.client(Some(Budget::default()));
    let tracker = client.operations().tracker(TrackPolicy::default());
    let mut chance = Chance(42);
    population(&fleet, n, 60 * MINUTE, &mut chance, &tracker).await;
    let began = Instant::now();
    let other = fleet.clone();
    tokio::spawn(async move {
        sleep(5 * MINUTE).await;
        for _ in 0..15_000 {
            let _ = other.refuse_or_count();
            sleep(Duration::from_millis(40)).await;
        }
    });
    let own = tokio::spawn(async move {
        let (mut latencies, mut failed) = (Vec::new(), 0);
        while began.elapsed() < 20 * MINUTE {
            let asked = Instant::now();
            let call = client.get_operation(Fleet::name(0)).await;
            failed += usize::from(call.is_err());
            latencies.push(asked.elapsed().as_secs_f64());
            sleep(Duration::from_secs(1)).await;
        }
        latencies.sort_by(f64::total_cmp);
        (latencies[latencies.len() * 99 / 100], failed)
    });
    // Ends that are due a minute after the other client has stopped are noticed as soon as ever.
    let (mut late, mut lags) = (0.0_f64, Vec::new());
    while began.elapsed() < 20 * MINUTE {
        let Ok(ended) = tokio::time::timeout(MINUTE, tracker.next_ended()).await else { continue };
        let lag = fleet.since_end(Fleet::number(&ended.unwrap().name)).as_secs_f64();
        lags.push(lag);
        if began.elapsed().saturating_sub(Duration::from_secs_f64(lag)) > 16 * MINUTE {
            late = late.max(lag);
        }
        let next = fleet.begin(lasting(60 * MINUTE, chance.next()));
        tracker.add(handle(next)).await.unwrap();
    }
    let (p99, failed) = own.await.unwrap();
    println!(
        "quota n={n} busiest_minute={} refused={} own_p99_ms={:.0} own_failed={failed} ended={} \
         lag_max_a_minute_after_s={late:.1} given_up={}",
        fleet.busiest_minute(),
        fleet.refused(),
        p99 * 1_000.0,
        lags.len(),
        tracker.statistics().lost,
    );
}

/// In real time, on the emulator with the documented quotas: 2,000 operations of which 30 end each second.
async fn on_emulator() {
    const N: usize = 2_000;
    let emulator = Emulator::builder()
        .with_quotas(Quotas::documented())
        .with_journal_limit(100_000)
        .start()
        .await
        .unwrap();
    let builder =
        Client::builder().with_endpoint(emulator.endpoint()).with_credentials(Credentials::anonymous());
    let client = builder.with_budget(Some(Budget::default())).build().unwrap();
    let tracker = client.operations().tracker(TrackPolicy::default());
    let running = |number: usize| {
        let create_time =
            Some(Timestamp { seconds: 1_790_000_000 + i64::try_from(number).unwrap(), nanos: 0 });
        let metadata = Some(pack(&CreateIssueModelMetadata { create_time, ..Default::default() }));
        Operation { name: Fleet::name(number), metadata, ..Default::default() }
    };
    for number in 0..N {
        emulator.put_operation(running(number)).unwrap();
        tracker.add(Fleet::name(number)).await.unwrap();
    }
    tracker.close();
    let began = Instant::now();
    let mut ended_at = vec![None; N];
    let (mut lags, mut next, mut tick) = (Vec::new(), 0, tokio::time::interval(Duration::from_millis(100)));
    loop {
        tokio::select! {
            _ = tick.tick() => for _ in 0..3.min(N - next) {
                let response = Some(Outcome::Response(pack(&IssueModel::default())));
                let done = Operation { done: true, result: response, ..running(next) };
                emulator.put_operation(done).unwrap();
                ended_at[next] = Some(Instant::now());
                next += 1;
            },
            ended = tracker.next_ended() => match ended {
                None => break,
                Some(ended) => lags.push(ended_at[Fleet::number(&ended.name)].unwrap().elapsed().as_secs_f64()),
            }
        }
    }
    assert_eq!(lags.len(), N);
    let calls = emulator.journal().entries();
    let refused = calls.iter().filter(|call| call.code == Some(Code::ResourceExhausted)).count();
    let in_minute_from = |first: usize| {
        let since = |call: &JournalEntry| call.time.duration_since(calls[first].time).unwrap_or_default();
        calls[first..].iter().take_while(|call| since(call) < MINUTE).count()
    };
    let busiest = (0..calls.len()).map(in_minute_from).max().unwrap_or_default();
    lags.sort_by(f64::total_cmp);
    println!(
        "emulator n={N} seconds={:.0} calls={} busiest_minute={busiest} refused={refused} lag_mean_s={:.1} \
         lag_p99_s={:.1}",
        began.elapsed().as_secs_f64(),
        calls.len(),
        lags.iter().sum::<f64>() / N as f64,
        lags[N * 99 / 100],
    );
}

fn report(n: usize, page: usize, calls: u64, minutes: f64, mut lags: Vec<f64>, bytes_each: f64) {
    lags.sort_by(f64::total_cmp);
    let mean = lags.iter().sum::<f64>() / lags.len().max(1) as f64;
    let p99 = lags[(lags.len() * 99 / 100).min(lags.len() - 1)];
    println!(
        "track n={n} page={page} calls={calls} calls_per_min={:.0} lag_mean_s={mean:.1} lag_p99_s={p99:.1} \
         bytes_each={bytes_each:.0}",
        calls as f64 / minutes
    );
}
