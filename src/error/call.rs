//! A failed call: what was tried, for how long, and what it came to.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use super::{Fault, TransportFault, find};
use crate::status::{Status, code_name};

/// A failed call: what was tried, for how long, and what it came to.
///
/// `Display` has the method, the code, how often the call was made and the message:
/// `GetOperation failed with NOT_FOUND: no such operation`. Where the transport failed, `source()` goes on with what
/// hyper, h2, rustls and the operating system said.
#[derive(Debug)]
pub struct CallError {
    pub(crate) method: &'static str,
    pub(crate) status: Status,
    pub(crate) fault: Fault,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    /// tonic keeps a transport's fault as the source of a status, and lends it only.
    pub(crate) transport: Option<Box<tonic::Status>>,
    /// What to do about it, where that is known.
    pub(crate) advice: Option<Box<str>>,
}

impl CallError {
    /// The RPC, as `service/Method`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// What the server said, or what stands for it where the transport failed.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// What the last failure tells.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// How often the call was sent, at least 1.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What to do, where it is known: after `NOT_FOUND` or `INVALID_ARGUMENT`, that the name is in another location than
    /// the host, and which host it is at. `Display` ends with it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// From the first attempt to giving up, waits included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.method.rsplit('/').next().unwrap_or(self.method);
        write!(f, "{method} failed with {}", code_name(self.status.code()))?;
        if self.attempts > 1 {
            write!(f, " after {} attempts in {:.1?}", self.attempts, self.elapsed)?;
        }
        match self.status.message() {
            "" => f.write_str(", without a message from the server")?,
            message => write!(f, ": {message}")?,
        }
        match &self.advice {
            Some(advice) => write!(f, " ({advice})"),
            None => Ok(()),
        }
    }
}

/// The fault has been said; what is below it follows.
impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        find::<TransportFault>(self.transport.as_ref()?.source()?)?.source()
    }
}
