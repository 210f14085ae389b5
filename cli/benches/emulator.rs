//! How long a shell waits for `cci emulator`, from the start of the process to its first answer over gRPC and over
//! REST; what memory it has then, empty; and how long it takes to end on SIGTERM with a connection and a stream open.
//! `cci --version` stands beside, as the floor of the machine.
//!
//! ```sh
//! cargo bench --package contact-center-insights-cli --bench emulator
//! ```

mod support;

use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use contact_center_insights::{Client, Credentials};
use support::Emulator;

const CCI: &str = env!("CARGO_BIN_EXE_cci");
const OPERATION: &str = "projects/p/locations/us-central1/operations/1";
const RUNS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::temp_dir().join(format!("cci-bench-emulator-{}.json", std::process::id()));
    fs::write(&seed, format!(r#"{{"operations":[{{"name":"{OPERATION}"}}]}}"#))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut floor, mut ready, mut rest, mut grpc) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut memory, mut ended) = (0, Vec::new());
    for run in 0..RUNS {
        let begin = Instant::now();
        Command::new(CCI).arg("--version").stdout(Stdio::null()).status()?;
        floor.push(begin.elapsed());

        let begin = Instant::now();
        let mut emulator = Emulator::start("--seed", &seed)?;
        ready.push(begin.elapsed());
        let connection = if run % 2 == 0 {
            runtime.block_on(ask_grpc(&emulator.address))?;
            grpc.push(begin.elapsed());
            TcpStream::connect(&emulator.address)?
        } else {
            let connection = ask_rest(&emulator.address)?;
            rest.push(begin.elapsed());
            connection
        };
        memory = memory.max(emulator.kib("VmRSS:").unwrap_or(0));

        let begin = Instant::now();
        terminate(&emulator.process)?;
        let status = emulator.process.wait()?;
        ended.push(begin.elapsed());
        drop(connection);
        if !status.success() {
            return Err(format!("ended with {status}").into());
        }
    }
    fs::remove_file(&seed)?;
    println!(
        "emulator runs={RUNS} floor_ms={:.1} ready_ms={:.1} grpc_first_answer_ms={:.1} rest_first_answer_ms={:.1} \
         resident_mib={:.1} end_ms={:.1} end_worst_ms={:.1}",
        median(&mut floor),
        median(&mut ready),
        median(&mut grpc),
        median(&mut rest),
        f64::from(memory) / 1024.0,
        median(&mut ended),
        ended.last().map_or(0.0, |time| time.as_secs_f64() * 1000.0),
    );
    Ok(())
}

async fn ask_grpc(address: &str) -> Result<(), Box<dyn Error>> {
    let client = Client::builder()
        .with_endpoint(format!("http://{address}"))
        .with_credentials(Credentials::anonymous())
        .build()?;
    client.get_operation(OPERATION).await?;
    Ok(())
}

/// The connection lives on.
fn ask_rest(address: &str) -> Result<TcpStream, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /v1/{OPERATION} HTTP/1.1\r\nhost: x\r\n\r\n")?;
    let mut answer = [0; 15];
    stream.read_exact(&mut answer)?;
    if &answer == b"HTTP/1.1 200 OK" { Ok(stream) } else { Err("no answer".into()) }
}

/// By the shell's own `kill`.
fn terminate(process: &Child) -> Result<(), Box<dyn Error>> {
    let status = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", process.id())).status()?;
    if status.success() { Ok(()) } else { Err("cannot end the emulator".into()) }
}

/// Sorts them.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
