//! The library with TLS and nothing else: the token comes from the program.

use contact_center_insights::{Client, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder().with_credentials(Credentials::anonymous()).build()?;
    let error =
        client.get_operation("no operation's name").await.expect_err("the name is refused before it is sent");
    println!("tls alone: {error}");
    Ok(())
}
