//! A failed attempt: what it says, and what it means for the next.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use crate::error::{CallError, CredentialsError, Error, Fault, Unprocessed, classify, find, retry_delay};
use crate::status::Status;
use crate::time::earlier;
use crate::transport::Progress;

/// `grpc-timeout` is rounded up to milliseconds, and timers tick in them.
const ROUNDING: Duration = Duration::from_millis(2);

/// A failed attempt.
pub(super) struct Failure {
    pub(super) status: Status,
    pub(super) fault: Fault,
    /// tonic's status over the transport's fault.
    transport: Option<Box<tonic::Status>>,
    credentials: Option<CredentialsError>,
    /// How the request came back if the server has not seen it, or has said that it left it out.
    pub(super) unprocessed: Option<Unprocessed>,
    /// The server reset the stream with CANCEL, as servers do when the time of a call is over.
    is_reset_by_deadline: bool,
}

impl Failure {
    pub(super) fn of(status: tonic::Status) -> Self {
        let (fault, transport) = classify(&status);
        let Some(transport) = transport else {
            return Self::plain(Status::from(&status), fault);
        };
        let ours = Status::new(transport.code(), transport.to_string());
        let credentials = find::<CredentialsError>(transport).cloned();
        let unprocessed = transport.unprocessed();
        let is_reset_by_deadline = transport.is_cancelled_by_server();
        Self {
            status: ours,
            fault,
            transport: Some(Box::new(status)),
            credentials,
            unprocessed,
            is_reset_by_deadline,
        }
    }

    fn plain(status: Status, fault: Fault) -> Self {
        Self {
            status,
            fault,
            transport: None,
            credentials: None,
            unprocessed: None,
            is_reset_by_deadline: false,
        }
    }

    pub(super) fn timed_out(after: Duration, progress: Progress) -> Self {
        let (message, fault) = progress.at_the_deadline(after);
        Self::plain(Status::new(Code::DeadlineExceeded, message), fault)
    }

    pub(super) fn without_token(error: CredentialsError, after: Duration) -> Self {
        let status = Status::new(Code::Unauthenticated, format!("no token within {after:.1?}"));
        let fault = Fault::without_token(error.is_transient());
        Self { credentials: Some(error), ..Self::plain(status, fault) }
    }

    /// The time for the call passed while it waited for its turn in the rate budget.
    pub(super) fn out_of_turn(after: Duration) -> Self {
        let message = format!(
            "no turn in the rate budget within {after:.1?}: the server has refused calls for overload, and nothing was sent"
        );
        Self::plain(Status::new(Code::DeadlineExceeded, message), Fault::UNSENT_IN_TIME)
    }

    /// The same failure; or, if it is the server that broke the call off when its time was over, that. Servers keep the
    /// time that `grpc-timeout` gives, and some reset the stream just before our own timer fires.
    pub(super) fn or_timed_out(self, now: Instant, end: Instant, took: Duration, progress: Progress) -> Self {
        if self.is_reset_by_deadline && now >= earlier(end, ROUNDING) {
            Self::timed_out(took, progress)
        } else {
            self
        }
    }

    /// How long the server asks to wait.
    pub(super) fn asked(&self) -> Option<Duration> {
        retry_delay(&self.status)
    }

    /// Whether the server refused the call for overload, or asks for a delay.
    pub(super) fn asks_for_fewer_calls(&self) -> bool {
        self.fault.is_overload || self.asked().is_some()
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
                transport: self.transport,
                advice: None,
            })),
        }
    }
}
