//! What each method of the admin API does.

use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::{Code, Status};
use prost::Message;

use super::{convert, faults, list_operations, list_resources, operations, proto};
use crate::contract::Contract;
use crate::journal::Part;
use crate::pipeline::Pipeline;
use crate::seed::{Seed, SeedError};
use crate::snippets::{ClientLanguage, DEFAULT_PORT};
use crate::{errors, methods, time};

/// Its own file, serialized in a `FileDescriptorSet`.
pub(crate) const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/emulator.bin"));
/// The service.
pub(crate) const SERVICE: &str = "contactcenterinsights.emulator.v1.EmulatorAdmin";
/// What has been tried with official clients; empty if nothing was.
const TRIED: &str = include_str!(concat!(env!("OUT_DIR"), "/coverage.json"));
/// How many calls a page of the journal has, unless another number is asked for.
const CALLS: usize = 1000;

/// Answers one method of the service.
pub(crate) fn call(pipeline: &Arc<Pipeline>, method: &str, request: &[u8]) -> Result<Vec<u8>, Status> {
    let admin = Admin { pipeline };
    match method {
        "GetStatus" => with(request, |proto::GetStatusRequest {}| Ok(admin.status())),
        "Reset" => with(request, |request| admin.reset(&request)),
        "Seed" => with(request, |request: proto::SeedRequest| {
            seed(pipeline, &request.json).map(|()| proto::Done {})
        }),
        "TakeSnapshot" => with(request, |proto::TakeSnapshotRequest {}| {
            Ok(proto::Snapshot { state: pipeline.service.snapshot() })
        }),
        "RestoreSnapshot" => with(request, |request: proto::Snapshot| {
            pipeline.service.restore(&request.state).map(|()| proto::Done {})
        }),
        "ListOperations" => with(request, |request| list_operations::list(pipeline, &request)),
        "ListResources" => with(request, |request| list_resources::list(pipeline, &request)),
        "AdvanceOperation" => with(request, |request| operations::advance(pipeline, &request)),
        "CompleteOperation" => with(request, |request| operations::complete(pipeline, &request)),
        "FailOperation" => with(request, |request| operations::fail(pipeline, &request)),
        "CancelOperation" => with(request, |request| operations::cancel(pipeline, &request)),
        "GetClock" => with(request, |proto::GetClockRequest {}| Ok(admin.clock())),
        "SetClock" => with(request, |request| admin.set_clock(&request)),
        "AdvanceClock" => with(request, |request| admin.advance_clock(&request)),
        "ListFaults" => with(request, |proto::ListFaultsRequest {}| Ok(faults::list(pipeline))),
        "AddFaults" => with(request, |request: proto::Faults| faults::add(pipeline, request)),
        "RemoveFault" => {
            with(request, |request: proto::RemoveFaultRequest| faults::remove(pipeline, request.id))
        }
        "ClearFaults" => with(request, |proto::ClearFaultsRequest {}| {
            pipeline.script.clear();
            Ok(faults::list(pipeline))
        }),
        "GetQuotas" => {
            with(request, |proto::GetQuotasRequest {}| Ok(convert::quotas(&pipeline.meter.quotas())))
        }
        "SetQuotas" => with(request, |request: proto::Quotas| faults::set_quotas(pipeline, request)),
        "ListJournal" => with(request, |request| admin.journal(&request)),
        "SetJournal" => with(request, |proto::JournalSettings { bodies }| {
            pipeline.journal.keep_bodies(bodies);
            Ok(proto::JournalSettings { bodies: pipeline.journal.keeps_bodies() })
        }),
        "ClearJournal" => with(request, |proto::ClearJournalRequest {}| {
            pipeline.journal.clear();
            Ok(proto::Done {})
        }),
        "CountJournal" => with(request, |request: proto::CountJournalRequest| {
            Ok(convert::counted(pipeline.journal.count(&convert::wanted(&request)?)))
        }),
        "ExportSeed" => with(request, |proto::ExportSeedRequest {}| {
            Ok(proto::SeedExport { json: pipeline.service.view(crate::seed::export) })
        }),
        "GetCoverage" => {
            with(request, |proto::GetCoverageRequest {}| Ok(proto::Coverage { json: coverage() }))
        }
        "ListSnippets" => with(request, |request: proto::ListSnippetsRequest| snippets(&request.address)),
        _ => Err(errors::unserved(&format!("{SERVICE}/{method}"), false)),
    }
}

/// Adds a seed. One that was exported sets a clock that is moved by hand, if nothing was there before.
pub(crate) fn load(pipeline: &Arc<Pipeline>, seed: Seed) -> Result<(), Status> {
    let applied = pipeline.service.change(|state, _| {
        seed.check(state.world.store.numbers()).map(|()| seed.apply(state)).map_err(|error| bad_seed(&error))
    })?;
    let time = applied?;
    if let (Some(clock), Some(time)) = (pipeline.clock.as_manual(), time) {
        clock.set(time);
    }
    Ok(())
}

fn bad_seed(error: &SeedError) -> Status {
    let error = error.to_string();
    errors::with_reason(Code::InvalidArgument, "BAD_SEED", error.clone(), &[("error", &error)])
}

/// Adds the seed that this is the text of.
pub(super) fn seed(pipeline: &Arc<Pipeline>, text: &str) -> Result<(), Status> {
    load(pipeline, Seed::from_json(text).map_err(|error| bad_seed(&error))?)
}

fn with<Q, R>(request: &[u8], answer: impl FnOnce(Q) -> Result<R, Status>) -> Result<Vec<u8>, Status>
where
    Q: Message + Default,
    R: Message,
{
    let request = Q::decode(request).map_err(|error| {
        let (message, error) = (format!("the request cannot be read: {error}"), error.to_string());
        errors::with_reason(Code::InvalidArgument, "MALFORMED_REQUEST", message, &[("error", &error)])
    })?;
    answer(request).map(|answer| answer.encode_to_vec())
}

#[derive(Debug)]
struct Admin<'a> {
    pipeline: &'a Arc<Pipeline>,
}

impl Admin<'_> {
    fn status(&self) -> proto::EmulatorStatus {
        let (resources, operations) = self.pipeline.service.counts();
        proto::EmulatorStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clock: Some(self.clock()),
            resources: resources as u64,
            operations: operations as u64,
            journal_bodies: self.pipeline.journal.keeps_bodies(),
        }
    }

    fn reset(&self, request: &proto::ResetRequest) -> Result<proto::Done, Status> {
        let project = Some(request.project.as_str()).filter(|project| !project.is_empty());
        self.pipeline.service.reset(project).map(|()| proto::Done {})
    }

    fn clock(&self) -> proto::Clock {
        let clock = &self.pipeline.clock;
        proto::Clock { time: Some(self.pipeline.now().into()), r#virtual: clock.as_manual().is_some() }
    }

    fn set_clock(&self, request: &proto::SetClockRequest) -> Result<proto::Clock, Status> {
        let time = request.time.and_then(|wire| time::moment(&wire));
        let time = time.ok_or_else(|| {
            errors::invalid("time", "is required, and must be a time of the years 1 to 9999")
        })?;
        self.move_clock(|_| Some(time))
    }

    fn advance_clock(&self, request: &proto::AdvanceClockRequest) -> Result<proto::Clock, Status> {
        let by = request.by.and_then(|wire| time::span(&wire));
        let by = by.ok_or_else(|| {
            errors::invalid("by", "is required, and must be a duration that is not negative")
        })?;
        self.move_clock(|now| time::later(now, by))
    }

    /// Then what is due has ended, and is written down.
    fn move_clock(&self, to: impl FnOnce(SystemTime) -> Option<SystemTime>) -> Result<proto::Clock, Status> {
        let Some(clock) = self.pipeline.clock.as_manual() else {
            let message = "the clock is real: start the emulator with a virtual one (--clock virtual)";
            return Err(errors::precondition("REAL_CLOCK", message, "clock"));
        };
        let before = self.pipeline.now();
        let time = to(before);
        clock.set(time.ok_or_else(|| errors::invalid("time", "is after the year 9999"))?);
        self.pipeline.service.change(|_, _| ()).inspect_err(|_| clock.set(before))?;
        Ok(self.clock())
    }

    fn journal(&self, request: &proto::ListJournalRequest) -> Result<proto::Journal, Status> {
        let limit = usize::try_from(request.limit).ok().filter(|limit| *limit > 0).unwrap_or(CALLS);
        let part = Part {
            newest_first: request.newest_first,
            before: request.before,
            limit,
            is_brief: request.brief,
        };
        let listed = self.pipeline.journal.list(&convert::listed(request)?, part);
        let calls = listed.entries.into_iter().map(convert::journal_entry).collect();
        Ok(proto::Journal { calls, total: listed.total as u64 })
    }
}

/// The lines of every language, for an emulator at this address.
fn snippets(address: &str) -> Result<proto::Snippets, Status> {
    let usual = format!("127.0.0.1:{DEFAULT_PORT}");
    let address = if address.is_empty() { usual.as_str() } else { address };
    let snippets = ClientLanguage::ALL.into_iter().map(|language| {
        let code = language.snippet(address).ok_or_else(|| {
            errors::invalid("address", "must be a host and a port, such as `127.0.0.1:9420` or `[::1]:9420`")
        })?;
        let (language, title) = (language.name().to_owned(), language.title().to_owned());
        Ok(proto::Snippet { language, title, code })
    });
    Ok(proto::Snippets { snippets: snippets.collect::<Result<_, Status>>()? })
}

/// Every method: whether it is served, and over what; and what official clients were tried with, if any were.
fn coverage() -> String {
    let methods = Contract::get().methods().map(|method| {
        let is_served = methods::handler(&method.path).is_some();
        let bindings = method.bindings.iter();
        let rest: Vec<_> = bindings.map(|binding| format!("{} {}", binding.verb, binding.template)).collect();
        serde_json::json!({ "method": method.path, "served": is_served, "rest": rest })
    });
    let methods: Vec<_> = methods.collect();
    let served = methods.iter().filter(|method| method.get("served") == Some(&true.into())).count();
    let tried: serde_json::Value = serde_json::from_str(TRIED).unwrap_or_default();
    let document =
        serde_json::json!({ "served": served, "of": methods.len(), "methods": methods, "clients": tried });
    format!("{document:#}\n")
}
