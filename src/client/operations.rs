//! Operations: get, list, cancel, and follow by name.

use super::Client;
use crate::any::Unpack;
use crate::call::{Call, methods};
use crate::error::Error;
use crate::lro::{Handle, Operation, Poller};
use crate::names::OperationName;
use crate::proto::longrunning::{ListOperationsRequest, ListOperationsResponse};

impl Client {
    /// Gets an operation by its full name, whatever it ends in: metadata and response are a [`Payload`](crate::Payload).
    ///
    /// `GET /v1/{name=projects/*/locations/*/operations/*}`: a read, retried after any transient fault.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use contact_center_insights::{Client, any::Payload, auth::Credentials, lro::Outcome, proto::insights};
    /// # let emulator = contact_center_insights_emulator::Emulator::builder()
    /// #     .with_profile("immediate".parse()?).with_min_training_conversations(0).start().await?;
    /// # let client = Client::builder().with_endpoint(emulator.endpoint())
    /// #     .with_credentials(Credentials::anonymous()).build()?;
    /// # let request = insights::CreateIssueModelRequest {
    /// #     parent: "projects/p/locations/us-central1".into(),
    /// #     issue_model: Some(insights::IssueModel {
    /// #         model_type: insights::issue_model::ModelType::TypeV2.into(),
    /// #         ..Default::default()
    /// #     }),
    /// # };
    /// # let name = client.create_issue_model(request).await?.name().to_owned();
    /// let operation = client.get_operation(&name).await?;
    /// assert!(operation.is_done());
    /// assert!(matches!(operation.metadata(), Some(Ok(Payload::CreateIssueModelMetadata(_)))));
    /// assert!(matches!(operation.outcome(), Some(Outcome::Succeeded(Ok(Payload::IssueModel(_))))));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Name`] if `name` is not of the form
    /// `projects/{project}/locations/{location}/operations/{operation}`; else those of every call. That the
    /// operation failed is not an error of this call.
    pub fn get_operation(&self, name: impl Into<String>) -> Call<Operation> {
        let name = name.into();
        match check_name(&name) {
            Ok(()) => self.operations.get(name),
            Err(error) => self.caller().refuse(&methods::GET_OPERATION, error),
        }
    }

    /// Lists operations, a page a call; [`Call::into_pages`] walks them all.
    ///
    /// In the request `name` is the parent, `projects/{project}/locations/{location}`. The filter knows
    /// `done="true"`, `metadata.operation_type="…"`, `metadata.create_time>"…"`, `status_code="0"` and more; see
    /// the product's documentation of operations.
    ///
    /// # Errors
    /// Those of every call.
    pub fn list_operations(&self, request: ListOperationsRequest) -> Call<ListOperationsResponse> {
        self.operations.list(request)
    }

    /// Asks the server to cancel an operation, best effort; how it ends is for [`Client::get_operation`] to
    /// tell. Safe to retry, and retried after any transient fault.
    ///
    /// # Errors
    /// As [`Client::get_operation`]. An operation that is done already is not an error.
    pub fn cancel_operation(&self, name: impl Into<String>) -> Call<()> {
        let name = name.into();
        match check_name(&name) {
            Ok(()) => self.operations.cancel(name),
            Err(error) => self.caller().refuse(&methods::CANCEL_OPERATION, error),
        }
    }

    /// Follows the operation of this name, which is expected to end in an `R` and to have metadata of type `M`:
    /// what another process started, say. A response of another type is an error at the end; metadata of
    /// another type is seen where it is read, and ends nothing.
    ///
    /// # Errors
    /// [`Error::Name`] as for [`Client::get_operation`].
    pub fn poller<R, M>(&self, name: impl Into<String>) -> Result<Poller<R, M>, Error> {
        let name = name.into();
        check_name(&name)?;
        self.operations.poller(name)
    }

    /// Goes on with an operation that a stored [`Handle`] names.
    ///
    /// # Errors
    /// [`Error::Resume`] if the handle was written for another response or metadata type, with both names;
    /// [`Error::Name`] if its name is not that of an operation.
    pub fn resume<R: Unpack, M: Unpack>(&self, handle: Handle) -> Result<Poller<R, M>, Error> {
        check_name(&handle.name)?;
        self.operations.resume(handle)
    }
}

/// A name is checked before anything is sent.
fn check_name(name: &str) -> Result<(), Error> {
    OperationName::check(name).map_err(Error::Name)
}
