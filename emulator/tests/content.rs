//! What the emulator does with content: from files to conversations, analyses and back to files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

#[path = "content/bulk.rs"]
mod bulk;
#[path = "content/exports.rs"]
mod exports;
#[path = "content/ingest.rs"]
mod ingest;
#[path = "content/labels.rs"]
mod labels;
#[path = "content/models.rs"]
mod models;
#[path = "content/statistics.rs"]
mod statistics;
#[path = "content/tuning.rs"]
mod tuning;
#[path = "content/uploads.rs"]
mod uploads;
