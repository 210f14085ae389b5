//! The rules of the API improvement proposals and of the service's documentation, each tested by its number.
//!
//! Rules that are checked on parts of the emulator are tests of those parts, and named in the same way. `MUTATIONS.md`
//! says how each rule was broken on purpose, and which test saw it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod errors;
mod lifecycle;
mod lists;
mod resources;
mod rest;
mod standard;
#[path = "../support/mod.rs"]
mod support;
