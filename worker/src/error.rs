//! Why the worker could not do what it was asked for.

use std::fmt;

use contact_center_insights as insights;

use crate::error_text::chain;

/// Any error, as handlers give it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why the worker could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options do not go together; nothing was done.
    #[error("{0}")]
    Config(String),

    /// The store could not be used. What is in it is as it was.
    #[error(transparent)]
    Store(#[from] StoreError),

    /// A call of the API failed; whatever it was to start was not started.
    #[error(transparent)]
    Api(#[from] insights::Error),

    /// A call that starts an operation failed in a way that leaves open whether the operation was started. It is looked
    /// for, and followed if it is found; until then `cci worker ls` shows it. It is not started again.
    #[error("whether the operation was started is unknown, and it is looked for (`{intent}`): {error}")]
    #[non_exhaustive]
    Unsure {
        /// What was written down before the call.
        intent: String,
        /// How the call failed.
        error: insights::Error,
    },
}

/// Why a store could not be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// Its address or an option of it cannot be used.
    Config(String),
    /// Another process runs a worker on this file.
    Locked(String),
    /// A newer version of this package has changed the store so that this one must not use it.
    TooNew(i32),
    /// The database failed, or could not be reached; what was to be written is written wholly or not at all.
    Failed(BoxError),
}

impl StoreError {
    pub(crate) fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }

    /// Whether the same may well succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(reason) => write!(f, "the store cannot be used: {reason}"),
            Self::Locked(file) => write!(f, "another process runs a worker on `{file}`"),
            Self::TooNew(version) => {
                write!(f, "the store has the schema {version}, which needs a newer version of this program")
            }
            Self::Failed(error) => write!(f, "the store failed: {}", chain(error.as_ref())),
        }
    }
}

/// `Display` has said it all.
impl std::error::Error for StoreError {}
