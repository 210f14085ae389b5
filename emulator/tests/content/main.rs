//! What the emulator does with content: from files to conversations, analyses and back to files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bulk;
mod exports;
mod ingest;
mod labels;
mod models;
mod statistics;
#[path = "../support/mod.rs"]
mod support;
mod transcripts;
mod tuning;
mod uploads;
