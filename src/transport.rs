//! The `transport` room: from an endpoint to a service that carries gRPC calls, with its layers in one list.

#[allow(dead_code, reason = "the connection pool will call it")]
mod connect;
mod endpoint;
mod guard;
mod identity;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::transport::channel::ResponseFuture;
use tower::Service;

pub use endpoint::Endpoint;
use guard::{Guard, GuardedBody, GuardedCall};
use identity::Identify;
#[cfg(feature = "tls")]
pub use tls::Tls;

use crate::auth::{Authorize, Authorized, Credentials, TokenCache};
use crate::error::{BoxError, Error};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// HTTP/2 pings while calls are in flight: Google's front ends answer more frequent ones with GOAWAY.
const KEEPALIVE_INTERVAL: Duration = Duration::from_mins(1);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Carries gRPC calls to one endpoint: connected lazily, authorized, identified, and with faults made legible.
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
/// Clones share the connection and the token.
#[derive(Clone)]
pub struct Transport {
    /// Outermost first: what a request passes on its way out.
    stack: Identify<Authorize<Guard<Channel>>>,
    endpoint: Endpoint,
}

impl Transport {
    /// A transport to `endpoint` that authorizes by `credentials`. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`Error::Config`] if the endpoint wants TLS and the crate was built without it, if a token would travel
    /// unencrypted to another machine, or if there is no tokio runtime to work in.
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Result<Self, Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::Config("runtime", "a client is built within a tokio runtime".into()));
        }
        check_token_is_safe(&endpoint, &credentials)?;
        let channel = channel(&endpoint).map_err(|source| Error::Config("endpoint", source))?;
        Self::from_channel(endpoint, channel, credentials)
    }

    /// A transport over a channel that the caller made: with a connector of its own (a Unix socket, a pipe in
    /// memory), other roots, other settings. `endpoint` says where the channel leads.
    ///
    /// # Errors
    /// [`Error::Config`] if by `endpoint` a token would travel unencrypted to another machine;
    /// [`Error::Credentials`] if the build lacks the feature for application default credentials.
    pub fn from_channel(
        endpoint: Endpoint,
        channel: Channel,
        credentials: Credentials,
    ) -> Result<Self, Error> {
        check_token_is_safe(&endpoint, &credentials)?;
        let tokens = credentials.into_cache().map_err(Error::Credentials)?;
        let stack = Identify::new(Authorize::new(Guard::new(channel), tokens));
        Ok(Self { stack, endpoint })
    }

    /// Where calls go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn tokens(&self) -> Option<&TokenCache> {
        self.stack.inner().tokens()
    }
}

fn check_token_is_safe(endpoint: &Endpoint, credentials: &Credentials) -> Result<(), Error> {
    if endpoint.is_plaintext() && !endpoint.is_loopback() && !credentials.is_anonymous() {
        let reason = format!(
            "a token would travel unencrypted to {endpoint}; use https, or anonymous credentials if the server \
             needs none"
        );
        return Err(Error::Config("credentials", reason.into()));
    }
    Ok(())
}
fn channel(endpoint: &Endpoint) -> Result<Channel, BoxError> {
    let settings = tonic::transport::Endpoint::from_shared(endpoint.to_string())?
        .user_agent(concat!("contact-center-insights/", env!("CARGO_PKG_VERSION")))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(false);
    if endpoint.is_plaintext() {
        return Ok(settings.connect_lazy());
    }
    #[cfg(feature = "tls")]
    return Ok(settings
        .tls_config(tonic::transport::ClientTlsConfig::new().with_native_roots())?
        .connect_lazy());
    #[cfg(not(feature = "tls"))]
    Err("https needs the feature `tls`, which this build lacks".into())
}

impl Service<Request<Body>> for Transport {
    type Response = Response<GuardedBody>;
    type Error = BoxError;
    type Future = Authorized<GuardedCall<ResponseFuture>, Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.stack.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.stack.call(request)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Token;

    fn with_token(endpoint: &str) -> Result<Transport, Error> {
        let credentials = Credentials::from_token(Token::new("planted-secret").unwrap());
        Transport::new(endpoint.parse().unwrap(), credentials)
    }

    #[tokio::test]
    async fn a_token_goes_unencrypted_to_loopback_only() {
        for safe in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://example.com"] {
            let transport = with_token(safe).unwrap();
            assert!(!format!("{transport:?}").contains("planted"), "{safe}");
        }
        for unsafe_ in ["http://example.com", "http://10.0.0.1:80", "http://127.0.0.1.example.com"] {
            let error = with_token(unsafe_).unwrap_err();
            assert!(matches!(error, Error::Config("credentials", _)), "{unsafe_}: {error:?}");
        }
        let plain = "http://emulator.internal:9000".parse().unwrap();
        Transport::new(plain, Credentials::anonymous()).unwrap();
    }

    #[test]
    fn without_a_runtime_there_is_an_error_not_a_panic() {
        let error = with_token("http://127.0.0.1:1").unwrap_err();
        assert!(matches!(error, Error::Config("runtime", _)), "{error:?}");
    }
}
