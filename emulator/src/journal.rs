//! What was called, by whom, when, how often, and how it ended.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use contact_center_insights::Code;
use http::HeaderMap;
use tokio::time::Instant;

/// Headers that carry secrets; their values are never kept.
const SECRET: [&str; 6] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-goog-api-key",
    "x-goog-iam-authorization-token",
    "x-goog-iap-jwt-assertion",
];
/// Of a header's value, in bytes.
const MAX_VALUE: usize = 1024;

/// How a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// gRPC.
    Grpc,
    /// JSON over HTTP.
    Rest,
}

/// One call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Counted up from 1 for as long as the emulator lives.
    pub sequence: u64,
    /// The method, such as `GetOperation`; empty if the path leads to none.
    pub method: String,
    /// The path of the HTTP request, without its query.
    pub path: String,
    /// How it came.
    pub transport: Transport,
    /// When it began, on the emulator's clock.
    pub time: SystemTime,
    /// How long it took on the emulator's clock; `None` while it runs. A clock that stands still measures nothing.
    pub duration: Option<Duration>,
    /// What the caller gives it: `grpc-timeout`, or `x-server-timeout` over REST.
    pub deadline: Option<Duration>,
    /// 1 for the first call of this method with this request, 2 for the second with the same bytes, and so on.
    pub attempt: u32,
    /// Since the attempt before began, in the time that clients wait in (tokio's, real unless a test pauses it).
    pub gap: Option<Duration>,
    /// In their order; the values of `authorization` and the like are replaced.
    pub headers: Vec<(String, String)>,
    /// How it ended; `None` while it runs, if the caller left, or if a fault took the reply away.
    pub code: Option<Code>,
    /// What a scripted fault did to it, if one did.
    pub fault: Option<String>,
    /// What was ignored of the request, such as fields that only the REST API has.
    pub warnings: Vec<String>,
}

impl JournalEntry {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The last calls of an emulator; clones share them. Calls of health, reflection and administration are not in it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use contact_center_insights_emulator::Emulator;
///
/// let emulator = Emulator::builder().start().await?;
/// // ... what is tested runs, and then:
/// assert_eq!(emulator.journal().calls("GetOperation").len(), 0);
/// # emulator.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Journal(Arc<Mutex<Ring>>);

#[derive(Debug)]
struct Ring {
    records: VecDeque<Record>,
    limit: usize,
    /// Of the next record.
    next: u64,
}

#[derive(Debug)]
struct Record {
    entry: JournalEntry,
    began: Instant,
    /// Of the request, once the method is known.
    request: Option<u64>,
}

/// What is known of a call before its method is.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) transport: Transport,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) now: SystemTime,
}

impl Journal {
    /// Keeps the last `limit` calls.
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Ring { records: VecDeque::new(), limit, next: 1 })))
    }

    /// Every call that is kept, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<JournalEntry> {
        let ring = self.lock();
        let mut before: HashMap<(&str, u64), (u32, Instant)> = HashMap::new();
        let with_attempt = |record| attempt(record, &mut before);
        ring.records.iter().map(with_attempt).collect()
    }

    /// The calls of one method, such as `GetOperation`, oldest first.
    #[must_use]
    pub fn calls(&self, method: &str) -> Vec<JournalEntry> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.method == method);
        entries
    }

    /// Forgets all calls. One that runs is not written down when it ends.
    pub fn clear(&self) {
        self.lock().records.clear();
    }

    /// Writes a call down as it comes in; the number is its own.
    pub(crate) fn begin(&self, arrival: &Arrival<'_>) -> u64 {
        let deadline = deadline(arrival.headers);
        let headers = arrival.headers.iter().map(|(name, value)| {
            let value = if SECRET.contains(&name.as_str()) {
                "[redacted]".to_owned()
            } else {
                let bytes = value.as_bytes();
                String::from_utf8_lossy(bytes.get(..MAX_VALUE).unwrap_or(bytes)).into_owned()
            };
            (name.as_str().to_owned(), value)
        });
        let mut entry = JournalEntry {
            sequence: 0,
            method: String::new(),
            path: arrival.path.get(..MAX_VALUE).unwrap_or(arrival.path).to_owned(),
            transport: arrival.transport,
            time: arrival.now,
            duration: None,
            deadline,
            attempt: 1,
            gap: None,
            headers: headers.collect(),
            code: None,
            fault: None,
            warnings: Vec::new(),
        };
        let mut ring = self.lock();
        entry.sequence = ring.next;
        ring.next += 1;
        if ring.records.len() >= ring.limit {
            ring.records.pop_front();
        }
        if ring.limit > 0 {
            ring.records.push_back(Record { entry, began: Instant::now(), request: None });
        }
        ring.next - 1
    }

    /// Adds which method it is of, and which request.
    pub(crate) fn routed(&self, sequence: u64, method: &str, request: &[u8]) {
        let mut hasher = DefaultHasher::new();
        request.hash(&mut hasher);
        let hash = hasher.finish();
        self.with(sequence, |record| {
            method.clone_into(&mut record.entry.method);
            record.request = Some(hash);
        });
    }

    /// Adds what a fault did.
    pub(crate) fn hit(&self, sequence: u64, fault: String) {
        self.with(sequence, |record| record.entry.fault = Some(fault));
    }

    /// Adds what was ignored.
    pub(crate) fn warn(&self, sequence: u64, warning: String) {
        self.with(sequence, |record| record.entry.warnings.push(warning));
    }

    /// Adds how it ended.
    pub(crate) fn end(&self, sequence: u64, code: Option<Code>, now: SystemTime) {
        self.with(sequence, |record| {
            record.entry.code = code;
            record.entry.duration = Some(now.duration_since(record.entry.time).unwrap_or_default());
        });
    }

    fn with(&self, sequence: u64, change: impl FnOnce(&mut Record)) {
        let mut ring = self.lock();
        // Numbers are in order, without gaps.
        let first = ring.records.front().map_or(u64::MAX, |record| record.entry.sequence);
        let at = sequence.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(record) = at.and_then(|at| ring.records.get_mut(at)) {
            change(record);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn attempt<'a>(record: &'a Record, before: &mut HashMap<(&'a str, u64), (u32, Instant)>) -> JournalEntry {
    let mut entry = record.entry.clone();
    let Some(request) = record.request else { return entry };
    let key = (record.entry.method.as_str(), request);
    if let Some((attempt, began)) = before.get(&key) {
        entry.attempt = attempt + 1;
        entry.gap = Some(record.began.saturating_duration_since(*began));
    }
    before.insert(key, (entry.attempt, record.began));
    entry
}

/// Of gRPC: at most eight digits and a unit. Of REST: seconds.
fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(timeout) = text("grpc-timeout") {
        let (number, unit) = timeout.split_at_checked(timeout.len().checked_sub(1)?)?;
        let number: u64 = number.parse().ok()?;
        return match unit {
            "H" => Some(Duration::from_secs(number.checked_mul(3600)?)),
            "M" => Some(Duration::from_secs(number.checked_mul(60)?)),
            "S" => Some(Duration::from_secs(number)),
            "m" => Some(Duration::from_millis(number)),
            "u" => Some(Duration::from_micros(number)),
            "n" => Some(Duration::from_nanos(number)),
            _ => None,
        };
    }
    let seconds: f64 = text("x-server-timeout")?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn call(journal: &Journal, headers: &HeaderMap, request: &[u8]) -> u64 {
        let arrival = Arrival { transport: Transport::Grpc, path: "/a", headers, now: UNIX_EPOCH };
        let sequence = journal.begin(&arrival);
        journal.routed(sequence, "GetOperation", request);
        sequence
    }

    #[test]
    fn secrets_are_not_kept() {
        let journal = Journal::new(10);
        let given =
            headers(&[("authorization", "Bearer ya29.secret"), ("cookie", "secret"), ("x-a", "seen")]);
        call(&journal, &given, b"");
        let printed = format!("{journal:?} {:?}", journal.entries());
        assert!(!printed.contains("secret"), "{printed}");
        assert_eq!(journal.entries()[0].header("X-A"), Some("seen"));
        assert_eq!(journal.entries()[0].header("authorization"), Some("[redacted]"));
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_of_the_same_request_are_counted_with_their_gaps() {
        let journal = Journal::new(10);
        call(&journal, &HeaderMap::new(), b"1");
        tokio::time::advance(Duration::from_secs(1)).await;
        call(&journal, &HeaderMap::new(), b"2");
        tokio::time::advance(Duration::from_secs(2)).await;
        call(&journal, &HeaderMap::new(), b"1");
        let seen: Vec<_> =
            journal.calls("GetOperation").iter().map(|entry| (entry.attempt, entry.gap)).collect();
        assert_eq!(seen, [(1, None), (1, None), (2, Some(Duration::from_secs(3)))]);
        assert!(journal.calls("ListOperations").is_empty());
    }

    #[tokio::test]
    async fn only_the_last_calls_are_kept() {
        let journal = Journal::new(2);
        let numbers: Vec<u64> = (0..3).map(|_| call(&journal, &HeaderMap::new(), b"")).collect();
        for number in &numbers {
            journal.end(*number, Some(Code::NotFound), UNIX_EPOCH + Duration::from_secs(*number));
        }
        let entries = journal.entries();
        assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(entries[1].duration, Some(Duration::from_secs(3)));
        assert_eq!(entries[1].code, Some(Code::NotFound));
        journal.clear();
        journal.end(3, None, UNIX_EPOCH);
        assert!(journal.entries().is_empty());
        let none = Journal::new(0);
        call(&none, &HeaderMap::new(), b"");
        assert!(none.entries().is_empty());
    }

    #[test]
    fn deadlines_are_read_in_every_unit() {
        let seconds = Duration::from_secs;
        for (header, value, wanted) in [
            ("grpc-timeout", "2H", Some(seconds(7200))),
            ("grpc-timeout", "3M", Some(seconds(180))),
            ("grpc-timeout", "4S", Some(seconds(4))),
            ("grpc-timeout", "5000m", Some(seconds(5))),
            ("grpc-timeout", "6000000u", Some(seconds(6))),
            ("grpc-timeout", "7n", Some(Duration::from_nanos(7))),
            ("grpc-timeout", "", None),
            ("grpc-timeout", "7", None),
            ("x-server-timeout", "60", Some(seconds(60))),
            ("x-server-timeout", "-1", None),
        ] {
            assert_eq!(deadline(&headers(&[(header, value)])), wanted, "{value}");
        }
        assert_eq!(deadline(&HeaderMap::new()), None);
    }
}
