//! Operations: get, list, cancel. The service has no more of `google.longrunning.Operations`.

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::{
    CancelOperationRequest, GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Operation,
};

use prost::Message as _;
use prost_reflect::MessageDescriptor;

use super::context::{Context, View};
use crate::contract::Contract;
use crate::errors;
use crate::filter::Filter;
use crate::names::{LOCATION, OPERATION};
use crate::paging::{Key, Page};

/// What it takes to make one.
const STEPS_AN_OPERATION: usize = 40;
const BYTES_A_STEP: usize = 64;
/// The service's own maximum is not documented; this is the emulator's.
const MAX_PAGE: usize = 1000;

pub(super) fn get(context: &mut Context<'_>, request: GetOperationRequest) -> Result<Operation, Status> {
    let name = request.name;
    OPERATION.check("name", &name)?;
    let state = &mut *context.state;
    let found = state.engine.poll(&mut state.world, &name, context.now);
    found.ok_or_else(|| errors::not_found("operation", &name))
}

/// The same without counting: the operation is as it was.
pub(super) fn look(context: &mut Context<'_>, request: GetOperationRequest) -> Result<Operation, Status> {
    let name = request.name;
    OPERATION.check("name", &name)?;
    let found = context.state.engine.look(&name).map(|entry| entry.at(context.now));
    found.ok_or_else(|| errors::not_found("operation", &name))
}

pub(super) fn list(view: &View, request: ListOperationsRequest) -> Result<ListOperationsResponse, Status> {
    let ListOperationsRequest { name, filter, page_size, page_token, return_partial_success } = request;
    LOCATION.check("name", &name)?;
    if return_partial_success {
        return Err(errors::unsupported("return_partial_success", "all operations are always reachable"));
    }
    let wanted = Filter::compile(&filter, operation_type()?)?;
    let page = Page::read(
        page_size,
        &page_token,
        view.lists.page_cap(MAX_PAGE),
        &["ListOperations", &name, &filter],
    )?;
    // They are in order of their start, so that a page begins where the last one ended.
    let first = page.after().map_or(0, Key::serial);
    let all = view.operations.get(name.as_str()).into_iter().flat_map(|all| all.range(first..));
    let mut cut = page.sorted();
    for (serial, entry) in all {
        // Its metadata is made, and then looked at.
        view.work.spend(STEPS_AN_OPERATION)?;
        let operation = if view.lists.is_late() { entry.was(view.now) } else { Some(entry.at(view.now)) };
        let Some(operation) = operation else { continue };
        if !wanted.is_empty() {
            let bytes = operation.encode_to_vec();
            view.work.spend(bytes.len() / BYTES_A_STEP)?;
            if !wanted.selects(&bytes, &view.work)? {
                continue;
            }
        }
        if !cut.push(Key::oldest_first(*serial), operation) {
            break;
        }
    }
    let (mut operations, next_page_token) = cut.end();
    if view.lists.is_unordered() {
        operations.reverse();
    }
    Ok(ListOperationsResponse { operations, next_page_token, ..ListOperationsResponse::default() })
}

pub(super) fn cancel(context: &mut Context<'_>, request: CancelOperationRequest) -> Result<(), Status> {
    let name = request.name;
    OPERATION.check("name", &name)?;
    let state = &mut *context.state;
    let found = state.engine.cancel(&mut state.world, &name, context.now);
    found.ok_or_else(|| errors::not_found("operation", &name))
}

/// What filters are checked against.
fn operation_type() -> Result<&'static MessageDescriptor, Status> {
    let method = Contract::get().method("google.longrunning.Operations/GetOperation");
    method.map(|method| &method.output).ok_or_else(|| errors::internal("operations have no descriptor"))
}
