//! Starts an analysis, stores its handle, "dies", and goes on from the stored handle as another process would.
//!
//! ```sh
//! cargo run --example analyze_conversation
//! ```

use contact_center_insights::proto::insights::{
    Analysis, AnnotatorSelector, Conversation, CreateAnalysisOperationMetadata, CreateAnalysisRequest,
    CreateConversationRequest,
};
use contact_center_insights::{Client, Credentials, Error};
use contact_center_insights_emulator::Emulator;
use tokio_stream::StreamExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    run().await
}

/// Everything, against an emulator whose operations take three polls.
pub(crate) async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().with_profile("polls:3".parse()?).start().await?;
    let client = || {
        Client::builder()
            .with_endpoint(emulator.endpoint())
            .with_credentials(Credentials::anonymous())
            .build()
    };
    let stored = start(&client()?).await?;
    println!("stored {stored}");
    let analysis = follow(&client()?, &stored).await?;
    println!("analysed: {}", analysis.name);
    Ok(())
}

/// What the first process does: it ends with the operation still running, and only this text is left of it.
async fn start(client: &Client) -> Result<String, Box<dyn std::error::Error>> {
    let conversation = CreateConversationRequest {
        parent: "projects/my-project/locations/us-central1".into(),
        conversation: Some(Conversation { agent_id: "007".into(), ..Default::default() }),
        // With an id of ours the creation outlives a lost reply.
        conversation_id: "call-2026-11-23-0001".into(),
    };
    let conversation = client.create_conversation(conversation).await?;
    let annotators = AnnotatorSelector { run_sentiment_annotator: true, ..Default::default() };
    let request = CreateAnalysisRequest {
        parent: conversation.name,
        analysis: Some(Analysis { annotator_selector: Some(annotators), ..Default::default() }),
    };
    let analysing = client.create_analysis(request).await?;
    Ok(serde_json::to_string(&analysing.handle())?)
}

/// What the second process does.
async fn follow(client: &Client, stored: &str) -> Result<Analysis, Box<dyn std::error::Error>> {
    let handle = serde_json::from_str(stored)?;
    let analysing = client.resume::<Analysis, CreateAnalysisOperationMetadata>(handle)?;
    let mut changes = analysing.into_stream();
    while let Some(operation) = changes.next().await {
        let operation = operation?;
        if let Some(metadata) = operation.metadata() {
            println!("{}: done {}", metadata?.conversation, operation.is_done());
        }
        if let Some(result) = operation.result() {
            return match result {
                Ok(analysis) => Ok(analysis),
                Err(Error::Operation(name, status)) => Err(format!("{name} failed: {status}").into()),
                Err(other) => Err(other.into()),
            };
        }
    }
    Err("the stream ended before the operation did".into())
}
