//! The `call` room: one typed call, with its routing header, its deadline and its retries.

mod attempt;
mod codec;
mod failure;
pub mod methods;
mod noted;
mod reconcile;
mod retry;
mod routing;
mod trace;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;
use tokio::time::Instant;
use tower::retry::budget::TpsBudget;

pub use methods::Method;
pub(crate) use reconcile::Reconcile;
pub use retry::{Decision, Past, RetryPolicy};
pub(crate) use routing::Routing;
pub(crate) use trace::{TraceContext, wait_span};

use crate::chance::Chance;
use crate::error::Error;
use crate::transport::Transport;

/// Largest reply that is read, unless set: 64 MiB. tonic's own limit of 4 MiB is less than what one page of
/// conversations with transcripts can hold.
const MAX_REPLY_SIZE: usize = 64 << 20;

/// What makes calls. Clones share everything, and are one pointer each: a poller that waits holds one.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Arc<Shared>);

/// What all calls of a client share: a transport, and the settings that calls start from.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) transport: Transport,
    pub(crate) defaults: Defaults,
    pub(crate) chance: Chance,
    /// Where the grid begins on which pollers poll.
    pub(crate) born: Instant,
    /// What retries may add to the load: 10 a second, and a fifth of the calls of the last 10 seconds. In an
    /// outage, in which every call fails, that keeps retries from multiplying it.
    pub(crate) budget: TpsBudget,
}

/// The settings that calls start from.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_reply_size: usize,
    #[cfg(feature = "gzip")]
    pub(crate) gzip: Gzip,
    pub(crate) trace: Option<TraceContext>,
}

/// What is compressed (feature `gzip`).
#[cfg(feature = "gzip")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gzip {
    /// Nothing: the default.
    #[default]
    Off,
    /// The server is told that it may compress replies. Safe with any server.
    Replies,
    /// Replies, and all requests: a server that cannot read gzip answers UNIMPLEMENTED.
    RepliesAndRequests,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            timeout: None,
            retry: RetryPolicy::default(),
            max_reply_size: MAX_REPLY_SIZE,
            #[cfg(feature = "gzip")]
            gzip: Gzip::Off,
            trace: None,
        }
    }
}

impl Caller {
    /// `seed` fixes the jitter of waits, for tests.
    pub(crate) fn new(transport: Transport, defaults: Defaults, seed: Option<u64>) -> Self {
        let chance = seed.map_or_else(Chance::from_process, Chance::seeded);
        Self(Arc::new(Shared {
            transport,
            defaults,
            chance,
            born: Instant::now(),
            budget: TpsBudget::default(),
        }))
    }

    /// A number from 0 to 1, for jitter.
    pub(crate) fn chance(&self) -> f64 {
        self.chance.next()
    }

    pub(crate) fn call<A: Reply>(
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
                headers: HeaderMap::new(),
                body: Ok(request.encode_to_vec().into()),
                timeout: self.defaults.timeout,
                retry: None,
                is_idempotent: method.is_idempotent(),
                reconcile: None,
            },
            answer: PhantomData,
        }
    }

    /// A call that fails with `error` when it is awaited: builders do not fail.
    pub(crate) fn refuse<A: Reply>(&self, method: &'static Method, error: Error) -> Call<A> {
        let mut call = self.call(method, Routing::default(), &());
        call.plan.body = Err(error);
        call
    }
}

impl Deref for Caller {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What a call answers with, made from the message that came over the wire.
pub trait Reply: Sized {
    /// The response message of the RPC.
    type Wire: Message + Default + Send + 'static;

    /// Makes the answer.
    #[doc(hidden)]
    fn from_wire(wire: Self::Wire, context: Context<'_>) -> Self;
}

/// What an answer may keep of the call it came from.
#[doc(hidden)]
#[derive(Debug)]
pub struct Context<'a>(pub(crate) &'a Caller);

impl<T: Message + Default + Send + 'static> Reply for T {
    type Wire = T;

    fn from_wire(wire: T, _: Context<'_>) -> Self {
        wire
    }
}

/// A call that has not been made yet. Awaiting it makes it.
///
/// The request is serialized when the call is created; what waits here is small and does not hold it.
///
/// # Cancel safety
/// Dropping the future abandons the call. A read has then changed nothing; a mutation may have been applied.
#[must_use = "a call is made when it is awaited"]
pub struct Call<A> {
    plan: Plan,
    answer: PhantomData<fn() -> A>,
}

/// Everything that an attempt needs; repeated attempts share it.
struct Plan {
    caller: Caller,
    method: &'static Method,
    routing: Option<HeaderValue>,
    /// The caller's own: mostly none, and then nothing is allocated.
    headers: HeaderMap,
    body: Result<Bytes, Error>,
    timeout: Option<Duration>,
    /// `None` stands for the client's own.
    retry: Option<RetryPolicy>,
    is_idempotent: bool,
    reconcile: Option<Box<Reconcile>>,
}

impl<A> Call<A> {
    /// Ends the call at the latest after `timeout`: token, connection, headers, body and repeats together.
    /// Without it only each attempt is bounded, by [`RetryPolicy::with_attempt_timeout`], 60 s by default.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.plan.timeout = Some(timeout);
        self
    }

    /// Repeats failed attempts by `policy` instead of the client's.
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.plan.retry = Some(policy);
        self
    }

    /// Sends a header along, such as `x-goog-user-project`; replaces one of the same name.
    pub fn with_metadata(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.plan.headers.insert(name, value);
        self
    }

    /// States whether the request may be applied twice without harm, where the caller knows better than the
    /// HTTP verb. An idempotent call is sent again after every transient fault.
    ///
    /// A creation with an id that the caller chose counts as idempotent: if a repeated attempt finds the resource
    /// there, it is looked at, and returned if it is what was asked for. `false` turns that off.
    pub fn idempotent(mut self, is_idempotent: bool) -> Self {
        self.plan.is_idempotent = is_idempotent;
        if !is_idempotent {
            self.plan.reconcile = None;
        }
        self
    }

    pub(crate) fn reconciled_by(mut self, reconcile: impl FnOnce() -> Option<Reconcile>) -> Self {
        self.plan.reconcile = reconcile().map(Box::new);
        self
    }

    pub(crate) fn body(&self) -> Option<&Bytes> {
        self.plan.body.as_ref().ok()
    }

    pub(crate) fn set_body(&mut self, body: Bytes) {
        if self.plan.body.is_ok() {
            self.plan.body = Ok(body);
        }
    }
}

impl<A: Reply> Call<A> {
    /// Makes the call without a box around its future.
    pub(crate) async fn send(&mut self) -> Result<A, Error> {
        let wire = attempt::run(&mut self.plan).await?;
        Ok(A::from_wire(wire, Context(&self.plan.caller)))
    }
}

impl<A: Reply + 'static> IntoFuture for Call<A> {
    type Output = Result<A, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await })
    }
}

impl<A> fmt::Debug for Call<A> {
    /// Shows the method and the settings; never the request, and headers only by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.plan.method.path())
            .field("headers", &self.plan.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>())
            .field("timeout", &self.plan.timeout)
            .field("is_idempotent", &self.plan.is_idempotent)
            .finish_non_exhaustive()
    }
}
