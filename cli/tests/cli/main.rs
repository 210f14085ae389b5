//! Runs the real binary against its own emulator: loopback only, an empty environment, a port of its own for
//! each test, and nothing that waits for a clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod call;
mod completions;
mod day;
mod defaults;
mod doctor;
#[cfg(unix)]
#[allow(unreachable_pub, reason = "a module of several tests")]
#[path = "../../../tests/support/documented.rs"]
mod documented;
mod emulator;
mod exits;
#[cfg(unix)]
mod kill;
mod names;
mod operations;
mod outage;
mod port;
mod quickstart;
mod record;
mod rest;
mod support;
mod text;
mod tls;
mod verify;
mod wait;
mod worker;
