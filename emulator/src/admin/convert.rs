//! From what the emulator has to what the admin API shows.

use std::time::Duration;

use contact_center_insights::proto::rpc;
use contact_center_insights::status::code_name;

use super::proto::{self, fault::Effect as Shown};
use crate::journal::{JournalEntry, Transport};
use crate::script::{Break, Effect, Entry, Quotas};
use crate::time;

pub(super) fn journal_entry(entry: JournalEntry) -> proto::Call {
    let headers = entry.headers.into_iter().map(|(name, value)| proto::Header { name, value });
    let transport = match entry.transport {
        Transport::Grpc => "GRPC",
        Transport::Rest => "REST",
    };
    proto::Call {
        sequence: entry.sequence,
        method: entry.method,
        path: entry.path,
        transport: transport.to_owned(),
        time: Some(entry.time.into()),
        duration: entry.duration.map(time::wire),
        deadline: entry.deadline.map(time::wire),
        attempt: entry.attempt,
        gap: entry.gap.map(time::wire),
        headers: headers.collect(),
        code: entry.code.map(|code| code_name(code).to_owned()).unwrap_or_default(),
        fault: entry.fault.unwrap_or_default(),
        warnings: entry.warnings,
    }
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
