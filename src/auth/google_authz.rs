//! Application default credentials through `google-authz`, fenced in.
//!
//! Measured at 1.0.0-alpha.5: after four failed fetches every call panics, concurrent waiters lose wake-ups,
//! and `Debug` prints secrets. So each fetch builds an instance of its own, asks it once, in the one task that
//! owns it, and drops it; it is never cloned, shared or printed. Its errors print answers whole, tokens included, and
//! are put into words of ours.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use google_authz::{AuthError, Credentials, CredentialsError as SetupError, Error, GoogleAuthz as OneShot};
use http02::{HeaderValue, Request};
use tower::Service;

use super::discovery::Discovery;
use super::redact::{RedactedError, failed};
use super::{Token, TokenFuture, TokenSource};
use crate::error::{BoxError, CredentialsError};

const NAME: &str = "google-authz";

/// The crate does not say when a token ends. Google's live an hour, but metadata servers hand out one with as
/// little as 4 minutes left.
const RENEW_AFTER: Duration = Duration::from_mins(4);

#[derive(Default)]
pub(super) struct GoogleAuthz(Discovery);

impl TokenSource for GoogleAuthz {
    fn fetch(&self) -> TokenFuture<'_> {
        Box::pin(async {
            self.0.check(NAME).await?;
            let credentials = Credentials::builder()
                .scopes(&[super::SCOPE])
                .build()
                .await
                .map_err(|error| setup(&error))?;
            // It would ask four times in a row without a pause, and log what comes; the cache knows better.
            let builder = OneShot::builder(Capture).credentials(credentials).max_retry(0);
            // In a task of its own: a malformed key makes it panic.
            let built = tokio::spawn(builder.build::<()>()).await;
            let mut one_shot = built.map_err(|_| {
                let reason = "google-authz panicked over the credentials; is their private key well formed?";
                CredentialsError::permanent(NAME, reason.into())
            })?;
            poll_fn(|cx| one_shot.poll_ready(cx)).await.map_err(|error| fault(&error))?;
            // Never sent: it only has the https scheme that the crate insists on.
            let request = Request::builder().uri("https://localhost/").body(())?;
            let header = one_shot.call(request).await.map_err(|error| fault(&error))?;
            let header = header.ok_or("google-authz gave no authorization header")?;
            let secret = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            Ok(Token::new(secret.ok_or("google-authz gave no bearer token")?)?.renew_in(RENEW_AFTER))
        })
    }
}

/// Why there are no credentials to ask with. That a machine of Google Cloud has no metadata server may pass: it may not
/// be up yet.
fn setup(error: &SetupError) -> BoxError {
    let said = match error {
        SetupError::Gcemeta(_) => return metadata(error),
        SetupError::CredentialsSource => {
            return "google-authz found no credentials: no file, and no metadata server that answers".into();
        }
        SetupError::CredentialsFormat { .. } => {
            "the credentials' file is neither a service account's nor a user's; google-authz reads no other kind"
                .into()
        }
        _ => RedactedError::of(error).into(),
    };
    CredentialsError::permanent(NAME, said).into()
}

/// What became of a fetch. `Debug` and `Display` of the crate's errors may show the token itself.
fn fault(error: &Error<Infallible>) -> BoxError {
    let error = match error {
        Error::GoogleAuthz(error) => error,
        Error::Service(never) => match *never {},
    };
    match error {
        AuthError::StatusCode((head, _)) => {
            format!("the token server answered with HTTP {}", head.status.as_u16()).into()
        }
        AuthError::TokenFormat(_) => {
            "the token server's answer has no token that is good for any time".into()
        }
        AuthError::Gcemeta(_) => metadata(error),
        _ => failed(NAME, error),
    }
}

/// Of a status other than success, the crate prints the whole head; the number is enough.
fn metadata(error: &(dyn std::error::Error + 'static)) -> BoxError {
    let text = error.to_string();
    let status = text.split_once("status: ").and_then(|(_, rest)| rest.get(..3));
    match status.filter(|status| status.chars().all(|c| c.is_ascii_digit())) {
        Some(status) => format!("the metadata server answered with HTTP {status}").into(),
        None => failed(NAME, error),
    }
}

/// Stands where the HTTP client would, and answers with the header that was added.
struct Capture;

impl Service<Request<()>> for Capture {
    type Response = Option<HeaderValue>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        ready(Ok(request.headers().get("authorization").cloned()))
    }
}
