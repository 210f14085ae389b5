//! How many calls were as a test wants them, and if none was, which came nearest to that.

use std::collections::BTreeMap;

use contact_center_insights::Code;

use super::{JournalEntry, Transport};
use crate::edit_distance::edit_distance;

/// How many kinds of calls are told.
const NEAREST: usize = 3;

/// Which calls are counted; what is `None` may be any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) method: Option<String>,
    pub(crate) code: Option<Code>,
    pub(crate) transport: Option<Transport>,
    /// Only calls with a greater sequence.
    pub(crate) after: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) count: usize,
    /// If there are none.
    pub(crate) nearest: Vec<Kind>,
}

/// Calls that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) method: String,
    /// `None` while they run.
    pub(crate) code: Option<Code>,
    pub(crate) transport: Transport,
    pub(crate) count: usize,
}

pub(super) fn count<'a>(entries: impl Iterator<Item = &'a JournalEntry>, wanted: &Wanted) -> Counted {
    // By method, code and transport.
    let mut kinds: BTreeMap<(&str, Option<i32>, bool), Kind> = BTreeMap::new();
    for entry in entries.filter(|entry| entry.sequence > wanted.after) {
        let key =
            (entry.method.as_str(), entry.code.map(|code| code as i32), entry.transport == Transport::Rest);
        let new =
            || Kind { method: entry.method.clone(), code: entry.code, transport: entry.transport, count: 0 };
        let kind = kinds.entry(key).or_insert_with(new);
        kind.count = kind.count.saturating_add(1);
    }
    let count = kinds.values().filter(|kind| wanted.distance(kind) == (0, 0)).map(|kind| kind.count);
    let count = count.fold(0, usize::saturating_add);
    if count > 0 {
        return Counted { count, nearest: Vec::new() };
    }
    let mut nearest: Vec<Kind> = kinds.into_values().collect();
    nearest.sort_by_cached_key(|kind| wanted.distance(kind));
    nearest.truncate(NEAREST);
    Counted { count, nearest }
}

impl Wanted {
    /// Whether a call is so, whenever it came.
    pub(super) fn fits(&self, entry: &JournalEntry) -> bool {
        self.method.as_ref().is_none_or(|method| *method == entry.method)
            && self.code.is_none_or(|code| entry.code == Some(code))
            && self.transport.is_none_or(|transport| entry.transport == transport)
    }

    /// How many of the wishes are not met, a method counting for most, and how far its name is off.
    fn distance(&self, kind: &Kind) -> (usize, usize) {
        let other_method = self.method.as_ref().filter(|method| **method != kind.method);
        let other_code = self.code.is_some_and(|code| kind.code != Some(code));
        let other_transport = self.transport.is_some_and(|transport| kind.transport != transport);
        let unmet = [(other_method.is_some(), 4), (other_code, 2), (other_transport, 1)];
        let unmet = unmet.into_iter().filter(|(is_unmet, _)| *is_unmet).map(|(_, weight)| weight).sum();
        (unmet, other_method.map_or(0, |method| edit_distance(method, &kind.method)))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::super::{Arrival, Journal, Limits};
    use super::*;

    fn journal(calls: &[(&str, Option<Code>, Transport)]) -> Journal {
        let journal = Journal::new(Limits::default());
        for (method, code, transport) in calls {
            let headers = HeaderMap::new();
            let now = std::time::UNIX_EPOCH;
            let sequence =
                journal.begin(&Arrival { transport: *transport, path: "/a", headers: &headers, now });
            journal.routed(sequence, method, b"");
            journal.end(sequence, *code, now);
        }
        journal
    }

    #[test]
    fn what_matches_is_counted_and_what_is_nearest_is_told_if_nothing_does() {
        use Transport::{Grpc, Rest};

        let journal = journal(&[
            ("GetOperation", Some(Code::Ok), Grpc),
            ("GetOperation", Some(Code::Ok), Grpc),
            ("GetOperation", Some(Code::NotFound), Rest),
            ("CreateView", Some(Code::NotFound), Grpc),
            ("GetView", None, Grpc),
        ]);
        let count = |method: &str, code: Option<Code>, transport: Option<Transport>, after: u64| {
            let method = Some(method.to_owned()).filter(|method| !method.is_empty());
            journal.count(&Wanted { method, code, transport, after })
        };
        let all = count("", None, None, 0);
        assert_eq!((all.count, all.nearest.len()), (5, 0));
        assert_eq!(count("GetOperation", None, None, 0).count, 3);
        assert_eq!(count("GetOperation", None, None, 1).count, 2);
        assert_eq!(count("GetOperation", Some(Code::Ok), Some(Grpc), 0).count, 2);
        assert_eq!(count("", Some(Code::NotFound), None, 0).count, 2);
        let shown = |counted: Counted| -> Vec<_> {
            assert_eq!(counted.count, 0);
            counted.nearest.into_iter().map(|kind| (kind.method, kind.code, kind.count)).collect()
        };
        let nearest = shown(count("GetOperation", Some(Code::Aborted), None, 0));
        assert_eq!(nearest.len(), 3);
        assert_eq!(nearest[0], ("GetOperation".into(), Some(Code::Ok), 2));
        assert_eq!(nearest[1], ("GetOperation".into(), Some(Code::NotFound), 1));
        let nearest = shown(count("GetViews", None, None, 0));
        assert_eq!(nearest[0], ("GetView".into(), None, 1), "the name is nearest");
        assert_eq!(shown(count("GetOperation", None, None, 5)), []);
    }
}
