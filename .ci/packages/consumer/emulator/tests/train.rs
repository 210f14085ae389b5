//! The backend's test, with the emulator in the process.

use contact_center_insights::{Client, Credentials};
use contact_center_insights_emulator::Emulator;
use emulator_in_a_test::train;

#[tokio::test]
async fn a_model_is_trained() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder()
        .with_profile("immediate".parse()?)
        .with_min_training_conversations(0)
        .start()
        .await?;
    let client = Client::builder()
        .with_endpoint(emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .build()?;
    let model = train(&client, "projects/my-project/locations/us-central1").await?;
    assert_eq!(model.display_name, "billing");
    Ok(())
}
