//! The two calls about one operation, which [`Operations`](super::Operations) offers and pollers make.

use crate::call::{Call, Caller, Reply, Routing, methods};
use crate::proto::longrunning::{CancelOperationRequest, GetOperationRequest, Operation};

/// `GetOperation`, answered with an operation of any type, or with the message itself.
pub(super) fn get<A: Reply<Wire = Operation>>(caller: &Caller, name: String) -> Call<A> {
    let routing = Routing::new(&[("name", &name)]);
    caller.call(&methods::GET_OPERATION, routing, &GetOperationRequest { name })
}

/// `CancelOperation`. Idempotent (operations.proto): a second request finds the work of the first one done.
pub(super) fn cancel(caller: &Caller, name: String) -> Call<()> {
    let routing = Routing::new(&[("name", &name)]);
    caller.call(&methods::CANCEL_OPERATION, routing, &CancelOperationRequest { name }).idempotent(true)
}
