//! An in-memory emulator of Google's Contact Center AI Insights (CX Insights) API v1: gRPC and JSON on one port.
//!
//! It is for integration tests: operations live as their [`Profile`] says, time is read from a [`Clock`], and what is
//! there from the start comes from a [`Seed`]. See [`Emulator`] for an example.
//!
//! It answers as public recordings of the service have it. What it does where they and the API's documentation are silent
//! is a guess, and listed as one in its README.

// Of times: what comes from the wire or from a user overflows them. Integers are listed in clippy.toml.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests"
    )
)]

mod admin;
mod apart;
mod builder;
mod clock;
mod content;
mod contract;
mod dispatch;
mod edit_distance;
mod emulator;
mod engine;
mod errors;
mod filter;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod journal;
mod lists;
mod message;
mod methods;
mod names;
mod outbox;
mod page;
mod paging;
mod persist;
mod pipeline;
mod profile;
mod projects;
mod reflection;
mod rest;
mod script;
mod seed;
mod server;
mod snippets;
mod state;
mod store;
mod time;
mod tls;
mod work;
mod world;

pub use builder::{EmulatorBuilder, StartError};
pub use clock::{Clock, ClockError, ManualClock, SystemClock};
pub use emulator::Emulator;
pub use errors::ErrorDetails;
pub use journal::{Journal, JournalEntry, Transport, is_secret_header};
pub use lists::OperationLists;
pub use persist::SyncMode;
pub use profile::{MethodProfile, Profile, ProfileError};
pub use script::{Break, Fault, FaultError, Quotas};
pub use seed::{Seed, SeedError};
pub use snippets::{ClientLanguage, DEFAULT_PORT};

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
