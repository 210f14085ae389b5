//! How a transport is configured.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tower::{Layer, Service};

use super::carrier::Carrier;
use super::classify::ClassifyFaults;
use super::client_headers::ClientHeaders;
use super::connect::{ConnectSettings, Connector, Dial, ProxyChoice};
use super::environment::Environment;
use super::pool::{Pool, PoolSettings, default_interval};
use super::regions::Regions;
use super::token_safety::check_token_is_safe;
use super::{Endpoint, Transport, google};
#[cfg(feature = "tls")]
use super::{Tls, mtls};
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
    /// By the endpoint unless it is set.
    keepalive_interval: Option<Duration>,
    service: Option<Carrier>,
    layers: Vec<Wrap>,
    quota_project: Option<String>,
    universe_domain: Option<String>,
    is_regional: bool,
}

type Wrap = Arc<dyn Fn(Carrier) -> Carrier + Send + Sync>;

impl Default for TransportBuilder {
    /// To the global endpoint.
    fn default() -> Self {
        Self::new(Endpoint::global())
    }
}

impl TransportBuilder {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            credentials: None,
            connect: ConnectSettings::default(),
            pool: PoolSettings::default(),
            keepalive_interval: None,
            service: None,
            layers: Vec::new(),
            quota_project: None,
            universe_domain: None,
            is_regional: false,
        }
    }

    /// Authorizes calls by `credentials`; by application default credentials unless this is called.
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Gives a connection this long to open: name, TCP, proxy, TLS, and the server's first word of HTTP/2. 10 s by default.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect.timeout = timeout;
        self.pool.connect_timeout = timeout;
        self
    }

    /// Has the operating system ask after a peer that has been silent for so long, over TCP; `None` never. 1 minute by
    /// default. It keeps idle connections alive where routers forget them; HTTP/2 pings watch over busy ones.
    pub fn with_tcp_keepalive(mut self, silence: Option<Duration>) -> Self {
        self.connect.tcp_keepalive = silence;
        self
    }

    /// Whom TLS trusts, and which certificate the client shows. The system's roots and none by default.
    #[cfg(feature = "tls")]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.connect.tls = tls;
        self
    }

    /// Opens every connection through the proxy at `url`: `http://`, `https://` or `socks5://`, then
    /// `[user:password@]host[:port]`.
    ///
    /// By default the environment decides, but never for plaintext endpoints nor for this machine: `HTTPS_PROXY` or
    /// `https_proxy`, else `ALL_PROXY` or `all_proxy`; `NO_PROXY` or `no_proxy` lists hosts, domains and networks that
    /// are reached without. The proxy sees the name of the host, and TLS: neither calls nor tokens.
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.connect.proxy = ProxyChoice::Url(url.into());
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn without_proxy(mut self) -> Self {
        self.connect.proxy = ProxyChoice::Direct;
        self
    }

    /// Has calls count against the quota of this project, and billed to it (`x-goog-user-project`). By default it is
    /// the project in `GOOGLE_CLOUD_QUOTA_PROJECT`, else the one that the credentials name, else none. A call's own
    /// [`with_header`](crate::call::Call::with_header) wins over all.
    pub fn with_quota_project(mut self, project: impl Into<String>) -> Self {
        self.quota_project = Some(project.into());
        self
    }

    /// Expects credentials of this universe domain: calls fail, and send no token, if the credentials say that they are
    /// for another. By default it is the domain in `GOOGLE_CLOUD_UNIVERSE_DOMAIN`, else `googleapis.com`.
    pub fn with_universe_domain(mut self, domain: impl Into<String>) -> Self {
        self.universe_domain = Some(domain.into());
        self
    }

    /// Opens at most this many connections, 8 by default, and at least one. The first call opens one; another is opened
    /// when all that are open carry as many calls as they may. What is not used for a whole keepalive interval
    /// is closed, but for the last.
    pub fn with_max_connections(mut self, connections: usize) -> Self {
        self.pool.max_connections = connections.max(1);
        self
    }

    /// Sends at most this many calls at once over one connection, 100 by default, and at least one: Google's front ends
    /// allow no more. A server that allows fewer is obeyed. Beyond that, calls wait in a queue.
    pub fn with_max_streams(mut self, calls: usize) -> Self {
        self.pool.max_streams = calls.max(1);
        self
    }

    /// Sends an HTTP/2 ping every `interval` while calls are in flight, and takes the connection for dead if it is not
    /// answered within `timeout`, 20 s by default. By default the interval is 1 minute for hosts of `googleapis.com` and of
    /// the [universe domain](Self::with_universe_domain), and 5 minutes elsewhere.
    ///
    /// Servers close connections that ping more often than they like: Google's front ends under 1 minute, those of gRPC for
    /// Go and C++ under 5, unless they are told otherwise. Then the error says so, and connections that are opened from
    /// then on ping half as often, as gRPC's clients do it (gRFC A8), whether the interval was set or not.
    pub fn with_keepalive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.keepalive_interval = Some(interval);
        self.pool.keepalive_timeout = timeout;
        self
    }

    /// Sends pings without calls in flight too. Off by default: many servers close connections for it.
    pub fn with_keepalive_while_idle(mut self, is_on: bool) -> Self {
        self.pool.keepalive_while_idle = is_on;
        self
    }

    /// Puts a tower layer of the caller's around what carries requests: it sees each attempt with all its headers, the
    /// token included, and its reply before faults are classified. The last one added is the outermost.
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
        L: Layer<Carrier> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.layers.push(Arc::new(move |base| Carrier::custom(layer.layer(base))));
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
        self.service = Some(Carrier::custom(service));
        self
    }

    /// Builds the transport. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`Error::Config`] names the option or the variable that cannot be used, and says why: the endpoint wants TLS and
    /// the crate was built without it, a token would travel unencrypted to another machine, a certificate cannot be
    /// read, and so on; [`Error::Credentials`] if the build lacks the feature for application default credentials.
    pub fn build(self) -> Result<Transport, Error> {
        self.build_in(&Environment::process())
    }

    pub(crate) fn build_in(mut self, environment: &Environment<'_>) -> Result<Transport, Error> {
        #[cfg(feature = "tls")]
        if !self.endpoint.is_plaintext() && self.service.is_none() {
            self.find_identity(environment)?;
        }
        let universe_domain = self.universe_domain(environment)?;
        let by_host = || default_interval(self.endpoint.host(), &universe_domain);
        self.pool.keepalive_interval = self.keepalive_interval.unwrap_or_else(by_host);
        let Self {
            endpoint, credentials, connect, pool, service, layers, quota_project, is_regional, ..
        } = self;
        let credentials = credentials
            .unwrap_or_else(Credentials::application_default)
            .with_universe_domain(universe_domain.clone());
        check_token_is_safe(&endpoint, &credentials, &connect.proxy)?;
        let quota_project = google::quota_project(quota_project, environment)?;
        let base = if let Some(service) = service {
            service
        } else if is_regional {
            Carrier::regional(Regions::new(universe_domain, connect, pool, environment)?)
        } else {
            let connector = Connector::new(&endpoint, &connect, environment)?;
            Carrier::pool(Pool::new(connector, endpoint.origin(), pool))
        };
        let base = layers.iter().fold(base, |base, wrap| wrap(base));
        let tokens = credentials.into_cache().map_err(Error::Credentials)?;
        let stack = ClientHeaders::new(Authorize::new(ClassifyFaults::new(base), tokens), quota_project);
        Ok(Transport { stack, endpoint, is_regional })
    }

    /// Leads elsewhere, with the same options.
    pub(crate) fn to(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Has each call go to the host of the location in its name, in the universe of the credentials.
    pub(crate) fn by_location(mut self) -> Self {
        self.is_regional = true;
        self
    }

    pub(crate) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    pub(crate) fn universe_domain(&self, environment: &Environment<'_>) -> Result<String, Error> {
        google::universe_domain(self.universe_domain.as_deref(), environment)
    }

    /// Takes the client certificate that the environment names, unless there is one; says whether there is now.
    #[cfg(feature = "tls")]
    pub(crate) fn find_identity(&mut self, environment: &Environment<'_>) -> Result<bool, Error> {
        let tls = &mut self.connect.tls;
        if !tls.has_identity()
            && let Some((chain, key)) = mtls::identity(environment)?
        {
            *tls = tls.clone().with_identity_files(chain, key);
        }
        Ok(tls.has_identity())
    }
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBuilder")
            .field("endpoint", &self.endpoint.to_string())
            .field("credentials", &self.credentials)
            .field("connect", &self.connect)
            .field("pool", &self.pool)
            .field("keepalive_interval", &self.keepalive_interval)
            .field("service", &self.service)
            .field("layers", &self.layers.len())
            .field("quota_project", &self.quota_project)
            .field("universe_domain", &self.universe_domain)
            .finish_non_exhaustive()
    }
}
