//! A session with a server: from the connection flags and the environment to a client.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::client::EMULATOR_HOST;
use contact_center_insights::{Client, Endpoint, Error};

use crate::advice::{self, Origin};
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::command;

/// For credentials that are not there: whoever sits at a terminal would rather hear of it. Servers have 30 s.
const PATIENCE: Duration = Duration::from_secs(2);

/// The variable that holds an access token. It is no flag: every process on the machine can read those.
const TOKEN_VARIABLE: &str = "CCI_ACCESS_TOKEN";
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
/// A token file is read again this often, so that a long wait finds the newer token.
const TOKEN_FILE_AGE: Duration = Duration::from_mins(5);
/// A local server is not spared by waiting for it.
const LOCAL_WAIT: Duration = Duration::from_millis(20);

/// Where calls go, and who makes them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Where calls go: `https://HOST[:PORT]`, or `http://HOST:PORT` for an emulator. By default to the emulator at
    /// the `HOST:PORT` in `CONTACTCENTERINSIGHTS_EMULATOR_HOST` if that is set, else to the global endpoint.
    #[arg(long, value_name = "URI")]
    endpoint: Option<String>,

    /// A file that holds an access token. By default the token in `CCI_ACCESS_TOKEN`, else application default
    /// credentials; none for an emulator on this machine.
    #[arg(long, value_name = "FILE")]
    access_token_file: Option<PathBuf>,

    /// How long each call may take, repeats included.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "60s")]
    request_timeout: Duration,
}

impl Connection {
    /// Sets up a client; nothing is sent yet.
    pub(crate) fn open(self) -> Result<Session, Failure> {
        let token = env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty());
        self.open_with(token)
    }

    fn open_with(self, token: Option<String>) -> Result<Session, Failure> {
        let failed = |error| advice::on_error(error, &Origin { flags: self.flags(), ..Origin::default() });
        let mut builder = Client::builder().with_timeout(self.request_timeout);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(credentials) = self.credentials(token)? {
            builder = builder.with_credentials(credentials);
        }
        let mut client = builder.build().map_err(failed)?;
        let endpoint = client.transport().endpoint().clone();
        if endpoint.is_loopback() {
            client = Client::builder()
                .with_transport(client.transport().clone())
                .with_timeout(self.request_timeout)
                .with_retry(RetryPolicy::default().with_first_wait(LOCAL_WAIT).with_max_wait(LOCAL_WAIT))
                .build()
                .map_err(failed)?;
        }
        Ok(Session { client, endpoint, connection: self })
    }

    /// Who calls; `None` leaves it to the library: nobody for the emulator variable.
    fn credentials(&self, token: Option<String>) -> Result<Option<Credentials>, Failure> {
        if let Some(file) = &self.access_token_file {
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
        let is_local = |endpoint: &Endpoint| endpoint.is_plaintext() && endpoint.is_loopback();
        let endpoint = self.endpoint.as_ref().and_then(|text| text.parse().ok());
        if endpoint.as_ref().is_some_and(is_local) {
            return Ok(Some(Credentials::anonymous()));
        }
        let is_emulator =
            self.endpoint.is_none() && env::var_os(EMULATOR_HOST).is_some_and(|host| !host.is_empty());
        Ok((!is_emulator).then(|| Credentials::application_default().with_patience(PATIENCE)))
    }

    /// The flags that were given, to be repeated in a suggested command.
    fn flags(&self) -> Vec<String> {
        let file = self.access_token_file.as_ref().map(|file| file.display().to_string());
        let timeout = Some(self.request_timeout).filter(|timeout| *timeout != DEFAULT_REQUEST_TIMEOUT);
        let flags = [
            ("--endpoint", self.endpoint.clone()),
            ("--access-token-file", file),
            ("--request-timeout", timeout.map(duration::print)),
        ];
        let given = flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
        given.flatten().collect()
    }
}

/// A token from a file; what the file holds is never repeated.
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

/// A client, and what is needed to say how to go on.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    endpoint: Endpoint,
    connection: Connection,
}

impl Session {
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
            advice::on_error(error, &Origin { name, endpoint, flags: self.connection.flags() })
        }
    }

    /// The command that asks the same server this.
    pub(crate) fn command(&self, verb: &str, name: &str) -> String {
        let flags = self.connection.flags();
        command(["operations", verb, name].into_iter().chain(flags.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(endpoint: Option<&str>) -> Connection {
        let request_timeout = Duration::from_secs(5);
        Connection { endpoint: endpoint.map(str::to_owned), access_token_file: None, request_timeout }
    }

    #[tokio::test]
    async fn a_local_plaintext_endpoint_needs_no_token() {
        for local in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            let credentials = connection(Some(local)).credentials(None).unwrap();
            assert!(credentials.unwrap().is_anonymous(), "{local}");
        }
        for other in [None, Some("https://localhost:1"), Some("http://example.com"), Some("localhost:1")] {
            let credentials = connection(other).credentials(None).unwrap();
            assert!(credentials.is_none_or(|credentials| !credentials.is_anonymous()), "{other:?}");
        }
        let given = connection(Some("http://127.0.0.1:1")).credentials(Some("secret".into())).unwrap();
        assert!(!given.unwrap().is_anonymous());
    }

    #[tokio::test]
    async fn a_token_is_not_sent_in_the_clear_nor_printed() {
        let failure = connection(Some("http://example.com")).open_with(Some("planted".into())).unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.to_string().contains("unencrypted") && !failure.to_string().contains("planted"));
        let failure = connection(None).open_with(Some("planted\nplanted".into())).unwrap_err();
        assert_eq!(failure.exit(), Exit::Credentials);
        assert!(!failure.to_string().contains("planted"), "{failure}");
    }

    #[test]
    fn suggested_commands_repeat_the_flags_that_were_given() {
        let mut connection = connection(Some("http://h:1"));
        connection.access_token_file = Some("t".into());
        let flags = ["--endpoint", "http://h:1", "--access-token-file", "t", "--request-timeout", "5s"];
        assert_eq!(connection.flags(), flags);
        connection.request_timeout = DEFAULT_REQUEST_TIMEOUT;
        assert_eq!(connection.flags(), flags[..4]);
    }
}
