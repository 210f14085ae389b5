//! The two calls about one operation, which the client offers and pollers make.

use super::operation::Operation;
use crate::call::{Call, Caller, Routing, methods};
use crate::proto::longrunning::{CancelOperationRequest, GetOperationRequest};

/// `GetOperation`.
pub(crate) fn get<R, M>(caller: &Caller, name: String) -> Call<Operation<R, M>> {
    let routing = Routing::new(&[("name", &name)]);
    caller.call(&methods::GET_OPERATION, routing, &GetOperationRequest { name })
}

/// `CancelOperation`. Idempotent (operations.proto): a second request finds the work of the first one done.
pub(crate) fn cancel(caller: &Caller, name: String) -> Call<()> {
    let routing = Routing::new(&[("name", &name)]);
    caller.call(&methods::CANCEL_OPERATION, routing, &CancelOperationRequest { name }).idempotent(true)
}
