//! Handing results over: what a handler gets, how often it is tried, and when a result is buried. How results are taken
//! from a store and settled is for those who implement [`HandOver`].

mod delivery;
mod handler;
mod limits;

use std::future::Future;

pub use delivery::{Delivery, Lost};
pub use handler::Handler;
pub(crate) use handler::Handlers;
pub(crate) use limits::LANES;
pub use limits::{Limits, Round};

use crate::error::StoreError;

/// A way to hand over results from a store of type `S`.
pub trait HandOver<S>: Send + Sync + 'static {
    /// Takes some results that are due, at most [`Limits::at_once`], hands them over, and settles them.
    ///
    /// # Errors
    /// The store's: what was taken is then handed over again.
    ///
    /// # Cancel safety
    /// What was taken is handed over again.
    fn round(&self, store: &S, limits: &Limits) -> impl Future<Output = Result<Round, StoreError>> + Send;
}
