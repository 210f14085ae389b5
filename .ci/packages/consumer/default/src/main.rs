//! The library with its default features: application default credentials, and a client that says why a call failed.

use contact_center_insights::{Client, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Looks for no credentials before the first call.
    let _default = Client::builder().build()?;

    let client = Client::builder()
        .with_endpoint("http://127.0.0.1:9")
        .with_credentials(Credentials::anonymous())
        .build()?;
    let error =
        client.get_operation("no operation's name").await.expect_err("the name is refused before it is sent");
    println!("default features: {error}");
    Ok(())
}
