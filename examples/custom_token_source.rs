//! Tokens from a source of your own: a vault, a sidecar, a file that something else renews.
//!
//! ```sh
//! cargo run --example custom_token_source
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token, TokenFuture, TokenSource};
use contact_center_insights::proto::insights::ListIssueModelsRequest;
use contact_center_insights::{Client, Error};
use contact_center_insights_emulator::Emulator;

/// Reads the token from a file. When to read it again is for the client to decide: it asks early, one fetch at a time,
/// keeps a token that is still good if reading fails, and tries again.
struct TokenFile(PathBuf);

impl TokenSource for TokenFile {
    fn fetch(&self) -> TokenFuture<'_> {
        Box::pin(async move {
            let text = std::fs::read_to_string(&self.0)?;
            Ok(Token::new(text.trim())?.expires_in(Duration::from_mins(50)))
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One call with a token from a file, and one without the file.
pub(crate) async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().start().await?;
    let client = |source: TokenFile| {
        // The token travels unencrypted here, which the client allows to loopback only.
        Client::builder()
            .with_endpoint(emulator.endpoint())
            .with_credentials(Credentials::from_source(source))
            .with_timeout(Duration::from_millis(500))
            .build()
    };
    let request = || ListIssueModelsRequest { parent: "projects/my-project/locations/us-central1".into() };

    let file = std::env::temp_dir().join(format!("token-{}", std::process::id()));
    std::fs::write(&file, "a token of my own\n".replace(' ', "-"))?;
    let listed = client(TokenFile(file.clone()))?.list_issue_models(request()).await;
    std::fs::remove_file(&file)?;
    println!("{} models", listed?.issue_models.len());

    match client(TokenFile(file))?.list_issue_models(request()).await {
        Err(error @ Error::Credentials(_)) => println!("without the file: {error}"),
        other => return Err(format!("expected a credentials error, got {other:?}").into()),
    }
    Ok(())
}
