//! What several tests of the worker share.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

pub mod api;
#[cfg(feature = "postgres")]
pub mod cluster;
pub mod mutants;
