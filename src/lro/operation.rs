//! One answer about an operation, typed.

use std::fmt;
use std::marker::PhantomData;

use tonic::Code;

use crate::any::{Payload, Unpack, UnpackError};
use crate::call::{Context, Reply};
use crate::error::Error;
use crate::proto::longrunning;
use crate::proto::longrunning::operation::Result as WireResult;
use crate::status::Status;

/// A snapshot of a long-running operation: `R` is what it ends in, `M` what it says while it runs.
///
/// Nothing is decoded before it is asked for, and [`Operation::raw`] keeps what came: a field that these protos
/// do not know is dropped from a typed message, but is still in the bytes of the `Any`.
///
/// ```
/// use contact_center_insights::lro::{Operation, Outcome};
/// use contact_center_insights::proto::{insights::IssueModel, longrunning};
/// use contact_center_insights::any::{Payload, pack};
///
/// let raw = longrunning::Operation {
///     name: "projects/p/locations/us-central1/operations/1".into(),
///     done: true,
///     result: Some(longrunning::operation::Result::Response(pack(&IssueModel::default()))),
///     ..Default::default()
/// };
/// let operation: Operation<IssueModel> = raw.into();
/// assert_eq!(operation.outcome(), Some(Outcome::Succeeded(Ok(IssueModel::default()))));
/// ```
pub struct Operation<R = Payload, M = Payload> {
    raw: longrunning::Operation,
    types: PhantomData<fn() -> (R, M)>,
}

/// How a finished operation ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome<R> {
    /// It gave its response, decoded; or a response that is not an `R`, and why.
    Succeeded(Result<R, UnpackError>),
    /// It failed with this status.
    Failed(Status),
    /// It was cancelled: its error has the code CANCELLED.
    Cancelled(Status),
    /// It is done, with neither response nor error. Where the promised response is `Empty`, this is
    /// `Succeeded` instead.
    NoResult,
}

impl<R, M> Operation<R, M> {
    /// The full resource name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.raw.name
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.raw.done
    }

    pub(super) fn take_metadata(&mut self) -> Option<prost_types::Any> {
        self.raw.metadata.take()
    }

    /// What came over the wire.
    #[must_use]
    pub fn raw(&self) -> &longrunning::Operation {
        &self.raw
    }

    /// Gives up the types.
    #[must_use]
    pub fn into_raw(self) -> longrunning::Operation {
        self.raw
    }

    /// The same snapshot, read as other types.
    #[must_use]
    pub fn cast<R2, M2>(self) -> Operation<R2, M2> {
        self.raw.into()
    }
}

impl<R, M: Unpack> Operation<R, M> {
    /// The metadata; `None` if there is none, an error if it is not an `M`. An error here ends nothing:
    /// [`Operation::raw`] has the bytes.
    #[must_use]
    pub fn metadata(&self) -> Option<Result<M, UnpackError>> {
        self.raw.metadata.as_ref().map(M::unpack)
    }
}

impl<R: Unpack, M> Operation<R, M> {
    /// How it ended; `None` while it runs.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome<R>> {
        self.raw.done.then(|| match &self.raw.result {
            Some(WireResult::Response(any)) => Outcome::Succeeded(R::unpack(any)),
            Some(WireResult::Error(error)) => {
                let status = Status::from(error.clone());
                if status.code() == Code::Cancelled {
                    Outcome::Cancelled(status)
                } else {
                    Outcome::Failed(status)
                }
            }
            None => R::absent().map_or(Outcome::NoResult, |empty| Outcome::Succeeded(Ok(empty))),
        })
    }

    /// The response of a finished operation; `None` while it runs.
    ///
    /// # Errors
    /// [`Error::Operation`] if it failed, [`Error::Cancelled`], [`Error::NoResult`], or [`Error::Response`] if
    /// the response is not an `R`; each names the operation.
    #[must_use]
    pub fn result(&self) -> Option<Result<R, Error>> {
        let name = || self.raw.name.clone();
        Some(match self.outcome()? {
            Outcome::Succeeded(Ok(response)) => Ok(response),
            Outcome::Succeeded(Err(error)) => Err(Error::Response { name: name(), error }),
            Outcome::Failed(status) => Err(Error::Operation { name: name(), status }),
            Outcome::Cancelled(status) => Err(Error::Cancelled { name: name(), status }),
            Outcome::NoResult => Err(Error::NoResult { name: name() }),
        })
    }
}

impl<R, M> From<longrunning::Operation> for Operation<R, M> {
    fn from(raw: longrunning::Operation) -> Self {
        Self { raw, types: PhantomData }
    }
}

impl<R, M> Reply for Operation<R, M> {
    type Wire = longrunning::Operation;

    fn from_wire(wire: Self::Wire, _: Context<'_>) -> Result<Self, Error> {
        Ok(wire.into())
    }
}

impl<R, M> Clone for Operation<R, M> {
    fn clone(&self) -> Self {
        self.raw.clone().into()
    }
}

impl<R, M> PartialEq for Operation<R, M> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<R, M> fmt::Debug for Operation<R, M> {
    /// Shows the messages in metadata and response, where this crate knows their types; else type URL and length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::any::pack;
    use crate::proto::insights::{Issue, IssueModel};
    use crate::proto::rpc;

    fn done<R>(result: Option<WireResult>) -> Operation<R> {
        longrunning::Operation { name: "op".into(), done: true, result, ..Default::default() }.into()
    }

    fn failed<R>(code: Code) -> Operation<R> {
        done(Some(WireResult::Error(rpc::Status { code: code as i32, ..Default::default() })))
    }

    #[test]
    fn every_end_is_told_apart() {
        let response = || Some(WireResult::Response(pack(&IssueModel::default())));
        assert!(matches!(done::<IssueModel>(response()).result(), Some(Ok(_))));
        assert!(matches!(done::<Payload>(response()).result(), Some(Ok(Payload::IssueModel(_)))));
        assert!(
            matches!(done::<Issue>(response()).result(), Some(Err(Error::Response { name, .. })) if name == "op")
        );
        assert!(matches!(failed::<Issue>(Code::Aborted).result(), Some(Err(Error::Operation { .. }))));
        assert!(matches!(failed::<Issue>(Code::Cancelled).result(), Some(Err(Error::Cancelled { .. }))));
        assert!(matches!(done::<Issue>(None).result(), Some(Err(Error::NoResult { .. }))));
        assert!(matches!(done::<()>(None).result(), Some(Ok(()))));
        assert_eq!(Operation::<Issue>::from(longrunning::Operation::default()).outcome(), None);
    }

    #[test]
    fn an_error_with_the_code_ok_is_still_a_failure() {
        assert!(matches!(failed::<()>(Code::Ok).outcome(), Some(Outcome::Failed(_))));
    }

    #[test]
    fn metadata_of_another_type_is_visible_and_ends_nothing() {
        let raw = longrunning::Operation { metadata: Some(pack(&Issue::default())), ..done::<()>(None).raw };
        let operation: Operation<(), IssueModel> = raw.into();
        assert!(matches!(operation.metadata(), Some(Err(UnpackError::Mismatch { .. }))));
        assert!(matches!(operation.result(), Some(Ok(()))));
    }
}
