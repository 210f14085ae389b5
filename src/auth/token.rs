//! A bearer token that cannot print itself, and what came with it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::time::Instant;

use crate::error::BoxError;
use crate::time::scaled;

/// An OAuth 2.0 access token, when it ends, and what its source says of it.
///
/// `Debug` shows when it ends, never the token; there is no `Display`. The header it travels in is marked
/// sensitive, which keeps it out of logs and out of HPACK's table.
#[derive(Clone)]
pub struct Token {
    header: HeaderValue,
    ends: Option<Moment>,
    renewal: Option<Renewal>,
    quota_project: Option<HeaderValue>,
    universe: Option<Arc<str>>,
}

/// Renewal starts this long before a token ends, or for the last quarter of a shorter life. Metadata servers
/// hand out the same token until 4 to 5 minutes before its end, so to ask earlier gains nothing.
const RENEW_BEFORE: Duration = Duration::from_secs(225);
/// A token is not sent within its last seconds, or the last eighth of a short life: it is read by another clock, after
/// a way of its own.
const MARGIN: Duration = Duration::from_secs(5);

/// A point in time by both clocks. The monotonic one stands still while a machine sleeps, the other can be set; what
/// is due by either is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) wall: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { at: Instant::now(), wall: SystemTime::now() }
    }

    /// `None` if it is beyond what the clocks can tell, which nobody will see.
    pub(super) fn after(self, span: Duration) -> Option<Self> {
        Some(Self { at: self.at.checked_add(span)?, wall: self.wall.checked_add(span)? })
    }

    pub(super) fn has_come(self, now: Self) -> bool {
        self.at <= now.at || self.wall <= now.wall
    }
}

/// When to ask for the next token: from `earliest` on, within `spread`, so that those who started together drift apart.
#[derive(Clone, Copy)]
struct Renewal {
    earliest: Moment,
    spread: Duration,
}

impl Token {
    /// A token without a known end.
    ///
    /// # Errors
    /// If the token is empty, has characters that no header can carry, or is not the token alone: with `Bearer ` before it,
    /// in quotes, or within JSON. The error does not repeat it.
    pub fn new(secret: impl AsRef<str>) -> Result<Self, BoxError> {
        let secret = secret.as_ref();
        if let Some(reason) = wrapped(secret) {
            return Err(reason.into());
        }
        let mut header = HeaderValue::try_from(format!("Bearer {secret}"))
            .map_err(|_| "the access token has characters that no header can carry (a line break?)")?;
        header.set_sensitive(true);
        Ok(Self { header, ends: None, renewal: None, quota_project: None, universe: None })
    }

    /// States how long the token is good for, from now on. It is not sent within the last 5 s of that, or the last
    /// eighth of a life shorter than 40 s. Renewal starts 225 s before the end, or in the last quarter of a life
    /// shorter than 15 minutes, a little later by chance.
    #[must_use]
    pub fn expires_in(self, lifetime: Duration) -> Self {
        self.ends_at(Moment::now(), lifetime)
    }

    /// As [`Token::expires_in`], counted from `now`.
    pub(super) fn ends_at(mut self, now: Moment, lifetime: Duration) -> Self {
        self.ends = now.after(lifetime.saturating_sub(MARGIN.min(lifetime / 8)));
        let before = RENEW_BEFORE.min(lifetime / 4);
        self.renewal = now
            .after(lifetime.saturating_sub(before))
            .map(|earliest| Renewal { earliest, spread: before / 4 });
        self
    }

    /// States when to ask for a newer token, from now on, without stating that this one ends then: for sources
    /// that do not know. If renewing fails, the token stays in use.
    #[must_use]
    pub fn renew_in(mut self, age: Duration) -> Self {
        self.renewal = Moment::now().after(age).map(|earliest| Renewal { earliest, spread: age / 8 });
        self
    }

    /// States the project that calls are charged to and counted against (`x-goog-user-project`), as a credentials'
    /// file may. What a call or a client sets itself goes first.
    ///
    /// # Errors
    /// If the name is empty, or has characters that no header can carry.
    pub fn with_quota_project(mut self, project: impl AsRef<str>) -> Result<Self, BoxError> {
        let project = project.as_ref();
        if project.trim().is_empty() {
            return Err("the quota project is empty".into());
        }
        let reason = "the quota project has characters that no header can carry";
        self.quota_project = Some(HeaderValue::try_from(project).map_err(|_| reason)?);
        Ok(self)
    }

    /// States the universe domain that the token is for, such as `googleapis.com`. A client of another one
    /// ([`ClientBuilder::with_universe_domain`](crate::ClientBuilder::with_universe_domain)) does not send it. Without
    /// this it is not checked.
    #[must_use]
    pub fn with_universe_domain(mut self, domain: impl Into<String>) -> Self {
        self.universe = Some(domain.into().into());
        self
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    pub(crate) fn quota_project(&self) -> Option<&HeaderValue> {
        self.quota_project.as_ref()
    }

    pub(super) fn universe(&self) -> Option<&str> {
        self.universe.as_deref()
    }

    pub(super) fn has_known_end(&self) -> bool {
        self.ends.is_some()
    }

    pub(super) fn has_ended(&self, now: Moment) -> bool {
        self.ends.is_some_and(|end| end.has_come(now))
    }

    /// When to ask for the next one; `chance` is drawn from 0 to 1.
    pub(super) fn renewal(&self, chance: f64) -> Option<Moment> {
        let Renewal { earliest, spread } = self.renewal?;
        earliest.after(scaled(spread, chance.clamp(0.0, 1.0)))
    }

    pub(super) fn is_same_secret(&self, other: &HeaderValue) -> bool {
        self.header == *other
    }
}

/// Why this is not a token alone. No server takes such a thing, and says no more of it than UNAUTHENTICATED.
fn wrapped(secret: &str) -> Option<&'static str> {
    let text = secret.trim();
    let is_bearer = || text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    Some(match text.chars().next() {
        None => "the access token is empty",
        Some('{' | '[') => {
            "this is JSON, not an access token: give the token alone, as it is in `access_token`"
        }
        Some('"' | '\'' | '`') => "the access token is in quotes: give it without",
        Some(_) if is_bearer() || text.eq_ignore_ascii_case("bearer") => {
            "`Bearer` stands before the access token: give the token alone"
        }
        Some(_) => return None,
    })
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.ends.map(|end| end.at.saturating_duration_since(Instant::now()));
        f.debug_struct("Token")
            .field("secret", &"[redacted]")
            .field("good_for", &left)
            .field("quota_project", &self.quota_project)
            .field("universe_domain", &self.universe)
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
    fn unusable_values_are_refused_without_being_shown() {
        for bad in ["", "  ", "two\nlines"] {
            let error = Token::new(bad).unwrap_err().to_string();
            assert!(!error.contains("two"), "{error}");
            assert!(Token::new("good").unwrap().with_quota_project(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_not_the_token_alone_is_named() {
        for (bad, words) in [
            ("Bearer planted", "`Bearer` stands before"),
            ("bearer planted", "`Bearer` stands before"),
            ("Bearer", "`Bearer` stands before"),
            ("\"planted\"", "in quotes"),
            ("'planted", "in quotes"),
            ("{\"access_token\": \"planted\"}", "JSON"),
            (" [\"planted\"]", "JSON"),
        ] {
            let error = Token::new(bad).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("planted"), "{error}");
        }
        assert!(Token::new("bearers-are-words-too").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_ends_a_little_early_and_renews_before_that_with_jitter() {
        for (life, end, renewal) in [(3600, 3595.0, [3375.0, 3431.25]), (16, 14.0, [12.0, 13.0])] {
            let now = Moment::now();
            let token = Token::new("a").unwrap().expires_in(Duration::from_secs(life));
            let seconds = |moment: Option<Moment>| (moment.unwrap().at - now.at).as_secs_f64();
            assert!((seconds(token.ends) - end).abs() < 1e-6, "{life}");
            for (chance, expected) in [0.0, 1.0].into_iter().zip(renewal) {
                assert!((seconds(token.renewal(chance)) - expected).abs() < 1e-6, "{life} at {chance}");
            }
        }
    }

    /// A laptop's monotonic clock stands still while it sleeps.
    #[test]
    fn either_clock_ends_a_token() {
        let now = Moment::now();
        let token = Token::new("a").unwrap().expires_in(Duration::from_hours(1));
        let later = Duration::from_hours(2);
        assert!(!token.has_ended(now));
        assert!(token.has_ended(Moment { at: now.at + later, ..now }));
        assert!(token.has_ended(Moment { wall: now.wall + later, ..now }));
    }

    #[test]
    fn spans_beyond_the_clocks_never_end() {
        let token = Token::new("a").unwrap().expires_in(Duration::MAX).renew_in(Duration::MAX);
        assert!(!token.has_ended(Moment::now()) && token.renewal(1.0).is_none());
    }
}
