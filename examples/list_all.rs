//! Lists all conversations of a location as a stream: one page in memory at a time.
//!
//! ```sh
//! cargo run --example list_all
//! ```

use std::process::ExitCode;

use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, ListConversationsRequest,
};
use contact_center_insights::{Client, Credentials, Error};
use contact_center_insights_emulator::Emulator;
use tokio_stream::StreamExt as _;

const PARENT: &str = "projects/my-project/locations/us-central1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(listed) => {
            println!("{listed} conversations");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Creates 250 conversations on an emulator, and counts them in pages of 100.
pub(crate) async fn run() -> Result<usize, Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().start().await?;
    let client = Client::builder()
        .with_endpoint(emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .build()?;
    fill(&client).await?;
    Ok(count(&client).await?)
}

pub(crate) async fn fill(client: &Client) -> Result<(), Error> {
    for number in 0..250 {
        let request = CreateConversationRequest {
            parent: PARENT.into(),
            conversation: Some(Conversation::default()),
            conversation_id: format!("call-{number}"),
        };
        client.create_conversation(request).await?;
    }
    Ok(())
}

/// Counts all conversations. A page that cannot be fetched is the last that the stream gives, as an error.
pub(crate) async fn count(client: &Client) -> Result<usize, Error> {
    let request = ListConversationsRequest { parent: PARENT.into(), ..Default::default() };
    let mut conversations = client.list_conversations(request).into_pages().with_page_size(100).into_items();
    let mut count = 0;
    while let Some(conversation) = conversations.next().await {
        let conversation = conversation?;
        if count == 0 {
            println!("the newest is {}", conversation.name);
        }
        count += 1;
    }
    Ok(count)
}
