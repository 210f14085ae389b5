//! Who the caller is. Tokens come from a [`TokenSource`], are cached, and are put on calls by
//! a tower layer.
//!
//! What a client may rely on, whatever the source does; `docs/credentials.md` shows it, measured:
//!
//! - **A good token is used until it ends**, also while renewing it fails, and by the wall clock too, so that a machine
//!   that slept sends none that is over. It is renewed early, at a moment that differs from client to client.
//! - **One fetch at a time**, however many calls wait, for at most 10 seconds
//!   ([`Credentials::with_fetch_timeout`]). A call that is dropped cancels nothing for others, and the end of the runtime
//!   that fetches hangs nobody in another.
//! - **No failure is final.** Fetches are tried again for as long as calls come, after half a second, then twice as long
//!   and so on up to a minute, with jitter. At the start, and whenever there is no token, calls wait through failures for
//!   30 seconds ([`Credentials::with_patience`]) within their deadline. Only what other credentials would end, a missing
//!   file or `invalid_grant`, ends calls at once, and is tried again at later ones. So does a machine that has no
//!   credentials at all, within two seconds: no variable, no file of gcloud's, and no metadata server. One that is to
//!   appear later is waited for if `GCE_METADATA_HOST` names it, and on machines of Google Cloud always.
//! - **A refused token is replaced.** After UNAUTHENTICATED the token is fetched anew, once for all calls that were
//!   refused with it, and each is sent once more. A server that refuses every token does not cause a fetch per call.
//! - **A token goes only where it belongs**: over TLS or to this machine, and to the universe domain that it is for.
//! - **Secrets do not show** in `Debug`, `Display`, errors and what stands below them, spans, events or URLs; headers that
//!   hold them are marked sensitive. What a token server answers is summed up, not repeated. A panic of a backend becomes
//!   an error, and is kept from stderr, unless the program sets a panic hook after its first call.
//! - **The usual mistakes are named**, with what to do: a key whose line breaks are escaped twice, a byte order mark, the
//!   credentials themselves in the variable that should name their file, a file of a type that is not supported.
//!
//! What the backends do, and this crate cannot prevent:
//!
//! - `google-cloud-auth` follows redirects of a token server and sends the request's body along, with the refresh token
//!   and the client secret. Use credentials files only from sources that you trust: whoever writes the `token_uri` of a
//!   file can get its secrets. `google-authz` follows no redirects.
//! - `google-authz` does not know universe domains: they are not checked. With a user's file it asks
//!   `oauth2.googleapis.com`, whatever `token_uri` says.
//!
//! API keys are not among the credentials: the API takes OAuth tokens of the scope [`SCOPE`] only.

mod cache;
#[cfg(any(feature = "google-authz", feature = "google-cloud-auth"))]
mod contents;
#[cfg(any(feature = "google-authz", feature = "google-cloud-auth"))]
mod discovery;
#[cfg(any(feature = "google-authz", feature = "google-cloud-auth"))]
mod file;
#[cfg(feature = "google-authz")]
mod google_authz;
#[cfg(feature = "google-cloud-auth")]
mod google_cloud;
mod layer;
#[cfg(any(feature = "google-authz", feature = "google-cloud-auth"))]
mod quiet;
#[cfg(any(feature = "google-authz", feature = "google-cloud-auth"))]
mod redact;
mod state;
mod token;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use cache::TokenCache;
pub(crate) use layer::{Authorize, Authorized};
pub use token::Token;

use crate::error::{BoxError, CredentialsError, Error};
use crate::jitter::Jitter;

/// The one scope that every method of this API asks for.
pub const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A future that a [`TokenSource`] returns.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, BoxError>> + Send + 'a>>;

/// Fetches access tokens; the cache in front decides when.
///
/// At most one fetch is in flight at a time, each is given a time, and a fetch that fails or panics is tried again
/// later: nothing that a source does is final. A token may bring along the project that calls are charged to
/// ([`Token::with_quota_project`]) and the universe that it is for. Implemented for closures that return a future.
///
/// ```
/// use contact_center_insights::auth::{Credentials, Token};
///
/// let credentials = Credentials::from_source(|| async {
///     Ok(Token::new("fetched by means of my own")?.expires_in(std::time::Duration::from_secs(3600)))
/// });
/// # let _ = credentials;
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// Fetches a token now.
    ///
    /// An error that is a [`CredentialsError::permanent`] ends calls at once; any other is waited through for a
    /// while, see [`Credentials::with_patience`]. Its text is shown to callers, so it must not hold secrets.
    fn fetch(&self) -> TokenFuture<'_>;

    /// Lets go of tokens that the source itself keeps: the server refused the last one, or the machine slept, and
    /// the next fetch must give a new one. Called before that fetch. Does nothing unless overridden.
    fn discard(&self) {}
}

impl<F, Fut> TokenSource for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Token, BoxError>> + Send + 'static,
{
    fn fetch(&self) -> TokenFuture<'_> {
        Box::pin(self())
    }
}

/// How calls are authorized.
#[derive(Clone)]
pub struct Credentials {
    kind: Kind,
    timing: Timing,
    jitter_seed: Option<u64>,
}

#[derive(Clone)]
enum Kind {
    Anonymous,
    Source(&'static str, Arc<dyn TokenSource>),
    /// Chosen, but the crate was built without the feature that serves it.
    #[cfg_attr(
        any(feature = "google-authz", feature = "google-cloud-auth"),
        allow(dead_code, reason = "a backend is there")
    )]
    Unavailable(&'static str),
}

/// What the cache goes by.
#[derive(Clone, Debug)]
struct Timing {
    fetch_timeout: Duration,
    patience: Duration,
    /// The universe domain that tokens must be for, if it matters.
    universe: Option<Arc<str>>,
}

impl Default for Timing {
    fn default() -> Self {
        Self { fetch_timeout: Duration::from_secs(10), patience: Duration::from_secs(30), universe: None }
    }
}

impl Credentials {
    fn new(kind: Kind) -> Self {
        Self { kind, timing: Timing::default(), jitter_seed: None }
    }

    /// Gives each fetch of a token `timeout`, 10 s by default. Then it counts as failed, and is tried again later.
    #[must_use]
    pub fn with_fetch_timeout(mut self, timeout: Duration) -> Self {
        self.timing.fetch_timeout = timeout;
        self
    }

    /// Lets calls wait through failed fetches while no token can be had, as when a pod starts before its network:
    /// until `patience` has passed since the first call that found none, 30 s by default, and within the call's own
    /// deadline. After that calls fail with the last failure, while fetches go on. The time is counted anew once no
    /// call has asked for as long. Failures that only a change of configuration ends are not waited through.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.timing.patience = patience;
        self
    }

    /// States the universe domain that calls go to. A token that its source states to be for another one is never
    /// sent; calls then fail with an error that names both.
    #[must_use]
    pub(crate) fn with_universe_domain(mut self, domain: impl Into<String>) -> Self {
        self.timing.universe = Some(domain.into().into());
        self
    }

    /// Fixes the jitter of renewals and of waits between failed fetches, so that a test has the same ones every time.
    #[must_use]
    pub fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    /// No token at all: for the emulator and for fakes.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(Kind::Anonymous)
    }

    /// A token that the caller obtained, used until the client is dropped. It is not renewed; the server will
    /// answer UNAUTHENTICATED once it has expired.
    #[must_use]
    pub fn from_token(token: Token) -> Self {
        let source = move || std::future::ready(Ok(token.clone()));
        Self::new(Kind::Source("static token", Arc::new(source)))
    }

    /// Tokens from the caller's own source.
    #[must_use]
    pub fn from_source(source: impl TokenSource) -> Self {
        Self::new(Kind::Source("custom source", Arc::new(source)))
    }

    /// Application default credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, else gcloud's own, in
    /// `CLOUDSDK_CONFIG` or where gcloud keeps its files, else the metadata server. Through `google-cloud-auth` (the default feature of that name), else
    /// through `google-authz`. They are looked for at the first call, not now; where there are none, calls end within two
    /// seconds with an error that says where was looked and what to do.
    #[must_use]
    pub fn application_default() -> Self {
        #[cfg(feature = "google-cloud-auth")]
        return Self::google_cloud();
        #[cfg(all(feature = "google-authz", not(feature = "google-cloud-auth")))]
        return Self::google_authz();
        #[cfg(not(any(feature = "google-authz", feature = "google-cloud-auth")))]
        Self::new(Kind::Unavailable("google-cloud-auth"))
    }

    /// Application default credentials through `google-cloud-auth`: a service account's file, a user's, external
    /// accounts (workload identity federation), impersonation, and the metadata server, at `GCE_METADATA_HOST` if that is
    /// set. The file's quota project comes along. They are kept in a thread of their own. If the process has no default
    /// rustls provider yet, the first fetch installs ring.
    #[cfg(feature = "google-cloud-auth")]
    #[must_use]
    pub fn google_cloud() -> Self {
        Self::new(Kind::Source("google-cloud-auth", Arc::new(google_cloud::GoogleCloud::default())))
    }

    /// Application default credentials through `google-authz`: a service account's file, a user's, and the metadata
    /// server. It does not say how long a token is good for, so a new one is fetched every 4 minutes or so.
    #[cfg(feature = "google-authz")]
    #[must_use]
    pub fn google_authz() -> Self {
        Self::new(Kind::Source("google-authz", Arc::new(google_authz::GoogleAuthz::default())))
    }

    /// Fetches a token, to see whether one can be had; `None` for anonymous calls, which need none. Clients fetch theirs
    /// themselves: this one is not kept for them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), contact_center_insights::Error> {
    /// use contact_center_insights::Credentials;
    ///
    /// assert!(Credentials::anonymous().fetch().await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Credentials`] if none can be had within [`Credentials::with_patience`].
    pub async fn fetch(&self) -> Result<Option<Token>, Error> {
        match self.clone().into_cache().map_err(Error::Credentials)? {
            Some(cache) => cache.token().await.map(Some).map_err(Error::Credentials),
            None => Ok(None),
        }
    }

    /// Whether calls carry a token.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        matches!(self.kind, Kind::Anonymous)
    }

    /// The cache over the source; none for anonymous calls.
    pub(crate) fn into_cache(self) -> Result<Option<TokenCache>, CredentialsError> {
        let chance = self.jitter_seed.map_or_else(Jitter::from_process, Jitter::seeded);
        match self.kind {
            Kind::Anonymous => Ok(None),
            Kind::Source(name, source) => Ok(Some(TokenCache::new(name, source, self.timing, chance))),
            Kind::Unavailable(feature) => Err(CredentialsError::permanent(
                "application default credentials",
                format!("this build lacks the feature `{feature}`; enable it or choose other credentials")
                    .into(),
            )),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.kind {
            Kind::Anonymous => "anonymous",
            Kind::Source(name, _) | Kind::Unavailable(name) => name,
        };
        f.debug_tuple("Credentials").field(&name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_names_the_source_and_hides_the_token() {
        let credentials = Credentials::from_token(Token::new("ya29.secret").unwrap());
        assert_eq!(format!("{credentials:?}"), "Credentials(\"static token\")");
        assert!(!credentials.is_anonymous());
        assert_eq!(format!("{:?}", Credentials::anonymous()), "Credentials(\"anonymous\")");
    }
}
