//! What this client costs over the bare generated stub: `GetOperation`, and its metadata and response decoded.
//!
//! Three variants ask the same server process for the same finished operation over loopback: this client; the
//! generated stub over a plain tonic channel, whose interceptor sends the same headers from constants; and the same
//! stub, which sends the token alone. Each is a process of its own, as it is for who uses it: in one process, each would
//! run in the heap that the other has cut up. In each round every variant makes its calls in turn, and what is compared is
//! the median over the rounds of the quotient within a round, so that a busy machine disturbs both sides alike.
//! Nothing is done to favour a side: the stub's channel has no HTTP/2 keepalive, which ours has and pays for.
//!
//! - CPU is that of the caller's process (`CLOCK_PROCESS_CPUTIME_ID`), while it makes calls; the server is this program
//!   started again, and does not count. Each side runs on one thread: on two cores that is steadier than two workers a side.
//! - Instructions are counted by callgrind: this program under valgrind makes a few calls, then 10,000 more, and the
//!   difference counts. Allocations are counted the same way by dhat, so that nothing counts them while time is measured.
//!   Without valgrind both are `unmeasured`.
//!
//! `overhead_absolute` is of a smaller operation (a model without statistics: less to decode, so that what is left is the
//! call), against the h2 crate alone, which receives the reply and decodes nothing. `overhead_names` asks for 1,000
//! operations by turns instead of one: their names cannot be in the connection's table of headers. `overhead_workers` has
//! two threads a side: whole rounds of calls a second, and the slowest hundredth of the calls.
//!
//! `cargo bench --bench overhead`; about four minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that fails may panic"
)]
#![allow(clippy::cast_precision_loss, reason = "the numbers are small")]

#[path = "overhead/caller.rs"]
mod caller;
#[path = "overhead/server.rs"]
mod server;
mod support;
#[path = "overhead/variant.rs"]
mod variant;

use std::env;
use std::process::Command;

use caller::{Caller, Sample};
use support::{Server, runtime};
use variant::Variant;

const VARIANTS: [&str; 3] = ["client", "stub", "token-only"];
const ABSOLUTE: [&str; 3] = ["client", "h2", "names"];
const CONCURRENCY: [usize; 3] = [1, 16, 64];
const ROUNDS: usize = 41;
/// Calls of one variant in one round: about a tenth of a second.
const CALLS: [usize; 3] = [1_500, 3_200, 3_840];
const COUNTED_CALLS: usize = 10_000;
const COUNTED_ALLOCATIONS: usize = 4_000;
const WORKERS: usize = 2;
/// As above, where the slowest hundredth counts: in a shorter round that would be the first calls of all callers.
const CALLS_OF_WORKERS: [usize; 3] = [6_000, 12_800, 15_360];
const WARM_UP: usize = 500;

fn main() {
    let args: Vec<_> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => server::serve(&support::finished()),
        ["serve", "brief"] => server::serve(&support::brief()),
        ["ask", variant, address, workers] => {
            caller::answer(variant, address, workers.parse().expect("a number"));
        }
        ["call", variant, address, callers, calls] => {
            let number = |text: &str| text.parse().expect("a number");
            let runtime = runtime();
            let variant = runtime.block_on(Variant::new(variant, address));
            runtime.block_on(variant.run(number(callers), number(calls)));
        }
        _ => {
            compare();
            absolute();
            workers();
        }
    }
}

fn compare() {
    let server = Server::start();
    let instructions = VARIANTS.map(|variant| instructions(variant, 1, &server.address));
    let allocations = VARIANTS.map(|variant| allocations(variant, 1, &server.address));
    let mut callers_of = VARIANTS.map(|variant| Caller::start(variant, &server.address, 1));
    let mut summary = Vec::new();
    println!(
        "{:>3} {:<11} {:>9} {:>9} {:>12} {:>13}",
        "c", "variant", "cpu us", "calls/s", "allocations", "instructions"
    );
    for (callers, calls) in CONCURRENCY.into_iter().zip(CALLS) {
        let rounds = rounds(&mut callers_of, callers, calls);
        for (i, name) in VARIANTS.into_iter().enumerate() {
            let cpu = median(rounds.iter().map(|round| round[i].cpu));
            let rate = median(rounds.iter().map(|round| 1.0 / round[i].wall));
            let counted = shown(instructions[i], 0);
            println!(
                "{callers:>3} {name:<11} {:>9.2} {rate:>9.0} {:>12} {counted:>13}",
                cpu * 1e6,
                shown(allocations[i], 1)
            );
        }
        let cpu_ratio = median(rounds.iter().map(|[ours, stub, _]| ours.cpu / stub.cpu));
        let cpu_ratio_vs_token_only = median(rounds.iter().map(|[ours, _, token]| ours.cpu / token.cpu));
        let throughput_ratio = median(rounds.iter().map(|[ours, stub, _]| stub.wall / ours.wall));
        let instructions_ratio = match instructions {
            [Some(ours), Some(stub), _] => format!("{:.3}", ours / stub),
            _ => "unmeasured".to_owned(),
        };
        let extra = shown(allocations[0].zip(allocations[1]).map(|(ours, stub)| ours - stub), 1);
        summary.push(format!(
            "overhead c={callers} cpu_ratio={cpu_ratio:.3} throughput_ratio={throughput_ratio:.3} \
             instructions_ratio={instructions_ratio} allocations={extra} \
             cpu_ratio_vs_token_only={cpu_ratio_vs_token_only:.3}"
        ));
    }
    println!("{}", summary.join("\n"));
}

/// A smaller operation, against the h2 crate alone; and of 1,000 names.
fn absolute() {
    let server = Server::start_with(&["brief"]);
    let mut callers_of = ABSOLUTE.map(|variant| Caller::start(variant, &server.address, 1));
    for (callers, calls) in CONCURRENCY.into_iter().zip(CALLS) {
        let rounds = rounds(&mut callers_of, callers, calls);
        let allocations = shown(allocations("client", callers, &server.address), 1);
        let [ours, alone] = ["client", "h2"].map(|variant| instructions(variant, callers, &server.address));
        let h2_ratio = median(rounds.iter().map(|[ours, h2, _]| ours.cpu / h2.cpu));
        let names_ratio = median(rounds.iter().map(|[ours, _, names]| names.cpu / ours.cpu));
        println!(
            "overhead_absolute c={callers} instructions={} allocations={allocations} h2_ratio={h2_ratio:.2} \
             h2_instructions={}",
            shown(ours, 0),
            shown(alone, 0)
        );
        println!("overhead_names c={callers} names=1000 cpu_ratio_to_one_name={names_ratio:.3}");
    }
}

/// Two threads a side: calls a second, and the slowest hundredth of the calls.
fn workers() {
    let server = Server::start();
    let mut callers_of = ["client", "stub"].map(|variant| Caller::start(variant, &server.address, WORKERS));
    for (callers, calls) in CONCURRENCY.into_iter().zip(CALLS_OF_WORKERS) {
        let rounds = rounds(&mut callers_of, callers, calls);
        let throughput = median(rounds.iter().map(|[ours, stub]| stub.wall / ours.wall));
        let p99 = median(rounds.iter().map(|[ours, stub]| ours.p99 / stub.p99));
        println!(
            "overhead_workers workers={WORKERS} c={callers} throughput_ratio={throughput:.3} p99_ratio={p99:.3}"
        );
    }
}

/// One sample of each a round; who goes first changes from round to round.
fn rounds<const N: usize>(of: &mut [Caller; N], callers: usize, calls: usize) -> Vec<[Sample; N]> {
    (0..ROUNDS)
        .map(|round| {
            let mut samples = [Sample::default(); N];
            for turn in 0..N {
                let i = (round + turn) % N;
                samples[i] = of[i].calls(callers, calls);
            }
            samples
        })
        .collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn shown(counted: Option<f64>, decimals: usize) -> String {
    counted.map_or("unmeasured".to_owned(), |n| format!("{n:.decimals$}"))
}

/// Instructions a call; `None` without valgrind.
fn instructions(variant: &str, callers: usize, address: &str) -> Option<f64> {
    // `==123== Collected : 1234567`
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    a_call(COUNTED_CALLS, |calls| {
        let log = under_valgrind(&options, ["call", variant, address], callers, calls)?;
        log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
    })
}

/// Allocations a call; `None` without valgrind.
fn allocations(variant: &str, callers: usize, address: &str) -> Option<f64> {
    // `==123== Total:     1,234,567 bytes in 1,234 blocks`
    let options = ["--tool=dhat", "--dhat-out-file=/dev/null"];
    a_call(COUNTED_ALLOCATIONS, |calls| {
        let log = under_valgrind(&options, ["call", variant, address], callers, calls)?;
        let total = log.lines().find_map(|line| line.split_once("Total:")?.1.split_once(" in "))?;
        total.1.split_whitespace().next()?.replace(',', "").parse().ok()
    })
}

/// What `calls` more calls add, for each of them.
fn a_call(calls: usize, counted: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let few = counted(WARM_UP)?;
    Some((counted(WARM_UP + calls)? - few) / calls as f64)
}

/// What valgrind reports on this program when it ends; `None` without valgrind.
fn under_valgrind(options: &[&str], args: [&str; 3], callers: usize, calls: usize) -> Option<String> {
    let output = Command::new("valgrind")
        .args(options)
        .arg(env::current_exe().ok()?)
        .args(args)
        .args([callers.to_string(), calls.to_string()])
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}
