//! What is known of where calls go and who makes them, before a client is made of it.

use std::env;
use std::path::PathBuf;

use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights::{Credentials, Endpoint};

use super::PATIENCE;
use crate::args::{Connection, DEFAULT_REQUEST_TIMEOUT};
use crate::config::{self, Found};
use crate::duration::{Limit, parse_limit};
use crate::failure::Failure;
use crate::name;
use crate::token::{self, TOKEN_VARIABLE};

/// Where the token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// No token is needed.
    Nobody,
    /// A file, and what names it.
    File(PathBuf, String),
    /// `CCI_ACCESS_TOKEN`.
    Variable,
    ApplicationDefault,
}

/// What is known of where calls go and who makes them: flags, then variables, then the profile, which is only asked for
/// what they lack.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) connection: Connection,
    /// An access token.
    pub(super) token: Option<String>,
    /// The emulator that a variable names.
    pub(super) emulator: Option<String>,
    /// What the profile says.
    pub(super) endpoint: Option<Found>,
    pub(super) token_file: Option<Found>,
    pub(super) timeout: Option<Found>,
}

impl Given {
    pub(super) fn read(connection: Connection) -> Result<Self, Failure> {
        let token = env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty());
        let emulator = env::var(EMULATOR_HOST).ok().filter(|host| !host.is_empty());
        let unless = |is_known: bool, key| if is_known { Ok(None) } else { config::get(key) };
        Ok(Self {
            endpoint: unless(connection.endpoint.is_some() || emulator.is_some(), config::ENDPOINT)?,
            token_file: unless(
                connection.access_token_file.is_some() || token.is_some() || emulator.is_some(),
                config::ACCESS_TOKEN_FILE,
            )?,
            timeout: unless(connection.request_timeout.is_some(), config::REQUEST_TIMEOUT)?,
            token,
            emulator,
            connection,
        })
    }

    /// The endpoint, unless the emulator's variable or the location of a name says it.
    pub(super) fn endpoint(&self) -> Option<&str> {
        let found = self.endpoint.as_ref().map(|found| found.value.as_str());
        self.connection.endpoint.as_deref().or(found)
    }

    /// What says where calls about `name` go.
    pub(super) fn why(&self, name: &str) -> String {
        if self.connection.endpoint.is_some() {
            return "--endpoint".to_owned();
        }
        match (&self.endpoint, &self.emulator, name::location(name)) {
            (Some(found), ..) => found.source.clone(),
            (None, Some(_), _) => EMULATOR_HOST.to_owned(),
            (None, None, Some(location)) => format!("the host of the location {location}"),
            (None, None, None) => "the default".to_owned(),
        }
    }

    pub(super) fn timeout(&self) -> Result<Limit, Failure> {
        match (self.connection.request_timeout, &self.timeout) {
            (Some(limit), _) => Ok(limit),
            (None, Some(found)) => parse_limit(&found.value)
                .map_err(|reason| config::unusable(config::REQUEST_TIMEOUT, found, reason)),
            (None, None) => Ok(DEFAULT_REQUEST_TIMEOUT),
        }
    }
}

/// Whether calls go to this machine, as far as flag, variable and profile tell: what cannot be read, the library refuses.
pub(super) fn is_local(given: &Given) -> bool {
    let endpoint = match (given.endpoint(), &given.emulator) {
        (Some(endpoint), _) => endpoint.parse::<Endpoint>().ok(),
        (None, Some(host)) => Endpoint::emulator(host).ok(),
        (None, None) => None,
    };
    endpoint.is_some_and(|endpoint| endpoint.is_loopback())
}

/// Where the token comes from.
pub(super) fn who(given: &Given) -> Who {
    if let Some(file) = &given.connection.access_token_file {
        return Who::File(file.clone(), "--access-token-file".to_owned());
    }
    if given.token.is_some() {
        return Who::Variable;
    }
    let is_open = |endpoint: Endpoint| endpoint.is_plaintext() && endpoint.is_loopback();
    let endpoint = given.endpoint().and_then(|text| text.parse().ok());
    let is_emulator = given.endpoint().is_none() && given.emulator.is_some();
    if endpoint.is_some_and(is_open) || is_emulator {
        return Who::Nobody;
    }
    match &given.token_file {
        Some(Found { value, source }) => Who::File(value.into(), source.clone()),
        None => Who::ApplicationDefault,
    }
}

/// What the client calls by; `None` leaves it to the library, which needs none for the emulator's variable.
pub(super) fn credentials(who: &Who, token: Option<&str>) -> Result<Option<Credentials>, Failure> {
    match who {
        Who::File(file, _) => token::of_file(file).map(Some),
        Who::Variable => token::of_variable(token.unwrap_or_default()).map(Some),
        Who::Nobody => Ok(Some(Credentials::anonymous())),
        Who::ApplicationDefault => Ok(Some(Credentials::application_default().with_patience(PATIENCE))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::session) fn given(
        endpoint: Option<&str>,
        token: Option<&str>,
        emulator: Option<&str>,
    ) -> Given {
        let connection = Connection { endpoint: endpoint.map(str::to_owned), ..Connection::none() };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Given { connection, token: owned(token), emulator: owned(emulator), ..Given::default() }
    }

    #[test]
    fn a_local_plaintext_endpoint_needs_no_token() {
        for local in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            assert_eq!(who(&given(Some(local), None, None)), Who::Nobody, "{local}");
        }
        for other in [None, Some("https://localhost:1"), Some("http://example.com"), Some("localhost:1")] {
            assert_eq!(who(&given(other, None, None)), Who::ApplicationDefault, "{other:?}");
        }
        let local = given(Some("http://127.0.0.1:1"), Some("secret"), None);
        assert_eq!(who(&local), Who::Variable);
        assert_eq!(who(&given(None, None, Some("127.0.0.1:1"))), Who::Nobody);
    }

    #[test]
    fn a_server_on_this_machine_is_known_before_the_client_is_built() {
        for (endpoint, emulator, expected) in [
            (Some("http://127.0.0.1:1"), None, true),
            (Some("https://localhost:1"), Some("example.com:1"), true),
            (Some("https://example.com"), Some("127.0.0.1:1"), false),
            (None, Some("localhost:1"), true),
            (None, Some("10.0.0.1:1"), false),
            (None, None, false),
        ] {
            assert_eq!(is_local(&given(endpoint, None, emulator)), expected, "{endpoint:?} {emulator:?}");
        }
    }
}
