//! What TLS trusts, and who it says the client is.

mod identity;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

use identity::Identity;

use crate::error::{BoxError, Error, Setting};

/// Settings of TLS. By default the operating system's root certificates are trusted, and the client shows no
/// certificate of its own.
///
/// TLS 1.3 and 1.2 are spoken, with ring, and only to servers that offer HTTP/2 (ALPN `h2`). Setters never fail:
/// what they were given is judged when the transport is built.
///
/// ```
/// use contact_center_insights::transport::Tls;
///
/// # let certificate = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
/// let tls = Tls::default().with_ca_pem(certificate).without_system_roots();
/// # let _ = tls;
/// ```
#[derive(Clone)]
pub struct Tls {
    has_system_roots: bool,
    has_webpki_roots: bool,
    authorities: Vec<Vec<u8>>,
    identity: Option<Arc<Identity>>,
}

impl Default for Tls {
    fn default() -> Self {
        Self { has_system_roots: true, has_webpki_roots: false, authorities: Vec::new(), identity: None }
    }
}

impl Tls {
    /// Trusts the certificate authorities in `pem` too: one or more `CERTIFICATE` sections.
    #[must_use]
    pub fn with_ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Trusts only what [`with_ca_pem`](Self::with_ca_pem) adds.
    #[must_use]
    pub fn without_system_roots(mut self) -> Self {
        self.has_system_roots = false;
        self
    }

    /// Trusts Mozilla's root certificates, as they were when this crate was built, in place of the system's. Without this
    /// they are trusted only where the system has none.
    #[cfg(feature = "tls-webpki-roots")]
    #[must_use]
    pub fn with_webpki_roots(mut self) -> Self {
        self.has_system_roots = false;
        self.has_webpki_roots = true;
        self
    }

    /// Shows a certificate to servers that ask for one (mutual TLS): `chain` begins with the client's own, `key` is
    /// its private key (PKCS#8, PKCS#1 or SEC1). If one file holds both, it can be given for both.
    #[must_use]
    pub fn with_identity_pem(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some(Arc::new(Identity::Pem { chain: chain.into(), key: key.into() }));
        self
    }

    /// The same from files, which are read again for every new connection: a renewed certificate is shown without a new
    /// client. What cannot be read or used then is passed over, for the one that was shown before.
    #[must_use]
    pub fn with_identity_files(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some(Arc::new(Identity::Files { chain: chain.into(), key: key.into() }));
        self
    }

    /// Whether a certificate is shown to servers that ask for one.
    #[must_use]
    pub fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    pub(super) fn without_identity(mut self) -> Self {
        self.identity = None;
        self
    }

    /// What rustls makes connections by; the protocol to agree on is not in it yet.
    pub(super) fn config(&self) -> Result<ClientConfig, Error> {
        self.judge().map_err(|reason| Error::config(Setting::Tls, reason))
    }

    /// Whether the certificate of the client may change, so that it must be asked for again.
    pub(super) fn is_renewed(&self) -> bool {
        self.identity.as_deref().is_some_and(Identity::is_renewed)
    }

    /// The certificate of the client, as it is now. Files are read; where that must not block, this must not be called.
    pub(super) fn client_certificate(&self) -> Result<Option<Arc<dyn ResolvesClientCert>>, BoxError> {
        let Some(identity) = &self.identity else { return Ok(None) };
        let certificate = identity.load(&rustls::crypto::ring::default_provider())?;
        Ok(Some(Arc::new(SingleCertAndKey::from(certificate))))
    }

    fn judge(&self) -> Result<ClientConfig, BoxError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots()?);
        let mut config = builder.with_no_client_auth();
        if let Some(resolver) = self.client_certificate()? {
            config.client_auth_cert_resolver = resolver;
        }
        // Connections live for an hour or so; resumed sessions would also outlive a change of certificates.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, BoxError> {
        let mut roots = RootCertStore::empty();
        if self.has_webpki_roots {
            roots.extend(webpki_roots().iter().cloned());
        }
        if self.has_system_roots {
            let found = rustls_native_certs::load_native_certs();
            // The others are trusted even if one file among hundreds is malformed.
            let (added, _) = roots.add_parsable_certificates(found.certs);
            if added == 0 && self.authorities.is_empty() {
                roots.extend(webpki_roots().iter().cloned());
            }
            if roots.is_empty() && self.authorities.is_empty() {
                let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
                return Err(format!(
                    "the system has no root certificates{why}; install them (often a package `ca-certificates`), \
                     point SSL_CERT_FILE to them, give some by `Tls::with_ca_pem`, or build with the feature \
                     `tls-webpki-roots`"
                )
                .into());
            }
        }
        for pem in &self.authorities {
            for authority in certificates(pem, "a certificate authority")? {
                roots
                    .add(authority)
                    .map_err(|error| format!("a certificate authority cannot be used: {error}"))?;
            }
        }
        if roots.is_empty() {
            return Err("no certificate authority is trusted; give one by `Tls::with_ca_pem`".into());
        }
        Ok(roots)
    }
}

/// Mozilla's, if they are compiled in.
#[cfg(feature = "tls-webpki-roots")]
fn webpki_roots() -> &'static [TrustAnchor<'static>] {
    webpki_roots::TLS_SERVER_ROOTS
}

#[cfg(not(feature = "tls-webpki-roots"))]
fn webpki_roots() -> &'static [TrustAnchor<'static>] {
    &[]
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{what} is not in PEM: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("{what} has no CERTIFICATE section in PEM").into());
    }
    Ok(certificates)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("has_system_roots", &self.has_system_roots)
            .field("has_webpki_roots", &self.has_webpki_roots)
            .field("authorities", &self.authorities.len())
            .field("identity", &self.identity)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn self_signed() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["client".to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn reason(tls: &Tls) -> String {
        let error = tls.config().unwrap_err();
        assert_eq!(error.setting(), Some(Setting::Tls), "{error:?}");
        error.to_string()
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let (certificate, key) = self_signed();
        let (_, other_key) = self_signed();
        let trusting = Tls::default().without_system_roots().with_ca_pem(certificate.clone());
        let cases = [
            (Tls::default().without_system_roots(), "no certificate authority is trusted"),
            (Tls::default().with_ca_pem("hello"), "a certificate authority has no CERTIFICATE section"),
            (Tls::default().with_ca_pem(key.clone()), "a certificate authority has no CERTIFICATE section"),
            (
                Tls::default().with_ca_pem("-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n"),
                "a certificate authority is not in PEM",
            ),
            (
                trusting.clone().with_identity_pem("", key.clone()),
                "the client's certificate chain has no CERTIFICATE section",
            ),
            (
                trusting.clone().with_identity_pem(certificate.clone(), certificate.clone()),
                "the client's key is not a private key",
            ),
            (
                trusting.clone().with_identity_pem(certificate.clone(), other_key),
                "the client's certificate and key cannot be used together",
            ),
        ];
        for (tls, expected) in cases {
            let reason = reason(&tls);
            let whole = format!("cannot use client option `tls`: {expected}");
            assert!(reason.starts_with(&whole), "{reason}");
        }
        let both = format!("{certificate}{key}");
        trusting.with_identity_pem(both.clone(), both).config().unwrap();
    }

    #[cfg(feature = "tls-webpki-roots")]
    #[test]
    fn roots_that_are_compiled_in_are_trusted_when_asked_for() {
        assert!(Tls::default().without_system_roots().with_webpki_roots().roots().unwrap().len() > 50);
    }

    #[test]
    fn debug_prints_no_key() {
        let (certificate, key) = self_signed();
        let shown = format!("{:?}", Tls::default().with_identity_pem(certificate, key));
        assert_eq!(
            shown,
            "Tls { has_system_roots: true, has_webpki_roots: false, authorities: 0, identity: Some([redacted]) }"
        );
    }
}
