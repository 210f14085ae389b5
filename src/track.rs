//! Many long-running operations at once, at a fraction of the calls that it takes to ask about each.
//!
//! A location's list of what runs, `ListOperations` with `done="false"`, tells of a thousand operations a call. What is
//! gone from it has probably ended, and is asked about by `GetOperation`: a list is a hint, and nothing is concluded from
//! it alone.
//!
//! - [`Tracker`] follows operations and hands them over as they end.
//! - [`Sweep`] looks once for those that a program keeps itself.
//! - Pollers of one [`Client`](crate::Client) share sweeps without being told; see
//!   [`ClientBuilder::with_shared_polling`](crate::ClientBuilder::with_shared_polling).
//!
//! The modules by floor, lowest first: `key`, `policy`, `window`; `book`, `plan`, `ended`, `tally`; `ask`, `walk`;
//! `location`; `kept`, `polls`; `serve`, `sweep`; `tracker`.

mod ask;
mod book;
mod ended;
mod kept;
mod key;
mod location;
mod plan;
mod policy;
mod polls;
mod serve;
mod sweep;
mod tally;
mod tracker;
mod walk;
mod window;

pub use ended::{Ended, How};
pub use policy::TrackPolicy;
pub(crate) use polls::SharedPolls;
pub use sweep::{Sweep, Swept};
pub use tally::TrackStatistics;
pub use tracker::{Added, Ends, Tracker};
