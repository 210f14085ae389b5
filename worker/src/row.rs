//! What a store keeps, as rows: operations that run, cohorts of them, results that wait, and what is about to be started.

use std::time::{Duration, SystemTime};

use contact_center_insights::any::{Unpack, type_name};
use contact_center_insights::proto::longrunning;
use contact_center_insights::{Handle, Operation, Poller};
use prost::Message;

use crate::time::{Micros, micros, of_timestamp};

/// No cohort has more operations than this.
pub(crate) const COHORT: u32 = 10_000;

/// The package of the metadata whose `create_time` is field 1: all of it.
const OWN: &str = "google.cloud.contactcenterinsights.v1.";

/// An operation that is to be followed.
///
/// It is worth telling when it was created, where that is known: sweeps then walk only the part of the list that is of
/// this time. [`Registration::of_poller`] and [`Registration::of_operation`] find it in the metadata.
///
/// ```
/// use contact_center_insights_worker::Registration;
///
/// let by_name = Registration::new("projects/p/locations/us-central1/operations/1").with_context("order 4711");
/// assert_eq!(by_name.name(), "projects/p/locations/us-central1/operations/1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub(crate) handle: Handle,
    pub(crate) created: Option<Micros>,
    pub(crate) context: Option<String>,
}

impl Registration {
    /// By name, or by a stored handle.
    #[must_use]
    pub fn new(operation: impl Into<Handle>) -> Self {
        Self { handle: operation.into(), created: None, context: None }
    }

    /// What a call has started.
    #[must_use]
    pub fn of_poller<R: Unpack, M: Unpack>(poller: &Poller<R, M>) -> Self {
        let created = poller.last().and_then(|operation| created(operation.raw()));
        Self { handle: poller.handle(), created, context: None }
    }

    /// What a list or a look has shown, with these types.
    #[must_use]
    pub fn of_operation<R: Unpack, M: Unpack>(operation: &Operation<R, M>) -> Self {
        let handle = Handle::new(operation.name().to_owned(), R::expected(), M::expected());
        Self { handle, created: created(operation.raw()), context: None }
    }

    /// When it was created, if that is known.
    #[must_use]
    pub fn created(&self) -> Option<SystemTime> {
        self.created.and_then(crate::time::system_time)
    }

    /// States when it was created.
    #[must_use]
    pub fn created_at(mut self, time: SystemTime) -> Self {
        self.created = Some(micros(time));
        self
    }

    /// Text of the caller's, which is kept with it and handed over with its result.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// The operation's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.handle.name
    }
}

/// When an operation was created, as its metadata tells.
pub(crate) fn created(operation: &longrunning::Operation) -> Option<Micros> {
    #[derive(Message)]
    struct Dated {
        #[prost(message, optional, tag = "1")]
        create_time: Option<prost_types::Timestamp>,
    }
    let metadata = operation.metadata.as_ref()?;
    type_name(&metadata.type_url).starts_with(OWN).then_some(())?;
    of_timestamp(&Dated::decode(metadata.value.as_slice()).ok()?.create_time?)
}

/// Operations that are looked for together: of one location, created on one day, at most 10,000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// Its number in the store.
    pub id: i64,
    /// `projects/P/locations/L`; empty for operations that no list has.
    pub parent: String,
    /// How many cohorts the project has, this one included: their holders share its quota.
    pub of_project: u32,
}

/// An operation that has not ended, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// As it was registered.
    pub handle: Handle,
    /// When it was created, in microseconds since 1970, if that is known.
    pub created: Option<i64>,
    /// For how long it has been registered.
    pub age: Duration,
}

/// That an operation has ended, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// As it was registered.
    pub name: String,
    /// The finished operation, serialized; `None` if it is lost.
    pub operation: Option<Vec<u8>>,
    /// Why it counts as lost.
    pub lost: Option<String>,
}

/// A result that waits to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its number in the store.
    pub id: i64,
    /// As it was registered.
    pub handle: Handle,
    /// As it was registered.
    pub context: Option<String>,
    /// The finished operation, serialized; `None` if it is lost.
    pub operation: Option<Vec<u8>>,
    /// Why it counts as lost.
    pub lost: Option<String>,
    /// How often handing it over has failed.
    pub tries: u32,
    /// How long ago its end was found.
    pub age: Duration,
}

/// What became of handing over a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It was taken.
    Handed,
    /// It was not, and is handed over again after `wait`.
    Failed {
        /// Why.
        reason: String,
        /// From now.
        wait: Duration,
    },
    /// It is not handed over any more, before somebody asks for it.
    Buried {
        /// Why.
        reason: String,
    },
}

/// An operation that is about to be started: written before the call that starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Drawn at random.
    pub id: String,
    /// Where it will run, `projects/P/locations/L`; empty if that is unknown.
    pub parent: String,
    /// The path of the RPC.
    pub method: String,
    /// Full name of the request's type, if that is known.
    pub request_type: Option<String>,
    /// The request, serialized.
    pub request: Vec<u8>,
    /// Full name of the response type, if one is expected.
    pub response: Option<String>,
    /// Full name of the metadata type, if one is expected.
    pub metadata: Option<String>,
    /// As [`Registration::with_context`].
    pub context: Option<String>,
}

/// An intent whose call has not told how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// What was written.
    pub intent: Intent,
    /// When, in microseconds since 1970.
    pub written: i64,
    /// How often the operation was looked for.
    pub looks: u32,
}

/// What a store has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Operations that run, as far as is known.
    pub pending: u64,
    /// The cohorts that they are in.
    pub cohorts: u64,
    /// How much later than planned the cohort is looked at that has waited longest.
    pub oldest_cohort: Duration,
    /// Results that wait to be handed over, those that failed before included.
    pub waiting: u64,
    /// For how long the oldest of them has waited.
    pub oldest_outcome: Duration,
    /// Results that failed before and wait for their next try.
    pub failing: u64,
    /// Results that are not handed over any more.
    pub buried: u64,
    /// Results that were handed over, as far as they are remembered.
    pub handed: u64,
    /// Starts whose end is not known yet.
    pub starting: u64,
    /// Starts of which nobody can tell whether they happened.
    pub unsure: u64,
}

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It runs, as far as is known.
    Pending,
    /// It has ended, and its result waits to be handed over.
    Waiting,
    /// Its result could not be handed over, and is tried no more.
    Buried,
    /// Its result was handed over.
    Handed,
    /// It is being started.
    Starting,
    /// Nobody can tell whether it was started.
    Unsure,
}

impl State {
    /// In lower case, as the command line and the store have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::Buried => "buried",
            Self::Handed => "handed",
            Self::Starting => "starting",
            Self::Unsure => "unsure",
        }
    }
}

/// One operation, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its name; of one that is being started, the intent.
    pub name: String,
    /// Where it is.
    pub state: State,
    /// Since when it is followed.
    pub registered: SystemTime,
    /// How often handing its result over has failed.
    pub tries: u32,
    /// Why it is buried, has failed, is lost or unsure.
    pub reason: Option<String>,
    /// As it was registered.
    pub context: Option<String>,
}
