//! From what the emulator has to what the admin API shows.

use std::time::Duration;

use contact_center_insights::proto::rpc;
use contact_center_insights::status::code_name;
use contact_center_insights::{Code, Status};

use super::proto::{self, fault::Effect as Shown};
use crate::journal::{Counted, JournalEntry, Transport, Wanted};
use crate::script::{Break, Effect, Entry, Quotas, find_method};
use crate::{errors, time};

const GRPC: &str = "GRPC";
const REST: &str = "REST";

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
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let method = given(&request.method).map(|method| match find_method(&method) {
        Ok(found) => Ok(found.name.clone()),
        Err(error) => Err(errors::invalid("method", &error.to_string())),
    });
    let code = given(&request.code).map(|code| {
        let names: Vec<_> = (0..=16).map(|code| code_name(Code::from_i32(code))).collect();
        let found = names.iter().position(|name| *name == code).and_then(|at| i32::try_from(at).ok());
        found
            .map(Code::from_i32)
            .ok_or_else(|| errors::invalid("code", &format!("`{code}` is not one of {}", names.join(", "))))
    });
    let transport = given(&request.transport).map(|transport| match transport.as_str() {
        GRPC => Ok(Transport::Grpc),
        REST => Ok(Transport::Rest),
        _ => Err(errors::invalid("transport", &format!("`{transport}` is not one of {GRPC}, {REST}"))),
    });
    Ok(Wanted {
        method: method.transpose()?,
        code: code.transpose()?,
        transport: transport.transpose()?,
        after: request.after,
    })
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
        effect: effect(&fault.effect),
    }
}

fn effect(effect: &Effect) -> Option<Shown> {
    use proto::fault::Plain;

    let plain = |plain: Plain| Shown::Transport(plain as i32);
    Some(match effect {
        Effect::None => return None,
        Effect::Status(status) => {
            let rpc::Status { code, message, details } = status.clone().into();
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
