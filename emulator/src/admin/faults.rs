//! Faults and quotas, given and taken.

use std::sync::Arc;
use std::time::Duration;

use contact_center_insights::Status;

use super::convert;
use super::operations::status;
use super::proto::{self, fault::Harm};
use crate::exchange::Front;
use crate::fault;
use crate::script::{Break, Fault, FaultError, Quotas};

pub(super) fn list(front: &Arc<Front>) -> proto::Faults {
    proto::Faults { faults: front.script.entries().iter().map(convert::fault).collect() }
}

/// All or none.
pub(super) fn add(front: &Arc<Front>, given: proto::Faults) -> Result<proto::Faults, Status> {
    let faults = given.faults.into_iter().enumerate();
    let faults = faults.map(|(index, fault)| read(index, fault)).collect::<Result<Vec<_>, _>>()?;
    for fault in faults {
        front.script.push(fault).map_err(|error| refused(&error))?;
    }
    Ok(list(front))
}

pub(super) fn set_quotas(front: &Arc<Front>, given: proto::Quotas) -> Result<proto::Quotas, Status> {
    let mut quotas = if given.documented { Quotas::documented() } else { Quotas::default() };
    quotas.all = given.all.or(quotas.all);
    quotas.by_method.extend(given.methods);
    front.meter.set(quotas).map_err(|error| refused(&error))?;
    Ok(convert::quotas(&front.meter.quotas()))
}

fn refused(error: &FaultError) -> Status {
    fault::invalid("method", &error.to_string())
}

fn read(index: usize, given: proto::Fault) -> Result<Fault, Status> {
    let field = |name: &str| format!("faults[{index}].{name}");
    let mut fault = match given.harm {
        None => Fault::delay(Duration::ZERO),
        Some(Harm::Status(error)) => {
            let has_details = !error.details.is_empty();
            let status = status(&field("status"), error)?;
            if has_details { Fault::status(status) } else { Fault::code(status.code(), status.message()) }
        }
        Some(Harm::Reset(code)) => Fault::transport(Break::Reset(code)),
        Some(Harm::GoAway(proto::GoAway { code, refused, text })) => {
            Fault::transport(Break::GoAway { code, refused, text })
        }
        Some(Harm::Transport(plain)) => Fault::transport(self::plain(plain).ok_or_else(|| {
            fault::invalid(&field("transport"), "is none of the ways that a transport can fail")
        })?),
        Some(Harm::HalfThenReset(code)) => Fault::transport(Break::Half(Some(code))),
        Some(Harm::SlowBody(slow)) => {
            let every = duration(&field("slow_body.every"), slow.every)?;
            Fault::transport(Break::Slow { bytes: slow.bytes, every })
        }
        Some(Harm::HttpReply(proto::HttpReply { status, content_type, body })) => {
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
    if given.after_acting {
        fault = fault.after_acting();
    }
    if let Some(probability) = given.probability {
        fault = fault.with_probability(probability);
    }
    let checked = fault.check();
    checked.map_err(|error| fault::invalid(&format!("faults[{index}]"), &error.to_string()))?;
    Ok(fault)
}

fn duration(field: &str, given: Option<prost_types::Duration>) -> Result<Duration, Status> {
    let negative = |_| fault::invalid(field, "must not be negative");
    given.map_or(Ok(Duration::ZERO), |given| Duration::try_from(given).map_err(negative))
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
