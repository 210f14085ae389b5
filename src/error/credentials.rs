//! Why no access token could be had.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::BoxError;

/// Why no access token could be had. Never holds the token or a key.
///
/// `Display` names the source of tokens and what it said; `source()` goes on below that.
#[derive(Clone, Debug)]
pub struct CredentialsError {
    source_name: &'static str,
    is_transient: bool,
    reason: Arc<dyn StdError + Send + Sync>,
}

impl CredentialsError {
    /// A failure that may pass: the fetch is retried, and reads with it.
    #[must_use]
    pub fn transient(source_name: &'static str, source: BoxError) -> Self {
        Self { source_name, is_transient: true, reason: source.into() }
    }

    /// A failure that only a change of configuration ends. Later calls still try to fetch a token.
    #[must_use]
    pub fn permanent(source_name: &'static str, source: BoxError) -> Self {
        Self { source_name, is_transient: false, reason: source.into() }
    }

    /// Whether it may pass by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// What the source of tokens gave as its error.
    #[must_use]
    pub fn reason(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.reason.as_ref()
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} gave no token: {}", self.source_name, self.reason)
    }
}

/// The reason has been said; what is below it follows.
impl StdError for CredentialsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.reason.source()
    }
}
