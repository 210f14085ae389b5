//! From an endpoint to a service that carries gRPC calls, with its layers in one list.

mod builder;
mod carrier;
mod classify;
mod client_headers;
mod connect;
mod endpoint;
mod environment;
mod google;
#[cfg(feature = "tls")]
mod mtls;
mod outbound;
mod page;
mod pool;
mod regions;
mod resends;
mod stub;
#[cfg(feature = "tls")]
mod tls;
mod token_safety;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{AUTHORIZATION, CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::body::Body;
use tower::Service;

pub use builder::TransportBuilder;
pub use carrier::Carrier;
pub(crate) use classify::ClassifiedBody;
use classify::{ClassifiedCall, ClassifyFaults};
use client_headers::ClientHeaders;
#[cfg(feature = "tls")]
pub(crate) use endpoint::DEFAULT_UNIVERSE;
pub use endpoint::{Endpoint, LOCATIONS};
pub(crate) use environment::Environment;
#[cfg(feature = "tls")]
pub(crate) use mtls::{USE_MTLS_ENDPOINT, wants_mtls_endpoint};
pub(crate) use outbound::Outbound;
pub(crate) use pool::{Progress, ProgressCell};
pub(crate) use resends::Resends;
use stub::{StubBody, StubCall};
#[cfg(feature = "tls")]
pub use tls::Tls;

use crate::auth::{Authorize, Authorized, Credentials, TokenCache};
use crate::error::{BoxError, Error};

/// Carries gRPC calls to one endpoint: connected lazily, authorized, identified, and with faults classified.
///
/// It is a tower service, so that any generated stub can be put over it:
///
/// ```
/// # async fn example(transport: contact_center_insights::Transport) {
/// use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
/// let stub = OperationsClient::new(transport.clone());
/// # let _ = stub;
/// # }
/// ```
///
/// What a stub gets over it, other than over tonic's `Channel`:
/// - **Codes.** A fault of the transport has the code that gRPC gives it, such as UNAVAILABLE where no connection could be
///   opened; [`Fault::of`](crate::error::Fault::of) says whether it may pass, and what the server may have done.
///   `docs/faults.md` compares both.
/// - **Deadlines.** [`tonic::Request::set_timeout`] is enforced here, from the token to the end of the reply, for streams
///   too: the call ends in `DEADLINE_EXCEEDED`.
/// - **Streams.** A stream of requests is sent by a task of its own, whether anybody polls the reply or not, and ends as
///   soon as the reply is dropped. Replies that are not read hold up no other call.
/// - **Requests that the server has not processed**, because a connection closed, are sent again over another, at most
///   three times, as long as they are no larger than 256 KiB.
///
/// Clones share the connections and the token. When the last is dropped, and the last call has ended, the connections close.
///
/// # Runtimes
/// A connection belongs to the tokio runtime of the call that opened it, and carries calls of other runtimes too. When that
/// runtime ends, its connections end with it, and calls open others where they are. When it lives on but nobody drives
/// it (`current_thread`, between two `block_on`), calls of other runtimes notice within 5 s: they leave that connection to its
/// own runtime and open another on theirs. A request that was not on the wire by then is sent over the new one; one that was
/// fails with UNAVAILABLE and [`ServerEffect::Unknown`](crate::error::ServerEffect::Unknown), and is retried only where
/// that is safe.
#[derive(Clone)]
pub struct Transport {
    /// Outermost first: what a request passes on its way out.
    stack: Stack,
    endpoint: Endpoint,
    /// The host is picked for each call, by the location in its name.
    is_regional: bool,
}

/// With those that a call adds.
const TYPICAL_HEADERS: usize = 9;

type Stack = ClientHeaders<Inner>;

/// What lies below the headers of the client.
type Inner = Authorize<ClassifyFaults<Carrier>>;

impl Transport {
    /// A transport to `endpoint` that authorizes by `credentials`, with the settings that [`Transport::builder`] starts from.
    /// Nothing is sent before the first call.
    ///
    /// # Errors
    /// As [`TransportBuilder::build`].
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Result<Self, Error> {
        Self::builder(endpoint).with_credentials(credentials).build()
    }

    /// Starts a transport to `endpoint`.
    pub fn builder(endpoint: Endpoint) -> TransportBuilder {
        TransportBuilder::new(endpoint)
    }

    /// Where calls go; the global endpoint if each goes to the host of the location in its name
    /// ([`ClientBuilder::with_regional_endpoints`](crate::ClientBuilder::with_regional_endpoints)).
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether each call goes to the host of the location in its name.
    pub(crate) fn is_regional(&self) -> bool {
        self.is_regional
    }

    /// What typed calls are sent through. They begin with [`Transport::headers`], and keep their own time.
    pub(crate) fn sender(&self) -> Sender {
        Sender(self.stack.inner().clone())
    }

    /// The headers that every request has: for calls that are made one after another, so that each begins with a copy.
    /// `authorization` has its place in it where there are tokens.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(TYPICAL_HEADERS);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        self.stack.add_to(&mut headers);
        if self.tokens().is_some() {
            headers.insert(AUTHORIZATION, HeaderValue::from_static(""));
        }
        headers
    }

    pub(crate) fn tokens(&self) -> Option<&TokenCache> {
        self.stack.inner().tokens()
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<StubBody>;
    type Error = BoxError;
    type Future = StubCall;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Request<Outbound>>::poll_ready(&mut self.stack, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        StubCall::new(&mut self.stack, request)
    }
}

/// Sends the requests of typed calls.
pub(crate) struct Sender(Inner);

impl Sender {
    /// When the layers are ready; only a service of the caller's ever is not.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Request<Outbound>>::poll_ready(&mut self.0, cx)
    }

    /// The layers must be ready.
    pub(crate) fn send(&mut self, request: Request<Outbound>) -> Sending {
        Sending(self.0.call(request))
    }
}

/// A request on its way through the layers, until the head of its reply is there.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Sending(Authorized<ClassifyFaults<Carrier>, Outbound>);

impl Sending {
    /// How far the request has come.
    pub(crate) fn progress(&self) -> Progress {
        self.0.passed().map(ClassifiedCall::progress).unwrap_or_default()
    }

    /// The number of the token that the request has, or waits for.
    pub(crate) fn token_generation(&self) -> Option<u64> {
        self.0.generation()
    }

    /// Whether the request may have left: before it has a token and a connection, it has not.
    pub(crate) fn is_sent(&self) -> bool {
        self.progress().stage.is_sent()
    }
}

impl Future for Sending {
    type Output = Result<Response<ClassifiedBody>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("is_sent", &self.is_sent()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("endpoint", &self.endpoint.to_string())
            .field("tokens", &self.tokens())
            .finish_non_exhaustive()
    }
}
