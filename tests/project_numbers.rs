//! Names that come back with the number of the project that was named by its id: a started operation is followed, stored
//! and resumed by either.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

use contact_center_insights::lro::{Handle, PollPolicy};
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel, issue_model::ModelType,
};
use contact_center_insights::{Client, Credentials};
use contact_center_insights_emulator::Emulator;

const ID: &str = "projects/corner-shop/locations/us-central1";
const NUMBER: &str = "projects/900100200300/locations/us-central1";

async fn emulator() -> (Emulator, Client) {
    let builder = Emulator::builder().with_project_number("corner-shop", 900_100_200_300);
    let emulator = builder
        .with_profile("polls:2".parse().unwrap())
        .with_min_training_conversations(0)
        .start()
        .await
        .unwrap();
    let client = Client::builder().with_endpoint(emulator.endpoint());
    (emulator, client.with_credentials(Credentials::anonymous()).build().unwrap())
}

fn training() -> CreateIssueModelRequest {
    let model = IssueModel { model_type: ModelType::TypeV2.into(), ..IssueModel::default() };
    CreateIssueModelRequest { parent: ID.into(), issue_model: Some(model) }
}

fn soon() -> PollPolicy {
    let wait = std::time::Duration::from_millis(100);
    PollPolicy::default().with_first_wait(wait).with_max_wait(wait)
}

#[tokio::test]
async fn a_poller_follows_what_was_started_by_the_id() {
    let (_emulator, client) = emulator().await;
    let mut started = client.create_issue_model(training()).await.unwrap().with_policy(soon());
    assert!(started.name().starts_with(NUMBER), "{}", started.name());
    let model = started.until_done().await.unwrap();
    assert!(model.name.starts_with(NUMBER), "{}", model.name);

    // By the id, the answers name the number all the same.
    let by_id = started.name().replace(NUMBER, ID);
    let mut again =
        client.poller::<IssueModel, CreateIssueModelMetadata>(&by_id).unwrap().with_policy(soon());
    assert_eq!(again.until_done().await.unwrap(), model);
}

#[tokio::test]
async fn a_handle_resumes_by_either_name() {
    let (_emulator, client) = emulator().await;
    let started = client.create_issue_model(training()).await.unwrap();
    let by_number = started.handle();
    let mut by_id: Handle = by_number.clone();
    by_id.name = by_id.name.replace(NUMBER, ID);
    assert_ne!(by_id, by_number);
    for handle in [by_number, by_id] {
        let resumed = client.resume::<IssueModel, CreateIssueModelMetadata>(handle).unwrap();
        let mut resumed = resumed.with_policy(soon());
        assert!(resumed.until_done().await.unwrap().name.starts_with(NUMBER));
    }
}
