//! What a handler gets: the end of one operation.

use std::fmt;
use std::time::Duration;

use contact_center_insights::any::{Unpack, type_name};
use contact_center_insights::proto::longrunning;
use contact_center_insights::proto::longrunning::operation::Result as Ending;
use contact_center_insights::{Error, Handle, Operation, Payload};
use prost::Message as _;

use crate::key::Key;
use crate::row::Outcome;

/// The end of an operation: `R` is what it should end in, `M` its metadata.
#[non_exhaustive]
pub struct Delivery<R = Payload, M = Payload> {
    /// The same each time this end is handed over.
    pub key: Key,
    /// The operation's name and types, as it was registered.
    pub handle: Handle,
    /// The text that it was registered with.
    pub context: Option<String>,
    /// The finished operation; `None` if it is lost.
    pub operation: Option<Operation<R, M>>,
    /// Why it counts as lost: the service does not know it any more.
    pub lost: Option<String>,
    /// How often handing it over has failed before.
    pub tries: u32,
    /// For how long the end has been known.
    pub age: Duration,
}

impl Delivery {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let decoded = outcome.operation.as_deref().map(longrunning::Operation::decode);
        let (operation, unread) = match decoded {
            Some(Ok(operation)) => (Some(operation.into()), None),
            Some(Err(error)) => (None, Some(format!("what the store has of the operation is torn: {error}"))),
            None => (None, None),
        };
        Self {
            key: outcome.handle.name.clone().into(),
            handle: outcome.handle.clone(),
            context: outcome.context.clone(),
            operation,
            lost: unread.or_else(|| outcome.lost.clone()),
            tries: outcome.tries,
            age: outcome.age,
        }
    }

    /// The types of response and metadata: as registered, else as they are.
    pub(crate) fn types(&self) -> (Option<&str>, Option<&str>) {
        let raw = self.operation.as_ref().map(Operation::raw);
        let response = raw.and_then(|raw| match &raw.result {
            Some(Ending::Response(any)) => Some(type_name(&any.type_url)),
            _ => None,
        });
        let metadata = raw.and_then(|raw| raw.metadata.as_ref()).map(|any| type_name(&any.type_url));
        (self.handle.response.as_deref().or(response), self.handle.metadata.as_deref().or(metadata))
    }

    pub(crate) fn cast<R, M>(self) -> Delivery<R, M> {
        let Self { key, handle, context, operation, lost, tries, age } = self;
        Delivery { key, handle, context, operation: operation.map(Operation::cast), lost, tries, age }
    }
}

impl<R: Unpack, M> Delivery<R, M> {
    /// The response; or why there is none, as text of the error if the operation is lost.
    ///
    /// # Errors
    /// [`Error::Operation`] if it failed, [`Error::Cancelled`], [`Error::NoResult`], [`Error::Response`] if the response
    /// is not an `R`, and [`Lost`] if the service does not know the operation any more; in a box, as a handler has it.
    pub fn result(&self) -> Result<R, crate::error::BoxError> {
        let lost = || Lost { name: self.handle.name.clone(), reason: self.lost.clone().unwrap_or_default() };
        let operation = self.operation.as_ref().ok_or_else(lost)?;
        let no_result = || Lost { name: self.handle.name.clone(), reason: "it is not done".to_owned() };
        operation.result().ok_or_else(no_result)?.map_err(|error: Error| error.into())
    }
}

/// The operation is lost.
#[derive(Debug, thiserror::Error)]
#[error("operation `{name}` is lost: {reason}")]
#[non_exhaustive]
pub struct Lost {
    /// The operation's name.
    pub name: String,
    /// What the service said.
    pub reason: String,
}

impl<R, M> Clone for Delivery<R, M> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            handle: self.handle.clone(),
            context: self.context.clone(),
            operation: self.operation.clone(),
            lost: self.lost.clone(),
            tries: self.tries,
            age: self.age,
        }
    }
}

impl<R, M> fmt::Debug for Delivery<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("key", &self.key)
            .field("operation", &self.operation)
            .field("lost", &self.lost)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}
