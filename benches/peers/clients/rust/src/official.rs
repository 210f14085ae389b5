//! google-cloud-contactcenterinsights-v1, which speaks REST only: peers-official ADDRESS NAME TOKEN. It is compiled by
//! `emulator/conformance/clients/rust`, so that its versions are those of the conformance run.

mod driver;

use driver::{Failure, Peer};
use google_cloud_auth::credentials::{CacheableResource, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use google_cloud_contactcenterinsights_v1::client::ContactCenterInsights;
use google_cloud_contactcenterinsights_v1::model::{CreateIssueModelMetadata, IssueModel};
use google_cloud_gax::paginator::ItemPaginator as _;
use google_cloud_longrunning::model::{Operation, operation::Result as Outcome};
use google_cloud_lro::Poller as _;
use http::{Extensions, HeaderMap, HeaderValue};

#[derive(Clone)]
struct Official {
    client: ContactCenterInsights,
    name: String,
}

/// A token that never changes.
#[derive(Debug)]
struct Constant {
    tag: EntityTag,
    headers: HeaderMap,
}

impl CredentialsProvider for Constant {
    async fn headers(
        &self,
        extensions: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        if extensions.get::<EntityTag>() == Some(&self.tag) {
            return Ok(CacheableResource::NotModified);
        }
        Ok(CacheableResource::New { entity_tag: self.tag.clone(), data: self.headers.clone() })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

/// Decodes what the operation holds.
fn read(operation: &Operation) -> Result<(), Failure> {
    let Some(Outcome::Response(response)) = &operation.result else { return Err("no response".into()) };
    let metadata: CreateIssueModelMetadata = operation.metadata.as_ref().ok_or("no metadata")?.to_msg()?;
    let model: IssueModel = response.to_msg()?;
    let issues = model.training_stats.as_ref().map_or(0, |stats| stats.issue_stats.len());
    if metadata.end_time.is_none() || issues == 0 || usize::try_from(model.issue_count) != Ok(issues) {
        return Err("not the finished operation".into());
    }
    Ok(())
}

impl Peer for Official {
    async fn connect(address: &str, name: &str, token: &str) -> Result<Self, Failure> {
        rustls::crypto::ring::default_provider()
            .install_default()
            .map_err(|_| "a TLS provider is there already")?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, authorization)]);
        let client = ContactCenterInsights::builder()
            .with_endpoint(format!("http://{address}"))
            .with_credentials(Constant { tag: EntityTag::new(), headers })
            .build()
            .await?;
        Ok(Self { client, name: name.to_owned() })
    }

    async fn call(&mut self) -> Result<(), Failure> {
        read(&self.client.get_operation().set_name(&self.name).send().await?)
    }

    async fn list(&mut self) -> Result<usize, Failure> {
        let parent = self.name.split("/operations/").next().unwrap_or_default();
        let mut operations = self.client.list_operations().set_name(parent).set_page_size(1000).by_item();
        let mut count = 0;
        while let Some(operation) = operations.next().await {
            read(&operation?)?;
            count += 1;
        }
        Ok(count)
    }

    async fn wait(&mut self, parent: &str, model: &str, is_training: bool) -> Result<(), Failure> {
        if is_training {
            let issue_model = IssueModel::new().set_display_name(model);
            let call = self.client.create_issue_model().set_parent(parent).set_issue_model(issue_model);
            call.poller().until_done().await?;
        } else {
            self.client.deploy_issue_model().set_name(model).poller().until_done().await?;
        }
        Ok(())
    }
}

fn main() -> Result<(), Failure> {
    driver::run::<Official>()
}
