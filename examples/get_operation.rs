//! Gets an operation by name, and shows what it is and how it went.
//!
//! ```sh
//! cargo run --example get_operation                      # against an emulator in the process
//! cargo run --example get_operation -- projects/P/locations/L/operations/ID   # against the service
//! ```

use std::process::ExitCode;

use contact_center_insights::{Client, Credentials, Outcome, Payload};
use contact_center_insights_emulator::{Emulator, Seed};

const SEED: &str =
    concat!(r#"{"operations":["#, include_str!("../tests/data/documented_operation.json"), "]}");
const DOCUMENTED: &str = "projects/PROJECT_ID/locations/us-central1/operations/OPERATION_ID";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(std::env::args().nth(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// With a name: asks the service, or the emulator that `CONTACTCENTERINSIGHTS_EMULATOR_HOST` names.
pub(crate) async fn run(name: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
    let Some(name) = name else {
        let emulator = Emulator::builder().with_seed(Seed::from_json(SEED)?).start().await?;
        let client = Client::builder()
            .with_endpoint(emulator.endpoint())
            .with_credentials(Credentials::anonymous())
            .build()?;
        return show(&client, DOCUMENTED).await;
    };
    show(&Client::builder().build()?, &name).await
}

async fn show(client: &Client, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let operation = client.get_operation(name).await?;
    println!("{}", operation.name());
    match operation.metadata() {
        Some(Ok(Payload::Unknown(any))) => println!("metadata of unknown type {}", any.type_url),
        Some(metadata) => println!("metadata {:#?}", metadata?),
        None => println!("no metadata"),
    }
    match operation.outcome() {
        None => println!("still running"),
        Some(Outcome::Succeeded(response)) => println!("response {:#?}", response?),
        Some(Outcome::Failed(status)) => println!("failed: {status}"),
        Some(outcome) => println!("{outcome:?}"),
    }
    Ok(())
}
