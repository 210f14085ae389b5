//! A reply that is HTTP and not gRPC.

use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

/// A reply that is HTTP but not gRPC: a proxy's page, mostly.
#[derive(Debug)]
pub(crate) struct HttpReply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    /// Of the page, where it was read.
    pub(crate) title: Option<String>,
}

impl HttpReply {
    /// Whether it says that the client has to show a certificate. nginx does so in an HTTP reply, and not in TLS.
    pub(crate) fn wants_certificate(&self) -> bool {
        let Some(title) = &self.title else { return false };
        let title = title.to_ascii_lowercase();
        self.status == StatusCode::BAD_REQUEST
            && ["ssl certificate", "client certificate"].iter().any(|words| title.contains(words))
    }
}

impl fmt::Display for HttpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {} with content type `{}`, not gRPC", self.status, self.content_type)?;
        match &self.title {
            Some(title) => write!(f, ": {title:?}"),
            None => Ok(()),
        }
    }
}

impl StdError for HttpReply {}
