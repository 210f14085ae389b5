//! Why an emulator does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::profile::ProfileError;
use crate::script::FaultError;
use crate::seed::SeedError;
use crate::server::Unusable;

/// Why an emulator could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A profile was given for a method that is not long-running.
    #[error("a profile is for an unknown method")]
    Method(#[source] ProfileError),
    /// A fault could never hit a call, or a quota is for no method.
    #[error("a fault or quota cannot be used")]
    Fault(#[source] FaultError),
    /// A project cannot have the number that it was given.
    #[error("the number of a project cannot be used: {0}")]
    Project(String),
    /// Two entries of the seed have one name, because the id and the number in them name one project.
    #[error("the seed cannot be used")]
    Seed(#[source] SeedError),
    /// The data directory cannot be used: it is in use, damaged, not to be written to, or has two resources that have one
    /// name here, because it was written where an id and a number name two projects.
    #[error("cannot keep data in {}", .directory.display())]
    #[non_exhaustive]
    DataDir {
        /// The directory.
        directory: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A name that was to be served is not one.
    #[error("cannot serve a name: {0}")]
    Host(String),
    /// A page that was to be allowed has no such origin.
    #[error("cannot allow a page: {0}")]
    Origin(String),
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The directory for Cloud Storage cannot be opened.
    #[error("cannot open the directory {} for Cloud Storage", directory.display())]
    #[non_exhaustive]
    GcsRoot {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    #[non_exhaustive]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

impl From<Unusable> for StartError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Host(why) => Self::Host(why),
            Unusable::Origin(why) => Self::Origin(why),
        }
    }
}
