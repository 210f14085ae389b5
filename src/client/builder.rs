//! How a client is configured.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tower::{Layer, Service};

use super::Client;
use super::destination::Destination;
#[cfg(test)]
use super::destination::EMULATOR_HOST;
#[cfg(feature = "server")]
use super::fake::{self, Fakes};
use crate::auth::Credentials;
#[cfg(feature = "gzip")]
use crate::call::Gzip;
use crate::call::{Budget, CallSettings, Caller, RetryPolicy};
use crate::error::{BoxError, Error, Setting};
use crate::lro::{Operations, PollPolicy};
use crate::track::SharedPolls;
#[cfg(feature = "tls")]
use crate::transport::Tls;
use crate::transport::{Carrier, Environment, Transport, TransportBuilder};

/// Collects the options of a [`Client`]; `build` judges them together.
///
/// Where calls go: the endpoint or the location that was set, else the emulator that
/// `CONTACTCENTERINSIGHTS_EMULATOR_HOST` names, else the host for client certificates if the client shows one
/// (`GOOGLE_API_USE_MTLS_ENDPOINT` can be `never` or `always`), else the global endpoint. Who the caller is: the
/// credentials that were set, else nobody if the variable of the emulator decided, else application default
/// credentials.
///
/// Options about connections are those of [`TransportBuilder`], which has some more.
#[derive(Clone, Debug, Default)]
pub struct ClientBuilder {
    destination: Destination,
    /// Options of the transport that is built; none were set while it is `None`.
    options: Option<TransportBuilder>,
    transport: Option<Transport>,
    settings: CallSettings,
    poll_policy: PollPolicy,
    pub(super) asks_alone: bool,
    #[cfg(feature = "server")]
    fakes: Fakes,
}

impl ClientBuilder {
    /// Sends calls to `uri`, for a regional host or the emulator: `https://host[:port]`, `http://host[:port]`, or
    /// `host[:port]`, which means https.
    #[must_use]
    pub fn with_endpoint(mut self, uri: impl Into<String>) -> Self {
        self.destination.endpoint = Some(uri.into());
        self
    }

    /// Sends calls to the host of a location, as [`Endpoint::regional`](crate::Endpoint::regional) names it. The names
    /// of resources in calls must have the same location in them: a host answers for none but its own.
    #[must_use]
    pub fn with_location(mut self, location: impl Into<String>) -> Self {
        self.destination.location = Some(location.into());
        self
    }

    /// Sends each call to the host of the location that its name has in it, for tools that work in several: `us-central1`
    /// and `global` are at the global endpoint, every other location is at its own, as
    /// [`Endpoint::regional`](crate::Endpoint::regional) names it. Calls without a location in their names go to the
    /// global endpoint. Off by default: there, all calls go to one host.
    ///
    /// An endpoint or a location that was set stays, and so does the emulator of the environment. The locations share
    /// credentials, budgets and options; each has connections of its own, opened by the first call that needs them. What
    /// stands in the place of a location is checked before it becomes part of a host's name: such a call fails, and is not
    /// sent ([`Error::is_unreachable`]).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use contact_center_insights::{Client, Credentials, call::RetryPolicy};
    ///
    /// let client = Client::builder()
    ///     .with_regional_endpoints()
    ///     .with_credentials(Credentials::anonymous())
    ///     .build()
    ///     .unwrap();
    /// let name = "projects/p/locations/example.com/operations/1";
    /// let error = client.get_operation(name).with_retry(RetryPolicy::never()).await.unwrap_err();
    /// assert!(error.is_unreachable());
    /// # }
    /// ```
    #[must_use]
    pub fn with_regional_endpoints(mut self) -> Self {
        self.destination.is_regional = true;
        self
    }

    /// Sends calls to Google's services in another universe, and expects credentials that are for it. By default it is
    /// the domain in `GOOGLE_CLOUD_UNIVERSE_DOMAIN`, else `googleapis.com`. An endpoint that was set stays; only the
    /// credentials are compared then.
    #[must_use]
    pub fn with_universe_domain(self, domain: impl Into<String>) -> Self {
        self.with_options(|options| options.with_universe_domain(domain))
    }

    /// Authorizes calls by `credentials`.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        self.with_options(|options| options.with_credentials(credentials))
    }

    /// Has calls count against the quota of this project; see [`TransportBuilder::with_quota_project`].
    #[must_use]
    pub fn with_quota_project(self, project: impl Into<String>) -> Self {
        self.with_options(|options| options.with_quota_project(project))
    }

    /// Whom TLS trusts, and which certificate the client shows; see [`Tls`].
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        self.with_options(|options| options.with_tls(tls))
    }

    /// Opens every connection through the proxy at `url`; see [`TransportBuilder::with_proxy`], also for the variables
    /// that are obeyed by default.
    #[must_use]
    pub fn with_proxy(self, url: impl Into<String>) -> Self {
        self.with_options(|options| options.with_proxy(url))
    }

    /// Uses no proxy, whatever the environment says.
    #[must_use]
    pub fn without_proxy(self) -> Self {
        self.with_options(TransportBuilder::without_proxy)
    }

    /// Opens connections by `dial` instead of TCP; see [`TransportBuilder::with_connector`].
    #[must_use]
    pub fn with_connector<F, Fut, S, E>(self, dial: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        E: Into<BoxError>,
    {
        self.with_options(|options| options.with_connector(dial))
    }

    /// Puts a tower layer of the caller's around what carries requests; see [`TransportBuilder::with_layer`].
    #[must_use]
    pub fn with_layer<L, B>(self, layer: L) -> Self
    where
        L: Layer<Carrier> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.with_options(|options| options.with_layer(layer))
    }

    /// Gives a connection this long to open, 10 seconds by default; see [`TransportBuilder::with_connect_timeout`].
    #[must_use]
    pub fn with_connect_timeout(self, timeout: Duration) -> Self {
        self.with_options(|options| options.with_connect_timeout(timeout))
    }

    fn with_options(mut self, set: impl FnOnce(TransportBuilder) -> TransportBuilder) -> Self {
        self.options = Some(set(self.options.unwrap_or_default()));
        self
    }

    /// Uses a transport that exists already, with its endpoint, its credentials and its other options.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Has a service of the caller's answer in the place of the API, in this process and without a socket: a fake for
    /// unit tests (feature `server`). What it does not implement answers UNIMPLEMENTED.
    ///
    /// It takes what the generated servers are made of: one for the API's own methods, another for operations, by a
    /// second call of this method. Everything above the connection is as it is in production: deadlines, retries, errors
    /// and pollers. Calls run in the task that awaits them, carry no credentials unless some are set, and nothing is read
    /// from the environment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use contact_center_insights::proto::insights::contact_center_insights_server::{
    /// #     ContactCenterInsights, ContactCenterInsightsServer,
    /// # };
    /// # use contact_center_insights::proto::insights::{GetSettingsRequest, Settings};
    /// # use contact_center_insights::{Client, tonic::{Request, Response, Status, async_trait}};
    /// struct German;
    ///
    /// #[async_trait]
    /// impl ContactCenterInsights for German {
    ///     async fn get_settings(&self, _: Request<GetSettingsRequest>) -> Result<Response<Settings>, Status> {
    ///         Ok(Response::new(Settings { language_code: "de".into(), ..Default::default() }))
    ///     }
    /// }
    ///
    /// let client = Client::builder().with_fake(ContactCenterInsightsServer::new(German)).build()?;
    /// assert_eq!(client.get_settings(GetSettingsRequest::default()).await?.language_code, "de");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "server")]
    #[must_use]
    pub fn with_fake<S>(mut self, service: S) -> Self
    where
        S: tower::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<tonic::body::Body>,
                Error = std::convert::Infallible,
            >,
        S: tonic::server::NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.fakes.add(service);
        self
    }

    /// Ends every call at the latest after `timeout`, unless the call sets its own. By default only each
    /// attempt is bounded. Waiting for an operation is not a call: see [`Poller`](crate::lro::Poller).
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.settings = self.settings.with_timeout(timeout);
        self
    }

    /// Retries failed attempts of calls by `policy`, unless the call sets its own.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.settings = self.settings.with_retry(policy);
        self
    }

    /// Refuses replies larger than `bytes`. 64 MiB by default.
    #[must_use]
    pub fn with_max_reply_size(mut self, bytes: usize) -> Self {
        self.settings = self.settings.with_max_reply_size(bytes);
        self
    }

    /// Compresses replies, or requests too. Off by default: it saves bytes, and costs time on both sides.
    #[cfg(feature = "gzip")]
    #[must_use]
    pub fn with_gzip(mut self, gzip: Gzip) -> Self {
        self.settings = self.settings.with_gzip(gzip);
        self
    }

    /// Sends the `traceparent` that `current` gives (W3C Trace Context) along with every attempt. It is asked within
    /// the span of the call; with `tracing-opentelemetry`, it reads `Span::current().context()`.
    #[must_use]
    pub fn with_trace_context(
        mut self,
        current: impl Fn() -> Option<http::HeaderValue> + Send + Sync + 'static,
    ) -> Self {
        self.settings = self.settings.with_trace_context(current);
        self
    }

    /// Takes all settings of calls at once, such as those that several clients share, instead of those set before.
    #[must_use]
    pub fn with_call_settings(mut self, settings: CallSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Has pollers ask by `policy`, unless one is given another. By default the kind of an operation decides.
    #[must_use]
    pub fn with_poll_policy(mut self, policy: PollPolicy) -> Self {
        self.poll_policy = policy;
        self
    }

    /// Bounds the calls to each project by `budget`, or by nothing; see [`Budget`]. By default it is the documented
    /// quota, 3,000 calls a minute; an endpoint that is plaintext and on this machine, such as an emulator, has none.
    #[must_use]
    pub fn with_budget(mut self, budget: Option<Budget>) -> Self {
        self.settings = self.settings.with_budget(budget);
        self
    }

    /// Fixes the jitter of waits between attempts and polls, so that a test has the same ones every time.
    #[must_use]
    pub fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.settings = self.settings.with_jitter_seed(seed);
        self
    }

    /// Builds the client, within a tokio runtime. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`Error::Config`] names the option that cannot be used, and why; [`Error::Credentials`] if the build
    /// lacks the feature for application default credentials.
    pub fn build(self) -> Result<Client, Error> {
        #[cfg(feature = "server")]
        if !self.fakes.is_empty() {
            return self.over_fakes().build_in(&Environment::empty());
        }
        self.build_in(&Environment::process())
    }

    #[cfg(feature = "server")]
    fn over_fakes(mut self) -> Self {
        let fakes = std::mem::take(&mut self.fakes);
        let builder = if self.destination.has_place() { self } else { self.with_endpoint(fake::ENDPOINT) };
        builder.with_options(|options| fakes.under(options))
    }

    fn build_in(self, environment: &Environment<'_>) -> Result<Client, Error> {
        let transport = match (self.transport, self.options) {
            (Some(transport), None) if self.destination.is_default() => transport,
            (Some(_), _) => {
                let reason =
                    "a transport brings its own endpoint, credentials and connections; set either it or them";
                return Err(Error::config(Setting::Transport, reason));
            }
            (None, options) => {
                let mut options = options.unwrap_or_default();
                let (endpoint, is_emulator) = self.destination.resolve(&mut options, environment)?;
                if is_emulator && !options.has_credentials() {
                    options = options.with_credentials(Credentials::anonymous());
                }
                options.to(endpoint).build_in(environment)?
            }
        };
        let following = SharedPolls::following(self.poll_policy.clone(), self.asks_alone);
        let operations = Operations::new(Caller::with_reply_context(transport, self.settings, following));
        Ok(Client { operations: operations.with_policy(self.poll_policy) })
    }
}

#[cfg(test)]
mod tests;
