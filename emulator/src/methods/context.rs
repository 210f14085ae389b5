//! What a method is given: the state to change, or a snapshot to read; and how one is served.

use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;
use imbl::OrdMap;

use crate::engine::{Claim, FollowUps as _, Job, Operations};
use crate::lists::OperationLists;
use crate::names;
use crate::state::State;
use crate::store::{Resources, Store};
use crate::work::Work;
use crate::world::World;

/// What a request over REST says in fields that gRPC lacks, and that matters here all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RestOnly {
    /// `exportSchemaVersion` of `ExportInsightsDataRequest`; empty if it is not sent.
    pub(crate) export_schema_version: String,
}

/// What a method works with that changes something.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) now: SystemTime,
    pub(crate) rest_only: &'a RestOnly,
}

impl Context<'_> {
    pub(super) fn store(&mut self) -> &mut Store {
        &mut self.state.world.store
    }

    /// Starts an operation of `method` in the location of `resource`.
    pub(super) fn start(
        &mut self,
        method: &'static str,
        resource: &str,
        claims: Vec<Claim>,
        job: impl Job<World> + 'static,
    ) -> Result<Operation, Status> {
        // Before a name is spent on it.
        claims.iter().try_for_each(|claim| self.state.engine.check_idle(claim))?;
        let start = self.state.world.plan(method, resource, claims, job);
        self.state.engine.start(&mut self.state.world, start, self.now)
    }
}

/// What a method works with that only reads: everything as it was when the call came.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) resources: Resources,
    pub(crate) operations: OrdMap<Arc<str>, Operations<World>>,
    pub(crate) lists: OperationLists,
    /// The time of what it shows.
    pub(crate) now: SystemTime,
    /// How much it may look at.
    pub(crate) work: Work,
}

impl View {
    pub(crate) fn of(state: &State, now: SystemTime, work: Work) -> Self {
        let (resources, lists) = (state.world.store.snapshot(), state.world.settings.lists);
        let shown = lists.shown(now);
        let operations = shown.map(|_| state.engine.snapshot()).unwrap_or_default();
        Self { resources, operations, lists, now: shown.unwrap_or(now), work }
    }
}

pub(super) type Answer = Result<Vec<u8>, Status>;
type Read = dyn Fn(&View, &[u8]) -> Answer + Send + Sync;
type Write = dyn Fn(&mut Context<'_>, &[u8]) -> Answer + Send + Sync;

/// Serves one method: serialized request in, serialized response out.
pub(crate) enum Handler {
    Read(Box<Read>),
    /// What takes long may be done more than once, and counts once.
    Write(Box<Write>, Length),
    /// A read that counts how often it is made; where that cannot be written down, it is answered uncounted.
    Count {
        counted: Box<Write>,
        uncounted: Box<Write>,
        length: Length,
    },
}

/// When a write may take so long that nobody should have to wait for it. One with a large request always may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// Never.
    Short,
    /// If there are files that it could read.
    OfFiles,
    /// If the location is large, or there are files.
    OfLocation,
    /// The same, of the poll that ends an operation.
    OfLastPoll,
}

impl Length {
    /// Whether a write of this length that addresses `name` may take long.
    pub(crate) fn is_long(self, state: &State, name: &str) -> bool {
        match self {
            Self::Short => false,
            Self::OfFiles => state.world.settings.gcs_root.is_some(),
            Self::OfLocation => state.world.is_long(names::location(name)),
            Self::OfLastPoll => state.world.is_long(names::location(name)) && state.engine.is_last_poll(name),
        }
    }
}
