//! A session with a server: from the connection flags and the environment to a client.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights::{Client, Endpoint, Error};

use crate::args::Connection;
use crate::duration::Limit;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints::{self, Origin};
use crate::shell::command;

/// For credentials that are not there: whoever sits at a terminal would rather hear of it. Servers have 30 s.
const PATIENCE: Duration = Duration::from_secs(2);

/// The variable that holds an access token. There is no flag for it: every process on the machine can read those.
const TOKEN_VARIABLE: &str = "CCI_ACCESS_TOKEN";
/// A token file is read again this often, so that a long wait finds the newer token.
const TOKEN_FILE_AGE: Duration = Duration::from_mins(5);
/// A local server is not spared by waiting for it, but it may be starting just now. Together with the pool's own waits
/// before it connects again, which grow up to 1 s, these give it 3 s.
const LOCAL_WAIT: Duration = Duration::from_millis(200);
const LOCAL_ATTEMPTS: u32 = 6;

/// A client, and what is needed to say how to go on.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    endpoint: Endpoint,
    connection: Connection,
}

impl Session {
    /// Sets up a client; nothing is sent yet.
    pub(crate) fn open(connection: Connection) -> Result<Self, Failure> {
        let token = env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty());
        let emulator = env::var(EMULATOR_HOST).ok().filter(|host| !host.is_empty());
        Self::open_with(connection, token, emulator.as_deref())
    }

    fn open_with(
        connection: Connection,
        token: Option<String>,
        emulator: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder();
        if let Limit::Of(timeout) = connection.request_timeout {
            builder = builder.with_timeout(timeout);
        }
        if let Some(endpoint) = &connection.endpoint {
            builder = builder.with_endpoint(endpoint);
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
        let flags = self.connection.flags();
        command(["operations", verb, name].into_iter().chain(flags.iter().map(String::as_str)))
    }
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
        // Read now, so that a mistake is told at once, and again whenever the client asks.
        read_token(file)
            .map_err(|error| no_token(&format!("--access-token-file {}", file.display()), error))?;
        let file = file.clone();
        let source =
            move || std::future::ready(read_token(&file).map(|token| token.renew_in(TOKEN_FILE_AGE)));
        return Ok(Some(Credentials::from_source(source)));
    }
    if let Some(token) = token {
        let token = Token::new(token.trim()).map_err(|error| no_token(TOKEN_VARIABLE, error))?;
        return Ok(Some(Credentials::from_token(token)));
    }
    let is_open = |endpoint: Endpoint| endpoint.is_plaintext() && endpoint.is_loopback();
    let endpoint = connection.endpoint.as_ref().and_then(|text| text.parse().ok());
    if endpoint.is_some_and(is_open) {
        return Ok(Some(Credentials::anonymous()));
    }
    let is_emulator = connection.endpoint.is_none() && emulator.is_some();
    Ok((!is_emulator).then(|| Credentials::application_default().with_patience(PATIENCE)))
}

/// A token from a file; what the file holds is never shown.
fn read_token(file: &Path) -> Result<Token, Box<dyn std::error::Error + Send + Sync>> {
    let text = fs::read(file)?;
    let text = str::from_utf8(&text).map_err(|_| "the file is not text")?;
    Token::new(text.trim())
}

fn no_token(place: &str, error: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    let help = format!(
        "get one with `gcloud auth print-access-token`, or leave {TOKEN_VARIABLE} and \
                        --access-token-file out to use application default credentials"
    );
    Failure::because(Exit::Credentials, format!("cannot use the access token from {place}"), error)
        .with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(endpoint: Option<&str>) -> Connection {
        let request_timeout = Duration::from_secs(5);
        Connection {
            endpoint: endpoint.map(str::to_owned),
            access_token_file: None,
            request_timeout: Limit::Of(request_timeout),
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
            Session::open_with(connection(Some("http://example.com")), Some("planted".into()), None)
                .unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.to_string().contains("unencrypted") && !failure.to_string().contains("planted"));
        let failure =
            Session::open_with(connection(None), Some("planted\nplanted".into()), None).unwrap_err();
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
