//! A session with a server: from the connection flags and the environment to a client.

mod given;

use std::time::Duration;

use contact_center_insights::auth::Credentials;
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::{Client, Endpoint, Error};

pub(crate) use self::given::Who;
use self::given::{Given, credentials, is_local, who};
use crate::args::Connection;
use crate::config;
use crate::duration::Limit;
use crate::failure::Failure;
use crate::headers::ShowHeadersLayer;
use crate::hints::{self, Origin};
use crate::rest::RestLayer;
use crate::shell::command;
use crate::{log, name};

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
    /// What says where calls go.
    why: String,
    /// Who calls; `None` is nobody.
    credentials: Option<Credentials>,
    who: Who,
}

/// What calls are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Grpc,
    /// Of gRPC, or of HTTP and JSON.
    Rest,
}

impl Session {
    /// Sets up a client for calls about `name`, which is in one location; nothing is sent yet.
    pub(crate) fn open(connection: Connection, name: &str) -> Result<Self, Failure> {
        Self::open_with(Given::read(connection)?, name, Over::Grpc)
    }

    /// As [`Session::open`], for calls of REST too.
    pub(crate) fn open_rest(connection: Connection, name: &str) -> Result<Self, Failure> {
        Self::open_with(Given::read(connection)?, name, Over::Rest)
    }

    /// Sets up a client for calls about any number of locations, each at its own host; nothing is sent yet.
    pub(crate) fn open_anywhere(connection: Connection) -> Result<Self, Failure> {
        Self::open(connection, ANYWHERE)
    }

    fn open_with(given: Given, name: &str, over: Over) -> Result<Self, Failure> {
        let mut builder = Client::builder();
        if let Limit::Of(timeout) = given.timeout()? {
            builder = builder.with_timeout(timeout);
        }
        if let Some(found) = &given.endpoint {
            // As a flag it would be refused in the words of a flag.
            found
                .value
                .parse::<Endpoint>()
                .map_err(|error| config::unusable(config::ENDPOINT, found, error.to_string()))?;
        }
        if let Some(endpoint) = given.endpoint() {
            builder = builder.with_endpoint(endpoint);
        } else if let Some(location) = host_location(name, given.emulator.as_deref()) {
            builder = builder.with_location(location);
        }
        if name == ANYWHERE && given.endpoint().is_none() {
            builder = builder.with_regional_endpoints();
        }
        // The innermost is added first: it shows what leaves.
        if log::shows_headers() {
            builder = builder.with_layer(ShowHeadersLayer);
        }
        if over == Over::Rest {
            builder = builder.with_layer(RestLayer);
        }
        let who = who(&given);
        let credentials = credentials(&who, given.token.as_deref())?;
        if let Some(credentials) = &credentials {
            builder = builder.with_credentials(credentials.clone());
        }
        if is_local(&given) {
            let policy = RetryPolicy::default()
                .with_max_attempts(LOCAL_ATTEMPTS)
                .with_first_wait(LOCAL_WAIT)
                .with_max_wait(LOCAL_WAIT);
            builder = builder.with_retry(policy);
        }
        let why = given.why(name);
        let connection = given.connection;
        let client = builder.build().map_err(|error| {
            hints::on_error(error, &Origin { flags: connection.flags(), ..Origin::default() })
        })?;
        let endpoint = client.transport().endpoint().clone();
        Ok(Self { client, endpoint, connection, why, credentials, who })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Where calls go.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What says so.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    /// Where the token comes from.
    pub(crate) fn who(&self) -> &Who {
        &self.who
    }

    /// Whether a token can be had, where one is needed.
    pub(crate) async fn try_token(&self) -> Result<(), Failure> {
        match &self.credentials {
            Some(credentials) => credentials.fetch().await.map(drop).map_err(self.failure("")),
            None => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::given::tests::given;
    use super::*;
    use crate::config::Found;
    use crate::exit::Exit;

    const NAME: &str = "projects/p/locations/us-central1/operations/1";

    #[tokio::test]
    async fn the_host_is_that_of_the_location_in_the_name() {
        let host = |location: &str, endpoint: Option<&str>, emulator: Option<&str>| {
            let name = format!("projects/p/locations/{location}/operations/1");
            let session = Session::open_with(given(endpoint, Some("t"), emulator), &name, Over::Grpc)?;
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
    async fn a_token_is_not_sent_in_the_clear_nor_printed() {
        let remote = given(Some("http://example.com"), Some("planted"), None);
        let failure = Session::open_with(remote, NAME, Over::Grpc).unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.to_string().contains("unencrypted") && !failure.to_string().contains("planted"));
        let failure =
            Session::open_with(given(None, Some("planted\nplanted"), None), NAME, Over::Grpc).unwrap_err();
        assert_eq!(failure.exit(), Exit::Credentials);
        assert!(!failure.to_string().contains("planted"), "{failure}");
    }

    #[tokio::test]
    async fn the_profile_says_what_flags_and_variables_do_not() {
        let found = |value: &str| Some(Found { value: value.into(), source: "the profile work".into() });
        let mut by_profile = given(None, Some("t"), None);
        by_profile.endpoint = found("https://e.test");
        by_profile.timeout = found("1h30m");
        assert_eq!(by_profile.timeout().unwrap(), Limit::Of(Duration::from_mins(90)));
        let session =
            Session::open_with(by_profile, "projects/p/locations/eu/operations/1", Over::Grpc).unwrap();
        assert_eq!(session.endpoint.host(), "e.test");
        assert!(session.connection.flags().is_empty());
        for (endpoint, timeout, words) in
            [("ftp://x", "5s", "cannot use endpoint"), ("https://x", "soon", "cannot use request-timeout")]
        {
            let mut bad = given(None, Some("t"), None);
            (bad.endpoint, bad.timeout) = (found(endpoint), found(timeout));
            let failure = Session::open_with(bad, NAME, Over::Grpc).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            let report = failure.to_string();
            assert!(report.contains(words) && report.contains("cci config set"), "{report}");
        }
    }
}
