//! Application default credentials through `google-authz`, fenced in.
//!
//! Measured at 1.0.0-alpha.5: after four failed fetches every call panics, concurrent waiters lose wake-ups,
//! and `Debug` prints secrets. So each fetch builds an instance of its own, asks it once, in the one task that
//! owns it, and drops it; it is never cloned, shared or printed.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use google_authz::{Credentials, GoogleAuthz as OneShot};
use http02::{HeaderValue, Request};
use tower::Service;

use super::{Token, TokenFuture, TokenSource};

/// The crate does not say when a token ends. Google's live an hour, but metadata servers hand out one with as
/// little as 4 minutes left.
const RENEW_AFTER: Duration = Duration::from_mins(4);

pub(super) struct GoogleAuthz;

impl TokenSource for GoogleAuthz {
    fn fetch(&self) -> TokenFuture<'_> {
        Box::pin(async {
            let credentials = Credentials::builder().scopes(&[super::SCOPE]).build().await?;
            let mut one_shot = OneShot::builder(Capture).credentials(credentials).build::<()>().await;
            poll_fn(|cx| one_shot.poll_ready(cx)).await?;
            // Never sent: it only has the https scheme that the crate insists on.
            let request = Request::builder().uri("https://localhost/").body(())?;
            let header = one_shot.call(request).await?;
            let header = header.ok_or("google-authz gave no authorization header")?;
            let secret = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            Ok(Token::new(secret.ok_or("google-authz gave no bearer token")?)?.renew_in(RENEW_AFTER))
        })
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
