//! Lists all conversations of a location as a stream: one page in memory at a time.
//!
//! ```sh
//! cargo run --example list_all
//! ```

use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, ListConversationsRequest,
};
use contact_center_insights::{Client, Credentials};
use contact_center_insights_emulator::Emulator;
use tokio_stream::StreamExt as _;

const PARENT: &str = "projects/my-project/locations/us-central1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listed = run().await?;
    println!("{listed} conversations");
    Ok(())
}

/// Creates 250 conversations on an emulator, and counts them in pages of 100.
pub(crate) async fn run() -> Result<usize, Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().start().await?;
    let client = Client::builder()
        .with_endpoint(emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .build()?;
    for number in 0..250 {
        let request = CreateConversationRequest {
            parent: PARENT.into(),
            conversation: Some(Conversation::default()),
            conversation_id: format!("call-{number}"),
        };
        client.create_conversation(request).await?;
    }

    let request = ListConversationsRequest { parent: PARENT.into(), ..Default::default() };
    let mut conversations = client.list_conversations(request).into_pages().with_page_size(100).into_items();
    let mut count = 0;
    while let Some(conversation) = conversations.next().await {
        if count == 0 {
            println!("the newest is {}", conversation?.name);
        }
        count += 1;
    }
    Ok(count)
}
