//! Long-running operations, as a snapshot ([`Operation`]) and followed to their end
//! ([`Poller`]); those of any service ([`Operations`]). See AIP-151 and `google/longrunning/operations.proto`.

mod changes;
mod handle;
mod operation;
mod operations;
mod policy;
mod poller;
mod requests;
mod schedule;
mod shared;
mod wait;

pub use changes::Changes;
pub use handle::Handle;
pub use operation::{Operation, Outcome};
pub use operations::Operations;
pub use policy::PollPolicy;
pub use poller::Poller;
pub(crate) use requests::{cancel, get, list};
pub(crate) use shared::{Following, Seat, SharedPolling};
pub use wait::Waited;
