//! The TLS handshake, and what its failures mean.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage, SignatureScheme};
use tokio::io::AsyncBufRead as _;
use tokio_rustls::TlsConnector;

use super::Io;
use crate::error::{ConnectFailure, Error, Setting};
use crate::transport::Tls;

/// Puts TLS on streams to one host.
pub(super) struct Secure {
    config: ClientConfig,
    name: ServerName<'static>,
    place: String,
    has_identity: bool,
    is_proxy: bool,
    /// What certificate to show, if it may change: where to look, and what was found last.
    renewed: Option<(Tls, Mutex<Arc<dyn ResolvesClientCert>>)>,
}

impl Secure {
    /// With the server that the endpoint names.
    pub(super) fn new(host: &str, place: &str, tls: &Tls) -> Result<Self, Error> {
        let mut config = tls.config()?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| Error::config(Setting::Endpoint, error))?;
        let latest = config.client_auth_cert_resolver.clone();
        Ok(Self {
            config,
            name,
            place: place.to_owned(),
            has_identity: tls.has_identity(),
            is_proxy: false,
            renewed: tls.is_renewed().then(|| (tls.clone(), Mutex::new(latest))),
        })
    }

    /// With a proxy on the way there, which is spoken to by HTTP/1, and is not shown who the client is.
    pub(super) fn to_proxy(host: &str, place: &str, tls: &Tls) -> Result<Self, Error> {
        let mut config = tls.clone().without_identity().config()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| Error::config(Setting::Proxy, error))?;
        Ok(Self { config, name, place: place.to_owned(), has_identity: false, is_proxy: true, renewed: None })
    }

    pub(super) async fn handshake(&self, stream: Io) -> Result<Io, ConnectFailure> {
        let asked = Arc::new(Asked { inner: self.certificate().await, was: AtomicBool::default() });
        let mut config = self.config.clone();
        config.client_auth_cert_resolver = asked.clone();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| self.explain(error, asked.was()))?;
        if self.is_proxy {
            return Ok(Box::new(stream));
        }
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(self.no_http2());
        }
        // In TLS 1.3 the client is done before the server has looked at its certificate, and hears of a refusal
        // in place of the first bytes. HTTP/2 servers speak without being asked, so those can be waited for.
        if asked.was() {
            let first = poll_fn(|cx| Pin::new(&mut stream).poll_fill_buf(cx).map_ok(<[u8]>::is_empty)).await;
            let is_closed = first.map_err(|error| self.explain(error, true))?;
            if is_closed {
                return Err(self.explain(io::ErrorKind::UnexpectedEof.into(), true));
            }
        }
        Ok(Box::new(stream))
    }

    /// The certificate to show.
    async fn certificate(&self) -> Arc<dyn ResolvesClientCert> {
        let Some((tls, latest)) = &self.renewed else { return self.config.client_auth_cert_resolver.clone() };
        let tls = tls.clone();
        let found = tokio::task::spawn_blocking(move || tls.client_certificate()).await;
        let mut latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(Ok(Some(certificate))) => *latest = certificate,
            Ok(Ok(None)) => {}
            // Chain and key may be caught between the one and the other being replaced.
            Ok(Err(error)) => tracing::warn!(%error, "the client certificate cannot be renewed"),
            Err(error) => tracing::warn!(%error, "the client certificate cannot be renewed"),
        }
        latest.clone()
    }

    fn explain(&self, error: io::Error, was_asked: bool) -> ConnectFailure {
        match error.downcast::<rustls::Error>() {
            Ok(error) => self.explain_tls(error, was_asked),
            Err(error) => {
                let place = &self.place;
                let text =
                    format!("the connection to `{place}` broke in the TLS handshake; is it a TLS server?");
                ConnectFailure::transient(text).because(error)
            }
        }
    }

    fn explain_tls(&self, error: rustls::Error, was_asked: bool) -> ConnectFailure {
        use AlertDescription as Alert;
        let place = &self.place;
        let text = match &error {
            rustls::Error::InvalidCertificate(why) => self.explain_certificate(why),
            rustls::Error::NoApplicationProtocol
            | rustls::Error::AlertReceived(Alert::NoApplicationProtocol)
                if !self.is_proxy =>
            {
                return self.no_http2();
            }
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) if self.is_proxy => {
                format!("the proxy `{place}` does not speak TLS; use http:// in its URL")
            }
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => format!(
                "`{place}` does not speak TLS; if it is meant to be a plaintext server, use http:// in the endpoint"
            ),
            rustls::Error::AlertReceived(Alert::ProtocolVersion) | rustls::Error::PeerIncompatible(_) => {
                format!("`{place}` and this client have no version or cipher of TLS in common")
            }
            rustls::Error::AlertReceived(Alert::CertificateRequired) if !self.has_identity => {
                self.wants_certificate()
            }
            rustls::Error::AlertReceived(_) if was_asked && !self.has_identity => self.wants_certificate(),
            rustls::Error::AlertReceived(_) if was_asked => {
                format!("`{place}` does not accept the certificate of this client")
            }
            _ => {
                let text = format!("the TLS handshake with `{place}` failed");
                return ConnectFailure::transient(text).because(error);
            }
        };
        ConnectFailure::permanent(text).because(error)
    }

    fn explain_certificate(&self, why: &CertificateError) -> String {
        let place = &self.place;
        match why {
            // A bad signature is one of a stranger who has the name of an authority that is trusted.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
                "the certificate of `{place}` is signed by no authority that this client trusts; if it should be, \
                 give the authority by `Tls::with_ca_pem`"
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
                "the certificate of `{place}` is for another host; use the name that it is for as the endpoint"
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => format!(
                "the certificate of `{place}` has expired; it must be renewed there, unless the clock here is wrong"
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!("the certificate of `{place}` is not valid yet; is the clock here right?")
            }
            _ => format!("the certificate of `{place}` cannot be trusted"),
        }
    }

    fn wants_certificate(&self) -> String {
        format!(
            "`{}` wants a client certificate, and this client has none; give one by `Tls::with_identity_pem`",
            self.place
        )
    }

    fn no_http2(&self) -> ConnectFailure {
        let place = &self.place;
        ConnectFailure::permanent(format!(
            "`{place}` does not offer HTTP/2 (ALPN `h2`), which gRPC needs; is the endpoint a gRPC server?"
        ))
    }
}

/// Notes whether the server asked for a certificate.
#[derive(Debug)]
struct Asked {
    inner: Arc<dyn ResolvesClientCert>,
    was: AtomicBool,
}

impl Asked {
    fn was(&self) -> bool {
        self.was.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.was.store(true, Ordering::Relaxed);
        self.inner.resolve(issuers, schemes)
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}
