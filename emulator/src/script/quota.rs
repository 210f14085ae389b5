//! How many calls a project may make in a minute, of each method and of all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use contact_center_insights::proto::rpc::quota_failure::Violation;
use contact_center_insights::proto::rpc::{QuotaFailure, RetryInfo};
use contact_center_insights::{Code, Status};

use super::error::{FaultError, find_method};
use crate::contract::Method;
use crate::message::own_names;
use crate::projects::{self, ProjectNumbers};
use crate::{errors, time};

/// Limits by method.
type Limits = BTreeMap<String, u32>;

const MINUTE: Duration = Duration::from_mins(1);

/// The calls that each project may make per minute of the emulator's clock; more are `RESOURCE_EXHAUSTED`, with a
/// `QuotaFailure` and a `RetryInfo`. Default: no limits.
///
/// ```
/// use contact_center_insights_emulator::Quotas;
///
/// let quotas = Quotas::documented().with_method("GetOperation", 60);
/// assert_ne!(quotas, Quotas::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "quotas that are not set limit nothing"]
pub struct Quotas {
    pub(crate) all: Option<u32>,
    pub(crate) by_method: Limits,
}

impl Quotas {
    /// Those that Google documents: 3,000 calls a minute; of them 300 each of `CreateConversation`, `CreateAnalysis`
    /// and `UploadConversation`, and 60 of `ExportInsightsData`.
    pub fn documented() -> Self {
        Self::default()
            .with_all(3000)
            .with_method("CreateConversation", 300)
            .with_method("CreateAnalysis", 300)
            .with_method("UploadConversation", 300)
            .with_method("ExportInsightsData", 60)
    }

    /// Limits all methods together.
    pub fn with_all(mut self, per_minute: u32) -> Self {
        self.all = Some(per_minute);
        self
    }

    /// Limits one method, such as `GetOperation`.
    pub fn with_method(mut self, method: impl Into<String>, per_minute: u32) -> Self {
        self.by_method.insert(method.into(), per_minute);
        self
    }

    pub(crate) fn check(&self) -> Result<(), FaultError> {
        self.by_method.keys().try_for_each(|method| find_method(method).map(|_| ()))
    }
}

/// Counts calls against quotas. A project has one count, whether it is named by its id or by its number.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    numbers: ProjectNumbers,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    quotas: Quotas,
    /// By the project's number and the method; the method is empty for all together.
    windows: HashMap<(String, String), Window>,
}

#[derive(Debug)]
struct Window {
    since: SystemTime,
    used: u32,
}

impl Meter {
    /// Without quotas, for projects with these numbers.
    pub(crate) fn new(numbers: ProjectNumbers) -> Self {
        Self { numbers, ..Self::default() }
    }

    /// Sets quotas in place of those that were, with nothing used.
    pub(crate) fn set(&self, quotas: Quotas) -> Result<(), FaultError> {
        quotas.check()?;
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) =
            Inner { quotas, windows: HashMap::new() };
        Ok(())
    }

    pub(crate) fn quotas(&self) -> Quotas {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).quotas.clone()
    }

    /// Counts a call, or refuses it.
    pub(crate) fn take(&self, method: &Method, request: &[u8], now: SystemTime) -> Result<(), Status> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { quotas, windows } = &mut *inner;
        if *quotas == Quotas::default() {
            return Ok(());
        }
        let project = self.numbers.of(project(&method.path, request));
        let project = &*project;
        let method = method.name.as_str();
        let own = quotas.by_method.get(method).map(|limit| (method, *limit));
        let limits: Vec<(&str, u32)> = own.into_iter().chain(quotas.all.map(|limit| ("", limit))).collect();
        // All are asked before one is charged.
        for (name, limit) in &limits {
            let window = windows.entry((project.to_owned(), (*name).to_owned()));
            let window = window.or_insert(Window { since: now, used: 0 });
            if now.duration_since(window.since).is_ok_and(|age| age >= MINUTE) || now < window.since {
                *window = Window { since: now, used: 0 };
            }
            if window.used >= *limit {
                let age = now.duration_since(window.since).unwrap_or_default();
                return Err(exhausted(project, name, *limit, MINUTE.saturating_sub(age)));
            }
        }
        for (name, _) in &limits {
            if let Some(window) = windows.get_mut(&(project.to_owned(), (*name).to_owned())) {
                window.used += 1;
            }
        }
        Ok(())
    }
}

fn exhausted(project: &str, method: &str, limit: u32, wait: Duration) -> Status {
    let what = if method.is_empty() { "calls" } else { method };
    let message = format!("quota exceeded: {limit} of `{what}` per minute for the project `{project}`");
    let (limit_text, subject) = (limit.to_string(), format!("project:{project}"));
    let parts = [("quota_limit_value", limit_text.as_str()), ("method", what), ("project", project)];
    let violation = Violation { subject, description: message.clone(), ..Violation::default() };
    let retry_delay = Some(time::wire(wait));
    errors::with_reason(Code::ResourceExhausted, "RATE_LIMIT_EXCEEDED", message, &parts)
        .with_detail(&QuotaFailure { violations: vec![violation] })
        .with_detail(&RetryInfo { retry_delay })
}

/// The project of what a request addresses, as it is written there.
fn project<'a>(path: &str, request: &'a [u8]) -> &'a str {
    let addressed = own_names::of_method(path).and_then(|(names, _)| names.addressed(request));
    addressed.and_then(projects::split).map_or("", |(project, _)| project)
}
