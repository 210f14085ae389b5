//! Why no connection could be opened: what failed, and what to do about it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::BoxError;

/// No connection was opened, so nothing was sent over it.
#[derive(Debug)]
pub(crate) struct ConnectFailure {
    text: Cow<'static, str>,
    is_transient: bool,
    source: Option<BoxError>,
}

impl ConnectFailure {
    /// A failure that may pass by itself.
    pub(crate) fn transient(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), is_transient: true, source: None }
    }

    /// A failure that lasts until someone changes something, here or at the server: to try again at once would
    /// only delay the message.
    pub(crate) fn permanent(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), is_transient: false, source: None }
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn is_transient(&self) -> bool {
        self.is_transient
    }
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for ConnectFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// No connection could be opened: the same error for all calls that waited for it.
#[derive(Clone, Debug)]
pub(crate) struct Unreachable(Arc<dyn StdError + Send + Sync>);

impl Unreachable {
    pub(crate) fn new(source: BoxError) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection could be opened")
    }
}

impl StdError for Unreachable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.as_ref())
    }
}

/// The connection closed as a request was being put on it.
#[derive(Debug, thiserror::Error)]
#[error("the connection closed before the request was sent")]
pub(crate) struct ClosedBeforeSend(#[source] pub(crate) h2::Error);

/// The connection was given up because the server answered no ping.
#[derive(Debug, thiserror::Error)]
#[error("a ping was not answered")]
pub(crate) struct PingsUnanswered(#[source] pub(crate) h2::Error);

/// The connection was closed by the server because it was pinged too often.
#[derive(Debug, thiserror::Error)]
#[error(
    "it was pinged every {interval:?} while calls were in flight; connections that are opened from now on ping every \
     {next:?}, and `TransportBuilder::with_keepalive` sets the interval"
)]
pub(crate) struct TooManyPings {
    pub(crate) interval: Duration,
    pub(crate) next: Duration,
    #[source]
    pub(crate) source: h2::Error,
}

impl TooManyPings {
    /// Whether the server has said that it left the request out.
    pub(crate) fn is_left_out(&self) -> bool {
        self.source.is_go_away() && self.source.is_remote()
    }
}

/// The connection belongs to a runtime that nobody drives.
#[derive(Debug, thiserror::Error)]
#[error(
    "the connection was opened by a call of another tokio runtime, which is alive and is not being driven, such as a \
     `current_thread` one between two `block_on`"
)]
pub(crate) struct Undriven {
    /// Whether the request may have left before.
    pub(crate) is_sent: bool,
}
