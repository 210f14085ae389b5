//! A bearer token that cannot print itself.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::error::BoxError;

/// An OAuth 2.0 access token, and when it ends.
///
/// `Debug` shows when it ends, never the token; there is no `Display`. The header it travels in is marked
/// sensitive, which keeps it out of logs and out of HPACK's table.
#[derive(Clone)]
pub struct Token {
    header: HeaderValue,
    expires: Option<Instant>,
    renew: Option<Instant>,
}

/// Renewal starts this long before a token ends, or for the last quarter of a shorter life. Metadata servers
/// hand out the same token until 4 to 5 minutes before its end, so to ask earlier gains nothing.
const RENEW_BEFORE: Duration = Duration::from_secs(225);

impl Token {
    /// A token without a known end.
    ///
    /// # Errors
    /// If the token is empty, or has characters that no header can carry. The error does not repeat it.
    pub fn new(secret: impl AsRef<str>) -> Result<Self, BoxError> {
        let secret = secret.as_ref();
        if secret.trim().is_empty() {
            return Err("the access token is empty".into());
        }
        let mut header = HeaderValue::try_from(format!("Bearer {secret}"))
            .map_err(|_| "the access token has characters that no header can carry (a line break?)")?;
        header.set_sensitive(true);
        Ok(Self { header, expires: None, renew: None })
    }

    /// States how long the token is good for, from now on. Renewal starts 225 s before that, or in the last
    /// quarter of a life shorter than 15 minutes; a token that has ended is not sent.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires = Instant::now().checked_add(lifetime);
        self.renew_in(lifetime.saturating_sub(RENEW_BEFORE.min(lifetime / 4)))
    }

    /// States when to ask for a newer token, from now on, without stating that this one ends then: for sources
    /// that do not know. If renewing fails, the token stays in use.
    #[must_use]
    pub fn renew_in(mut self, age: Duration) -> Self {
        self.renew = Instant::now().checked_add(age);
        self
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    pub(crate) fn is_due_for_renewal(&self, now: Instant) -> bool {
        self.renew.is_some_and(|at| at <= now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.expires.map(|at| at.saturating_duration_since(Instant::now()));
        f.debug_struct("Token")
            .field("secret", &"[redacted]")
            .field("expires_in", &left)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_prints_itself() {
        let token = Token::new("ya29.secret").unwrap().expires_in(Duration::from_mins(1));
        for shown in [format!("{token:?}"), format!("{:?}", token.header())] {
            assert!(!shown.contains("secret\"") && !shown.contains("ya29"), "{shown}");
        }
        assert_eq!(token.header().as_bytes(), b"Bearer ya29.secret");
    }

    #[test]
    fn unusable_tokens_are_refused_without_being_repeated() {
        for bad in ["", "  ", "two\nlines"] {
            let error = Token::new(bad).unwrap_err().to_string();
            assert!(!error.contains("two"), "{error}");
        }
    }
}
