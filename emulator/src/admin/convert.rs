//! From what the emulator has to what the admin API shows.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contact_center_insights::json::Printer;
use contact_center_insights::proto::rpc;
use contact_center_insights::status::code_name;
use contact_center_insights::{Code, Status};

use prost_types::Timestamp;
use serde_json::json;

use super::proto::{self, fault::Effect as Shown};
use crate::journal::{Counted, JournalEntry, Transport, Wanted};
use crate::message::wire;
use crate::script::{Break, Effect, Entry, Fault, Quotas, find_method};
use crate::{errors, time};

const GRPC: &str = "GRPC";
const REST: &str = "REST";
/// Of a message that is shown as JSON, in bytes.
const MAX_SHOWN: usize = 4 * 1024 * 1024;

/// A message as JSON. What cannot be shown is an object of `@bytes` alone, in base64; empty if it is too large.
pub(super) fn shown(message: &str, bytes: &[u8]) -> String {
    if bytes.len() > MAX_SHOWN {
        return String::new();
    }
    let text = Printer::new().text(message, bytes);
    text.unwrap_or_else(|_| json!({ "@bytes": STANDARD.encode(bytes) }).to_string())
}

/// A time, if it is one of the years 1 to 9999.
pub(super) fn timestamp(message: &[u8]) -> Option<Timestamp> {
    let (seconds, nanos) = wire::seconds_nanos(message);
    let wire = Timestamp { seconds, nanos };
    time::moment(&wire).is_some().then_some(wire)
}

pub(super) fn journal_entry(entry: JournalEntry) -> proto::Call {
    let headers = entry.headers.into_iter().map(|(name, value)| proto::Header { name, value });
    proto::Call {
        sequence: entry.sequence,
        method: entry.method,
        path: entry.path,
        transport: transport(entry.transport).to_owned(),
        time: Some(entry.time.into()),
        duration: entry.duration.map(time::wire),
        deadline: entry.deadline.map(time::wire),
        attempt: entry.attempt,
        gap: entry.gap.map(time::wire),
        headers: headers.collect(),
        code: entry.code.map(|code| code_name(code).to_owned()).unwrap_or_default(),
        fault: entry.fault.unwrap_or_default(),
        warnings: entry.warnings,
        request: entry.request.unwrap_or_default(),
        reply: entry.reply.unwrap_or_default(),
    }
}

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Grpc => GRPC,
        Transport::Rest => REST,
    }
}

/// Which calls are to be counted.
pub(super) fn wanted(request: &proto::CountJournalRequest) -> Result<Wanted, Status> {
    let method = given(&request.method).map(|method| match find_method(&method) {
        Ok(found) => Ok(found.name.clone()),
        Err(error) => Err(errors::invalid("method", &error.to_string())),
    });
    Ok(Wanted {
        method: method.transpose()?,
        code: code(&request.code)?,
        transport: via(&request.transport)?,
        after: request.after,
    })
}

/// Which calls are to be listed. A method that does not exist has none.
pub(super) fn listed(request: &proto::ListJournalRequest) -> Result<Wanted, Status> {
    Ok(Wanted {
        method: given(&request.method),
        code: code(&request.code)?,
        transport: via(&request.transport)?,
        after: request.after,
    })
}

fn given(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn code(asked: &str) -> Result<Option<Code>, Status> {
    let code = given(asked).map(|code| {
        let names: Vec<_> = (0..=16).map(|code| code_name(Code::from_i32(code))).collect();
        let found = names.iter().position(|name| *name == code).and_then(|at| i32::try_from(at).ok());
        found
            .map(Code::from_i32)
            .ok_or_else(|| errors::invalid("code", &format!("`{code}` is not one of {}", names.join(", "))))
    });
    code.transpose()
}

fn via(asked: &str) -> Result<Option<Transport>, Status> {
    let transport = given(asked).map(|transport| match transport.as_str() {
        GRPC => Ok(Transport::Grpc),
        REST => Ok(Transport::Rest),
        _ => Err(errors::invalid("transport", &format!("`{transport}` is not one of {GRPC}, {REST}"))),
    });
    transport.transpose()
}

pub(super) fn counted(counted: Counted) -> proto::JournalCount {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let nearest = counted.nearest.into_iter().map(|kind| proto::CallKind {
        method: kind.method,
        code: kind.code.map(|code| code_name(code).to_owned()).unwrap_or_default(),
        transport: transport(kind.transport).to_owned(),
        count: number(kind.count),
    });
    proto::JournalCount { count: number(counted.count), nearest: nearest.collect() }
}

pub(super) fn quotas(quotas: &Quotas) -> proto::Quotas {
    proto::Quotas { all: quotas.all, methods: quotas.by_method.clone(), documented: false }
}

pub(super) fn fault(entry: &Entry) -> proto::Fault {
    let fault = &entry.fault;
    proto::Fault {
        method: fault.matcher.method.clone().unwrap_or_default(),
        fields: fault.matcher.fields.iter().cloned().collect(),
        headers: fault.matcher.headers.iter().cloned().collect(),
        after: fault.skip,
        times: fault.times.unwrap_or_default(),
        always: fault.times.is_none(),
        probability: fault.probability,
        delay: Some(fault.delay).filter(|delay| *delay > Duration::ZERO).map(time::wire),
        after_execution: fault.also_executes,
        matched: entry.matched,
        hit: entry.hit,
        id: entry.id,
        effect: effect(fault),
    }
}

/// As it was given: details that the emulator adds are not in it.
fn effect(fault: &Fault) -> Option<Shown> {
    use proto::fault::Plain;

    let plain = |plain: Plain| Shown::Transport(plain as i32);
    Some(match &fault.effect {
        Effect::None => return None,
        Effect::Status(status) => {
            let status = if fault.has_own_details { errors::bare(status) } else { status.clone() };
            let rpc::Status { code, message, details } = status.into();
            Shown::Status(proto::Status { code, message, details })
        }
        Effect::Break(Break::Reset(code)) => Shown::Reset(*code),
        Effect::Break(Break::GoAway { code, refused, text }) => {
            Shown::GoAway(proto::GoAway { code: *code, refused: *refused, text: text.clone() })
        }
        Effect::Break(Break::Retire) => plain(Plain::Retire),
        Effect::Break(Break::Close) => plain(Plain::Close),
        Effect::Break(Break::Abort) => plain(Plain::Abort),
        Effect::Break(Break::Freeze) => plain(Plain::Freeze),
        Effect::Break(Break::Stall) => plain(Plain::Stall),
        Effect::Break(Break::StallBody) => plain(Plain::StallBody),
        Effect::Break(Break::Half(None)) => plain(Plain::Half),
        Effect::Break(Break::Half(Some(code))) => Shown::HalfThenReset(*code),
        Effect::Break(Break::NoStatus) => plain(Plain::NoStatus),
        Effect::Break(Break::Slow { bytes, every }) => {
            Shown::SlowBody(proto::SlowBody { bytes: *bytes, every: Some(time::wire(*every)) })
        }
        Effect::Break(Break::Http { status, content_type, body }) => Shown::HttpReply(proto::HttpReply {
            status: u32::from(*status),
            content_type: content_type.clone(),
            body: body.clone(),
        }),
    })
}
