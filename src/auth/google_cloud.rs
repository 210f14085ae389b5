//! Application default credentials through Google's own crate.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use google_cloud_auth::credentials::{AccessTokenCredentials, Builder};

use super::{Token, TokenFuture, TokenSource};
use crate::error::{BoxError, CredentialsError};

const NAME: &str = "google-cloud-auth";

/// That crate caches and renews by itself but does not say when a token ends; so ours is asked for anew this
/// often, which costs a look into its cache.
const RENEW_AFTER: Duration = Duration::from_secs(30);

/// Built at the first fetch, and built anew after a failed one: its refresh task may have died.
#[derive(Default)]
pub(super) struct GoogleCloud(Mutex<Option<AccessTokenCredentials>>);

impl TokenSource for GoogleCloud {
    fn fetch(&self) -> TokenFuture<'_> {
        Box::pin(async {
            let credentials = self.credentials()?;
            match credentials.access_token().await {
                Ok(token) => Ok(Token::new(token.token)?.renew_in(RENEW_AFTER)),
                Err(error) => {
                    *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    Err(error.into())
                }
            }
        })
    }
}

impl GoogleCloud {
    fn credentials(&self) -> Result<AccessTokenCredentials, BoxError> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(credentials) = slot.as_ref() {
            return Ok(credentials.clone());
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Lost only to another thread that installs one at this moment, which serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let built = Builder::default().with_scopes([super::SCOPE]).build_access_token_credentials();
        let built = built.map_err(|error| CredentialsError::permanent(NAME, error.into()))?;
        Ok(slot.insert(built).clone())
    }
}
