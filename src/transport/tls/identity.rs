//! Who the client says it is: a certificate chain and its key, given once, or in files that are read anew.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::CertifiedKey;

use super::certificates;
use crate::error::BoxError;

/// Where the certificate is. Prints no key.
pub(super) enum Identity {
    Pem { chain: Vec<u8>, key: Vec<u8> },
    Files { chain: PathBuf, key: PathBuf },
}

impl Identity {
    /// Whether there may be another certificate later.
    pub(super) fn is_renewed(&self) -> bool {
        matches!(self, Self::Files { .. })
    }

    /// The certificate as it is now.
    pub(super) fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, BoxError> {
        match self {
            Self::Pem { chain, key } => pair(chain, key, provider),
            Self::Files { chain, key } => pair(&read(chain)?, &read(key)?, provider),
        }
    }
}

fn pair(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, BoxError> {
    let chain = certificates(chain, "the client's certificate chain")?;
    // The parser's error would not show the key, but nothing of it is needed either.
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| "the client's key is not a private key in PEM (PKCS#8, PKCS#1 or SEC1)")?;
    CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| format!("the client's certificate and key cannot be used together: {error}").into())
}

fn read(path: &Path) -> Result<Vec<u8>, BoxError> {
    fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()).into())
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem { .. } => f.write_str("[redacted]"),
            Self::Files { chain, key } => f.debug_tuple("Files").field(chain).field(key).finish(),
        }
    }
}
