//! Opens the byte stream that HTTP/2 is spoken over: looked up, connected, secured, and all of it in time.

mod dial;
mod greeting;
mod proxy;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod tunnel;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

pub(crate) use self::dial::Dial;
use self::greeting::Greeting;
pub(super) use self::greeting::{HTTP1, TLS};
pub(super) use self::proxy::ProxyChoice;
use self::tcp::Tcp;
#[cfg(feature = "tls")]
use self::tls::Secure;
use self::tunnel::Detour;
use super::Endpoint;
#[cfg(feature = "tls")]
use super::Tls;
use super::environment::Environment;
use crate::error::{BoxError, ConnectFailure, Error, Setting};
use crate::time::later;

/// What HTTP/2 is spoken over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

pub(crate) type Io = Box<dyn Stream>;

/// How connections are opened.
#[derive(Clone, Debug)]
pub(crate) struct ConnectSettings {
    /// For all of it: name, TCP, proxy, TLS.
    pub(crate) timeout: Duration,
    /// Silence after which the kernel probes whether the peer is still there.
    pub(crate) tcp_keepalive: Option<Duration>,
    pub(crate) proxy: ProxyChoice,
    /// The caller's own way to the server, instead of TCP.
    pub(crate) dial: Option<Dial>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Tls,
}

impl Default for ConnectSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            tcp_keepalive: Some(Duration::from_mins(1)),
            proxy: ProxyChoice::default(),
            dial: None,
            #[cfg(feature = "tls")]
            tls: Tls::default(),
        }
    }
}

/// Opens connections to one endpoint. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    /// `host:port`, as errors name it.
    place: String,
    timeout: Duration,
    route: Route,
    #[cfg(feature = "tls")]
    tls: Option<Secure>,
}

/// How the other machine is reached.
enum Route {
    Direct(Tcp),
    Proxy(Box<Detour>),
    Dial(Dial),
}

/// The time that the steps of one connection share.
#[derive(Clone, Copy)]
struct Patience<'a> {
    place: &'a str,
    timeout: Duration,
    deadline: Instant,
}

impl Patience<'_> {
    async fn within(
        self,
        step: &str,
        work: impl Future<Output = Result<Io, ConnectFailure>>,
    ) -> Result<Io, ConnectFailure> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| {
            let Self { place, timeout, .. } = self;
            let text = format!("no connection to `{place}` within {timeout:?}: still waiting for {step}");
            Err(ConnectFailure::transient(text))
        })
    }
}

impl Connector {
    /// Judges the settings; nothing is opened.
    ///
    /// # Errors
    /// [`Error::Config`] if the endpoint wants TLS and the build lacks it, if the settings of TLS or the proxy cannot
    /// be used, or if there are both a proxy and a connector of the caller.
    pub(crate) fn new(
        endpoint: &Endpoint,
        settings: &ConnectSettings,
        environment: &Environment<'_>,
    ) -> Result<Self, Error> {
        #[cfg(not(feature = "tls"))]
        if !endpoint.is_plaintext() {
            let reason = "https needs the feature `tls`, which this build lacks";
            return Err(Error::config(Setting::Endpoint, reason));
        }
        let place = endpoint.place();
        Ok(Self(Arc::new(Inner {
            route: Route::new(endpoint, settings, environment)?,
            #[cfg(feature = "tls")]
            tls: if endpoint.is_plaintext() {
                None
            } else {
                Some(Secure::new(endpoint.host(), &place, &settings.tls)?)
            },
            endpoint: endpoint.clone(),
            place,
            timeout: settings.timeout,
        })))
    }

    /// Tries once to open a connection, within the time that the settings give.
    ///
    /// Cancel safe: a dropped future leaves no connection behind.
    ///
    /// # Errors
    /// A [`ConnectFailure`] that says which step failed, and what to do about it.
    pub(crate) async fn connect(&self) -> Result<Io, BoxError> {
        let Inner { place, timeout, .. } = &*self.0;
        let now = Instant::now();
        let deadline = later(now, *timeout);
        let patience = Patience { place, timeout: *timeout, deadline };
        let stream = match &self.0.route {
            Route::Direct(tcp) => patience.within("a TCP connection", tcp.open(place)).await?,
            Route::Proxy(detour) => detour.open(patience).await?,
            Route::Dial(dial) => patience.within("the connector of the caller", dial.open(place)).await?,
        };
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.0.tls {
            return Ok(patience.within("the TLS handshake", tls.handshake(stream)).await?);
        }
        Ok(Box::new(Greeting::new(stream, place.clone())))
    }
}

impl Route {
    fn new(
        endpoint: &Endpoint,
        settings: &ConnectSettings,
        environment: &Environment<'_>,
    ) -> Result<Self, Error> {
        if let Some(dial) = &settings.dial {
            if matches!(settings.proxy, ProxyChoice::Url(_)) {
                let reason = "a connector opens connections by itself; set either it or a proxy";
                return Err(Error::config(Setting::Proxy, reason));
            }
            return Ok(Self::Dial(dial.clone()));
        }
        let tcp = Tcp::new(settings.tcp_keepalive);
        let Some(proxy) = settings.proxy.resolve(endpoint, environment)? else {
            return Ok(Self::Direct(tcp));
        };
        Ok(Self::Proxy(Box::new(Detour::new(tcp, proxy, settings)?)))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Connector");
        shown.field("endpoint", &self.0.endpoint).field("timeout", &self.0.timeout);
        match &self.0.route {
            Route::Direct(_) => {}
            Route::Proxy(detour) => {
                shown.field("proxy", &detour.proxy.place);
            }
            Route::Dial(dial) => {
                shown.field("dial", dial);
            }
        }
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    fn connector(endpoint: &str, settings: &ConnectSettings) -> Connector {
        Connector::new(&endpoint.parse().unwrap(), settings, &Environment::new(&|_| None)).unwrap()
    }

    /// A server of one TLS connection, which greets; and a connector that trusts it.
    async fn server(alpn: &[&[u8]]) -> Connector {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![certificate.der().clone()],
                    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
                )
                .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let mut stream = TlsAcceptor::from(Arc::new(config)).accept(socket).await?;
            stream.write_all(b"hello").await?;
            stream.shutdown().await
        });
        let tls = Tls::default().without_system_roots().with_ca_pem(certificate.pem());
        let settings = ConnectSettings { tls, ..ConnectSettings::default() };
        connector(&format!("https://localhost:{port}"), &settings)
    }

    #[tokio::test]
    async fn what_comes_out_of_tls_is_plain() {
        let mut stream = server(&[b"h2"]).await.connect().await.unwrap();
        let mut read = String::new();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "hello");
    }

    #[tokio::test]
    async fn a_server_without_http2_is_refused() {
        for alpn in [&[][..], &[&b"http/1.1"[..]]] {
            let error = server(alpn).await.connect().await.err().unwrap();
            assert!(error.to_string().contains("does not offer HTTP/2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let authority = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        let tls = Tls::default().without_system_roots().with_ca_pem(authority.pem());
        let connector = connector(&endpoint, &ConnectSettings { tls, ..ConnectSettings::default() });
        let connecting = tokio::spawn(async move { connector.connect().await.err().unwrap().to_string() });
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_u8().await.unwrap();
        // The client is in the handshake now. It alone waits for time to pass.
        tokio::time::pause();
        let error = connecting.await.unwrap();
        assert!(error.ends_with("within 10s: still waiting for the TLS handshake"), "{error}");
    }
}
