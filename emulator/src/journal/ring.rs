//! The last calls, bounded by their number and by the memory that they take.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{JournalEntry, Limits};

/// What an allocation takes beside its bytes.
const ALLOCATION: usize = 16;

/// A call that is kept.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) entry: JournalEntry,
    pub(super) began: Instant,
    /// Of the request, once the method is known.
    pub(super) request: Option<u64>,
    /// What it takes, in bytes.
    size: usize,
}

#[derive(Debug)]
pub(super) struct Ring {
    records: VecDeque<Record>,
    limits: Limits,
    /// What all of them take.
    size: usize,
    /// Of the next record.
    next: u64,
}

impl Ring {
    pub(super) fn new(limits: Limits) -> Self {
        Self { records: VecDeque::new(), limits, size: 0, next: 1 }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Oldest first.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.size = 0;
    }

    /// Adds a call, and gives it its number.
    pub(super) fn push(&mut self, mut entry: JournalEntry) -> u64 {
        let sequence = self.next;
        self.next = sequence.saturating_add(1);
        entry.sequence = sequence;
        let size = size(&entry);
        self.records.push_back(Record { entry, began: Instant::now(), request: None, size });
        self.size = self.size.saturating_add(size);
        self.trim();
        sequence
    }

    /// Changes the call with this number, if it is kept.
    pub(super) fn change(&mut self, sequence: u64, change: impl FnOnce(&mut Record)) {
        // Numbers are in order, without gaps.
        let first = self.records.front().map_or(u64::MAX, |record| record.entry.sequence);
        let at = sequence.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        let Some(record) = at.and_then(|at| self.records.get_mut(at)) else { return };
        change(record);
        let before = std::mem::replace(&mut record.size, size(&record.entry));
        self.size = self.size.saturating_sub(before).saturating_add(record.size);
        self.trim();
    }

    /// Forgets the oldest, until the rest is within bounds. The last call is kept, whatever it takes.
    fn trim(&mut self) {
        let Limits { calls, bytes, .. } = self.limits;
        while self.records.len() > calls || (self.size > bytes && self.records.len() > 1) {
            let Some(gone) = self.records.pop_front() else { return };
            self.size = self.size.saturating_sub(gone.size);
        }
    }
}

/// What a call takes, in bytes.
fn size(entry: &JournalEntry) -> usize {
    let text = |text: &String| text.capacity().saturating_add(ALLOCATION);
    let headers = entry.headers.iter().map(|(name, value)| text(name).saturating_add(text(value)));
    let texts = entry.warnings.iter().chain(&entry.fault).chain(&entry.request).chain(&entry.reply);
    let slots = entry
        .headers
        .capacity()
        .saturating_mul(size_of::<(String, String)>())
        .saturating_add(entry.warnings.capacity().saturating_mul(size_of::<String>()));
    let own = [size_of::<Record>(), text(&entry.method), text(&entry.path), slots];
    own.into_iter().chain(headers).chain(texts.map(text)).fold(0, usize::saturating_add)
}
