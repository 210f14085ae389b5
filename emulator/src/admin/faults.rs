//! Faults and quotas, given and taken.

use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::Status;

use super::convert;
use super::operations::status;
use super::proto::{self, fault::Effect};
use crate::errors;
use crate::pipeline::Pipeline;
use crate::script::{Break, Fault, FaultError, Quotas};
use crate::time;

pub(super) fn list(pipeline: &Arc<Pipeline>) -> proto::Faults {
    proto::Faults { faults: pipeline.script.entries().iter().map(convert::fault).collect() }
}

/// All or none.
pub(super) fn add(pipeline: &Arc<Pipeline>, given: proto::Faults) -> Result<proto::Faults, Status> {
    let faults = given.faults.into_iter().enumerate();
    let faults = faults.map(|(index, fault)| read(index, fault)).collect::<Result<Vec<_>, _>>()?;
    for fault in faults {
        pipeline.script.push(fault).map_err(|error| refused(&error))?;
    }
    Ok(list(pipeline))
}

pub(super) fn remove(pipeline: &Arc<Pipeline>, id: u64) -> Result<proto::Faults, Status> {
    if pipeline.script.remove(id) {
        return Ok(list(pipeline));
    }
    Err(errors::not_found("fault", &id.to_string()))
}

pub(super) fn set_quotas(pipeline: &Arc<Pipeline>, given: proto::Quotas) -> Result<proto::Quotas, Status> {
    let mut quotas = if given.documented { Quotas::documented() } else { Quotas::default() };
    quotas.all = given.all.or(quotas.all);
    quotas.by_method.extend(given.methods);
    pipeline.meter.set(quotas).map_err(|error| refused(&error))?;
    Ok(convert::quotas(&pipeline.meter.quotas()))
}

fn refused(error: &FaultError) -> Status {
    errors::invalid("method", &error.to_string())
}

fn read(index: usize, given: proto::Fault) -> Result<Fault, Status> {
    let field = |name: &str| format!("faults[{index}].{name}");
    let mut fault = match given.effect {
        None => Fault::delay(Duration::ZERO),
        Some(Effect::Status(error)) => {
            let has_details = !error.details.is_empty();
            let status = status(&field("status"), error)?;
            if has_details { Fault::status(status) } else { Fault::code(status.code(), status.message()) }
        }
        Some(Effect::Reset(code)) => Fault::transport(Break::Reset(code)),
        Some(Effect::GoAway(proto::GoAway { code, refused, text })) => {
            Fault::transport(Break::GoAway { code, refused, text })
        }
        Some(Effect::Transport(plain)) => Fault::transport(self::plain(plain).ok_or_else(|| {
            errors::invalid(&field("transport"), "is not one of the ways that a transport can fail")
        })?),
        Some(Effect::HalfThenReset(code)) => Fault::transport(Break::Half(Some(code))),
        Some(Effect::SlowBody(slow)) => {
            let every = duration(&field("slow_body.every"), slow.every)?;
            Fault::transport(Break::Slow { bytes: slow.bytes, every })
        }
        Some(Effect::HttpReply(proto::HttpReply { status, content_type, body })) => {
            let status = u16::try_from(status).unwrap_or(u16::MAX);
            Fault::transport(Break::Http { status, content_type, body })
        }
    };
    if !given.method.is_empty() {
        fault = fault.with_method(given.method);
    }
    fault = given.fields.into_iter().fold(fault, |fault, (path, value)| fault.with_field(path, value));
    fault = given.headers.into_iter().fold(fault, |fault, (name, value)| fault.with_header(name, value));
    fault = fault.after(given.after).times(given.times.max(1));
    fault = fault.with_delay(duration(&field("delay"), given.delay)?);
    if given.always {
        fault = fault.always();
    }
    if given.after_execution {
        fault = fault.after_execution();
    }
    if let Some(probability) = given.probability {
        fault = fault.with_probability(probability);
    }
    let checked = fault.check();
    checked.map_err(|error| errors::invalid(&format!("faults[{index}]"), &error.to_string()))?;
    Ok(fault)
}

fn duration(field: &str, given: Option<prost_types::Duration>) -> Result<Duration, Status> {
    let absurd = || errors::invalid(field, "must be a duration from 0 to 315,576,000,000 seconds");
    given.map_or(Ok(Duration::ZERO), |given| time::span(&given).ok_or_else(absurd))
}

fn plain(number: i32) -> Option<Break> {
    use proto::fault::Plain;

    Some(match Plain::try_from(number).ok()? {
        Plain::Unspecified => return None,
        Plain::Close => Break::Close,
        Plain::Abort => Break::Abort,
        Plain::Freeze => Break::Freeze,
        Plain::Stall => Break::Stall,
        Plain::StallBody => Break::StallBody,
        Plain::Half => Break::Half(None),
        Plain::NoStatus => Break::NoStatus,
        Plain::Retire => Break::Retire,
    })
}
