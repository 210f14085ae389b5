//! What a method is given: the state to change, or a snapshot to read; and how one is served.

use std::sync::Arc;
use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;
use imbl::OrdMap;

use crate::engine::{Claim, Job, Operations};
use crate::lists::OperationLists;
use crate::state::State;
use crate::store::{Resources, Store};
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
}

impl View {
    pub(crate) fn of(state: &State, now: SystemTime) -> Self {
        let (resources, lists) = (state.world.store.snapshot(), state.world.settings.lists);
        let view = |operations, now| Self { resources, operations, lists, now };
        if lists.is_late() {
            let (operations, then) = state.history.shown(lists, now).unwrap_or_else(|| (OrdMap::new(), now));
            return view(operations, then);
        }
        view(state.engine.snapshot(), now)
    }
}

pub(super) type Answer = Result<Vec<u8>, Status>;
type Read = dyn Fn(&View, &[u8]) -> Answer + Send + Sync;
type Write = dyn Fn(&mut Context<'_>, &[u8]) -> Answer + Send + Sync;

/// Serves one method: serialized request in, serialized response out.
pub(crate) enum Handler {
    Read(Box<Read>),
    Write(Box<Write>),
    /// A read that counts how often it is made; where that cannot be written down, it is answered uncounted.
    Count {
        counted: Box<Write>,
        uncounted: Box<Write>,
    },
}
