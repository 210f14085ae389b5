//! Says on every request which client this is, as Google's clients do (`x-goog-api-client`).

use std::task::{Context, Poll};

use http::header::USER_AGENT;
use http::{HeaderName, HeaderValue, Request};
use tower::Service;

/// Language, generated client, and gRPC stack, each with its version.
const VALUE: &str =
    concat!("gl-rust/", env!("CCI_RUSTC_VERSION"), " gapic/", env!("CARGO_PKG_VERSION"), " grpc/0.14-tonic");

const AGENT: &str = concat!("contact-center-insights/", env!("CARGO_PKG_VERSION"), " grpc-rust-tonic/0.14");

/// Adds `x-goog-api-client` and `user-agent`, unless the caller has.
#[derive(Clone, Debug)]
pub(super) struct Identify<S>(S);

impl<S> Identify<S> {
    pub(super) fn new(inner: S) -> Self {
        Self(inner)
    }

    pub(super) fn inner(&self) -> &S {
        &self.0
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Identify<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        const NAME: HeaderName = HeaderName::from_static("x-goog-api-client");
        let headers = request.headers_mut();
        headers.entry(NAME).or_insert(HeaderValue::from_static(VALUE));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        self.0.call(request)
    }
}
