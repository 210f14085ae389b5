//! How a transport is configured.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tower::{Layer, Service};

use super::base::Base;
use super::connect::{ConnectSettings, Connector, Dial};
use super::guard::Guard;
use super::identity::Identify;
use super::pool::{Pool, PoolSettings};
use super::{Endpoint, Transport};
use crate::auth::{Authorize, Credentials};
use crate::error::{BoxError, Error};

/// Collects the options of a [`Transport`]; `build` judges them together.
#[derive(Clone)]
#[must_use = "nothing is built before `build`"]
pub struct TransportBuilder {
    endpoint: Endpoint,
    credentials: Option<Credentials>,
    connect: ConnectSettings,
    pool: PoolSettings,
    service: Option<Base>,
    layers: Vec<Wrap>,
}

type Wrap = Arc<dyn Fn(Base) -> Base + Send + Sync>;

impl TransportBuilder {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            credentials: None,
            connect: ConnectSettings::default(),
            pool: PoolSettings::default(),
            service: None,
            layers: Vec::new(),
        }
    }

    /// Authorizes calls by `credentials`; by application default credentials unless this is called.
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Gives a connection this long to open: name, TCP, TLS, and the server's first word of HTTP/2. 10 s by default.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect.timeout = timeout;
        self.pool.connect_timeout = timeout;
        self
    }

    /// Opens at most this many connections, 8 by default, and at least one. The first call opens one; another is opened
    /// when all that are open carry as many calls as they may. What is not used for a whole keepalive interval
    /// is closed, but for the last.
    pub fn with_max_connections(mut self, connections: usize) -> Self {
        self.pool.max_connections = connections;
        self
    }

    /// Sends at most this many calls at once over one connection, 100 by default: Google's front ends allow no more. A
    /// server that allows fewer is obeyed. Beyond that, calls wait in line.
    pub fn with_max_streams(mut self, calls: usize) -> Self {
        self.pool.max_streams = calls;
        self
    }

    /// Sends an HTTP/2 ping every `interval` while calls are in flight, 60 s by default, and takes the connection for
    /// dead if it is not answered within `timeout`, 20 s by default. Google's front ends close connections that
    /// ping more often.
    pub fn with_keepalive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.pool.keepalive_interval = interval;
        self.pool.keepalive_timeout = timeout;
        self
    }

    /// Sends pings without calls in flight too. Off by default: many servers close connections for it.
    pub fn with_keepalive_while_idle(mut self, is_on: bool) -> Self {
        self.pool.keepalive_while_idle = is_on;
        self
    }

    /// Puts a tower layer of the caller's around what carries requests: it sees each attempt with all its headers, the
    /// token included, and its reply before faults are made legible. The last one added is the outermost.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
    /// use contact_center_insights::{Client, Credentials, Transport, proto::insights::ListViewsRequest};
    /// use contact_center_insights_emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().start().await?;
    /// let count = Arc::new(AtomicUsize::new(0));
    /// let counted = count.clone();
    /// let transport = Transport::builder(emulator.endpoint().parse()?)
    ///     .with_credentials(Credentials::anonymous())
    ///     .with_layer(tower::util::MapRequestLayer::new(move |request| {
    ///         counted.fetch_add(1, Ordering::Relaxed);
    ///         request
    ///     }))
    ///     .build()?;
    /// let client = Client::builder().with_transport(transport).build()?;
    /// let _ = client.list_issue_models(Default::default()).await;
    /// assert_eq!(count.load(Ordering::Relaxed), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<Base> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.layers.push(Arc::new(move |base| Base::custom(layer.layer(base))));
        self
    }

    /// Opens connections by `dial` instead of TCP: a Unix socket, a pipe in memory, a tunnel. TLS, if the endpoint wants
    /// it, and HTTP/2 are spoken over what it gives; the connect timeout covers it.
    ///
    /// ```
    /// # async fn example() -> Result<(), contact_center_insights::Error> {
    /// use contact_center_insights::{Credentials, Transport};
    ///
    /// let transport = Transport::builder("http://localhost".parse()?)
    ///     .with_credentials(Credentials::anonymous())
    ///     .with_connector(|| tokio::net::UnixStream::connect("/run/insights.sock"))
    ///     .build()?;
    /// # let _ = transport;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_connector<F, Fut, S, E>(mut self, dial: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        E: Into<BoxError>,
    {
        self.connect.dial = Some(Dial::new(dial));
        self
    }

    /// Sends requests through a service of the caller's, such as tonic's `Channel`, instead of opening connections. The
    /// endpoint still says where it leads; settings of connections do not matter then.
    pub fn with_service<S, B>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.service = Some(Base::custom(service));
        self
    }

    /// Builds the transport. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`Error::Config`] if the endpoint wants TLS and the crate was built without it, or if a token would travel
    /// unencrypted to another machine; [`Error::Credentials`] if the build lacks the feature for application default
    /// credentials.
    pub fn build(self) -> Result<Transport, Error> {
        let Self { endpoint, credentials, connect, pool, service, layers } = self;
        let credentials = credentials.unwrap_or_else(Credentials::application_default);
        check_token_is_safe(&endpoint, &credentials)?;
        let base = match service {
            Some(service) => service,
            None => Base::pool(Pool::new(Connector::new(&endpoint, &connect)?, endpoint.origin(), pool)),
        };
        let base = layers.iter().fold(base, |base, wrap| wrap(base));
        let tokens = credentials.into_cache().map_err(Error::Credentials)?;
        let stack = Identify::new(Authorize::new(Guard::new(base), tokens));
        Ok(Transport { stack, endpoint })
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

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder")
            .field("endpoint", &self.endpoint.to_string())
            .field("credentials", &self.credentials)
            .field("connect", &self.connect)
            .field("pool", &self.pool)
            .field("service", &self.service)
            .field("layers", &self.layers.len())
            .finish()
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

    #[test]
    fn a_token_goes_unencrypted_to_loopback_only() {
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
}
