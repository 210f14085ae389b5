//! The `work` room: what methods do with content, as functions of messages and files. No store, no clock, no chance.
//!
//! Where the service uses a model there is a stand-in here: deterministic, explained where it is made, and said to be
//! one in the emulator's README.

pub(crate) mod analysis;
pub(crate) mod bucket;
pub(crate) mod companion;
pub(crate) mod conversation;
mod entities;
pub(crate) mod export;
pub(crate) mod labels;
pub(crate) mod metrics;
pub(crate) mod model_file;
mod mood;
mod phrases;
pub(crate) mod quality;
pub(crate) mod select;
pub(crate) mod silence;
pub(crate) mod stats;
mod summary;
pub(crate) mod sums;
pub(crate) mod topics;
pub(crate) mod transcript;
pub(crate) mod tuning;
mod words;
