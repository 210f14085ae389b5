//! gRPC client for Google's Contact Center AI Insights (CX Insights) API v1, with first-class long-running
//! operations.
//!
//! [`Client`] has one method for each of the API's 74 RPCs; those that start a long-running operation answer
//! with a [`Poller`], which follows it to its typed result. [`Client::get_operation`] reads any operation by
//! name, and unpacks its metadata and response.
//!
//! The rooms, lowest first; each imports only those before it:
//!
//! | module | owns |
//! |---|---|
//! | [`proto`] | the messages and bare stubs generated from the protos |
//! | [`names`] | names of resources, built and parsed |
//! | [`any`] | `google.protobuf.Any` to a message and back |
//! | [`status`], [`error`] | what a server said, and why a call gave no result |
//! | [`auth`] | tokens: where they come from, and how long they serve |
//! | [`transport`] | the endpoint, the connection, and the layers on it |
//! | [`call`] | one typed call: routing header, deadline, retries |
//! | [`lro`] | operations, and pollers that follow them |
//! | [`client`] | the client, its builder, its methods, and pages |
//! | `json` | an operation as the REST API prints it (feature `json`) |
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
