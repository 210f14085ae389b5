//! What was called, by whom, when, how often, and how it ended.

mod bodies;
mod count;
mod deadline;
mod listing;
mod ring;
mod secrets;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use contact_center_insights::{Code, Status};
use http::HeaderMap;

pub(crate) use self::count::{Counted, Wanted};
use self::deadline::deadline;
use self::listing::Attempts;
pub(crate) use self::listing::{Listed, Part};
use self::ring::{Record, Ring};
pub use self::secrets::is_secret_header;

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
    /// In their order; the values of those that may hold a secret ([`is_secret_header`]) are `[redacted]`.
    pub headers: Vec<(String, String)>,
    /// How it ended; `None` while it runs, if the caller left, or if a fault took the reply away.
    pub code: Option<Code>,
    /// What a scripted fault did to it, if one did.
    pub fault: Option<String>,
    /// What was ignored of the request, such as fields that only the REST API has.
    pub warnings: Vec<String>,
    /// The request as JSON, if the emulator keeps bodies ([`EmulatorBuilder::with_journal_bodies`]). What cannot be shown is
    /// an object of `@bytes` alone, in base64. `None` if it is longer than 1 MiB.
    ///
    /// [`EmulatorBuilder::with_journal_bodies`]: crate::EmulatorBuilder::with_journal_bodies
    pub request: Option<String>,
    /// The reply in the same way; of a call that failed, its `google.rpc.Status`. `None` too if its caller never got one.
    pub reply: Option<String>,
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

/// The last calls of an emulator, as many as [`EmulatorBuilder::with_journal_limit`] says and as fit into 64 MiB of memory;
/// clones share them. Calls of health, reflection and administration are not in it.
///
/// [`EmulatorBuilder::with_journal_limit`]: crate::EmulatorBuilder::with_journal_limit
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
pub struct Journal {
    ring: Arc<Mutex<Ring>>,
    keeps_bodies: Arc<AtomicBool>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) calls: usize,
    /// Of memory, all told.
    pub(crate) bytes: usize,
    /// Whether messages are kept too.
    pub(crate) bodies: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls: 10_000, bytes: 64 * 1024 * 1024, bodies: false }
    }
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
    /// Keeps the last calls within these bounds.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { ring: Arc::new(Mutex::new(Ring::new(limits))), keeps_bodies: Arc::new(limits.bodies.into()) }
    }

    /// Every call that is kept, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<JournalEntry> {
        let ring = self.lock();
        let mut attempts = Attempts::default();
        ring.records().map(|record| listing::whole(record, attempts.of(record))).collect()
    }

    /// A part of the calls that fit.
    pub(crate) fn list(&self, wanted: &Wanted, part: Part) -> Listed {
        listing::list(self.lock().records(), wanted, part)
    }

    /// Whether messages are kept.
    pub(crate) fn keeps_bodies(&self) -> bool {
        self.keeps_bodies.load(Ordering::Relaxed)
    }

    /// Says whether messages are kept from now on.
    pub(crate) fn keep_bodies(&self, keeps: bool) {
        self.keeps_bodies.store(keeps, Ordering::Relaxed);
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
        self.lock().clear();
    }

    /// Writes a call down as it comes in; the number is its own.
    pub(crate) fn begin(&self, arrival: &Arrival<'_>) -> u64 {
        let deadline = deadline(arrival.headers);
        let headers = arrival.headers.iter().map(|(name, value)| {
            let value = if is_secret_header(name.as_str()) {
                "[redacted]".to_owned()
            } else {
                let bytes = value.as_bytes();
                String::from_utf8_lossy(bytes.get(..MAX_VALUE).unwrap_or(bytes)).into_owned()
            };
            (name.as_str().to_owned(), value)
        });
        let entry = JournalEntry {
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
            request: None,
            reply: None,
        };
        self.lock().push(entry)
    }

    /// Adds which method it is of, and which request.
    pub(crate) fn routed(&self, sequence: u64, method: &str, request: &[u8]) {
        let mut hasher = DefaultHasher::new();
        request.hash(&mut hasher);
        let hash = hasher.finish();
        let body = self.keeps_bodies().then(|| bodies::request(method, request)).flatten();
        self.with(sequence, |record| {
            method.clone_into(&mut record.entry.method);
            record.request = Some(hash);
            record.entry.request = body;
        });
    }

    /// Adds what was answered by the method at this path.
    pub(crate) fn replied(&self, sequence: u64, path: &str, reply: &Result<impl AsRef<[u8]>, Status>) {
        if self.keeps_bodies() {
            let reply = bodies::reply(path, reply);
            self.with(sequence, |record| record.entry.reply = reply);
        }
    }

    /// How many calls were as they are wanted, and if none was, which were nearest.
    pub(crate) fn count(&self, wanted: &Wanted) -> Counted {
        count::count(self.lock().records().map(|record| &record.entry), wanted)
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
        self.lock().change(sequence, change);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
