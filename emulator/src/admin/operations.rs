//! Operations that go on, end or fail when they are told to.

use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::rpc;

use super::proto;
use crate::errors;
use crate::pipeline::Pipeline;
use crate::state::State;

/// Of one request: an operation that takes more has another profile than one would want to poll.
const MAX_POLLS: u32 = 1_000_000;

pub(super) fn advance(
    pipeline: &Arc<Pipeline>,
    request: &proto::AdvanceOperationRequest,
) -> Result<proto::OperationState, Status> {
    if request.polls > MAX_POLLS {
        return Err(errors::invalid("polls", &format!("is more than {MAX_POLLS}")));
    }
    act(pipeline, &request.name, |state, name, now| {
        if state.engine.look(name).is_some_and(|entry| entry.method().is_none()) {
            return Err(nothing_runs(&request.name, "advanced"));
        }
        for _ in 0..request.polls.max(1) {
            state.engine.poll(&mut state.world, name, now);
        }
        Ok(())
    })
}

pub(super) fn complete(
    pipeline: &Arc<Pipeline>,
    request: &proto::CompleteOperationRequest,
) -> Result<proto::OperationState, Status> {
    act(pipeline, &request.name, |state, name, now| {
        match state.engine.complete(&mut state.world, name, now) {
            Some(false) => Err(nothing_runs(&request.name, "completed")),
            _ => Ok(()),
        }
    })
}

pub(super) fn fail(
    pipeline: &Arc<Pipeline>,
    request: &proto::FailOperationRequest,
) -> Result<proto::OperationState, Status> {
    let error = status("error", request.error.clone().unwrap_or_default())?;
    act(pipeline, &request.name, |state, name, now| {
        state.engine.fail(&mut state.world, name, now, error);
        Ok(())
    })
}

pub(super) fn cancel(
    pipeline: &Arc<Pipeline>,
    request: &proto::CancelOperationRequest,
) -> Result<proto::OperationState, Status> {
    act(pipeline, &request.name, |state, name, now| {
        state.engine.cancel(&mut state.world, name, now);
        Ok(())
    })
}

/// The refusal to move what was put there as it is, such as an operation of a seed.
fn nothing_runs(name: &str, what: &str) -> Status {
    let message = format!(
        "`{name}` was put there as it is, so nothing runs that could be {what}: it can be failed, or cancelled"
    );
    errors::precondition("NOTHING_RUNS", message, name)
}

/// A status that is an error.
pub(super) fn status(field: &str, given: proto::Status) -> Result<Status, Status> {
    if !(1..=16).contains(&given.code) {
        return Err(errors::invalid(&format!("{field}.code"), "must be a code from 1 to 16"));
    }
    Ok(rpc::Status { code: given.code, message: given.message, details: given.details }.into())
}

fn act(
    pipeline: &Arc<Pipeline>,
    asked: &str,
    act: impl FnOnce(&mut State, &str, SystemTime) -> Result<(), Status>,
) -> Result<proto::OperationState, Status> {
    pipeline.service.change(|state, now| {
        let name = &state.world.store.spelled(asked).unwrap_or_else(|| asked.to_owned());
        let is_done = |state: &State| state.engine.look(name).map(|entry| entry.at(now).done);
        match is_done(state) {
            None => return Err(errors::not_found("operation", asked)),
            Some(true) => {
                let message = format!("the operation `{name}` has ended already");
                return Err(errors::precondition("OPERATION_DONE", message, name));
            }
            Some(false) => {}
        }
        act(state, name, now)?;
        Ok(proto::OperationState { name: asked.to_owned(), done: is_done(state).unwrap_or_default() })
    })?
}
