//! Says on every request which client this is, and whose quota it uses, as Google's clients do (`x-goog-api-client`,
//! `x-goog-user-project`).

use std::task::{Context, Poll};

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tower::Service;

/// Language, generated client, and gRPC stack, each with its version.
const VALUE: &str =
    concat!("gl-rust/", env!("CCI_RUSTC_VERSION"), " gapic/", env!("CARGO_PKG_VERSION"), " grpc/0.14-tonic");

const AGENT: &str = concat!("contact-center-insights/", env!("CARGO_PKG_VERSION"), " grpc-rust-tonic/0.14");

/// Adds these and `user-agent`, unless the caller has.
#[derive(Clone, Debug)]
pub(super) struct ClientHeaders<S> {
    inner: S,
    quota_project: Option<HeaderValue>,
}

impl<S> ClientHeaders<S> {
    pub(super) fn new(inner: S, quota_project: Option<HeaderValue>) -> Self {
        Self { inner, quota_project }
    }

    pub(super) fn inner(&self) -> &S {
        &self.inner
    }

    /// Adds them, unless the caller has.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        const NAME: HeaderName = HeaderName::from_static("x-goog-api-client");
        const QUOTA_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");
        headers.entry(NAME).or_insert(HeaderValue::from_static(VALUE));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        if let Some(project) = &self.quota_project {
            headers.entry(QUOTA_PROJECT).or_insert_with(|| project.clone());
        }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for ClientHeaders<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        self.add_to(request.headers_mut());
        self.inner.call(request)
    }
}
