//! An operation that runs: when it is due, how far it is, how it ends, and how it is written down.

use std::time::{Duration, SystemTime};

use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};
use contact_center_insights::{Code, Status};
use prost::Message;

use super::job::{Claim, FollowUps, Job, Moment, Start};
use crate::errors;
use crate::profile::{Failure, Pace, Profile};
use crate::time;

#[derive(Debug)]
pub(super) struct Running<W> {
    pub(super) start: Start<W>,
    pub(super) polls: u32,
    create_time: SystemTime,
}

impl<W> Clone for Running<W> {
    fn clone(&self) -> Self {
        Self { start: self.start.clone(), polls: self.polls, create_time: self.create_time }
    }
}

impl<W> Running<W> {
    pub(super) fn new(start: Start<W>, now: SystemTime) -> Self {
        Self { start, polls: 0, create_time: now }
    }

    /// When it ends by itself, if time is what it needs.
    pub(super) fn due(&self) -> Option<SystemTime> {
        match self.start.profile.pace {
            Pace::Time(duration) => self.create_time.checked_add(duration),
            Pace::Immediate | Pace::Polls(_) => None,
        }
    }

    /// Whether it is due at its start.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        match self.start.profile.pace {
            Pace::Immediate => true,
            Pace::Polls(_) => self.is_polled_enough(),
            Pace::Time(_) => self.due().is_some_and(|due| due <= now),
        }
    }

    /// Whether polls were what it needed, and there were enough.
    pub(super) fn is_polled_enough(&self) -> bool {
        matches!(self.start.profile.pace, Pace::Polls(count) if self.polls >= count)
    }

    /// Counts a poll.
    pub(super) fn polled(&mut self) {
        self.polls = self.polls.saturating_add(1);
    }

    pub(super) fn create_time(&self) -> SystemTime {
        self.create_time
    }

    /// Whether there are enough polls with the next.
    pub(super) fn is_last_poll(&self) -> bool {
        matches!(self.start.profile.pace, Pace::Polls(count) if self.polls.saturating_add(1) >= count)
    }

    /// Waiting until the first poll, or for the first tenth of the time: progress is zero then.
    pub(super) fn moment(&self, now: SystemTime, end_time: Option<SystemTime>) -> Moment {
        let (done, of) = match self.start.profile.pace {
            Pace::Immediate => (1, 1),
            Pace::Polls(count) => (u128::from(self.polls.min(count)), u128::from(count)),
            Pace::Time(total) => {
                let elapsed = now.duration_since(self.create_time).unwrap_or(Duration::ZERO);
                let waiting = elapsed.saturating_mul(10) < total;
                (if waiting { 0 } else { elapsed.min(total).as_millis() }, total.as_millis())
            }
        };
        Moment { create_time: self.create_time, end_time, done, of }
    }

    pub(super) fn snapshot(&self, now: SystemTime) -> Operation {
        let metadata = Some(self.start.job.metadata(&self.moment(now, None)));
        Operation { name: self.start.name.clone(), metadata, ..Operation::default() }
    }

    pub(super) fn fail(&mut self, world: &mut W, now: SystemTime, status: Status) -> Operation {
        if status.code() == Code::Cancelled {
            self.start.job.cancel(world, now);
        } else {
            self.start.job.undo(world, now);
        }
        self.ended(now, Outcome::Error(status.into()))
    }

    /// One that has completed has done all, even if that was before its time.
    fn ended(&self, now: SystemTime, outcome: Outcome) -> Operation {
        let mut moment = self.moment(now, Some(now));
        if matches!(outcome, Outcome::Response(_)) {
            (moment.done, moment.of) = (1, 1);
        }
        let metadata = Some(self.start.job.metadata(&moment));
        Operation { name: self.start.name.clone(), metadata, done: true, result: Some(outcome) }
    }

    pub(super) fn save(&self, serial: u64) -> Saved {
        let claims = self.start.claims.iter();
        Saved {
            serial,
            operation: Some(Operation { name: self.start.name.clone(), ..Operation::default() }),
            method: self.start.method.to_owned(),
            claims: claims
                .map(|claim| SavedClaim { resource: claim.resource.clone(), doing: claim.doing.to_owned() })
                .collect(),
            profile: self.start.profile.to_string(),
            job: self.start.job.save(),
            create_time: Some(self.create_time.into()),
            polls: self.polls,
        }
    }

    pub(super) fn restore(
        saved: &Saved,
        job: impl FnOnce(&str, &[u8]) -> Option<(&'static str, Box<dyn Job<W>>)>,
    ) -> Option<Self> {
        let (method, job) = job(&saved.method, &saved.job)?;
        let claims = saved.claims.iter();
        let profile: Profile = saved.profile.parse().ok()?;
        let start = Start {
            name: saved.operation.as_ref()?.name.clone(),
            method,
            claims: claims
                .map(|claim| Claim { resource: claim.resource.clone(), doing: known(&claim.doing) })
                .collect(),
            profile,
            job,
        };
        Some(Self { start, polls: saved.polls, create_time: time::moment(&saved.create_time?)? })
    }
}

impl<W: FollowUps> Running<W> {
    /// Completes, or fails as scripted.
    pub(super) fn end(&mut self, world: &mut W, now: SystemTime) -> Operation {
        if let Some(failure) = self.start.profile.failure.clone() {
            let status = world.inside(scripted(&failure, self.start.method));
            return self.fail(world, now, status);
        }
        match self.start.job.complete(world, now) {
            Ok(response) => self.ended(now, Outcome::Response(response)),
            Err(status) => {
                let status = world.inside(status);
                self.fail(world, now, status)
            }
        }
    }
}

/// Everything that only one operation may do at a time in a location (quotas of the documentation).
pub(crate) const ONLY_ONE: [&str; 3] =
    ["training an issue model", "analysing conversations in bulk", "ingesting conversations"];

fn known(doing: &str) -> &'static str {
    ONLY_ONE.into_iter().find(|known| *known == doing).unwrap_or_default()
}

/// An operation as it is written down.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Saved {
    /// Its place in the order of starts.
    #[prost(uint64, tag = "1")]
    pub(crate) serial: u64,
    /// As it is; only its name while it runs.
    #[prost(message, optional, tag = "2")]
    pub(crate) operation: Option<Operation>,
    /// Empty if nothing runs.
    #[prost(string, tag = "3")]
    pub(crate) method: String,
    #[prost(message, repeated, tag = "4")]
    pub(crate) claims: Vec<SavedClaim>,
    #[prost(string, tag = "5")]
    pub(crate) profile: String,
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) job: Vec<u8>,
    #[prost(message, optional, tag = "7")]
    pub(crate) create_time: Option<prost_types::Timestamp>,
    #[prost(uint32, tag = "8")]
    pub(crate) polls: u32,
}

impl Saved {
    /// One that does not run.
    pub(super) fn ended(serial: u64, operation: Operation) -> Self {
        Self { serial, operation: Some(operation), ..Self::default() }
    }

    /// The same with other names, of itself and of what it has a claim to, where `renamed` gives any.
    pub(crate) fn renamed(mut self, renamed: impl Fn(&str) -> Option<String>) -> Self {
        let own = self.operation.iter_mut().map(|operation| &mut operation.name);
        for name in own.chain(self.claims.iter_mut().map(|claim| &mut claim.resource)) {
            if let Some(other) = renamed(name) {
                *name = other;
            }
        }
        self
    }
}

/// A claim as it is written down.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SavedClaim {
    #[prost(string, tag = "1")]
    pub(crate) resource: String,
    #[prost(string, tag = "2")]
    pub(crate) doing: String,
}

fn scripted(failure: &Failure, method: &str) -> Status {
    let message = failure.message.clone();
    let message = message.unwrap_or_else(|| format!("scripted failure of `{method}`"));
    errors::with_reason(failure.code, "SCRIPTED_FAILURE", message, &[("method", method)])
}
