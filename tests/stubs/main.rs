//! Other people's stubs over our transport: codes of faults, deadlines, streams of requests, replies that nobody reads, and
//! requests that come back unprocessed. The codes are measured on sockets, the rest over pipes with paused time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]
#![allow(unreachable_pub, clippy::indexing_slicing, reason = "modules of a test")]

#[path = "../faults/calls.rs"]
#[allow(dead_code, reason = "a module of two tests, each of which uses its part")]
mod calls;
mod certificate;
mod codes;
mod deadlines;
#[path = "../support/documented.rs"]
mod documented;
mod pipe;
mod resends;
#[path = "../faults/rows.rs"]
#[allow(dead_code, reason = "a module of two tests, each of which uses its part")]
mod rows;
#[path = "../faults/server.rs"]
#[allow(dead_code, reason = "a module of two tests, each of which uses its part")]
mod server;
#[path = "../support/mod.rs"]
mod support;
mod uploads;
mod windows;
#[path = "../faults/wire.rs"]
mod wire;
