//! An option or a variable that cannot be used: which one, and why.

use std::error::Error as StdError;
use std::fmt;

use super::BoxError;

/// An option of a builder, or an environment variable, that cannot be used. Nothing was sent.
///
/// ```
/// use contact_center_insights::{Client, Error, error::Setting};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let error = Client::builder().with_endpoint("ftp://example.com").build().unwrap_err();
/// let Error::Config(config) = &error else { panic!("{error}") };
/// assert_eq!(config.setting(), Setting::Endpoint);
/// assert!(error.to_string().starts_with("cannot use client option `endpoint`: "));
/// # }
/// ```
#[derive(Debug)]
pub struct ConfigError {
    setting: Setting,
    reason: BoxError,
}

/// What can be set, and be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// `with_endpoint`, or the text of an [`Endpoint`](crate::Endpoint).
    Endpoint,
    /// `with_location`.
    Location,
    /// `with_transport`, together with options that the transport brings itself.
    Transport,
    /// `with_credentials`.
    Credentials,
    /// `with_quota_project`.
    QuotaProject,
    /// `with_universe_domain`.
    UniverseDomain,
    /// `with_proxy`.
    Proxy,
    /// `with_tls`.
    Tls,
    /// The environment variable of this name.
    Variable(&'static str),
}

impl Setting {
    /// The name of the option as its setter has it, without `with_`; or the name of the variable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Location => "location",
            Self::Transport => "transport",
            Self::Credentials => "credentials",
            Self::QuotaProject => "quota_project",
            Self::UniverseDomain => "universe_domain",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Variable(name) => name,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if matches!(self, Self::Variable(_)) { "environment variable" } else { "client option" };
        write!(f, "{kind} `{}`", self.name())
    }
}

impl ConfigError {
    pub(crate) fn new(setting: Setting, reason: impl Into<BoxError>) -> Self {
        Self { setting, reason: reason.into() }
    }

    /// Which option or variable it is.
    #[must_use]
    pub fn setting(&self) -> Setting {
        self.setting
    }

    /// Gives up the setting for the reason.
    #[must_use]
    pub fn into_reason(self) -> BoxError {
        self.reason
    }

    /// Why it cannot be used.
    #[must_use]
    pub fn reason(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.reason.as_ref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use {}: {}", self.setting, self.reason)
    }
}

/// The reason has been said; what is below it follows.
impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.reason.source()
    }
}
