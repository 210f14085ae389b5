//! [`Client`], how it is built, and its methods.

mod builder;
mod destination;
#[cfg(feature = "server")]
mod fake;
mod operations;
mod sharing;

use crate::call::{Call, Caller, Page, PageFields, Reconcile, Routing, methods};
use crate::lro::{Operations, Poller};
use crate::transport::Transport;
pub use builder::ClientBuilder;
pub use destination::EMULATOR_HOST;

/// A client of the API: one method for each of its 74 RPCs, and those for operations.
///
/// Cheap to clone; clones share the connection and the token. The methods build a [`Call`] and send nothing:
/// `client.get_conversation(request).await` does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use contact_center_insights::{Client, auth::Credentials, proto::insights::ListIssueModelsRequest};
/// use contact_center_insights_emulator::Emulator;
///
/// let emulator = Emulator::builder().start().await?;
/// let client = Client::builder()
///     .with_endpoint(emulator.endpoint())
///     .with_credentials(Credentials::anonymous())
///     .build()?;
/// let request = ListIssueModelsRequest { parent: "projects/p/locations/us-central1".into() };
/// assert!(client.list_issue_models(request).await?.issue_models.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    operations: Operations,
}

impl Client {
    /// Starts a client: with application default credentials to the global endpoint, unless told otherwise.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// What carries the calls: generated stubs of other services can be put over it.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        self.caller().transport()
    }

    /// Operations of whatever service is behind the same transport: what a generated stub over it answers with is
    /// followed by [`Operations::follow`], and names need not be those of this API.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    fn caller(&self) -> &Caller {
        self.operations.caller()
    }
}

/// The methods of the API, generated from the descriptors.
#[allow(
    clippy::needless_pass_by_value,
    clippy::wildcard_imports,
    clippy::doc_markdown,
    reason = "as in the bare stubs, a method owns its request, and may keep it one day; the generator decides \
              what it imports; documentation comes from the comments of the protos"
)]
mod generated {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/client.rs"));
    include!(concat!(env!("OUT_DIR"), "/pages.rs"));
}
