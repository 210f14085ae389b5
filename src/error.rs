//! Why a call, or the operation it started, gave no result.

mod call;
mod classify;
mod config;
mod connect;
mod credentials;
mod fault;
mod http_reply;
mod misplaced;
mod request;
mod transport_fault;

use std::fmt;
use std::time::Duration;

use tonic::Code;

pub use call::CallError;
pub(crate) use classify::{FromServer, classify};
pub use config::{ConfigError, Setting};
pub(crate) use connect::{
    ClosedBeforeSend, ConnectFailure, PingsUnanswered, TooManyPings, Undriven, Unreachable,
};
pub use credentials::CredentialsError;
pub use fault::{Fault, ServerEffect};
pub(crate) use http_reply::HttpReply;
pub(crate) use misplaced::misplaced;
pub(crate) use request::{DeadlinePassed, RequestBody, UploadLost};
pub(crate) use transport_fault::{TransportFault, Unprocessed};

use crate::any::UnpackError;
use crate::names::NameError;
use crate::proto::rpc;
use crate::status::Status;
use crate::time::duration;

/// An error of any type, as the layers below hand it up.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a call, or the operation it started, gave no result.
///
/// `Display` is enough to act on when a log has nothing else: what failed, the code, and the server's own message, as in
/// `cannot follow operation `…`: GetOperation failed with NOT_FOUND: no such operation`. `source()` goes on below what
/// `Display` has said, so that a printed chain repeats nothing. The predicates look through [`Error::Following`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An option of a builder, or an environment variable, cannot be used; nothing was sent.
    Config(ConfigError),

    /// A resource name does not have the form that the API gives it; nothing was sent.
    Name(NameError),

    /// No access token could be had; the call was not sent.
    Credentials(CredentialsError),

    /// The call failed.
    Call(Box<CallError>),

    /// The operation ran and failed; every call about it went well.
    #[non_exhaustive]
    Operation {
        /// The operation's full resource name.
        name: String,
        /// The error that it ended in.
        status: Status,
    },

    /// The operation was cancelled; every call about it went well.
    #[non_exhaustive]
    Cancelled {
        /// The operation's full resource name.
        name: String,
        /// The error that it ended in, with the code CANCELLED.
        status: Status,
    },

    /// The operation is done, but the server gave neither response nor error.
    #[non_exhaustive]
    NoResult {
        /// The operation's full resource name.
        name: String,
    },

    /// The operation succeeded, but its response is not what was expected; the operation that came with it can be read
    /// from [`Poller::last`](crate::lro::Poller::last).
    #[non_exhaustive]
    Response {
        /// The operation's full resource name.
        name: String,
        /// What was expected, and what came.
        error: UnpackError,
    },

    /// The handle of the operation was written for other types than those asked for; nothing was sent.
    #[non_exhaustive]
    Resume {
        /// The operation's full resource name.
        name: String,
        /// What was asked for, and what the handle has.
        error: UnpackError,
    },

    /// The server answered with what the API does not allow; nothing more can be done with it.
    #[non_exhaustive]
    Protocol {
        /// What the server did.
        reason: String,
    },

    /// A call about the operation failed; the operation itself may well go on.
    #[non_exhaustive]
    Following {
        /// The operation's full resource name, to go on with.
        name: String,
        /// For how long the service had not answered, if that is why waiting ended.
        outage: Option<Duration>,
        /// The last call's failure.
        error: Box<Error>,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Name(error) => error.fmt(f),
            Self::Credentials(error) => write!(f, "no access token for the call: {error}"),
            Self::Call(error) => error.fmt(f),
            Self::Operation { name, status } => write!(f, "operation `{name}` ended with {status}"),
            Self::Cancelled { name, status } => match status.message() {
                "" => write!(f, "operation `{name}` was cancelled"),
                message => write!(f, "operation `{name}` was cancelled: {message}"),
            },
            Self::NoResult { name } => {
                write!(f, "operation `{name}` is done, but has neither response nor error")
            }
            Self::Response { name, error } => {
                write!(f, "the response of operation `{name}` cannot be read: {error}")
            }
            Self::Resume { name, error } => {
                write!(f, "operation `{name}` cannot be resumed with these types: {error}")
            }
            Self::Protocol { reason } => write!(f, "the server broke the contract: {reason}"),
            Self::Following { name, outage: None, error } => {
                write!(f, "cannot follow operation `{name}`: {error}")
            }
            Self::Following { name, outage: Some(outage), error } => write!(
                f,
                "gave up waiting for operation `{name}` after {outage:.0?} without an answer; it may go on, and can be \
                 followed again by its name: {error}"
            ),
        }
    }
}

/// Each level of ours has been said; what is below them follows.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => error.source(),
            Self::Name(error) => error.source(),
            Self::Credentials(error) => error.source(),
            Self::Call(error) => error.source(),
            Self::Response { error, .. } | Self::Resume { error, .. } => error.source(),
            Self::Following { error, .. } => error.source(),
            Self::Operation { .. }
            | Self::Cancelled { .. }
            | Self::NoResult { .. }
            | Self::Protocol { .. } => None,
        }
    }
}

impl From<Box<CallError>> for Error {
    fn from(error: Box<CallError>) -> Self {
        Self::Call(error)
    }
}

impl Error {
    pub(crate) fn config(setting: Setting, reason: impl Into<BoxError>) -> Self {
        Self::Config(ConfigError::new(setting, reason))
    }

    pub(crate) fn protocol(reason: impl Into<String>) -> Self {
        Self::Protocol { reason: reason.into() }
    }

    /// Adds what to do about a name that is not where it was asked for, if that is what the server said.
    pub(crate) fn with_advice(mut self, advice: impl FnOnce() -> Option<String>) -> Self {
        if let Self::Call(error) = &mut self
            && matches!(error.status.code(), Code::NotFound | Code::InvalidArgument)
        {
            error.advice = advice().map(Into::into);
        }
        self
    }

    /// The status that a server sent: of the failed call, or of the operation.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Call(error) => Some(&error.status),
            Self::Operation { status, .. } | Self::Cancelled { status, .. } => Some(status),
            Self::Following { error, .. } => error.status(),
            _ => None,
        }
    }

    /// The code of [`Error::status`].
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.status().map(Status::code)
    }

    /// The option or variable that cannot be used, of [`Error::Config`].
    #[must_use]
    pub fn setting(&self) -> Option<Setting> {
        match self {
            Self::Config(error) => Some(error.setting()),
            _ => None,
        }
    }

    /// The failed call, if a call failed.
    #[must_use]
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Self::Call(error) => Some(error),
            Self::Following { error, .. } => error.call(),
            _ => None,
        }
    }

    /// The name of the operation that the error is about.
    #[must_use]
    pub fn operation_name(&self) -> Option<&str> {
        match self {
            Self::Operation { name, .. }
            | Self::Cancelled { name, .. }
            | Self::NoResult { name }
            | Self::Response { name, .. }
            | Self::Resume { name, .. }
            | Self::Following { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether the same call may well succeed later. Says nothing of whether it is safe to repeat: see
    /// [`Error::may_have_been_applied`].
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Credentials(error) => error.is_transient(),
            Self::Call(error) => error.fault.is_transient,
            Self::Following { error, .. } => error.is_transient(),
            _ => false,
        }
    }

    /// Whether the server may have acted on a call that failed. `true` where nobody can know.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        self.call().is_some_and(|error| error.fault.effect == ServerEffect::Unknown)
    }

    /// Whether no access token could be had, or the server refused the one that was sent (UNAUTHENTICATED).
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        match self {
            Self::Credentials(_) => true,
            Self::Following { error, .. } => error.is_credentials(),
            Self::Call(error) => error.status.code() == Code::Unauthenticated,
            _ => false,
        }
    }

    /// Whether the server could not be reached at all: nothing was sent.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.call().is_some_and(|error| error.fault.effect == ServerEffect::NotSent)
    }

    /// Whether a call failed because its deadline passed.
    #[must_use]
    pub fn is_deadline_exceeded(&self) -> bool {
        self.call().is_some_and(|error| error.status.code() == Code::DeadlineExceeded)
    }

    /// Whether the server answered `NOT_FOUND` to a call.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.call().is_some_and(|error| error.status.code() == Code::NotFound)
    }

    /// How long the server asks to wait before the next attempt (`google.rpc.RetryInfo`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_delay(self.status()?)
    }
}

/// The delay of a status's `RetryInfo`; none if it is absent or negative.
pub(crate) fn retry_delay(status: &Status) -> Option<Duration> {
    duration(&status.detail::<rpc::RetryInfo>()?.retry_delay?)
}

/// Finds an error of type `T` in a chain of sources.
pub(crate) fn find<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        // A boxed or shared error answers for itself only through `source`, so each link is asked.
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
