//! A process that makes the calls of one variant when it is told to, and says what they took.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use tokio::runtime::Builder;

use super::WARM_UP;
use super::support::cpu_time;
use super::variant::Variant;

/// Seconds a call; the 99th percentile of how long one took, in nanoseconds, where several threads make them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
    pub(crate) p99: f64,
}

/// The process. It ends when its standard input does.
pub(crate) struct Caller {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Caller {
    pub(crate) fn start(variant: &str, address: &str, workers: usize) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["ask", variant, address, &workers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program, again");
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut caller = Self { process, input, output };
        caller.calls(16, 2 * WARM_UP);
        caller
    }

    pub(crate) fn calls(&mut self, callers: usize, calls: usize) -> Sample {
        let [cpu, wall, p99] = self.ask(callers, calls)[..] else { panic!("three numbers") };
        Sample { cpu: cpu / calls as f64, wall: wall / calls as f64, p99 }
    }

    fn ask(&mut self, callers: usize, calls: usize) -> Vec<f64> {
        writeln!(self.input, "{callers} {calls}").expect("it listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        line.split_whitespace().map(|number| number.parse().expect("a number")).collect()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers until standard input ends.
pub(crate) fn answer(variant: &str, address: &str, workers: usize) {
    let runtime = if workers == 1 {
        super::runtime()
    } else {
        Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime")
    };
    let variant = runtime.block_on(Variant::new(variant, address));
    for line in std::io::stdin().lines() {
        let line = line.expect("text");
        let words: Vec<_> = line.split_whitespace().collect();
        let [callers, calls] = words[..] else { panic!("two numbers") };
        let (callers, calls) = (callers.parse().expect("a number"), calls.parse().expect("a number"));
        let (cpu, wall) = (cpu_time(), Instant::now());
        let mut times = runtime.block_on(variant.timed(callers, calls, workers > 1));
        let (cpu, wall) = (cpu_time().saturating_sub(cpu), wall.elapsed());
        times.sort_unstable();
        let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
        println!("{} {} {p99}", cpu.as_secs_f64(), wall.as_secs_f64());
    }
}
