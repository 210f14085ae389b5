//! Opens the byte stream that HTTP/2 is spoken over: looked up, connected, secured, and all of it in time.

mod dial;
mod tcp;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

pub(crate) use self::dial::Dial;
use self::tcp::Tcp;
#[cfg(feature = "tls")]
use self::tls::Secure;
use super::Endpoint;
#[cfg(feature = "tls")]
use super::Tls;
use crate::error::{BoxError, ConnectFailure, Error};

/// What HTTP/2 is spoken over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

pub(crate) type Io = Box<dyn Stream>;

/// How connections are opened.
#[derive(Clone, Debug)]
pub(crate) struct ConnectSettings {
    /// For all of it: name, TCP, TLS.
    pub(crate) timeout: Duration,
    /// Silence after which the kernel probes whether the peer is still there.
    pub(crate) tcp_keepalive: Option<Duration>,
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
    way: Way,
    #[cfg(feature = "tls")]
    tls: Option<Secure>,
}

enum Way {
    Tcp(Tcp),
    Dial(Dial),
}

impl Way {
    async fn open(&self, place: &str) -> Result<Io, ConnectFailure> {
        match self {
            Self::Tcp(tcp) => tcp.open(place).await,
            Self::Dial(dial) => dial.open(place).await,
        }
    }
}

impl Connector {
    /// Judges the settings; nothing is opened.
    ///
    /// # Errors
    /// [`Error::Config`] if the endpoint wants TLS and the build lacks it, or the settings of TLS cannot be used.
    pub(crate) fn new(endpoint: &Endpoint, settings: &ConnectSettings) -> Result<Self, Error> {
        #[cfg(not(feature = "tls"))]
        if !endpoint.is_plaintext() {
            let reason = "https needs the feature `tls`, which this build lacks";
            return Err(Error::Config("endpoint", reason.into()));
        }
        #[cfg(feature = "tls")]
        let tls = if endpoint.is_plaintext() { None } else { Some(Secure::new(endpoint, &settings.tls)?) };
        Ok(Self(Arc::new(Inner {
            place: endpoint.place(),
            endpoint: endpoint.clone(),
            timeout: settings.timeout,
            way: match &settings.dial {
                Some(dial) => Way::Dial(dial.clone()),
                None => Way::Tcp(Tcp::new(settings.tcp_keepalive)),
            },
            #[cfg(feature = "tls")]
            tls,
        })))
    }

    /// Tries once to open a connection, within the time that the settings give.
    ///
    /// Cancel safe: a dropped future leaves no connection behind.
    ///
    /// # Errors
    /// A [`ConnectFailure`] that says which step failed, and what to do about it.
    pub(crate) async fn connect(&self) -> Result<Io, BoxError> {
        let deadline = Instant::now() + self.0.timeout;
        let stream = self.within(deadline, "a TCP connection", self.0.way.open(&self.0.place)).await?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.0.tls {
            return Ok(self.within(deadline, "the TLS handshake", tls.handshake(stream)).await?);
        }
        Ok(stream)
    }

    async fn within(
        &self,
        deadline: Instant,
        step: &str,
        work: impl Future<Output = Result<Io, ConnectFailure>>,
    ) -> Result<Io, ConnectFailure> {
        timeout_at(deadline, work).await.unwrap_or_else(|_| {
            let Inner { place, timeout, .. } = &*self.0;
            let text = format!("no connection to `{place}` within {timeout:?}: still waiting for {step}");
            Err(ConnectFailure::transient(text))
        })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("endpoint", &self.0.endpoint)
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
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
        Connector::new(&format!("https://localhost:{port}").parse().unwrap(), &settings).unwrap()
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
        let endpoint = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        let authority = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        let tls = Tls::default().without_system_roots().with_ca_pem(authority.pem());
        let connector = Connector::new(&endpoint, &ConnectSettings { tls, ..Default::default() }).unwrap();
        let connecting = tokio::spawn(async move { connector.connect().await.err().unwrap().to_string() });
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_u8().await.unwrap();
        // The client is in the handshake now. It alone waits for time to pass.
        tokio::time::pause();
        let error = connecting.await.unwrap();
        assert!(error.ends_with("within 10s: still waiting for the TLS handshake"), "{error}");
    }
}
