//! gRPC client for Google's Contact Center AI Insights (CX Insights) API v1, with first-class long-running operations.
//!
#![doc = include_str!("guide.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

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
pub mod transport;

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
