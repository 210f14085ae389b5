//! Application default credentials through `google-authz`, fenced in.
//!
//! Measured at 1.0.0-alpha.5: after four failed fetches every call panics, concurrent waiters lose wake-ups,
//! and `Debug` prints secrets. So each fetch builds an instance of its own, asks it once, in the one task that
//! owns it, and drops it; it is never cloned, shared or printed. Its errors print answers whole, tokens included, and
//! are put into words of ours.

use std::convert::Infallible;
use std::env;
use std::future::{Ready, poll_fn, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use google_authz::{AuthError, Credentials, CredentialsError as SetupError, Error, GoogleAuthz as OneShot};
use http02::{HeaderValue, Request};
use serde_json::Value;
use tower::Service;

use super::discovery::Discovery;
use super::file::Place;
use super::quiet::quietly;
use super::redact::{RedactedError, failed};
use super::{Token, TokenFuture, TokenSource};
use crate::error::{BoxError, CredentialsError};

const NAME: &str = "google-authz";
const WRONG_TYPE: &str =
    "the credentials file is neither a service account's nor a user's; google-authz reads no other kind";

/// The crate does not say when a token ends. Google's live an hour, but metadata servers hand out one with as
/// little as 4 minutes left.
const RENEW_AFTER: Duration = Duration::from_mins(4);

#[derive(Default)]
pub(super) struct GoogleAuthz(Discovery);

impl TokenSource for GoogleAuthz {
    fn fetch(&self) -> TokenFuture<'_> {
        Box::pin(async {
            self.0.check(NAME).await?;
            let credentials = credentials().await?;
            // It would ask four times in a row without a pause, and log what comes; the cache knows better.
            let builder = OneShot::builder(Capture).credentials(credentials).max_retry(0);
            // A malformed key makes it panic.
            let Some(mut one_shot) = quietly(builder.build::<()>()).await else {
                let reason = "google-authz panicked over the credentials; is their private key well formed?";
                return Err(CredentialsError::permanent(NAME, reason.into()).into());
            };
            // Never sent: it only has the https scheme that the crate insists on.
            let request = Request::builder().uri("https://localhost/").body(())?;
            let asked = quietly(async {
                poll_fn(|cx| one_shot.poll_ready(cx)).await?;
                one_shot.call(request).await
            });
            let header = asked.await.ok_or("google-authz panicked over the token server's answer")?;
            let header = header.map_err(|error| fault(&error))?;
            let header = header.ok_or("google-authz gave no authorization header")?;
            let secret = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            Ok(Token::new(secret.ok_or("google-authz gave no bearer token")?)?.renew_in(RENEW_AFTER))
        })
    }
}

/// Those of the file, or of the metadata server if there is none. The crate does not know where `CLOUDSDK_CONFIG` puts the
/// file, and says little of a wrong one. By its fields it would take some that it cannot read for a user's, and send their
/// secrets to a server that is not theirs.
async fn credentials() -> Result<Credentials, BoxError> {
    let permanent = |said: String| BoxError::from(CredentialsError::permanent(NAME, said.into()));
    let builder = Credentials::builder().scopes(&[super::SCOPE]);
    let Some(file) = Place::of(|name| env::var_os(name)).read().map_err(permanent)? else {
        // If there is no metadata server, the crate panics.
        let found = quietly(builder.metadata(None).build()).await;
        return found.unwrap_or(Err(SetupError::CredentialsSource)).map_err(|error| setup(&error));
    };
    if !matches!(file.get("type").and_then(Value::as_str), Some("service_account" | "authorized_user")) {
        return Err(permanent(WRONG_TYPE.to_owned()));
    }
    builder.json(file.to_string().as_bytes()).build().await.map_err(|error| setup(&error))
}

/// Why there are no credentials to ask with. That a machine of Google Cloud has no metadata server may pass: it may not
/// be up yet.
fn setup(error: &SetupError) -> BoxError {
    let said = match error {
        SetupError::Gcemeta(_) => return metadata(error),
        SetupError::CredentialsSource => {
            return "google-authz found no credentials: no file, and no metadata server that answers".into();
        }
        SetupError::CredentialsFormat { .. } => WRONG_TYPE.into(),
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
