//! One typed call, with its routing header, its deadline and its retries.

mod attempt;
mod attempts;
mod budget;
mod caller;
#[cfg(feature = "gzip")]
mod compressed;
mod failure;
mod framing;
mod head;
pub mod methods;
mod pages;
mod rate;
mod reconcile;
mod retry;
mod routing;
mod send;
mod trace;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;

pub use budget::Budget;
pub(crate) use budget::Priority;
#[cfg(feature = "gzip")]
pub use caller::Gzip;
pub use caller::{CallSettings, Caller};
use framing::Framed;
pub use methods::Method;
pub use pages::{Items, Page, PageFields, Pages};
pub(crate) use reconcile::Reconcile;
pub use retry::RetryPolicy;
pub use routing::Routing;
use trace::TraceContext;
pub(crate) use trace::{poll_failed, poller_gave_up, wait_span};

use crate::error::{Error, misplaced};
use crate::names::location_in_routing;

/// What a call answers with, made from the message that came over the wire.
pub trait Reply: Sized {
    /// The response message of the RPC.
    type Wire: Message + Default + Send + 'static;

    /// Makes the answer.
    #[doc(hidden)]
    fn from_wire(wire: Self::Wire, context: Context<'_>) -> Result<Self, Error>;
}

/// What an answer may keep of the call it came from.
#[doc(hidden)]
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) method: &'static Method,
    routing: Option<&'a HeaderValue>,
}

impl Context<'_> {
    /// The project that the request named; empty if it named none.
    pub(crate) fn project(&self) -> &str {
        self.routing.map_or("", routing::project)
    }
}

impl<T: Message + Default + Send + 'static> Reply for T {
    type Wire = T;

    fn from_wire(wire: T, _: Context<'_>) -> Result<Self, Error> {
        Ok(wire)
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

/// Everything that an attempt needs; all attempts of a call share it.
struct Plan {
    caller: Caller,
    method: &'static Method,
    routing: Option<HeaderValue>,
    /// The caller's own: mostly none. What is rare is in a box, for a call is moved several times before it is made.
    headers: Option<Box<HeaderMap>>,
    body: Result<Framed, Box<Error>>,
    timeout: Option<Duration>,
    /// `None` stands for the client's own.
    retry: Option<Box<RetryPolicy>>,
    is_idempotent: bool,
    reconcile: Option<Box<Reconcile>>,
    priority: Priority,
}

impl Plan {
    /// The project that the request names; empty if it names none.
    fn project(&self) -> &str {
        self.routing.as_ref().map_or("", routing::project)
    }

    /// What to tell a caller whose name is in another location than the host.
    fn misplaced(&self) -> Option<String> {
        let transport = self.caller.transport();
        let routing = self.routing.as_ref()?.to_str().ok()?;
        let location = location_in_routing(routing).filter(|_| !transport.is_regional())?;
        misplaced(location, transport.endpoint().host())
    }

    fn retry(&self) -> &RetryPolicy {
        self.retry.as_deref().unwrap_or(&self.caller.settings().retry)
    }

    /// Whether a poller makes it, or a sweep for many: it has time, and who makes it tells of its failures.
    fn is_poll(&self) -> bool {
        self.priority != Priority::Own
    }
}

impl<A> Call<A> {
    /// Ends the call at the latest after `timeout`: token, connection, headers, body and retries together.
    /// Without it only each attempt is bounded, by [`RetryPolicy::with_attempt_timeout`], 60 s by default.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.plan.timeout = Some(timeout);
        self
    }

    /// Retries failed attempts by `policy` instead of the client's.
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.plan.retry = Some(Box::new(policy));
        self
    }

    /// Sends a header along, such as `x-goog-user-project`; replaces one of the same name.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.plan.headers.get_or_insert_default().insert(name, value);
        self
    }

    /// States whether the request may be applied twice without harm, where the caller knows better than the
    /// HTTP verb. An idempotent call is retried after every transient fault.
    ///
    /// A creation with an id that the caller chose counts as idempotent: if a later attempt finds the resource
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

    /// Makes it a poll: it waits for its turn in the rate budget, and its failure is for the poller to tell.
    pub(crate) fn into_poll(mut self) -> Self {
        self.plan.priority = Priority::Poll;
        self
    }

    /// Makes it a page of a sweep: it takes its turn after polls, and its failure is for the sweep to tell.
    pub(crate) fn into_sweep(mut self) -> Self {
        self.plan.priority = Priority::Sweep;
        self
    }

    /// Has the call, and each attempt, end later by `wait`: by what the server is asked to wait before it answers.
    pub(crate) fn prolonged_by(mut self, wait: Duration) -> Self {
        let plan = &mut self.plan;
        let policy = plan.retry().clone();
        let attempt = policy.attempt_timeout().saturating_add(wait);
        plan.retry = Some(Box::new(policy.with_attempt_timeout(attempt)));
        plan.timeout = plan.timeout.map(|timeout| timeout.saturating_add(wait));
        self
    }

    /// Which RPC it is.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.plan.method
    }

    /// The request, serialized: for a program that writes down what it is about to ask for. `None` if the call will fail
    /// before it is sent, because of a name of the wrong form.
    #[must_use]
    pub fn encoded_request(&self) -> Option<&[u8]> {
        self.plan.body.as_ref().ok().map(Framed::as_message)
    }

    pub(crate) fn body(&self) -> Option<Bytes> {
        self.plan.body.as_ref().ok().map(Framed::message)
    }

    pub(crate) fn set_body(&mut self, body: Framed) {
        if self.plan.body.is_ok() {
            self.plan.body = Ok(body);
        }
    }
}

impl<A: Reply> Call<A> {
    /// Makes the call without a box around its future.
    pub(crate) async fn send(&mut self) -> Result<A, Error> {
        let wire = attempt::run(&mut self.plan).await?;
        let Plan { caller, method, routing, .. } = &self.plan;
        A::from_wire(wire, Context { caller, method, routing: routing.as_ref() })
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
        let headers = self.plan.headers.iter().flat_map(|headers| headers.keys());
        f.debug_struct("Call")
            .field("method", &self.plan.method.path())
            .field("headers", &headers.map(HeaderName::as_str).collect::<Vec<_>>())
            .field("timeout", &self.plan.timeout)
            .field("is_idempotent", &self.plan.is_idempotent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Credentials;
    use crate::lro::Operation;
    use crate::transport::Transport;

    /// What allocators hand out quickly: glibc keeps pieces of up to 1,032 bytes at hand, mimalloc of up to 1,024.
    const SMALL: usize = 1_024;

    #[tokio::test]
    async fn a_call_on_its_way_is_a_small_piece_of_memory() {
        let endpoint = "http://127.0.0.1:1".parse().unwrap();
        let caller = Caller::from(Transport::new(endpoint, Credentials::anonymous()).unwrap());
        let call: Call<Operation> = caller.call(&methods::GET_OPERATION, Routing::default(), &());
        let size = size_of_val(&*call.into_future());
        assert!(size <= SMALL, "{size} bytes");
    }
}
