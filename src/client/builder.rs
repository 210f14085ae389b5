//! How a client is configured.

use std::env;
use std::time::Duration;

use super::Client;
use crate::auth::Credentials;
use crate::call::{Caller, Defaults, RetryPolicy, TraceContext};
use crate::error::Error;
use crate::transport::{Endpoint, Transport};

/// The variable that points a client to an emulator: `host:port`.
pub const EMULATOR_HOST: &str = "CONTACTCENTERINSIGHTS_EMULATOR_HOST";

/// Collects the options of a [`Client`]; `build` judges them together.
///
/// Where calls go: the endpoint that was set, else the emulator that `CONTACTCENTERINSIGHTS_EMULATOR_HOST`
/// names, else the global endpoint. Who the caller is: the credentials that were set, else nobody if the
/// variable decided, else application default credentials.
#[derive(Clone, Debug, Default)]
pub struct ClientBuilder {
    endpoint: Option<String>,
    credentials: Option<Credentials>,
    transport: Option<Transport>,
    defaults: Defaults,
    jitter_seed: Option<u64>,
}

impl ClientBuilder {
    /// Sends calls to `uri`, for a regional host or the emulator: `https://host[:port]`, `http://host[:port]`, or
    /// `host[:port]`, which means https.
    #[must_use]
    pub fn with_endpoint(mut self, uri: impl Into<String>) -> Self {
        self.endpoint = Some(uri.into());
        self
    }

    /// Authorizes calls by `credentials`.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Uses a transport that exists already, with its endpoint and credentials.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Ends every call at the latest after `timeout`, unless the call sets its own. By default only each
    /// attempt is bounded. Waiting for an operation is no call: see [`Poller`](crate::lro::Poller).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.defaults.timeout = Some(timeout);
        self
    }

    /// Repeats failed attempts of calls by `policy`, unless the call sets its own.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.defaults.retry = policy;
        self
    }

    /// Refuses replies larger than `bytes`. 64 MiB by default.
    #[must_use]
    pub fn with_max_reply_size(mut self, bytes: usize) -> Self {
        self.defaults.max_reply_size = bytes;
        self
    }

    /// Sends the `traceparent` that `current` gives (W3C Trace Context) along with every attempt. It is asked within
    /// the span of the call; with `tracing-opentelemetry`, it reads `Span::current().context()`.
    #[must_use]
    pub fn with_trace_context(
        mut self,
        current: impl Fn() -> Option<http::HeaderValue> + Send + Sync + 'static,
    ) -> Self {
        self.defaults.trace = Some(TraceContext::new(current));
        self
    }

    /// Fixes the jitter of waits between attempts and polls, so that a test has the same ones every time.
    #[must_use]
    pub fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    /// Builds the client, within a tokio runtime. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`Error::Config`] names the option that cannot be used, and why; [`Error::Credentials`] if the build
    /// lacks the feature for application default credentials.
    pub fn build(self) -> Result<Client, Error> {
        let variable = env::var(EMULATOR_HOST).ok().filter(|host| !host.trim().is_empty());
        self.build_with(variable)
    }

    fn build_with(self, emulator_host: Option<String>) -> Result<Client, Error> {
        let transport = match (self.transport, &self.endpoint, &self.credentials) {
            (Some(transport), None, None) => transport,
            (Some(_), _, _) => {
                let reason = "a transport brings its own endpoint and credentials; set either it or them";
                return Err(Error::Config("transport", reason.into()));
            }
            (None, _, _) => {
                let (endpoint, from_variable) = match (&self.endpoint, emulator_host) {
                    (Some(endpoint), _) => (endpoint.parse()?, false),
                    (None, Some(host)) => (Endpoint::emulator(&host)?, true),
                    (None, None) => (Endpoint::global(), false),
                };
                let credentials = self.credentials.unwrap_or_else(|| {
                    if from_variable { Credentials::anonymous() } else { Credentials::application_default() }
                });
                Transport::new(endpoint, credentials)?
            }
        };
        Ok(Client { caller: Caller::new(transport, self.defaults, self.jitter_seed) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(builder: ClientBuilder, variable: Option<&str>) -> String {
        let client = builder.build_with(variable.map(str::to_owned)).unwrap();
        format!("{:?}", client.transport())
    }

    #[tokio::test]
    async fn the_explicit_endpoint_wins_over_the_variable() {
        let explicit =
            Client::builder().with_endpoint("http://127.0.0.1:1").with_credentials(Credentials::anonymous());
        assert!(endpoint(explicit, Some("127.0.0.1:2")).contains("127.0.0.1:1"));
    }

    #[tokio::test]
    async fn the_variable_means_plaintext_and_nobody() {
        let shown = endpoint(Client::builder(), Some("localhost:9000"));
        assert!(shown.contains("http://localhost:9000") && shown.contains("tokens: None"), "{shown}");
    }

    #[cfg(all(feature = "tls", feature = "google-cloud-auth"))]
    #[tokio::test]
    async fn without_either_it_is_the_global_endpoint_with_default_credentials() {
        let shown = endpoint(Client::builder(), None);
        assert!(shown.contains("https://contactcenterinsights.googleapis.com"), "{shown}");
        assert!(shown.contains("google-cloud-auth"), "{shown}");
    }

    #[tokio::test]
    async fn bad_options_are_named() {
        let bad = [
            (Client::builder().with_endpoint("ftp://x"), None, "endpoint"),
            (Client::builder(), Some("no such/host"), "endpoint"),
        ];
        for (builder, variable, option) in bad {
            let error = builder.build_with(variable.map(str::to_owned)).unwrap_err();
            assert!(matches!(error, Error::Config(name, _) if name == option), "{error:?}");
        }
        let transport =
            Transport::new("http://localhost:1".parse().unwrap(), Credentials::anonymous()).unwrap();
        let both = Client::builder().with_transport(transport).with_endpoint("http://localhost:2");
        assert!(matches!(both.build_with(None).unwrap_err(), Error::Config("transport", _)));
    }
}
