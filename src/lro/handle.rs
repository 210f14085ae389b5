//! What is left of a poller when it is written down: enough for another process to go on.

use super::policy::PollPolicy;
use super::poller::Poller;
use crate::any::{Unpack, UnpackError};
use crate::call::Caller;
use crate::error::Error;

/// The name of an operation, and the types that are expected of it. With the feature `serde` it can be stored and
/// loaded; [`Client::resume`](crate::Client::resume) makes a poller of it again.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use contact_center_insights::{Client, Credentials, proto::insights::*};
/// # let emulator = contact_center_insights_emulator::Emulator::builder()
/// #     .with_profile("immediate".parse()?).with_min_training_conversations(0).start().await?;
/// # let client = Client::builder().with_endpoint(emulator.endpoint())
/// #     .with_credentials(Credentials::anonymous()).build()?;
/// # let request = CreateIssueModelRequest {
/// #     parent: "projects/p/locations/us-central1".into(),
/// #     issue_model: Some(IssueModel {
/// #         display_name: "m".into(),
/// #         model_type: issue_model::ModelType::TypeV2.into(),
/// #         ..Default::default()
/// #     }),
/// # };
/// let training = client.create_issue_model(request).await?;
/// let stored = serde_json::to_string(&training.handle())?;
///
/// // Later, in another process:
/// let training = client.resume::<IssueModel, CreateIssueModelMetadata>(serde_json::from_str(&stored)?)?;
/// assert_eq!(training.await?.display_name, "m");
///
/// let not_a_model = client.resume::<Conversation, CreateIssueModelMetadata>(serde_json::from_str(&stored)?);
/// assert!(not_a_model.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Handle {
    /// The operation's full resource name.
    pub name: String,
    /// Full name of the response type; `None` if any was expected.
    pub response: Option<String>,
    /// Full name of the metadata type; `None` if any was expected.
    pub metadata: Option<String>,
}

impl Handle {
    /// Of an operation of these types; `None` stands for any.
    #[must_use]
    pub fn new(name: String, response: Option<String>, metadata: Option<String>) -> Self {
        Self { name, response, metadata }
    }

    /// Refuses other types than it was written for; any do where it names none.
    pub(crate) fn check<R: Unpack, M: Unpack>(&self) -> Result<(), Error> {
        for (expected, found) in [(R::expected(), &self.response), (M::expected(), &self.metadata)] {
            if let (Some(expected), Some(found)) = (expected, found)
                && expected != *found
            {
                let error = UnpackError::Mismatch { expected, found: found.clone() };
                return Err(Error::Resume { name: self.name.clone(), error });
            }
        }
        Ok(())
    }
}

/// A name alone, of an operation of any types.
impl From<String> for Handle {
    fn from(name: String) -> Self {
        Self::new(name, None, None)
    }
}

/// A name alone, of an operation of any types.
impl From<&str> for Handle {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

impl<R: Unpack, M: Unpack> Poller<R, M> {
    /// What to store so that another process can go on.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { name: self.name().to_owned(), response: R::expected(), metadata: M::expected() }
    }

    /// Refuses a handle that was written for other types: the mistake is found now, not when the operation ends.
    pub(super) fn from_handle(caller: Caller, handle: Handle, policy: PollPolicy) -> Result<Self, Error> {
        handle.check::<R, M>()?;
        Ok(Self::by_name(caller, handle.name, policy))
    }
}
