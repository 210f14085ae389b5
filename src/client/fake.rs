//! Services that stand in for the API in tests: called in the process, with no socket between.

use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use crate::auth::Credentials;
use crate::transport::TransportBuilder;

/// Where calls seem to go, unless an endpoint is set.
pub(super) const ENDPOINT: &str = "http://localhost";

/// Fake services by their full names.
#[derive(Clone, Default)]
pub(super) struct Fakes(Vec<(&'static str, Fake)>);

type Fake = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

impl Fakes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a service, in the place of one of the same name.
    pub(super) fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.0.retain(|(name, _)| *name != S::NAME);
        self.0.push((S::NAME, BoxCloneSyncService::new(service)));
    }

    /// Puts the services at the bottom of a transport, which needs no credentials then.
    pub(super) fn under(self, options: TransportBuilder) -> TransportBuilder {
        let options = if options.has_credentials() {
            options
        } else {
            options.with_credentials(Credentials::anonymous())
        };
        options.with_service(self)
    }
}

impl Service<Request<Body>> for Fakes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// What belongs to no fake is answered as a server without that service does.
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = request.uri().path().split('/').nth(1).unwrap_or_default();
        if let Some((_, fake)) = self.0.iter().find(|(name, _)| *name == service) {
            return Box::pin(fake.clone().oneshot(request));
        }
        let status = tonic::Status::unimplemented(format!("no fake was given for the service `{service}`"));
        Box::pin(ready(Ok(status.into_http())))
    }
}

impl fmt::Debug for Fakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
