//! Why a request was not sent whole, or not answered in time.

use super::BoxError;

/// The body of the request failed: the caller's stream of messages, or the encoding of one.
#[derive(Debug, thiserror::Error)]
#[error("the body of the request failed")]
pub(crate) struct RequestBody(#[source] pub(crate) BoxError);

/// The task that sent the messages of a request is gone.
#[derive(Debug, thiserror::Error)]
#[error("the task that sent the messages is gone: its runtime stopped, or the stream of messages panicked")]
pub(crate) struct UploadLost;

/// The time passed that the header `grpc-timeout` gives.
#[derive(Debug, thiserror::Error)]
#[error("the time passed that the header `grpc-timeout` gives")]
pub(crate) struct DeadlinePassed(#[source] pub(crate) Option<BoxError>);
