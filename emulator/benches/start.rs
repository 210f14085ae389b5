//! How long a test waits for an emulator in its own process: from the call that starts it to where it listens, and to
//! its first answer over gRPC and over REST. The first of a process pays for reading the descriptors; it stands apart.
//!
//! ```sh
//! cargo bench --package contact-center-insights-emulator --bench start
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights_emulator::Emulator;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::transport::Endpoint;

const L: &str = "projects/p/locations/us-central1";
const RUNS: usize = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let first = Emulator::builder().start().await?;
    let cold = begin.elapsed();
    first.stop().await;

    let (mut started, mut grpc, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    // All are kept: there can be hundreds side by side.
    let mut emulators = Vec::new();
    for run in 0..RUNS {
        let begin = Instant::now();
        let emulator = Emulator::builder().start().await?;
        started.push(begin.elapsed());
        if run % 2 == 0 {
            ask_grpc(&emulator).await?;
            grpc.push(begin.elapsed());
        } else {
            ask_rest(&emulator).await?;
            rest.push(begin.elapsed());
        }
        emulators.push(emulator);
    }
    println!(
        "start runs={RUNS} side_by_side={} cold_ms={:.2} start_ms={:.3} start_worst_ms={:.3} grpc_ms={:.2} rest_ms={:.2}",
        emulators.len(),
        millis(cold),
        median(&mut started),
        millis(started.last().copied().unwrap_or_default()),
        median(&mut grpc),
        median(&mut rest),
    );
    Ok(())
}

async fn ask_grpc(emulator: &Emulator) -> Result<(), Box<dyn Error>> {
    let channel = Endpoint::new(emulator.endpoint())?.connect().await?;
    let request = ListOperationsRequest { name: L.to_owned(), ..ListOperationsRequest::default() };
    OperationsClient::new(channel).list_operations(request).await?;
    Ok(())
}

async fn ask_rest(emulator: &Emulator) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(emulator.address()).await?;
    stream.write_all(format!("GET /v1/{L}/operations HTTP/1.0\r\nhost: x\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.0 200") { Ok(()) } else { Err(answer.into()) }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Sorts them.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().map_or(0.0, millis)
}
