//! The rules of the API improvement proposals and of the service's documentation, each tested by its number.
//!
//! Rules that are checked on parts of the emulator are tests of those parts, and named in the same way. `RULES.md` has
//! every rule with its source, its tests, and how it was broken on purpose to see them fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod errors;
mod lifecycle;
mod lists;
mod resources;
mod rest;
mod rules_md;
mod standard;
#[path = "../support/mod.rs"]
mod support;
