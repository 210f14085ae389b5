//! A session with a server: from the connection flags and the environment to a client.

use std::env;
use std::time::Duration;

use contact_center_insights::auth::Credentials;
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights::{Client, Endpoint, Error};

use crate::args::Connection;
use crate::duration::Limit;
use crate::failure::Failure;
use crate::hints::{self, Origin};
use crate::name;
use crate::shell::command;
use crate::token::{self, TOKEN_VARIABLE};

/// For credentials that are not there: whoever sits at a terminal would rather hear of it. Servers have 30 s.
const PATIENCE: Duration = Duration::from_secs(2);

/// A local server is not spared by waiting for it, but it may be starting just now. Together with the pool's own waits
/// before it connects again, which grow up to 1 s, these give it 3 s.
const LOCAL_WAIT: Duration = Duration::from_millis(200);
const LOCAL_ATTEMPTS: u32 = 6;

/// In place of a name: the hosts are those of the locations in the names of calls.
const ANYWHERE: &str = "";

/// Locations without a host of their own.
const AT_GLOBAL_HOST: [&str; 2] = ["us-central1", "global"];

/// A client, and what is needed to say how to go on.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    endpoint: Endpoint,
    connection: Connection,
}

impl Session {
    /// Sets up a client for calls about `name`, which is in one location; nothing is sent yet.
    pub(crate) fn open(connection: Connection, name: &str) -> Result<Self, Failure> {
        let token = env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty());
        let emulator = env::var(EMULATOR_HOST).ok().filter(|host| !host.is_empty());
        Self::open_with(connection, name, token, emulator.as_deref())
    }

    /// Sets up a client for calls about any number of locations, each at its own host; nothing is sent yet.
    pub(crate) fn open_anywhere(connection: Connection) -> Result<Self, Failure> {
        Self::open(connection, ANYWHERE)
    }

    fn open_with(
        connection: Connection,
        name: &str,
        token: Option<String>,
        emulator: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder();
        if let Limit::Of(timeout) = connection.request_timeout {
            builder = builder.with_timeout(timeout);
        }
        if let Some(endpoint) = &connection.endpoint {
            builder = builder.with_endpoint(endpoint);
        } else if let Some(location) = host_location(name, emulator) {
            builder = builder.with_location(location);
        }
        if name == ANYWHERE && connection.endpoint.is_none() {
            builder = builder.with_regional_endpoints();
        }
        if let Some(credentials) = credentials(&connection, token, emulator)? {
            builder = builder.with_credentials(credentials);
        }
        if is_local(&connection, emulator) {
            let policy = RetryPolicy::default()
                .with_max_attempts(LOCAL_ATTEMPTS)
                .with_first_wait(LOCAL_WAIT)
                .with_max_wait(LOCAL_WAIT);
            builder = builder.with_retry(policy);
        }
        let client = builder.build().map_err(|error| {
            hints::on_error(error, &Origin { flags: connection.flags(), ..Origin::default() })
        })?;
        let endpoint = client.transport().endpoint().clone();
        Ok(Self { client, endpoint, connection })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.endpoint.is_loopback()
    }

    /// Turns what the library says, when asked about `name`, into what the user needs.
    pub(crate) fn failure<'a>(&'a self, name: &'a str) -> impl FnOnce(Error) -> Failure + 'a {
        move |error| {
            let (name, endpoint) = (name.to_owned(), self.endpoint.to_string());
            hints::on_error(error, &Origin { name, endpoint, flags: self.connection.flags() })
        }
    }

    /// The command that asks the same server this.
    pub(crate) fn command(&self, verb: &str, name: &str) -> String {
        self.operations(&[verb, name])
    }

    /// The command of `operations` with these arguments, of the same server.
    pub(crate) fn operations(&self, arguments: &[&str]) -> String {
        let flags = self.connection.flags();
        let words = ["operations"].into_iter().chain(arguments.iter().copied());
        command(words.chain(flags.iter().map(String::as_str)))
    }
}

/// The location whose host serves this name. `None` leaves it to the library: the emulator, or the global host.
fn host_location(name: &str, emulator: Option<&str>) -> Option<String> {
    name::location(name).filter(|location| emulator.is_none() && !AT_GLOBAL_HOST.contains(&location.as_str()))
}

/// Whether calls go to this machine, as far as flag and variable tell: what cannot be read, the library refuses.
fn is_local(connection: &Connection, emulator: Option<&str>) -> bool {
    let endpoint = match (&connection.endpoint, emulator) {
        (Some(endpoint), _) => endpoint.parse::<Endpoint>().ok(),
        (None, Some(host)) => Endpoint::emulator(host).ok(),
        (None, None) => None,
    };
    endpoint.is_some_and(|endpoint| endpoint.is_loopback())
}

/// Who calls; `None` leaves it to the library: nobody for the emulator variable.
fn credentials(
    connection: &Connection,
    token: Option<String>,
    emulator: Option<&str>,
) -> Result<Option<Credentials>, Failure> {
    if let Some(file) = &connection.access_token_file {
        return token::of_file(file).map(Some);
    }
    if let Some(token) = token {
        return token::of_variable(&token).map(Some);
    }
    let is_open = |endpoint: Endpoint| endpoint.is_plaintext() && endpoint.is_loopback();
    let endpoint = connection.endpoint.as_ref().and_then(|text| text.parse().ok());
    if endpoint.is_some_and(is_open) {
        return Ok(Some(Credentials::anonymous()));
    }
    let is_emulator = connection.endpoint.is_none() && emulator.is_some();
    Ok((!is_emulator).then(|| Credentials::application_default().with_patience(PATIENCE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn connection(endpoint: Option<&str>) -> Connection {
        let request_timeout = Duration::from_secs(5);
        Connection {
            endpoint: endpoint.map(str::to_owned),
            access_token_file: None,
            request_timeout: Limit::Of(request_timeout),
        }
    }

    const NAME: &str = "projects/p/locations/us-central1/operations/1";

    #[tokio::test]
    async fn the_host_is_that_of_the_location_in_the_name() {
        let host = |location: &str, endpoint: Option<&str>, emulator: Option<&str>| {
            let name = format!("projects/p/locations/{location}/operations/1");
            let session = Session::open_with(connection(endpoint), &name, Some("t".into()), emulator)?;
            Ok::<_, Failure>(session.endpoint.host().to_owned())
        };
        let global = "contactcenterinsights.googleapis.com";
        assert_eq!(host("us-central1", None, None).unwrap(), global);
        assert_eq!(host("global", None, None).unwrap(), global);
        assert_eq!(host("eu", None, None).unwrap(), format!("eu-{global}"));
        assert_eq!(host("eu", Some("https://e.test"), None).unwrap(), "e.test");
        assert_eq!(host("eu", Some("http://127.0.0.1:1"), Some("127.0.0.1:2")).unwrap(), "127.0.0.1");
        assert_eq!(host_location("projects/p/locations/eu", Some("127.0.0.1:2")), None);
        for bad in ["evil.example", "Europe", "eu@x"] {
            let failure = host(bad, None, None).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains("is not a location, such as europe-west1"), "{failure}");
            assert!(host(bad, Some("http://127.0.0.1:1"), None).is_ok(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_local_plaintext_endpoint_needs_no_token() {
        for local in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            let credentials = credentials(&connection(Some(local)), None, None).unwrap();
            assert!(credentials.unwrap().is_anonymous(), "{local}");
        }
        for other in [None, Some("https://localhost:1"), Some("http://example.com"), Some("localhost:1")] {
            let credentials = credentials(&connection(other), None, None).unwrap();
            assert!(credentials.is_none_or(|credentials| !credentials.is_anonymous()), "{other:?}");
        }
        let local = connection(Some("http://127.0.0.1:1"));
        let given = credentials(&local, Some("secret".into()), None).unwrap();
        assert!(!given.unwrap().is_anonymous());
    }

    #[tokio::test]
    async fn a_token_is_not_sent_in_the_clear_nor_printed() {
        let failure =
            Session::open_with(connection(Some("http://example.com")), NAME, Some("planted".into()), None)
                .unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.to_string().contains("unencrypted") && !failure.to_string().contains("planted"));
        let failure =
            Session::open_with(connection(None), NAME, Some("planted\nplanted".into()), None).unwrap_err();
        assert_eq!(failure.exit(), Exit::Credentials);
        assert!(!failure.to_string().contains("planted"), "{failure}");
    }

    #[tokio::test]
    async fn a_server_on_this_machine_is_known_before_the_client_is_built() {
        for (endpoint, emulator, expected) in [
            (Some("http://127.0.0.1:1"), None, true),
            (Some("https://localhost:1"), Some("example.com:1"), true),
            (Some("https://example.com"), Some("127.0.0.1:1"), false),
            (None, Some("localhost:1"), true),
            (None, Some("10.0.0.1:1"), false),
            (None, None, false),
        ] {
            let connection = connection(endpoint);
            assert_eq!(is_local(&connection, emulator), expected, "{endpoint:?} {emulator:?}");
        }
    }
}
