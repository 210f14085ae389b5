//! The flags that complete names.

use clap::Args;

use crate::scope::Scope;

// The project and the location of names that do not say.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Names")]
pub(crate) struct ScopeArgs {
    /// The project of names that do not say; by default `CCI_PROJECT`, that of the profile, `GOOGLE_CLOUD_PROJECT`, or
    /// that of gcloud's active configuration.
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<String>,

    /// The location of names that do not say; by default `CCI_LOCATION`, or that of the profile.
    #[arg(long, value_name = "LOCATION")]
    pub(crate) location: Option<String>,
}

impl ScopeArgs {
    /// What completes names.
    pub(crate) fn scope(self) -> Scope {
        Scope::new(self.project, self.location)
    }
}
