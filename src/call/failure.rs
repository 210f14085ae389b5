//! A failed attempt: what it says, and what it means for the next.

use std::time::Duration;

use tonic::Code;

use crate::error::{CallError, Cause, CredentialsError, Error, Fault, Words, classify, find};
use crate::status::Status;

/// A failed attempt.
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) fault: Fault,
    cause: Cause,
    credentials: Option<CredentialsError>,
    /// The connection closed under the request, and the server has not seen it, or has said that it left it out.
    pub(super) is_unprocessed: bool,
}

impl Failure {
    pub(super) fn of(status: tonic::Status) -> Self {
        let (fault, transport) = classify(&status);
        let Some(transport) = transport else {
            let ours = Status::from(&status);
            return Self {
                cause: Cause::Server(Words(ours.message().to_owned())),
                status: ours,
                fault,
                credentials: None,
                is_unprocessed: false,
            };
        };
        let ours = Status::new(transport.code(), transport.to_string());
        let credentials = find::<CredentialsError>(transport).cloned();
        let is_unprocessed = transport.is_unprocessed();
        Self { status: ours, fault, credentials, is_unprocessed, cause: Cause::Transport(Box::new(status)) }
    }

    pub(super) fn timed_out(after: Duration, has_left: bool) -> Self {
        let (message, fault) = if has_left {
            (format!("no whole reply within {after:.1?}"), Fault::DEADLINE)
        } else {
            (
                format!("neither token nor connection within {after:.1?}: nothing was sent"),
                Fault::UNSENT_IN_TIME,
            )
        };
        let status = Status::new(Code::DeadlineExceeded, message.clone());
        Self { status, fault, cause: Cause::Server(Words(message)), credentials: None, is_unprocessed: false }
    }

    pub(super) fn without_token(error: CredentialsError, after: Duration) -> Self {
        let message = format!("no token within {after:.1?}");
        let fault = Fault::without_token(error.is_transient());
        let cause = Cause::Server(Words(message.clone()));
        let status = Status::new(Code::Unauthenticated, message);
        Self { status, fault, cause, credentials: Some(error), is_unprocessed: false }
    }

    /// No token could be had.
    pub(super) fn is_without_token(&self) -> bool {
        self.credentials.is_some()
    }

    /// The server itself refused the token.
    pub(super) fn is_refused_token(&self) -> bool {
        self.status.code() == Code::Unauthenticated && self.credentials.is_none()
    }

    pub(super) fn into_error(self, method: &'static str, attempts: u32, elapsed: Duration) -> Error {
        match self.credentials {
            Some(error) => Error::Credentials(error),
            None => Error::Call(Box::new(CallError {
                method,
                status: self.status,
                fault: self.fault,
                attempts,
                elapsed,
                source: self.cause,
            })),
        }
    }
}
