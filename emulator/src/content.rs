//! What methods do with content, as pure functions of messages and files: no store, no clock, no randomness.
//!
//! Where the service uses a model there is a stand-in here: deterministic, explained where it is made, and said to be
//! one in the emulator's README.

pub(crate) mod analysis;
pub(crate) mod averages;
pub(crate) mod bucket;
pub(crate) mod conversation;
mod entities;
pub(crate) mod export;
pub(crate) mod label_files;
pub(crate) mod metrics;
pub(crate) mod model_file;
mod phrases;
pub(crate) mod quality;
pub(crate) mod select;
mod sentiment;
pub(crate) mod sidecar_metadata;
pub(crate) mod silence;
pub(crate) mod stats;
mod summary;
pub(crate) mod topics;
pub(crate) mod transcript;
pub(crate) mod tuning;
mod words;
