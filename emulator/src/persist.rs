//! The state as bytes, for snapshots and for a directory that outlives the process.
//!
//! Both are the same: batches of steps, each batch in a frame that can be checked. A snapshot is the steps that lead
//! from nothing to the state, in the order of the store; a directory's file begins with a snapshot, and every call that
//! changes something adds the batch of what it changed, before it is answered.

mod batch;
mod frame;
mod log;

pub(crate) use self::batch::{restore, snapshot};
pub(crate) use self::log::Log;

#[cfg(test)]
mod tests;
