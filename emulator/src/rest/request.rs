//! A JSON request as it was sent.

use bytes::Bytes;
use http::HeaderMap;

/// A request, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct RestRequest<'a> {
    pub(crate) verb: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Bytes,
}

impl<'a> RestRequest<'a> {
    /// The verb that is meant: a client that cannot send PATCH, as Java's cannot, sends POST and says so in a header.
    pub(super) fn verb(&self) -> &'a str {
        let said = self.headers.get("x-http-method-override").and_then(|value| value.to_str().ok());
        said.filter(|_| self.verb == "POST").unwrap_or(self.verb)
    }
}
