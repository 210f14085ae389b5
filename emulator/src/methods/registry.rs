//! Every method that is served, and every resource's rules: the only file that names them all.

use std::collections::HashMap;
use std::sync::OnceLock;

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;
use prost::{Message, Name};

use super::context::{Context, Handler, Length, View};
use super::standard::{self, ResourceRules};
use super::{
    analyses, analysis_rules, bulk, conversations, encryption, exports, feedback_labels, ingest,
    issue_models, operations, phrase_matchers, scorecards, settings, statistics, training, tuning,
};
use crate::contract::{Contract, INSIGHTS, OPERATIONS, ResourceType};
use crate::engine::Job;
use crate::message::behavior;
use crate::world::World;

/// The rules of a resource beside the standard ones.
fn rules_of(resource: &ResourceType) -> ResourceRules {
    match resource.message.name() {
        "Analysis" => analyses::RULES,
        "AnalysisRule" => analysis_rules::RULES,
        "Conversation" => conversations::RULES,
        "FeedbackLabel" => conversations::LABELS,
        "Issue" => issue_models::ISSUES,
        "PhraseMatcher" => phrase_matchers::RULES,
        "QaQuestion" => scorecards::QUESTIONS,
        "QaScorecard" => scorecards::SCORECARDS,
        "QaScorecardRevision" => scorecards::REVISIONS,
        "Settings" => settings::RULES,
        _ => ResourceRules::PLAIN,
    }
}

/// The methods that are not standard.
fn own() -> Vec<Entry> {
    vec![
        count(OPERATIONS, "GetOperation", Length::OfLastPoll, operations::get, operations::look),
        read(OPERATIONS, "ListOperations", operations::list),
        write(OPERATIONS, "CancelOperation", Length::Short, operations::cancel),
        read(INSIGHTS, "CalculateStats", statistics::calculate),
        read(INSIGHTS, "CalculateIssueModelStats", statistics::calculate_issue_model),
        write(INSIGHTS, "DeployQaScorecardRevision", Length::OfLocation, scorecards::deploy),
        write(INSIGHTS, "UndeployQaScorecardRevision", Length::OfLocation, scorecards::undeploy),
        long_running::<conversations::Upload, _>("UploadConversation", conversations::upload),
        long_running::<analyses::Analyze, _>("CreateAnalysis", analyses::create),
        long_running::<bulk::Analyze, _>("BulkAnalyzeConversations", bulk::analyze),
        long_running::<bulk::Delete, _>("BulkDeleteConversations", bulk::delete),
        long_running::<ingest::Ingest, _>("IngestConversations", ingest::ingest),
        long_running::<statistics::Metrics, _>("QueryMetrics", statistics::query),
        long_running::<exports::Export, _>("ExportInsightsData", exports::export),
        long_running::<tuning::Tune, _>("TuneQaScorecardRevision", tuning::tune),
        long_running::<training::Train, _>("CreateIssueModel", training::create),
        long_running::<training::Export, _>("ExportIssueModel", training::export),
        long_running::<training::Import, _>("ImportIssueModel", training::import),
        long_running::<feedback_labels::Upload, _>("BulkUploadFeedbackLabels", feedback_labels::upload),
        long_running::<feedback_labels::Download, _>("BulkDownloadFeedbackLabels", feedback_labels::download),
        long_running::<issue_models::Change, _>("DeployIssueModel", issue_models::deploy),
        long_running::<issue_models::Change, _>("UndeployIssueModel", issue_models::undeploy),
        long_running::<issue_models::Change, _>("DeleteIssueModel", issue_models::delete),
        long_running::<encryption::Initialize, _>("InitializeEncryptionSpec", encryption::initialize),
    ]
}

/// Reads a job from the bytes that it was written down as.
type ReadJob = fn(&[u8]) -> Option<Box<dyn Job<World>>>;

/// One method.
struct Entry {
    path: String,
    handler: Handler,
    /// Of a long-running one: its name, and its job.
    job: Option<(&'static str, ReadJob)>,
}

/// The methods by path, and the jobs of the long-running ones by name.
#[derive(Default)]
struct Registry {
    handlers: HashMap<String, Handler>,
    jobs: HashMap<&'static str, ReadJob>,
}

impl Registry {
    fn get() -> &'static Self {
        static REGISTRY: OnceLock<Registry> = OnceLock::new();
        REGISTRY.get_or_init(|| {
            let contract = Contract::get();
            let standard = contract.methods().filter_map(|method| {
                let resource = contract.resources().get(method.standard?.1)?;
                let handler = standard::handler(method, resource, rules_of(resource))?;
                Some(Entry { path: method.path.clone(), handler, job: None })
            });
            let mut registry = Self::default();
            for Entry { path, handler, job } in standard.chain(own()) {
                registry.handlers.insert(path, handler);
                registry.jobs.extend(job);
            }
            registry
        })
    }
}

/// The handler of the method at `package.Service/Method`, if it is served.
pub(crate) fn handler(path: &str) -> Option<&'static Handler> {
    Registry::get().handlers.get(path)
}

/// The job of a long-running method, out of the bytes that it was written down as; with the method's name.
pub(crate) fn job(method: &str, bytes: &[u8]) -> Option<(&'static str, Box<dyn Job<World>>)> {
    let (name, read) = Registry::get().jobs.get_key_value(method)?;
    Some((name, read(bytes)?))
}

/// The paths of the methods that are served.
#[cfg(test)]
pub(crate) fn served() -> impl Iterator<Item = &'static str> {
    Contract::get().methods().map(|method| method.path.as_str()).filter(|path| handler(path).is_some())
}

fn read<Q, R>(service: &str, name: &str, method: fn(&View, Q) -> Result<R, Status>) -> Entry
where
    Q: Message + Name + Default + 'static,
    R: Message + 'static,
{
    let handler = move |view: &View, request: &[u8]| method(view, typed(request)?).map(|r| r.encode_to_vec());
    Entry { path: format!("{service}/{name}"), handler: Handler::Read(Box::new(handler)), job: None }
}

/// What a method does that changes something.
type Change<Q, R> = fn(&mut Context<'_>, Q) -> Result<R, Status>;

fn write<Q, R>(service: &str, name: &str, length: Length, method: Change<Q, R>) -> Entry
where
    Q: Message + Name + Default + 'static,
    R: Message + 'static,
{
    let handler = move |context: &mut Context<'_>, request: &[u8]| {
        method(context, typed(request)?).map(|response| response.encode_to_vec())
    };
    Entry { path: format!("{service}/{name}"), handler: Handler::Write(Box::new(handler), length), job: None }
}

/// A read that counts, and how it is answered where that cannot be.
fn count<Q, R>(
    service: &str,
    name: &str,
    length: Length,
    method: Change<Q, R>,
    uncounted: Change<Q, R>,
) -> Entry
where
    Q: Message + Name + Default + 'static,
    R: Message + 'static,
{
    let handler = move |method: Change<Q, R>| {
        move |context: &mut Context<'_>, request: &[u8]| {
            method(context, typed(request)?).map(|response| response.encode_to_vec())
        }
    };
    let handler = Handler::Count {
        counted: Box::new(handler(method)),
        uncounted: Box::new(handler(uncounted)),
        length,
    };
    Entry { path: format!("{service}/{name}"), handler, job: None }
}

/// A method that starts operations, each of which does `J`: one entry for the call, and for the job after a restart.
fn long_running<J, Q>(
    name: &'static str,
    method: fn(&mut Context<'_>, Q) -> Result<Operation, Status>,
) -> Entry
where
    J: Job<World> + Message + Default + 'static,
    Q: Message + Name + Default + 'static,
{
    let read: ReadJob = |bytes| J::decode(bytes).ok().map(|job| Box::new(job) as Box<dyn Job<World>>);
    Entry { job: Some((name, read)), ..write(INSIGHTS, name, Length::OfLocation, method) }
}

fn typed<Q: Message + Name + Default>(request: &[u8]) -> Result<Q, Status> {
    Q::decode(request).map_err(|error| behavior::malformed(&Q::full_name(), &error))
}
