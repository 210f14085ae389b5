//! How long a shell waits: `cci operations get` as a whole process, and an emulator from its start to its first
//! answered call. Beside them stands `cci --version`, a process of the same size that does nothing, as the floor of
//! the machine that the run was on.
//!
//! ```sh
//! cargo bench --package contact-center-insights-cli --bench startup
//! ```

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CCI: &str = env!("CARGO_BIN_EXE_cci");
const OPERATION: &str = "projects/p/locations/us-central1/operations/1";
const RUNS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::temp_dir().join(format!("cci-bench-{}.json", std::process::id()));
    std::fs::write(&seed, format!(r#"{{"operations":[{{"name":"{OPERATION}"}}]}}"#))?;
    let seed_text = seed.to_string_lossy().into_owned();

    let emulator = Emulator::start(&seed_text)?;
    let floor = times(RUNS, || quiet(Command::new(CCI).arg("--version")))?;
    let get = times(RUNS, || quiet(&mut emulator.get()))?;
    drop(emulator);

    let mut ready = Vec::new();
    let mut answered = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        let emulator = Emulator::start(&seed_text)?;
        ready.push(started.elapsed());
        quiet(&mut emulator.get())?;
        answered.push(started.elapsed());
    }
    std::fs::remove_file(&seed)?;

    println!(
        "startup runs={RUNS} get_ms={:.1} get_worst_ms={:.1} get_over_floor={:.1} emulator_ready_ms={:.1} \
         emulator_first_answer_ms={:.1}",
        median(&get),
        worst(&get),
        median(&get) / median(&floor),
        median(&ready),
        median(&answered),
    );
    Ok(())
}

/// An emulator process, killed when it goes out of scope.
struct Emulator {
    process: Child,
    endpoint: String,
}

impl Emulator {
    /// Returns once it says that it is ready.
    fn start(seed: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(CCI)
            .args(["emulator", "--port", "0", "--seed", seed])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.split('"').rev().nth(1).ok_or("no address in the first line")?;
        Ok(Self { endpoint: format!("http://{address}"), process })
    }

    fn get(&self) -> Command {
        let mut command = Command::new(CCI);
        command.args(["operations", "get", OPERATION, "--endpoint", &self.endpoint]);
        command
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn quiet(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}

fn times(
    runs: usize,
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    (0..runs)
        .map(|_| {
            let started = Instant::now();
            work().map(|()| started.elapsed())
        })
        .collect()
}

fn median(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

fn worst(times: &[Duration]) -> f64 {
    times.iter().max().map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
