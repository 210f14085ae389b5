//! How long a shell waits: `cci operations get` as a whole process, and an emulator from its start to its first
//! answered call. Beside them stands `cci --version`, a process of the same size that does nothing, as the floor of
//! the machine that the run was on.
//!
//! How large the program is, in millions of bytes: 25 at most.
//!
//! And what `cci operations get` costs in processor time, over a process that makes the same call by the library alone
//! (this one, started again): `cpu_over_bare`, at most 1.5. Both run in turn, so that a busy machine disturbs both alike.
//!
//! ```sh
//! cargo bench --package contact-center-insights-cli --bench startup
//! ```

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use contact_center_insights::{Client, Credentials};

const CCI: &str = env!("CARGO_BIN_EXE_cci");
const OPERATION: &str = "projects/p/locations/us-central1/operations/1";
const RUNS: usize = 50;
/// Set for the process that makes one call by the library alone, to the endpoint.
const BARE: &str = "CCI_BENCH_BARE";
/// The clock of processor time ticks 100 times a second: many runs are counted together.
const ROUNDS: usize = 10;
const RUNS_A_ROUND: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(endpoint) = std::env::var(BARE) {
        return bare(&endpoint);
    }
    let seed = std::env::temp_dir().join(format!("cci-bench-{}.json", std::process::id()));
    std::fs::write(&seed, format!(r#"{{"operations":[{{"name":"{OPERATION}"}}]}}"#))?;
    let seed_text = seed.to_string_lossy().into_owned();

    let emulator = Emulator::start(&seed_text)?;
    let floor = times(RUNS, || quiet(Command::new(CCI).arg("--version")))?;
    let get = times(RUNS, || quiet(&mut emulator.get()))?;
    print_cpu(&emulator)?;
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

/// One call by the library, and nothing else.
fn bare(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client =
            Client::builder().with_endpoint(endpoint).with_credentials(Credentials::anonymous()).build()?;
        client.get_operation(OPERATION).await?;
        Ok(())
    })
}

fn print_cpu(emulator: &Emulator) -> Result<(), Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let (mut get, mut bare, mut floor) = (0, 0, 0);
    for _ in 0..ROUNDS {
        get += ticks(|| quiet(&mut emulator.get()))?;
        bare += ticks(|| quiet(Command::new(&own).env(BARE, &emulator.endpoint)))?;
        floor += ticks(|| quiet(Command::new(CCI).arg("--version")))?;
    }
    let millis =
        |ticks: u32| f64::from(ticks * 10) / f64::from(u32::try_from(ROUNDS * RUNS_A_ROUND).unwrap_or(1));
    println!(
        "startup cpu_get_ms={:.2} cpu_bare_ms={:.2} cpu_version_ms={:.2} cpu_over_bare={:.2} size_mb={:.1}",
        millis(get),
        millis(bare),
        millis(floor),
        f64::from(get) / f64::from(bare.max(1)),
        f64::from(u32::try_from(std::fs::metadata(CCI)?.len())?) / 1e6,
    );
    Ok(())
}

/// The processor time of a round of processes, in hundredths of a second (`cutime` and `cstime` of `proc_pid_stat(5)`).
fn ticks(mut run: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<u32, Box<dyn Error>> {
    let now = || -> Result<u32, Box<dyn Error>> {
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        let (_, fields) = stat.rsplit_once(')').ok_or("no fields")?;
        let mut times = fields.split_whitespace().skip(13).take(2).map(str::parse::<u32>);
        Ok(times.next().ok_or("no user time")?? + times.next().ok_or("no system time")??)
    };
    let before = now()?;
    for _ in 0..RUNS_A_ROUND {
        run()?;
    }
    Ok(now()? - before)
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
