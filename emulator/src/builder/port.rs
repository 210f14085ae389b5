//! What is set of the port: who is answered at it, and how long connections are kept.

use std::time::Duration;

use super::EmulatorBuilder;
use crate::names;
use crate::server::{Guard, Limits, Unusable};

/// Of the port.
#[derive(Clone, Debug, Default)]
pub(super) struct PortOptions {
    hosts: Vec<String>,
    origins: Vec<String>,
    pub(super) limits: Limits,
}

impl PortOptions {
    pub(super) fn guard(&self) -> Result<Guard, Unusable> {
        Guard::new(&self.hosts, &self.origins)
    }

    /// The names that a certificate is to be good for.
    pub(super) fn names(&self) -> Vec<String> {
        let own = ["localhost", "host.docker.internal"].map(str::to_owned).into_iter();
        own.chain(names::api_hosts()).chain(self.hosts.iter().cloned()).collect()
    }
}

impl EmulatorBuilder {
    /// Serves requests for this host too, such as `emulator.test`, or for all hosts below one, such as `*.test`; ports
    /// do not matter. Can be given many times.
    ///
    /// Always served are IP addresses, `localhost` and names that end in `.localhost`, names without a dot (such as those
    /// of containers), `host.docker.internal`, and names that end in `.googleapis.com`. Requests for any other name are
    /// refused with 403 or `PERMISSION_DENIED`: a page of another site may have made its name lead here (DNS rebinding).
    pub fn with_allowed_host(mut self, host: impl Into<String>) -> Self {
        self.port.hosts.push(host.into());
        self
    }

    /// Answers pages of this origin too, such as `http://localhost:3000`, with the headers of CORS. Can be given many
    /// times. Such a page can read and change everything. Default: only pages of the emulator's own name and port are
    /// answered; what a page of another site makes a browser send is refused.
    pub fn with_allowed_origin(mut self, origin: impl Into<String>) -> Self {
        self.port.origins.push(origin.into());
        self
    }

    /// Closes a connection on which there has been no call for so long. Default: connections are kept, but those of
    /// HTTP/2 whose other side does not answer a ping, which is sent after a minute without a word, within 20 seconds;
    /// and those of HTTP/1.1 that wait for a request for 30 seconds.
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.port.limits.idle = Some(timeout);
        self
    }

    /// Closes a connection whose first request's head, or whose preface of HTTP/2, is not there whole after so long,
    /// the handshake of TLS included. Default: 30 seconds.
    pub fn with_greeting_timeout(mut self, timeout: Duration) -> Self {
        self.port.limits.greeting = timeout;
        self
    }
}
