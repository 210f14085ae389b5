//! How a tracked operation ended.

use crate::any::Unpack;
use crate::error::Error;
use crate::lro::{Handle, Operation};

/// An operation that is tracked no more.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended {
    /// The operation's full resource name, as it was added.
    pub name: String,
    /// As it was added.
    pub handle: Handle,
    /// The finished operation, as `GetOperation` gave it; `None` if it is lost.
    pub operation: Option<Operation>,
    /// How its end was found out.
    pub how: How,
    pub(super) lost: Option<Error>,
}

/// How the end of an operation was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum How {
    /// It was asked about alone.
    Get,
    /// It was missing from a list of what runs, and was then asked about.
    Sweep,
    /// The service does not know it any more: asking about it ended in `NOT_FOUND`.
    Lost,
}

impl Ended {
    /// The finished operation with these types; what it ended in is then for [`Operation::result`] to say.
    ///
    /// # Errors
    /// [`Error::Resume`] if its handle is of other types; the failed call, with `NOT_FOUND`, if the operation is lost.
    pub fn typed<R: Unpack, M: Unpack>(self) -> Result<Operation<R, M>, Error> {
        let Self { handle, operation, lost, .. } = self;
        handle.check::<R, M>()?;
        let no_operation = || Error::protocol("an operation ended and is not there");
        match operation {
            Some(operation) => Ok(operation.cast()),
            None => Err(lost.unwrap_or_else(no_operation)),
        }
    }
}
