//! What makes calls: a transport, and the settings that calls start from.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use prost::Message;
use tokio::time::Instant;
use tower::retry::budget::TpsBudget;

use super::budget::{Budget, Budgets, Priority};
use super::framing::Framed;
use super::head::Head;
use super::{Call, Method, Plan, Reply, RetryPolicy, Routing, TraceContext, routing};
use crate::error::Error;
use crate::jitter::Jitter;
use crate::transport::Transport;

/// Largest reply that is read, unless set: 64 MiB. tonic's own limit of 4 MiB is less than what one page of
/// conversations with transcripts can hold.
const MAX_REPLY_SIZE: usize = 64 << 20;

/// Makes typed calls over a [`Transport`], to any service behind it: with this crate's deadlines, retries, routing
/// header and spans. [`Client`](crate::Client) has one inside; a client of another service is built on one of its own.
///
/// Clones share the transport, the settings and the budget of retries, and are one pointer each.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = contact_center_insights_emulator::Emulator::builder().start().await?;
/// # let transport = contact_center_insights::Transport::new(
/// #     emulator.endpoint().parse()?, contact_center_insights::Credentials::anonymous())?;
/// use contact_center_insights::call::{Call, Caller, CallSettings, Method, Routing};
/// use contact_center_insights::proto::insights::{GetSettingsRequest, Settings};
/// use std::time::Duration;
///
/// // Messages of your own protos serve as well as these.
/// const GET_SETTINGS: Method =
///     Method::new("/google.cloud.contactcenterinsights.v1.ContactCenterInsights/GetSettings", true);
///
/// let caller = Caller::new(transport, CallSettings::default().with_timeout(Duration::from_secs(20)));
/// let request = GetSettingsRequest { name: "projects/p/locations/us-central1/settings".into() };
/// let routing = Routing::new(&[("name", &request.name)]);
/// let call: Call<Settings> = caller.call(&GET_SETTINGS, routing, &request);
/// // Answers name the project by its number.
/// assert!(call.await?.name.ends_with("/locations/us-central1/settings"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Caller(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    transport: Transport,
    settings: CallSettings,
    head: Head,
    jitter: Jitter,
    /// Where the grid begins on which pollers poll.
    created_at: Instant,
    /// What retries may add to the load: 10 a second, and a fifth of the calls of the last 10 seconds. In an
    /// outage, in which every call fails, that keeps retries from multiplying it.
    retries: TpsBudget,
    /// How many calls may be made of each project; `None` if nobody counts.
    rates: Option<Budgets>,
    reply_context: Arc<dyn Any + Send + Sync>,
}

impl Caller {
    /// Makes calls over `transport`, with settings that each call can replace by its own.
    #[must_use]
    pub fn new(transport: Transport, settings: CallSettings) -> Self {
        Self::with_reply_context(transport, settings, Arc::new(()))
    }

    /// As above; what replies are made of may need something of the modules above, which is kept here for them.
    pub(crate) fn with_reply_context(
        transport: Transport,
        settings: CallSettings,
        reply_context: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        let endpoint = transport.endpoint();
        let budget = match settings.budget {
            BudgetChoice::Set(budget) => budget,
            // An emulator on this machine has no quota to keep.
            BudgetChoice::ByEndpoint if endpoint.is_plaintext() && endpoint.is_loopback() => None,
            BudgetChoice::ByEndpoint => Some(Budget::default()),
        };
        let rates = budget.map(Budgets::new);
        let jitter = settings.jitter_seed.map_or_else(Jitter::from_process, Jitter::seeded);
        let head = Head::new(transport.headers(), settings.retry.attempt_timeout());
        Self(Arc::new(Shared {
            transport,
            settings,
            head,
            jitter,
            created_at: Instant::now(),
            reply_context,
            retries: TpsBudget::default(),
            rates,
        }))
    }

    /// Builds a call of `method`, and sends nothing: awaiting the [`Call`] does.
    ///
    /// `A` is what it answers with: the response message of the RPC; or, where that is
    /// `google.longrunning.Operation`, an [`Operation`](crate::Operation) or a [`Poller`](crate::Poller) of your types.
    pub fn call<A: Reply>(
        &self,
        method: &'static Method,
        routing: Routing,
        request: &impl Message,
    ) -> Call<A> {
        Call {
            plan: Plan {
                caller: self.clone(),
                method,
                routing: routing.into_header(),
                headers: None,
                body: Ok(Framed::new(request)),
                timeout: self.settings().timeout,
                retry: None,
                is_idempotent: method.is_idempotent(),
                reconcile: None,
                priority: Priority::Own,
            },
            answer: PhantomData,
        }
    }

    /// A call that fails with `error` when it is awaited: builders do not fail.
    pub(crate) fn refuse<A: Reply>(&self, method: &'static Method, error: Error) -> Call<A> {
        let mut call = self.call(method, Routing::default(), &());
        call.plan.body = Err(Box::new(error));
        call
    }

    /// What carries the calls.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.0.transport
    }

    /// Has calls about `project`, an id or a number, be bounded by another budget from now on: for processes that share
    /// the quota of a project, each of which knows its share. What was learnt of refusals stays, and so does the budget
    /// of every other project. Does nothing where [`CallSettings::with_budget`] has turned budgets off.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), contact_center_insights::Error> {
    /// use contact_center_insights::call::{Budget, CallSettings, Caller};
    /// # use contact_center_insights::{Credentials, Transport};
    ///
    /// # let transport = Transport::new("http://127.0.0.1:1".parse()?, Credentials::anonymous())?;
    /// let caller = Caller::new(transport, CallSettings::default().with_budget(Some(Budget::default())));
    /// // This process is one of three.
    /// caller.set_budget("my-project", Budget::per_minute(1_000));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_budget(&self, project: &str, budget: Budget) {
        if let Some(rates) = &self.0.rates {
            rates.set(project, budget);
        }
    }

    pub(super) fn settings(&self) -> &CallSettings {
        &self.0.settings
    }

    pub(super) fn head(&self) -> &Head {
        &self.0.head
    }

    pub(super) fn retry_budget(&self) -> &TpsBudget {
        &self.0.retries
    }

    pub(super) fn rate_budgets(&self) -> Option<&Budgets> {
        self.0.rates.as_ref()
    }

    /// What the modules above have put here for replies, if it is a `T`.
    pub(crate) fn reply_context<T: Any>(&self) -> Option<&T> {
        self.0.reply_context.downcast_ref()
    }

    /// Learns that an answer about what `asked` names has the name `answered`: its project may have a number there.
    pub(crate) fn learn_operation(&self, asked: &str, answered: &str) {
        if asked != answered {
            self.learn_project(routing::project_of(asked), answered);
        }
    }

    /// As above, of the project that was asked about.
    pub(crate) fn learn_project(&self, project: &str, answered: &str) {
        if let Some(rates) = &self.0.rates {
            rates.same_project(project, routing::project_of(answered));
        }
    }

    /// The longest delay that is obeyed if a server asks for it.
    pub(crate) fn max_retry_delay(&self) -> Duration {
        self.settings().retry.max_retry_delay()
    }

    pub(crate) fn attempt_timeout(&self) -> Duration {
        self.settings().retry.attempt_timeout()
    }

    /// Where the grid begins on which pollers poll.
    pub(crate) fn created_at(&self) -> Instant {
        self.0.created_at
    }

    /// A number from 0 to 1, for jitter.
    pub(crate) fn jitter(&self) -> f64 {
        self.0.jitter.next()
    }
}

/// With the default settings.
impl From<Transport> for Caller {
    fn from(transport: Transport) -> Self {
        Self::new(transport, CallSettings::default())
    }
}

/// The settings that the calls of a [`Caller`] start from.
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until a `Caller` is made with them"]
pub struct CallSettings {
    pub(super) timeout: Option<Duration>,
    pub(super) retry: RetryPolicy,
    pub(super) max_reply_size: usize,
    #[cfg(feature = "gzip")]
    pub(super) gzip: Gzip,
    pub(super) trace: Option<TraceContext>,
    jitter_seed: Option<u64>,
    budget: BudgetChoice,
}

/// How calls are bounded.
#[derive(Clone, Copy, Debug)]
enum BudgetChoice {
    /// Nobody has said: by the documented quota, where there is one.
    ByEndpoint,
    Set(Option<Budget>),
}

/// What is compressed (feature `gzip`).
#[cfg(feature = "gzip")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gzip {
    /// Nothing: the default.
    #[default]
    Off,
    /// The server is told that it may compress replies. Safe with any server.
    Replies,
    /// Replies, and all requests: a server that cannot read gzip answers UNIMPLEMENTED.
    RepliesAndRequests,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            timeout: None,
            retry: RetryPolicy::default(),
            max_reply_size: MAX_REPLY_SIZE,
            #[cfg(feature = "gzip")]
            gzip: Gzip::Off,
            trace: None,
            jitter_seed: None,
            budget: BudgetChoice::ByEndpoint,
        }
    }
}

impl CallSettings {
    /// Ends every call at the latest after `timeout`, unless the call sets its own. By default only each attempt is
    /// bounded. Waiting for an operation is not a call: see [`Poller`](crate::lro::Poller).
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Retries failed attempts by `policy`, unless the call sets its own.
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Refuses replies larger than `bytes`. 64 MiB by default.
    pub fn with_max_reply_size(mut self, bytes: usize) -> Self {
        self.max_reply_size = bytes;
        self
    }

    /// Compresses replies, or requests too. Off by default: it saves bytes, and costs time on both sides.
    #[cfg(feature = "gzip")]
    pub fn with_gzip(mut self, gzip: Gzip) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sends the `traceparent` that `current` gives (W3C Trace Context) along with every attempt. It is asked within
    /// the span of the call; with `tracing-opentelemetry`, it reads `Span::current().context()`.
    pub fn with_trace_context(
        mut self,
        current: impl Fn() -> Option<HeaderValue> + Send + Sync + 'static,
    ) -> Self {
        self.trace = Some(TraceContext::new(current));
        self
    }

    /// Bounds the calls to each project by `budget`, or by nothing. By default it is the documented quota, 3,000 calls a
    /// minute; an endpoint that is plaintext and on this machine, such as an emulator, has none.
    pub fn with_budget(mut self, budget: Option<Budget>) -> Self {
        self.budget = BudgetChoice::Set(budget);
        self
    }

    /// Fixes the jitter of waits between attempts and polls, so that a test has the same ones every time.
    pub fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }
}
