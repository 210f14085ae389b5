//! Two threads a side: calls a second, and the slowest hundredth of the calls.

use std::time::Instant;

use tokio::runtime::Builder;

use super::support::Server;
use super::variant::Variant;
use super::{CALLS, CONCURRENCY, ROUNDS, WARM_UP, median};

const WORKERS: usize = 2;

/// Seconds a call, and the 99th percentile of how long one took.
#[derive(Clone, Copy, Default)]
struct Sample {
    wall: f64,
    p99: f64,
}

pub(super) fn compare() {
    let server = Server::start();
    let runtime =
        Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("a runtime");
    let variants = ["client", "stub"].map(|name| runtime.block_on(Variant::new(name, &server.address)));
    for variant in &variants {
        runtime.block_on(variant.run(16, WARM_UP));
    }
    for (callers, calls) in CONCURRENCY.into_iter().zip(CALLS) {
        let rounds: Vec<[Sample; 2]> = (0..ROUNDS)
            .map(|round| {
                let mut samples = [Sample::default(); 2];
                for turn in 0..2 {
                    let i = (round + turn) % 2;
                    let began = Instant::now();
                    let mut times = runtime.block_on(variants[i].timed(callers, calls, true));
                    let wall = began.elapsed().as_secs_f64() / calls as f64;
                    times.sort_unstable();
                    samples[i] = Sample { wall, p99: times[times.len() * 99 / 100] as f64 };
                }
                samples
            })
            .collect();
        let throughput = median(rounds.iter().map(|[ours, stub]| stub.wall / ours.wall));
        let p99 = median(rounds.iter().map(|[ours, stub]| ours.p99 / stub.p99));
        println!(
            "overhead_workers workers={WORKERS} c={callers} throughput_ratio={throughput:.3} p99_ratio={p99:.3}"
        );
    }
}
