//! Puts the bearer token on every request that passes, and the quota project that came with it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Request};
use pin_project_lite::pin_project;
use tower::Service;

use super::{Token, TokenCache};
use crate::error::{BoxError, CredentialsError, TransportFault};

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

impl<S, B> Service<Request<B>> for Authorize<S>
where
    S: Service<Request<B>, Error = BoxError> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Authorized<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(tokens) = &self.tokens else {
            return Authorized::Passed { call: self.inner.call(request), generation: None };
        };
        if let Some((token, generation)) = tokens.ready() {
            authorize(request.headers_mut(), &token);
            return Authorized::Passed { call: self.inner.call(request), generation: Some(generation) };
        }
        let generation = tokens.next_generation();
        let tokens = tokens.clone();
        let token = Box::pin(async move { tokens.token().await });
        // The service that was polled ready goes into the future; an unpolled clone takes its place.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Authorized::Waiting {
            waiting: Box::new(Waiting { token, inner, request: Some(request), generation }),
        }
    }
}

pin_project! {
    /// A call that has its token, as nearly all do, or that waits for one first.
    #[project = Projected]
    #[must_use = "futures do nothing unless polled"]
    pub(crate) enum Authorized<S, B>
    where
        S: Service<Request<B>>,
    {
        Passed { #[pin] call: S::Future, generation: Option<u64> },
        Waiting { waiting: Box<Waiting<S, B>> },
    }
}

/// What a call needs once it has its token.
pub(crate) struct Waiting<S, B> {
    token: Pin<Box<dyn Future<Output = Result<Token, CredentialsError>> + Send>>,
    inner: S,
    request: Option<Request<B>>,
    generation: u64,
}

impl<S: Service<Request<B>>, B> Authorized<S, B> {
    /// The call below, if the request has its token and went on.
    pub(crate) fn passed(&self) -> Option<&S::Future> {
        match self {
            Self::Passed { call, .. } => Some(call),
            Self::Waiting { .. } => None,
        }
    }

    /// The number of the token that it has, or waits for; see [`TokenCache::refuse`].
    pub(crate) fn generation(&self) -> Option<u64> {
        match self {
            Self::Passed { generation, .. } => *generation,
            Self::Waiting { waiting } => Some(waiting.generation),
        }
    }
}

impl<S: Service<Request<B>, Error = BoxError>, B> Future for Authorized<S, B> {
    type Output = Result<S::Response, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let (call, generation) = match self.as_mut().project() {
                Projected::Passed { call, .. } => return call.poll(cx),
                Projected::Waiting { waiting } => {
                    let token = ready!(waiting.token.as_mut().poll(cx));
                    let token =
                        token.map_err(|error| tonic::Status::from(TransportFault::new(error.into())))?;
                    let Some(mut request) = waiting.request.take() else {
                        return Poll::Ready(Err("a call was polled after its end".into()));
                    };
                    authorize(request.headers_mut(), &token);
                    (waiting.inner.call(request), Some(waiting.generation))
                }
            };
            self.set(Self::Passed { call, generation });
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for Authorized<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed { .. } => "Authorized::Passed",
            Self::Waiting { .. } => "Authorized::Waiting",
        })
    }
}

impl<S, B> fmt::Debug for Waiting<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}
