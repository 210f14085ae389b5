//! A certificate authority made on the fly, and the one certificate it signs.
//!
//! The certificate is for this machine and for the API's own hosts, so that a client which trusts the authority needs
//! nothing else changed but where those names lead. Authority and keys live as long as the emulator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Some clients refuse certificates that live longer.
const DAYS: u64 = 397;
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a port needs to speak TLS, and its clients to trust it.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The authority's certificate, as PEM.
    pub(crate) authority: String,
}

/// Keys never print.
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Tls {
    /// Makes a new authority, valid around `now`. The certificate is good for these names, for loopback, and for
    /// `address`, at which the port listens.
    pub(crate) fn new(now: SystemTime, address: IpAddr, names: &[String]) -> Result<Self, BoxError> {
        let mut params = params(now, "contact-center-insights-emulator CA")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let authority = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);

        let mut params = self::params(now, "contact-center-insights-emulator")?;
        for name in names {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        for address in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
            params.subject_alt_names.push(SanType::IpAddress(address));
        }
        if !address.is_loopback() && !address.is_unspecified() {
            params.subject_alt_names.push(SanType::IpAddress(address));
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        // The provider is named here: a process default is not the emulator's to choose.
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority: authority.pem() })
    }
}

fn params(now: SystemTime, name: &str) -> Result<CertificateParams, BoxError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // A client's clock may be behind.
    params.not_before = now.checked_sub(DAY).ok_or("the clock is absurd")?.into();
    params.not_after = now.checked_add(DAY * u32::try_from(DAYS - 1)?).ok_or("the clock is absurd")?.into();
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_new_each_time_and_its_keys_do_not_print() {
        let make = || Tls::new(SystemTime::now(), Ipv4Addr::LOCALHOST.into(), &[]).unwrap();
        let (one, two) = (make(), make());
        assert_ne!(one.authority, two.authority);
        assert!(one.authority.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!format!("{one:?}").contains("PRIVATE"), "{one:?}");
    }
}
