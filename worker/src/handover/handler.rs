//! Handlers, and which of them takes what.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use contact_center_insights::any::Unpack;

use super::delivery::Delivery;
use crate::error::BoxError;

/// Takes the results of operations that end in an `R` and have metadata of type `M`; [`Payload`] for any.
///
/// At least once: after a crash, or where a reply is lost, the same result comes again, with the same
/// [`Delivery::key`]. Any `Fn(Delivery<R, M>) -> impl Future<Output = Result<(), BoxError>>` is one.
///
/// [`Payload`]: contact_center_insights::Payload
pub trait Handler<R, M>: Send + Sync + 'static {
    /// Takes one result. After an error, a panic, or when its time is up, it is handed over again later.
    ///
    /// # Errors
    /// Whatever keeps it from taking the result; kept as the reason.
    fn handle(&self, delivery: Delivery<R, M>) -> impl Future<Output = Result<(), BoxError>> + Send;
}

impl<R, M, F, Fut> Handler<R, M> for F
where
    F: Fn(Delivery<R, M>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), BoxError>> + Send,
{
    fn handle(&self, delivery: Delivery<R, M>) -> impl Future<Output = Result<(), BoxError>> + Send {
        self(delivery)
    }
}

type Handling<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// A handler without its types.
trait Erased: Send + Sync {
    fn takes(&self, response: Option<&str>, metadata: Option<&str>) -> bool;
    fn handle(&self, delivery: Delivery) -> Handling<'_>;
}

struct Typed<H, R, M> {
    handler: H,
    types: PhantomData<fn() -> (R, M)>,
}

impl<R: Unpack, M: Unpack, H: Handler<R, M>> Erased for Typed<H, R, M> {
    /// A type that is not known, as the response of what has failed, fits every handler.
    fn takes(&self, response: Option<&str>, metadata: Option<&str>) -> bool {
        let fits = |expected: Option<String>, found: Option<&str>| match (expected, found) {
            (Some(expected), Some(found)) => expected == found,
            _ => true,
        };
        // Of what is known by name alone and is lost, nothing is known: it is for a handler of any type.
        let is_bare = response.is_none() && metadata.is_none();
        let takes_any = R::expected().is_none() && M::expected().is_none();
        (!is_bare || takes_any) && fits(R::expected(), response) && fits(M::expected(), metadata)
    }

    fn handle(&self, delivery: Delivery) -> Handling<'_> {
        Box::pin(self.handler.handle(delivery.cast()))
    }
}

/// The handlers of a worker. The first that takes a result gets it.
#[derive(Clone, Default)]
pub(crate) struct Handlers(Vec<Arc<dyn Erased>>);

impl Handlers {
    pub(crate) fn add<R: Unpack, M: Unpack>(&mut self, handler: impl Handler<R, M>) {
        self.0.push(Arc::new(Typed { handler, types: PhantomData }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) async fn handle(&self, delivery: Delivery) -> Result<(), BoxError> {
        let (response, metadata) = delivery.types();
        if let Some(handler) = self.0.iter().find(|handler| handler.takes(response, metadata)) {
            return handler.handle(delivery).await;
        }
        let name = |found: Option<&str>| found.unwrap_or("?").to_owned();
        Err(format!("no handler takes `{}` with `{}`", name(response), name(metadata)).into())
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handlers").field(&self.0.len()).finish()
    }
}
