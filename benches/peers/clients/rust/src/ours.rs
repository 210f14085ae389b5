//! This repository's client over gRPC: peers-ours ADDRESS NAME TOKEN.

mod driver;
mod messages;

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, DeployIssueModelRequest, IssueModel,
};
use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::{Client, Operation};
use driver::{Failure, Peer};
use messages::{PAGE_SIZE, check, location, read};
use tokio_stream::StreamExt as _;

#[derive(Clone, Debug)]
struct Ours {
    client: Client,
    name: String,
}

impl Peer for Ours {
    async fn connect(address: &str, name: &str, token: &str) -> Result<Self, Failure> {
        let client = Client::builder()
            .with_endpoint(format!("http://{address}"))
            .with_credentials(Credentials::from_token(Token::new(token)?))
            .build()?;
        Ok(Self { client, name: name.to_owned() })
    }

    async fn call(&mut self) -> Result<(), Failure> {
        let operation: Operation<IssueModel, CreateIssueModelMetadata> =
            self.client.get_operation(&self.name).await?.cast();
        let metadata = operation.metadata().ok_or("no metadata")??;
        check(&metadata, &operation.result().ok_or("not done")??)
    }

    async fn list(&mut self) -> Result<usize, Failure> {
        let request = ListOperationsRequest {
            name: location(&self.name),
            page_size: PAGE_SIZE,
            ..ListOperationsRequest::default()
        };
        let mut operations = self.client.list_operations(request).into_pages().into_items();
        let mut count = 0_usize;
        while let Some(operation) = operations.next().await {
            read(&operation?)?;
            count = count.saturating_add(1);
        }
        Ok(count)
    }

    async fn wait(&mut self, parent: &str, model: &str, is_training: bool) -> Result<(), Failure> {
        if is_training {
            let issue_model = Some(IssueModel { display_name: model.to_owned(), ..IssueModel::default() });
            let request = CreateIssueModelRequest { parent: parent.to_owned(), issue_model };
            self.client.create_issue_model(request).await?.until_done().await?;
        } else {
            let request = DeployIssueModelRequest { name: model.to_owned() };
            self.client.deploy_issue_model(request).await?.until_done().await?;
        }
        Ok(())
    }
}

fn main() -> Result<(), Failure> {
    driver::run::<Ours>()
}
