//! Plain HTTP/1.1 to one server, over TLS or not; what is sent is up to the caller.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use contact_center_insights::Endpoint;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Body;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Of a request or an answer, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024 * 1024;

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Web {
    endpoint: Endpoint,
    client: legacy::Client<Connector, Full<Bytes>>,
}

/// Connections have nothing to show.
impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Web {
    /// For `endpoint`; nothing is sent yet. TLS trusts the system's roots, or those that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// If there are no roots.
    pub(crate) fn new(endpoint: Endpoint) -> Result<Self, Failure> {
        let tls = if endpoint.is_plaintext() { None } else { Some(tls(b"http/1.1")?) };
        let client = legacy::Client::builder(TokioExecutor::new()).build(Connector { tls });
        Ok(Self { endpoint, client })
    }

    /// Where calls go.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The URI of a path with its query.
    ///
    /// # Errors
    /// If it is not one.
    pub(crate) fn uri(&self, path_and_query: &str) -> Result<Uri, BoxError> {
        Ok(format!("{}{path_and_query}", self.endpoint).parse()?)
    }

    /// Sends a request, and gets the whole answer.
    ///
    /// # Errors
    /// If there is no answer, or a longer one than [`MAX_BODY`].
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, BoxError> {
        let (head, body) = self.client.request(request).await?.into_parts();
        Ok(Response::from_parts(head, collect(body).await?))
    }
}

/// A whole body.
///
/// # Errors
/// If it breaks off, or is longer than [`MAX_BODY`].
pub(crate) async fn collect<B>(body: B) -> Result<Bytes, BoxError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    Ok(Limited::new(body, MAX_BODY).collect().await?.to_bytes())
}

/// TLS that trusts the system's roots, or those that `SSL_CERT_FILE` names, for a protocol (ALPN).
///
/// # Errors
/// If there are no roots.
pub(crate) fn tls(protocol: &[u8]) -> Result<TlsConnector, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let cause =
            found.errors.into_iter().next().map_or_else(|| "the system has none".into(), BoxError::from);
        return Err(Failure::because(Exit::Usage, "there are no root certificates to trust", cause).with_help(
            "install them (often a package `ca-certificates`), or name a PEM file with those to trust: export \
             SSL_CERT_FILE=FILE",
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::because(Exit::Api, "cannot set up TLS", error))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Opens connections, with TLS if it has some.
#[derive(Clone)]
struct Connector {
    tls: Option<TlsConnector>,
}

impl tower::Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tls = self.tls.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            let Some(tls) = tls else { return Ok(Stream(TokioIo::new(Box::new(stream)))) };
            let stream = tls.connect(ServerName::try_from(host)?, stream).await?;
            Ok(Stream(TokioIo::new(Box::new(stream))))
        })
    }
}

/// Bytes in both directions.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

struct Stream(TokioIo<Box<dyn Duplex>>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
