//! Starts many trainings, follows them together, and tells how many calls that took.
//!
//! ```sh
//! cargo run --example follow_many
//! ```

use std::process::ExitCode;

use contact_center_insights::proto::insights::issue_model::ModelType;
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel,
};
use contact_center_insights::track::{TrackPolicy, TrackStatistics};
use contact_center_insights::{Client, Credentials, Error};
use contact_center_insights_emulator::Emulator;
use tokio_stream::StreamExt as _;

/// Each of its locations trains one model at a time.
const LOCATIONS: [&str; 4] = ["us-central1", "us-east1", "europe-west1", "asia-northeast1"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(statistics) => {
            println!("{statistics:?}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Follows trainings on an emulator to their ends.
pub(crate) async fn run() -> Result<TrackStatistics, Box<dyn std::error::Error>> {
    let emulator = Emulator::builder();
    let emulator =
        emulator.with_profile("polls:2".parse()?).with_min_training_conversations(0).start().await?;
    let client = Client::builder()
        .with_endpoint(emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .build()?;
    Ok(follow(&client).await?)
}

async fn follow(client: &Client) -> Result<TrackStatistics, Error> {
    let tracker = client.operations().tracker(TrackPolicy::default());
    for location in LOCATIONS {
        let request = CreateIssueModelRequest {
            parent: format!("projects/my-project/locations/{location}"),
            issue_model: Some(IssueModel {
                display_name: format!("billing in {location}"),
                model_type: ModelType::TypeV2.into(),
                ..Default::default()
            }),
        };
        let training = client.create_issue_model(request).await?;
        // Dropping the poller cancels nothing: the tracker goes on with its name and types.
        tracker.add(training.handle()).await?;
    }
    tracker.close();
    let mut ends = tracker.ended();
    while let Some(ended) = ends.next().await {
        let name = ended.name.clone();
        match ended.typed::<IssueModel, CreateIssueModelMetadata>()?.result() {
            Some(Ok(model)) => println!("{name}: trained `{}`", model.display_name),
            Some(Err(error)) => println!("{error}"),
            None => println!("{name} has not ended"),
        }
    }
    Ok(tracker.statistics())
}
