//! gRPC client for Google's Contact Center AI Insights (CX Insights) API v1, with first-class long-running operations.
//!
#![doc = include_str!("guide.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Of times: what comes from the wire or from a user overflows them. Integers are listed in clippy.toml.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod any;
pub mod auth;
pub mod call;
pub mod client;
pub mod error;
mod jitter;
#[cfg(feature = "json")]
pub mod json;
pub mod lro;
pub mod names;
pub mod proto;
pub mod status;
mod time;
pub mod track;
pub mod transport;

pub use {http, prost, prost_types, tonic};

pub use tonic::Code;

pub use any::Payload;
pub use auth::Credentials;
pub use call::RetryPolicy;
pub use client::{Client, ClientBuilder};
pub use error::Error;
pub use lro::{Handle, Operation, Outcome, PollPolicy, Poller, Waited};
pub use status::Status;
pub use transport::{Endpoint, Transport};

/// The code in the README runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
