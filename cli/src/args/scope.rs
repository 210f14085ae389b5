//! The flags that complete names.

use clap::Args;

/// The project and the location of names that do not say.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Names")]
pub(crate) struct ScopeArgs {
    /// The project of names that do not say; by default `CCI_PROJECT`, `GOOGLE_CLOUD_PROJECT`, or that of gcloud's
    /// active configuration.
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<String>,

    /// The location of names that do not say; by default `CCI_LOCATION`.
    #[arg(long, value_name = "LOCATION")]
    pub(crate) location: Option<String>,
}
