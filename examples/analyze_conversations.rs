//! Starts analyses of several conversations, stores their handles, is killed, and goes on from what was stored.
//!
//! ```sh
//! cargo run --example analyze_conversations
//! ```

use std::process::ExitCode;

use contact_center_insights::lro::Handle;
use contact_center_insights::proto::insights::{
    Analysis, AnnotatorSelector, Conversation, CreateAnalysisOperationMetadata, CreateAnalysisRequest,
    CreateConversationRequest,
};
use contact_center_insights::{Client, Credentials, Error};
use contact_center_insights_emulator::Emulator;
use tokio::task::JoinSet;

const PARENT: &str = "projects/my-project/locations/us-central1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Both processes, one after the other, against an emulator whose operations take three polls.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().with_profile("polls:3".parse()?).start().await?;
    let connect = || {
        Client::builder()
            .with_endpoint(emulator.endpoint())
            .with_credentials(Credentials::anonymous())
            .build()
    };
    // The first process ends while the operations run: its client and its pollers are gone, which cancels nothing.
    let stored = start(&connect()?).await?;
    println!("stored {stored}");
    resume(&connect()?, &stored).await
}

/// What the first process does. Each handle is stored as soon as the operation has a name.
async fn start(client: &Client) -> Result<String, Box<dyn std::error::Error>> {
    let mut handles: Vec<Handle> = Vec::new();
    for number in 1..=3 {
        let request = CreateConversationRequest {
            parent: PARENT.into(),
            conversation: Some(Conversation { agent_id: "007".into(), ..Default::default() }),
            // With an id of ours the creation outlives a lost reply.
            conversation_id: format!("call-{number}"),
        };
        let conversation = client.create_conversation(request).await?;
        let annotators = AnnotatorSelector { run_sentiment_annotator: true, ..Default::default() };
        let request = CreateAnalysisRequest {
            parent: conversation.name,
            analysis: Some(Analysis { annotator_selector: Some(annotators), ..Default::default() }),
        };
        handles.push(client.create_analysis(request).await?.handle());
    }
    Ok(serde_json::to_string(&handles)?)
}

/// What the second process does, with nothing but the text: follows all to their ends, side by side.
async fn resume(client: &Client, stored: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let handles: Vec<Handle> = serde_json::from_str(stored)?;
    let mut followers = JoinSet::new();
    for handle in handles {
        followers.spawn(follow(client.clone(), handle));
    }
    let mut names = Vec::new();
    while let Some(followed) = followers.join_next().await {
        names.push(followed??.name);
    }
    names.sort();
    println!("analysed {names:#?}");
    Ok(names)
}

/// Shows each poll's answer on the way.
async fn follow(client: Client, handle: Handle) -> Result<Analysis, Error> {
    let mut analysing = client.resume::<Analysis, CreateAnalysisOperationMetadata>(handle)?;
    analysing
        .until_done_with(|operation| {
            if let Some(Ok(metadata)) = operation.metadata() {
                println!("{}: done {}", metadata.conversation, operation.is_done());
            }
        })
        .await
}
