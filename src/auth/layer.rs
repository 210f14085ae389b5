//! Puts the bearer token on every request that passes, and the quota project that came with it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Request, Response};
use pin_project_lite::pin_project;
use tower::Service;

use super::{Token, TokenCache};
use crate::error::{BoxError, TransportFault};

/// The project that a call is charged to.
pub(super) const QUOTA_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");

/// Adds `authorization` from the cache, or passes requests through untouched if there is none.
#[derive(Clone, Debug)]
pub(crate) struct Authorize<S> {
    inner: S,
    tokens: Option<TokenCache>,
}

impl<S> Authorize<S> {
    pub(crate) fn new(inner: S, tokens: Option<TokenCache>) -> Self {
        Self { inner, tokens }
    }

    pub(crate) fn tokens(&self) -> Option<&TokenCache> {
        self.tokens.as_ref()
    }
}

/// The credentials' quota project gives way to one that the call or the client has set: there is never more than one.
fn authorize(headers: &mut HeaderMap, token: &Token) {
    headers.insert(AUTHORIZATION, token.header());
    if let Some(project) = token.quota_project() {
        headers.entry(QUOTA_PROJECT).or_insert_with(|| project.clone());
    }
}

impl<S, B, R> Service<Request<B>> for Authorize<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Authorized<S::Future, Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(tokens) = &self.tokens else { return Authorized::Sent { call: self.inner.call(request) } };
        if let Some(token) = tokens.ready() {
            authorize(request.headers_mut(), &token);
            return Authorized::Sent { call: self.inner.call(request) };
        }
        let tokens = tokens.clone();
        // The service that was polled ready goes into the future; an unpolled clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let call = Box::pin(async move {
            let token = tokens.token().await.map_err(|error| TransportFault::new(error.into()))?;
            authorize(request.headers_mut(), &token);
            inner.call(request).await
        });
        Authorized::Waiting { call }
    }
}

pin_project! {
    /// A call that has its token, as nearly all do, or that waits for one first.
    #[project = Projected]
    pub enum Authorized<F, R> {
        Sent { #[pin] call: F },
        Waiting { call: Pin<Box<dyn Future<Output = Result<R, BoxError>> + Send>> },
    }
}

impl<F: Future<Output = Result<R, BoxError>>, R> Future for Authorized<F, R> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Projected::Sent { call } => call.poll(cx),
            Projected::Waiting { call } => call.as_mut().poll(cx),
        }
    }
}

impl<F, R> fmt::Debug for Authorized<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent { .. } => "Authorized::Sent",
            Self::Waiting { .. } => "Authorized::Waiting",
        })
    }
}
