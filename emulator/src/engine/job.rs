//! What an operation does, what starts it, and how far it is.

use std::fmt::{self, Debug};
use std::time::SystemTime;

use contact_center_insights::Status;
use prost::Message;
use prost_types::Any;

use crate::profile::Profile;

/// What an operation does to the world `W`. A job is a message, so that it can be written down while it runs.
pub(crate) trait Job<W>: JobState<W> + Debug + Send + Sync {
    /// Checks that the operation can start, and does what is visible from its start on. An error is the error of
    /// the call: then nothing has happened, and there is no operation.
    fn begin(&mut self, world: &mut W, now: SystemTime) -> Result<(), Status>;

    /// The metadata at this moment.
    fn metadata(&self, moment: &Moment) -> Any;

    /// Does what the operation was started for; an error is the error of the operation.
    fn complete(&mut self, world: &mut W, now: SystemTime) -> Result<Any, Status>;

    /// Takes back what `begin` did, after a failure or a cancellation.
    fn undo(&mut self, world: &mut W, now: SystemTime);

    /// The same after a cancellation, for what shows the difference.
    fn cancel(&mut self, world: &mut W, now: SystemTime) {
        self.undo(world, now);
    }
}

/// What every job can do because it is a message.
pub(crate) trait JobState<W> {
    /// Another of the same.
    fn copy(&self) -> Box<dyn Job<W>>;

    /// The job in bytes.
    fn save(&self) -> Vec<u8>;
}

impl<W, J: Job<W> + Message + Clone + 'static> JobState<W> for J {
    fn copy(&self) -> Box<dyn Job<W>> {
        Box::new(self.clone())
    }

    fn save(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

/// A world in which jobs can ask for operations that follow theirs, and which says how errors look inside operations, and
/// where jobs take long.
pub(crate) trait FollowUps: Sized {
    /// An error as it stands inside an operation.
    fn inside(&self, status: Status) -> Status {
        status
    }

    /// Whether to end an operation in this location may take so long that nobody should have to wait for it.
    fn is_long(&self, _location: &str) -> bool {
        false
    }

    /// Whether operations are shown as they were before they ended.
    fn shows_past(&self) -> bool {
        false
    }

    /// What was asked for since the last time.
    fn follow_ups(&mut self) -> Vec<Start<Self>> {
        Vec::new()
    }
}

/// What only one operation at a time may have: a resource, or the right to do something in a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Claim {
    pub(crate) resource: String,
    /// Empty for the resource as such.
    pub(crate) doing: &'static str,
}

impl Claim {
    /// To work on a resource.
    pub(crate) fn on(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), doing: "" }
    }

    /// To do something that only one operation may do at a time in a location, such as `training an issue model`.
    pub(crate) fn only_one(doing: &'static str, location: impl Into<String>) -> Self {
        Self { resource: location.into(), doing }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.doing {
            "" => write!(f, "working on `{}`", self.resource),
            doing => {
                write!(f, "{doing} in `{}`, where only one operation may do so at a time", self.resource)
            }
        }
    }
}

/// What starts an operation.
#[derive(Debug)]
pub(crate) struct Start<W> {
    /// `projects/P/locations/L/operations/O`.
    pub(crate) name: String,
    /// The method, without its service.
    pub(crate) method: &'static str,
    /// What no other operation may have until this one has ended.
    pub(crate) claims: Vec<Claim>,
    pub(crate) profile: Profile,
    pub(crate) job: Box<dyn Job<W>>,
}

impl<W> Clone for Start<W> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            method: self.method,
            claims: self.claims.clone(),
            profile: self.profile.clone(),
            job: self.job.copy(),
        }
    }
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When it was started.
    pub(crate) create_time: SystemTime,
    /// When it ended, if it has.
    pub(crate) end_time: Option<SystemTime>,
    pub(super) done: u128,
    pub(super) of: u128,
}

impl Moment {
    /// The part of `total` that is done, rounded down.
    pub(crate) fn share(&self, total: usize) -> usize {
        let part = (total as u128).saturating_mul(self.done) / self.of.max(1);
        usize::try_from(part).unwrap_or(total).min(total)
    }

    /// When it was started, as metadata has it.
    pub(crate) fn created(&self) -> prost_types::Timestamp {
        self.create_time.into()
    }

    /// When it ended, as metadata has it.
    pub(crate) fn ended(&self) -> Option<prost_types::Timestamp> {
        self.end_time.map(Into::into)
    }
}
