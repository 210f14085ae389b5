//! All operations, as they are looked at from outside: in which state each is, how far, and why it failed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};
use imbl::OrdMap;
use prost::{Message as _, Name as _};
use prost_types::Timestamp;

use super::convert::{shown, timestamp};
use super::lists::{Needle, limit};
use super::proto::{self, operation_summary::State as Shown};
use crate::contract::Contract;
use crate::engine::{Entry, Stage};
use crate::errors;
use crate::message::wire;
use crate::pipeline::Pipeline;
use crate::state::State;
use crate::world::World;

pub(super) fn list(
    pipeline: &Arc<Pipeline>,
    request: &proto::ListOperationsRequest,
) -> Result<proto::Operations, Status> {
    let wanted = Shown::try_from(request.state)
        .map_err(|_| errors::invalid("state", "is not a state of operations"))
        .map(|state| Some(state).filter(|state| *state != Shown::Unspecified))?;
    let now = pipeline.now();
    pipeline.service.view(|state, _| found(state, request, wanted, now))
}

fn found(
    state: &State,
    request: &proto::ListOperationsRequest,
    wanted: Option<Shown>,
    now: SystemTime,
) -> Result<proto::Operations, Status> {
    let (limit, needle) = (limit(request.limit), Needle::new(&request.contains));
    let spelled = state.world.store.spelled(&request.name);
    let name = spelled.as_deref().unwrap_or(&request.name);
    let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
    let mut total = 0_u64;
    let mut fits = Vec::new();
    let all = state.engine.snapshot();
    for (serial, entry) in all.values().flat_map(OrdMap::iter) {
        let standing = shown_stage(entry.stage(now));
        let count = counts.entry(standing.into()).or_default();
        *count = count.saturating_add(1);
        let fits_all = wanted.is_none_or(|wanted| wanted == standing)
            && (name.is_empty() || entry.name() == name)
            && needle.is_in(&[entry.name(), method(entry)]);
        if fits_all {
            total = total.saturating_add(1);
            if request.before == 0 || *serial < request.before {
                fits.push((*serial, entry));
            }
        }
    }
    if !name.is_empty() && total == 0 {
        return Err(errors::not_found("operation", &request.name));
    }
    fits.sort_unstable_by_key(|(serial, _)| Reverse(*serial));
    fits.truncate(limit);
    let operations = fits.into_iter().map(|(serial, entry)| {
        let (operation, mut summary) = summary(entry, serial, now);
        if !name.is_empty() {
            summary.json = shown(&Operation::full_name(), &operation.encode_to_vec());
        }
        summary
    });
    let operations = operations.collect();
    let counts = counts.into_iter().map(|(state, count)| proto::StateCount { state, count }).collect();
    Ok(proto::Operations { operations, total, counts })
}

fn summary(entry: &Entry<World>, serial: u64, now: SystemTime) -> (Operation, proto::OperationSummary) {
    let operation = entry.at(now);
    let metadata = operation.metadata.as_ref().map_or(&[][..], |metadata| metadata.value.as_slice());
    let kind = operation
        .metadata
        .as_ref()
        .and_then(|metadata| kinds().get(metadata.type_url.rsplit('/').next().unwrap_or_default()));
    let time = |field: Option<u32>| -> Option<Timestamp> { timestamp(wire::last(metadata, field?)?.bytes()) };
    let progress = entry.progress(now);
    let error = match &operation.result {
        Some(Outcome::Error(error)) => Some(proto::Status {
            code: error.code,
            message: error.message.clone(),
            details: error.details.clone(),
        }),
        _ => None,
    };
    let summary = proto::OperationSummary {
        name: operation.name.clone(),
        state: shown_stage(entry.stage(now)).into(),
        method: method(entry).to_owned(),
        create_time: kind
            .and_then(|kind| time(kind.create_time))
            .or_else(|| progress.as_ref().map(|progress| progress.create_time.into())),
        end_time: kind.and_then(|kind| time(kind.end_time)),
        progress: progress.as_ref().map(|progress| progress.part),
        polls: progress.as_ref().map_or(0, |progress| progress.polls),
        profile: progress.map(|progress| progress.profile).unwrap_or_default(),
        error,
        serial,
        json: String::new(),
    };
    (operation, summary)
}

fn shown_stage(stage: Stage) -> Shown {
    match stage {
        Stage::Waiting => Shown::Waiting,
        Stage::Running => Shown::Running,
        Stage::Succeeded => Shown::Succeeded,
        Stage::Failed => Shown::Failed,
        Stage::Cancelled => Shown::Cancelled,
    }
}

/// The method that started it, or that starts operations with such metadata.
fn method(entry: &Entry<World>) -> &str {
    entry.method().unwrap_or_else(|| kinds().get(entry.metadata_type()).map_or("", |kind| kind.method))
}

/// What is known of operations with metadata of a type.
#[derive(Debug)]
struct Kind {
    method: &'static str,
    /// The fields of their times, if there are such.
    create_time: Option<u32>,
    end_time: Option<u32>,
}

/// By the full name of the metadata's type.
fn kinds() -> &'static HashMap<String, Kind> {
    static KINDS: OnceLock<HashMap<String, Kind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let kinds = Contract::get().methods().filter_map(|method| {
            let (_, metadata) = method.operation.as_ref()?;
            let message = method.input.parent_pool().get_message_by_name(metadata)?;
            let number = |name: &str| message.get_field_by_name(name).map(|field| field.number());
            let (create_time, end_time) = (number("create_time"), number("end_time"));
            Some((metadata.clone(), Kind { method: &method.name, create_time, end_time }))
        });
        kinds.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_long_running_method_has_metadata_of_its_own_and_most_have_times_in_it() {
        assert_eq!(kinds().len(), Contract::get().long_running().count());
        let without = kinds().values().filter(|kind| kind.create_time.is_none() || kind.end_time.is_none());
        assert_eq!(
            without.map(|kind| kind.method).collect::<Vec<_>>(),
            ["QueryMetrics"],
            "its metadata has none"
        );
    }
}
