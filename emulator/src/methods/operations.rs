//! Operations: get, list, cancel. The service has no more of `google.longrunning.Operations`.

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::{
    CancelOperationRequest, GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Operation,
};

use super::{Context, View};
use crate::fault;
use crate::names::{LOCATION, OPERATION};
use crate::paging::{Key, Page};

/// The service's own maximum is not documented; this is the emulator's.
const MAX_PAGE: usize = 1000;

pub(super) fn get(context: &mut Context<'_>, request: GetOperationRequest) -> Result<Operation, Status> {
    let name = request.name;
    OPERATION.check("name", &name)?;
    let state = &mut *context.state;
    let found = state.engine.poll(&mut state.world, &name, context.now);
    found.ok_or_else(|| fault::not_found("operation", &name))
}

pub(super) fn list(view: &View, request: ListOperationsRequest) -> Result<ListOperationsResponse, Status> {
    let ListOperationsRequest { name, filter, page_size, page_token, return_partial_success } = request;
    LOCATION.check("name", &name)?;
    if return_partial_success {
        return Err(fault::unsupported("return_partial_success", "all operations are always reachable"));
    }
    let wanted = parse_filter(&filter)?;
    let page = Page::read(page_size, &page_token, MAX_PAGE, &["ListOperations", &name, &filter])?;
    // They are in order of their start, so that a page begins where the last one ended.
    let first = page.after().map_or(0, |Key(.., serial)| serial);
    let all = view.operations.get(name.as_str()).into_iter().flat_map(|all| all.range(first..));
    let all = all.map(|(serial, entry)| (Key::oldest_first(*serial), entry.at(view.now)));
    let wanted = all.filter(|(_, operation)| wanted.is_none_or(|done| operation.done == done));
    let (operations, next_page_token) = page.cut_sorted(wanted);
    Ok(ListOperationsResponse { operations, next_page_token, ..ListOperationsResponse::default() })
}

pub(super) fn cancel(context: &mut Context<'_>, request: CancelOperationRequest) -> Result<(), Status> {
    let name = request.name;
    OPERATION.check("name", &name)?;
    let state = &mut *context.state;
    let found = state.engine.cancel(&mut state.world, &name, context.now);
    found.ok_or_else(|| fault::not_found("operation", &name))
}

/// Reads a filter on `done`; `None` for an empty filter, which wants all.
fn parse_filter(filter: &str) -> Result<Option<bool>, Status> {
    let text = filter.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let negated = text.strip_prefix('-').or_else(|| text.strip_prefix("NOT "));
    let term = negated.unwrap_or(text).trim_start();
    let value = term.strip_prefix("done").map(str::trim_start);
    let value = value.and_then(|rest| match rest.strip_prefix("!=") {
        Some(value) => Some((value, true)),
        None => rest.strip_prefix(['=', ':']).map(|value| (value, false)),
    });
    let wanted = value.and_then(|(value, differs)| match value.trim() {
        "true" | "\"true\"" => Some(!differs),
        "false" | "\"false\"" => Some(differs),
        _ => None,
    });
    let why = format!(
        "`{filter}` is not understood: the emulator reads one term on `done`, such as `done=true`, \
         `done=\"false\"`, `done!=true`, `NOT done=true` or `-done=true`"
    );
    wanted.map(|wanted| Some(wanted ^ negated.is_some())).ok_or_else(|| fault::invalid("filter", &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_on_done_are_understood() {
        for text in [
            "done=true",
            " done = \"true\" ",
            "done:true",
            "NOT done=false",
            "-done=\"false\"",
            "done!=false",
        ] {
            assert_eq!(parse_filter(text).unwrap(), Some(true), "{text}");
        }
        for text in ["done=false", "done=\"false\"", "NOT done=true", "-done=true", "done != \"true\""] {
            assert_eq!(parse_filter(text).unwrap(), Some(false), "{text}");
        }
        assert_eq!(parse_filter("  ").unwrap(), None);
    }

    #[test]
    fn other_filters_are_refused_with_what_is_understood() {
        for text in
            ["done", "done=maybe", "done=\"true", "metadata.operation_type=\"X\"", "done=true done=true", "é"]
        {
            let error = parse_filter(text).unwrap_err();
            assert!(error.message().contains("one term on `done`"), "{error}");
        }
    }
}
