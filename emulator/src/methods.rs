//! The `methods` room: what the emulator serves, in one table.
//!
//! The standard methods of every resource are served by `standard`, from the descriptors. To add what a resource has
//! of its own, write its [`standard::Family`] in its file: what happens on create, update and delete. To add a method
//! that is not standard:
//! 1. Find the file of its resource, or make one; it holds nothing but that resource.
//! 2. A read is `fn(&View, Request) -> Result<Response, Status>`: it has a snapshot, and holds no lock.
//! 3. All else is `fn(&mut Context, Request) -> Result<Response, Status>`: it has the state and `now`.
//! 4. The request has been screened: what is required is there, what is output only is not.
//! 5. Check names with `names::check`, so that a wrong one is told the right form.
//! 6. A long-running method makes a job, a message that implements `Job<World>`, and calls `Context::start`, with a
//!    `Claim` on what no second operation may touch. What prevents the start is checked in `begin`.
//! 7. Enter the method into `table`, and its job into `job`, by which a restart finds it again.
//! 8. Its content belongs to the room `work`: pure functions, tested without a server.
//! 9. Errors come from `fault`; what is a guess goes into the table of guesses in the README.
//! 10. Test the rule by its name in `tests/rules`, and write the deliberate break into `MUTATIONS.md`.

mod analyses;
mod annotate;
mod bulk;
mod conversations;
mod encryption;
mod exports;
mod ingest;
mod issue_models;
mod labels;
mod matchers;
mod operations;
mod rules;
mod scorecards;
mod settings;
mod standard;
mod statistics;
mod training;
mod tuning;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;
use imbl::OrdMap;
use prost::{Message, Name};
use std::sync::Arc;

use crate::contract::{Contract, INSIGHTS, OPERATIONS};
use crate::engine::{Claim, Engine, Job, Operations};
use crate::message::behavior;
use crate::store::{Resources, Store};
use crate::world::World;

/// All that changes.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) engine: Engine<World>,
    pub(crate) world: World,
}

impl State {
    /// Ends what is due, and takes out what has expired.
    pub(crate) fn advance(&mut self, now: SystemTime) {
        self.engine.advance(&mut self.world, now);
        self.world.store.expire(now);
    }

    /// Takes out all that a project has, or all there is; what is given back is to be dropped, which takes longer.
    pub(crate) fn clear(&mut self, project: Option<&str>) -> impl Send + use<> {
        (self.engine.clear(project), self.world.store.clear(project))
    }

    /// Places an operation as it is.
    pub(crate) fn place(&mut self, operation: Operation) {
        self.world.store.reserve(&operation.name);
        self.engine.place(operation);
    }
}

/// What a method works with that changes something.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) now: SystemTime,
}

impl Context<'_> {
    fn store(&mut self) -> &mut Store {
        &mut self.state.world.store
    }

    /// Starts an operation of `method` in the location of `resource`.
    fn start(
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
    pub(crate) now: SystemTime,
}

impl View {
    pub(crate) fn of(state: &State, now: SystemTime) -> Self {
        let operations = state.engine.snapshot();
        Self { resources: state.world.store.snapshot(), operations, now }
    }
}

type Answer = Result<Vec<u8>, Status>;
type Read = dyn Fn(&View, &[u8]) -> Answer + Send + Sync;
type Write = dyn Fn(&mut Context<'_>, &[u8]) -> Answer + Send + Sync;

/// Serves one method: serialized request in, serialized response out.
pub(crate) enum Handler {
    Read(Box<Read>),
    Write(Box<Write>),
}

/// The handler of the method at `package.Service/Method`, if it is served.
pub(crate) fn handler(path: &str) -> Option<&'static Handler> {
    table().get(path)
}

/// The paths of the methods that are served.
#[cfg(test)]
pub(crate) fn served() -> impl Iterator<Item = &'static str> {
    let contract = Contract::get();
    contract.methods().map(|method| method.path.as_str()).filter(|path| table().contains_key(*path))
}

/// The job of a long-running method, out of the bytes that it was written down as.
pub(crate) fn job(method: &str, bytes: &[u8]) -> Option<(&'static str, Box<dyn Job<World>>)> {
    fn of<J: Job<World> + Message + Default + 'static>(bytes: &[u8]) -> Option<Box<dyn Job<World>>> {
        J::decode(bytes).ok().map(|job| Box::new(job) as Box<dyn Job<World>>)
    }
    let (method, job) = match method {
        "UploadConversation" => ("UploadConversation", of::<conversations::Upload>(bytes)),
        "CreateAnalysis" => ("CreateAnalysis", of::<analyses::Analyze>(bytes)),
        "BulkAnalyzeConversations" => ("BulkAnalyzeConversations", of::<bulk::Analyze>(bytes)),
        "BulkDeleteConversations" => ("BulkDeleteConversations", of::<bulk::Delete>(bytes)),
        "BulkUploadFeedbackLabels" => ("BulkUploadFeedbackLabels", of::<labels::Upload>(bytes)),
        "BulkDownloadFeedbackLabels" => ("BulkDownloadFeedbackLabels", of::<labels::Download>(bytes)),
        "ExportIssueModel" => ("ExportIssueModel", of::<training::Export>(bytes)),
        "ImportIssueModel" => ("ImportIssueModel", of::<training::Import>(bytes)),
        "ExportInsightsData" => ("ExportInsightsData", of::<exports::Export>(bytes)),
        "TuneQaScorecardRevision" => ("TuneQaScorecardRevision", of::<tuning::Tune>(bytes)),
        "QueryMetrics" => ("QueryMetrics", of::<statistics::Metrics>(bytes)),
        "IngestConversations" => ("IngestConversations", of::<ingest::Ingest>(bytes)),
        "CreateIssueModel" => ("CreateIssueModel", of::<training::Train>(bytes)),
        "DeployIssueModel" => ("DeployIssueModel", of::<issue_models::Change>(bytes)),
        "UndeployIssueModel" => ("UndeployIssueModel", of::<issue_models::Change>(bytes)),
        "DeleteIssueModel" => ("DeleteIssueModel", of::<issue_models::Change>(bytes)),
        "InitializeEncryptionSpec" => ("InitializeEncryptionSpec", of::<encryption::Initialize>(bytes)),
        _ => return None,
    };
    Some((method, job?))
}

fn table() -> &'static HashMap<String, Handler> {
    static TABLE: OnceLock<HashMap<String, Handler>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let standard = Contract::get().methods().filter_map(standard::handler);
        let own = [
            write(OPERATIONS, "GetOperation", operations::get),
            read(OPERATIONS, "ListOperations", operations::list),
            write(OPERATIONS, "CancelOperation", operations::cancel),
            write(INSIGHTS, "UploadConversation", conversations::upload),
            write(INSIGHTS, "CreateAnalysis", analyses::create),
            write(INSIGHTS, "BulkAnalyzeConversations", bulk::analyze),
            write(INSIGHTS, "BulkDeleteConversations", bulk::delete),
            write(INSIGHTS, "IngestConversations", ingest::ingest),
            read(INSIGHTS, "CalculateStats", statistics::calculate),
            read(INSIGHTS, "CalculateIssueModelStats", statistics::calculate_issue_model),
            write(INSIGHTS, "QueryMetrics", statistics::query),
            write(INSIGHTS, "ExportInsightsData", exports::export),
            write(INSIGHTS, "TuneQaScorecardRevision", tuning::tune),
            write(INSIGHTS, "ExportIssueModel", training::export),
            write(INSIGHTS, "ImportIssueModel", training::import),
            write(INSIGHTS, "BulkUploadFeedbackLabels", labels::upload),
            write(INSIGHTS, "BulkDownloadFeedbackLabels", labels::download),
            write(INSIGHTS, "CreateIssueModel", training::create),
            write(INSIGHTS, "DeployIssueModel", issue_models::deploy),
            write(INSIGHTS, "UndeployIssueModel", issue_models::undeploy),
            write(INSIGHTS, "DeleteIssueModel", issue_models::delete),
            write(INSIGHTS, "InitializeEncryptionSpec", encryption::initialize),
            write(INSIGHTS, "DeployQaScorecardRevision", scorecards::deploy),
            write(INSIGHTS, "UndeployQaScorecardRevision", scorecards::undeploy),
        ];
        standard.chain(own).collect()
    })
}

fn read<Q, R>(service: &str, name: &str, method: fn(&View, Q) -> Result<R, Status>) -> (String, Handler)
where
    Q: Message + Name + Default + 'static,
    R: Message + 'static,
{
    let handler = move |view: &View, request: &[u8]| method(view, typed(request)?).map(|r| r.encode_to_vec());
    (format!("{service}/{name}"), Handler::Read(Box::new(handler)))
}

fn write<Q, R>(
    service: &str,
    name: &str,
    method: fn(&mut Context<'_>, Q) -> Result<R, Status>,
) -> (String, Handler)
where
    Q: Message + Name + Default + 'static,
    R: Message + 'static,
{
    let handler = move |context: &mut Context<'_>, request: &[u8]| {
        method(context, typed(request)?).map(|response| response.encode_to_vec())
    };
    (format!("{service}/{name}"), Handler::Write(Box::new(handler)))
}

fn typed<Q: Message + Name + Default>(request: &[u8]) -> Result<Q, Status> {
    Q::decode(request).map_err(|error| behavior::malformed(&Q::full_name(), &error))
}
