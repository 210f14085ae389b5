//! Why something cannot be seeded.

use contact_center_insights::Status;

/// Why something cannot be seeded; names the entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SeedError(pub(super) String);

impl SeedError {
    /// What was placed could not be written down.
    pub(crate) fn from_status(status: &Status) -> Self {
        Self(status.message().to_owned())
    }
}
