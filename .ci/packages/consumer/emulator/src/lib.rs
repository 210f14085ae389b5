//! A backend's code under test.

use contact_center_insights::proto::insights::issue_model::ModelType;
use contact_center_insights::proto::insights::{CreateIssueModelRequest, IssueModel};
use contact_center_insights::{Client, Error};

/// Trains an issue model, and waits for it.
///
/// # Errors
/// As the call, or the operation, fails.
pub async fn train(client: &Client, parent: &str) -> Result<IssueModel, Error> {
    let issue_model = Some(IssueModel {
        display_name: "billing".to_owned(),
        model_type: ModelType::TypeV2.into(),
        ..IssueModel::default()
    });
    let request = CreateIssueModelRequest { parent: parent.to_owned(), issue_model };
    client.create_issue_model(request).await?.until_done().await
}
