//! A part of the calls that are kept: those that fit, from either end, and no more of them than are asked for.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::JournalEntry;
use super::count::Wanted;
use super::ring::Record;

/// Which of the calls that fit, and how much of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) newest_first: bool,
    /// Only calls with a smaller sequence; 0 for all.
    pub(crate) before: u64,
    pub(crate) limit: usize,
    /// Without headers, requests and replies, which are most of a call.
    pub(crate) is_brief: bool,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<JournalEntry>,
    /// How many calls fit, whatever part of them was asked for.
    pub(crate) total: usize,
}

/// How often each request came, as far as the calls were gone through.
#[derive(Debug, Default)]
pub(super) struct Attempts<'a>(HashMap<(&'a str, u64), (u32, Instant)>);

/// Which attempt a call is, and how long after the one before.
type Attempt = (u32, Option<Duration>);

impl<'a> Attempts<'a> {
    /// Of the next call.
    pub(super) fn of(&mut self, record: &'a Record) -> Attempt {
        let Some(request) = record.request else { return (record.entry.attempt, None) };
        let key = (record.entry.method.as_str(), request);
        let attempt = match self.0.get(&key) {
            Some((before, began)) => {
                (before.saturating_add(1), Some(record.began.saturating_duration_since(*began)))
            }
            None => (record.entry.attempt, None),
        };
        self.0.insert(key, (attempt.0, record.began));
        attempt
    }
}

/// A call with its attempt.
pub(super) fn whole(record: &Record, (attempt, gap): Attempt) -> JournalEntry {
    JournalEntry { attempt, gap, ..record.entry.clone() }
}

fn brief(record: &Record, (attempt, gap): Attempt) -> JournalEntry {
    let entry = &record.entry;
    JournalEntry {
        sequence: entry.sequence,
        method: entry.method.clone(),
        path: entry.path.clone(),
        transport: entry.transport,
        time: entry.time,
        duration: entry.duration,
        deadline: entry.deadline,
        attempt,
        gap,
        headers: Vec::new(),
        code: entry.code,
        fault: entry.fault.clone(),
        warnings: entry.warnings.clone(),
        request: None,
        reply: None,
    }
}

/// The part of these records, which are oldest first.
pub(super) fn list<'a>(records: impl Iterator<Item = &'a Record>, wanted: &Wanted, part: Part) -> Listed {
    let mut attempts = Attempts::default();
    let mut found = VecDeque::new();
    let mut total = 0_usize;
    for record in records {
        // A call that does not fit may be the attempt before one that does.
        let attempt = attempts.of(record);
        if !wanted.fits(&record.entry) {
            continue;
        }
        total = total.saturating_add(1);
        let sequence = record.entry.sequence;
        if sequence <= wanted.after || (part.before > 0 && sequence >= part.before) {
            continue;
        }
        found.push_back((record, attempt));
        if found.len() > part.limit {
            if part.newest_first {
                found.pop_front()
            } else {
                found.pop_back()
            };
        }
    }
    let shown =
        |(record, attempt)| if part.is_brief { brief(record, attempt) } else { whole(record, attempt) };
    let mut entries: Vec<_> = found.into_iter().map(shown).collect();
    if part.newest_first {
        entries.reverse();
    }
    Listed { entries, total }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::Code;
    use http::HeaderMap;

    use super::super::{Arrival, Journal, Limits, Transport};
    use super::*;

    #[test]
    fn a_part_is_from_either_end_and_the_total_is_of_all_that_fit() {
        let journal = Journal::new(Limits { bodies: true, ..Limits::default() });
        let (headers, now) = (HeaderMap::new(), std::time::UNIX_EPOCH);
        for code in [Code::Ok, Code::NotFound, Code::Ok, Code::Ok, Code::NotFound] {
            let arrival = Arrival { transport: Transport::Grpc, path: "/a", headers: &headers, now };
            let sequence = journal.begin(&arrival);
            journal.routed(sequence, "GetOperation", b"");
            journal.end(sequence, Some(code), now);
        }
        let list = |code: Option<Code>, after: u64, part: Part| {
            let listed = journal.list(&Wanted { code, after, ..Wanted::default() }, part);
            let seen = listed.entries.iter().map(|entry| (entry.sequence, entry.attempt)).collect::<Vec<_>>();
            (seen, listed.total)
        };
        let part = Part { newest_first: false, before: 0, limit: 2, is_brief: false };
        assert_eq!(list(None, 0, part), (vec![(1, 1), (2, 2)], 5));
        assert_eq!(list(None, 3, part), (vec![(4, 4), (5, 5)], 5));
        let part = Part { newest_first: true, ..part };
        assert_eq!(list(None, 0, part), (vec![(5, 5), (4, 4)], 5));
        assert_eq!(list(Some(Code::Ok), 0, part), (vec![(4, 4), (3, 3)], 3));
        assert_eq!(list(Some(Code::Ok), 0, Part { before: 3, ..part }), (vec![(1, 1)], 3));

        let whole = journal.list(&Wanted::default(), part);
        assert!(whole.entries[0].request.is_some());
        let brief = journal.list(&Wanted::default(), Part { is_brief: true, ..part });
        assert_eq!(brief.entries[0].request, None);
    }
}
