//! Where a token may go: over TLS, or to this machine.

use super::Endpoint;
use super::connect::ProxyChoice;
use crate::auth::Credentials;
use crate::error::{Error, Setting};

pub(super) fn check_token_is_safe(
    endpoint: &Endpoint,
    credentials: &Credentials,
    proxy: &ProxyChoice,
) -> Result<(), Error> {
    if !endpoint.is_plaintext() || credentials.is_anonymous() {
        return Ok(());
    }
    let way = match proxy {
        ProxyChoice::Url(_) => "through a proxy ",
        _ if endpoint.is_loopback() => return Ok(()),
        _ => "",
    };
    let reason = format!(
        "a token would travel {way}unencrypted to {endpoint}; use https, or anonymous credentials if the server \
         needs none"
    );
    Err(Error::config(Setting::Credentials, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Token;
    use crate::transport::Transport;

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
            assert_eq!(error.setting(), Some(Setting::Credentials), "{unsafe_}: {error:?}");
        }
        let proxied = Transport::builder("http://localhost:1".parse().unwrap())
            .with_proxy("http://proxy:3128")
            .with_credentials(Credentials::from_token(Token::new("planted-secret").unwrap()))
            .build()
            .unwrap_err();
        assert_eq!(proxied.setting(), Some(Setting::Credentials), "{proxied:?}");
        let plain = "http://emulator.internal:9000".parse().unwrap();
        Transport::new(plain, Credentials::anonymous()).unwrap();
    }
}
