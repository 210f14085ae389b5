//! The `error` room: why a call, or the operation it started, gave no result.

mod connect;
mod fault;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tonic::Code;

pub(crate) use connect::{ConnectFailure, Lost, PingsUnanswered, Unreachable};
pub use fault::{Acted, Fault};
pub(crate) use fault::{HttpReply, ServerSaid, TransportFault, classify};

use crate::any::UnpackError;
use crate::names::NameError;
use crate::proto::rpc;
use crate::status::{Status, code_name};

/// An error of any type, as the layers below hand it up.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a call, or the operation it started, gave no result.
///
/// `Display` speaks for its own level and `source()` for the one below; print the whole chain to see both.
/// The predicates look through [`Error::Following`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The named option of the client, or environment variable, cannot be used; nothing was sent.
    #[error("cannot use {kind} `{0}`", kind = kind_of_option(.0))]
    Config(&'static str, #[source] BoxError),

    /// A resource name does not have the form that the API gives it; nothing was sent.
    #[error(transparent)]
    Name(NameError),

    /// No access token could be had; the call was not sent.
    #[error("no access token for the call")]
    Credentials(#[source] CredentialsError),

    /// The call failed.
    #[error(transparent)]
    Call(#[from] Box<CallError>),

    /// The named operation ran and failed; every call about it went well.
    #[error("operation `{}` ended with {}", .0, code_name(.1.code()))]
    Operation(String, #[source] Status),

    /// The named operation was cancelled; every call about it went well.
    #[error("operation `{0}` was cancelled")]
    Cancelled(String, #[source] Status),

    /// The named operation is done, but the server gave neither response nor error.
    #[error("operation `{0}` is done, but has neither response nor error")]
    NoResult(String),

    /// The named operation succeeded, but its response is not what was expected; the operation that came with
    /// it can be read from [`Poller::last`](crate::lro::Poller::last).
    #[error("the response of operation `{0}` cannot be read")]
    Response(String, #[source] UnpackError),

    /// The handle of the named operation was written for other types than those asked for; nothing was sent.
    #[error("operation `{0}` cannot be resumed with these types")]
    Resume(String, #[source] UnpackError),

    /// The server answered with what the API does not allow; nothing more can be done with it.
    #[error("the server broke the contract: {0}")]
    Protocol(&'static str),

    /// A call about the named operation failed; the operation itself may well go on.
    #[error("cannot follow operation `{0}`")]
    Following(String, #[source] Box<Error>),
}

impl Error {
    /// The status that a server sent: of the failed call, or of the operation.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Call(error) => Some(&error.status),
            Self::Operation(_, status) | Self::Cancelled(_, status) => Some(status),
            Self::Following(_, error) => error.status(),
            _ => None,
        }
    }

    /// The code of [`Error::status`].
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.status().map(Status::code)
    }

    /// The failed call, if a call failed.
    #[must_use]
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Self::Call(error) => Some(error),
            Self::Following(_, error) => error.call(),
            _ => None,
        }
    }

    /// The name of the operation that the error is about.
    #[must_use]
    pub fn operation_name(&self) -> Option<&str> {
        match self {
            Self::Operation(name, _)
            | Self::Cancelled(name, _)
            | Self::NoResult(name)
            | Self::Response(name, _)
            | Self::Resume(name, _)
            | Self::Following(name, _) => Some(name),
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
            Self::Following(_, error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether the server may have acted on a call that failed. `true` where nobody can know.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        self.call().is_some_and(|error| error.fault.acted == Acted::Unknown)
    }

    /// Whether no access token could be had, or the server refused the one that was sent (UNAUTHENTICATED).
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        match self {
            Self::Credentials(_) => true,
            Self::Following(_, error) => error.is_credentials(),
            Self::Call(error) => error.status.code() == Code::Unauthenticated,
            _ => false,
        }
    }

    /// Whether the server could not be reached at all: nothing was sent.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.call().is_some_and(|error| error.fault.acted == Acted::NotSent)
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

/// Options have names like methods, variables like constants.
fn kind_of_option(name: &str) -> &'static str {
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.ends_with("_proxy") {
        "client option"
    } else {
        "environment variable"
    }
}

/// The delay of a status's `RetryInfo`; none if it is absent or negative.
pub(crate) fn retry_delay(status: &Status) -> Option<Duration> {
    status.detail::<rpc::RetryInfo>()?.retry_delay?.try_into().ok()
}

/// A failed call: what was tried, for how long, and what it came to.
#[derive(Debug)]
pub struct CallError {
    pub(crate) method: &'static str,
    pub(crate) status: Status,
    pub(crate) fault: Fault,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) source: Cause,
}

impl CallError {
    /// The RPC, as `service/Method`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// What the server said, or what stands for it where the transport failed.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// What the last failure tells.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// How often the call was sent, at least 1.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// From the first attempt to giving up, waits included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, tries) = (code_name(self.status.code()), Tries(self.attempts, self.elapsed));
        write!(f, "`{}` failed with {code}{tries}", self.method)
    }
}

/// ` after 3 attempts in 2.1s`, or nothing for a single one.
struct Tries(u32, Duration);

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1 { write!(f, " after {} attempts in {:.1?}", self.0, self.1) } else { Ok(()) }
    }
}

/// What stands below a [`CallError`]: the server's words, or the transport's fault, which goes on to hyper, h2 and
/// the operating system.
#[derive(Debug)]
pub(crate) enum Cause {
    Server(Words),
    /// tonic keeps the fault as the source of a status, and lends it only.
    Transport(Box<tonic::Status>),
}

/// The message of a status; the code stands in the error above it.
#[derive(Debug, thiserror::Error)]
#[error("{}", if .0.is_empty() { "the server gave no message" } else { .0.as_str() })]
pub(crate) struct Words(pub(crate) String);

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Cause::Server(words) => Some(words),
            Cause::Transport(status) => find::<TransportFault>(status.source()?).map(|fault| fault as _),
        }
    }
}

/// Why no access token could be had. Never holds the token or a key.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{source_name} gave no token")]
pub struct CredentialsError {
    source_name: &'static str,
    is_transient: bool,
    #[source]
    source: Arc<dyn std::error::Error + Send + Sync>,
}

impl CredentialsError {
    /// A failure that may pass: the fetch is tried again, and reads with it.
    #[must_use]
    pub fn transient(source_name: &'static str, source: BoxError) -> Self {
        Self { source_name, is_transient: true, source: source.into() }
    }

    /// A failure that only a change of configuration ends. The fetch is still tried again at later calls.
    #[must_use]
    pub fn permanent(source_name: &'static str, source: BoxError) -> Self {
        Self { source_name, is_transient: false, source: source.into() }
    }

    /// Whether it may pass by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_transient
    }
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
