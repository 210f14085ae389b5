//! The calls about one operation, which [`Operations`](super::Operations) offers; pollers make the first two.

use std::time::Duration;

use crate::call::{Call, Caller, Reply, Routing, methods};
use crate::proto::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation, WaitOperationRequest,
};

/// The longest duration that protobuf has, 315,576,000,000 s (google/protobuf/duration.proto).
const LONGEST: Duration = Duration::from_hours(87_660_000);

/// `GetOperation`, answered with an operation of any type, or with the message itself.
pub(crate) fn get<A: Reply<Wire = Operation>>(caller: &Caller, name: String) -> Call<A> {
    let routing = Routing::new(&[("name", &name)]);
    caller.call(&methods::GET_OPERATION, routing, &GetOperationRequest { name })
}

/// `ListOperations`, a page of it.
pub(crate) fn list(caller: &Caller, request: &ListOperationsRequest) -> Call<ListOperationsResponse> {
    caller.call(&methods::LIST_OPERATIONS, Routing::new(&[("name", &request.name)]), request)
}

/// `CancelOperation`. Idempotent (operations.proto): a second request finds the work of the first one done.
pub(crate) fn cancel(caller: &Caller, name: String) -> Call<()> {
    let routing = Routing::new(&[("name", &name)]);
    caller.call(&methods::CANCEL_OPERATION, routing, &CancelOperationRequest { name }).idempotent(true)
}

/// `DeleteOperation`. Not idempotent: a second request finds nothing, and fails.
pub(super) fn delete(caller: &Caller, name: String) -> Call<()> {
    let routing = Routing::new(&[("name", &name)]);
    caller.call(&methods::DELETE_OPERATION, routing, &DeleteOperationRequest { name })
}

/// `WaitOperation`, a read: it changes nothing. The server's wait comes on top of the time that a call has.
pub(super) fn wait<A: Reply<Wire = Operation>>(caller: &Caller, name: String, timeout: Duration) -> Call<A> {
    let timeout = timeout.min(LONGEST);
    let routing = Routing::new(&[("name", &name)]);
    let request = WaitOperationRequest { name, timeout: prost_types::Duration::try_from(timeout).ok() };
    caller.call(&methods::WAIT_OPERATION, routing, &request).idempotent(true).prolonged_by(timeout)
}
