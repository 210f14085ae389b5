//! The `methods` room: what the emulator serves, one function per method, in one table.

mod analyses;
mod conversations;
mod issue_models;
mod operations;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::longrunning::Operation;
use prost::Message;

use crate::contract::{INSIGHTS, OPERATIONS};
use crate::engine::{Engine, Job, Start};
use crate::fault;
use crate::names;
use crate::profile::Profile;
use crate::store::Store;

/// All that changes.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) engine: Engine<Store>,
    pub(crate) store: Store,
}

/// How long-running methods live: one profile for all, and others for some.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profiles {
    pub(crate) all: Profile,
    pub(crate) by_method: BTreeMap<String, Profile>,
}

/// What a method works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) profiles: &'a Profiles,
    pub(crate) now: SystemTime,
}

impl Context<'_> {
    /// Starts an operation of `method` on `target`, in the target's location.
    fn start(
        &mut self,
        method: &'static str,
        target: String,
        job: impl Job<Store> + 'static,
    ) -> Result<Operation, Status> {
        let profile = self.profiles.by_method.get(method).unwrap_or(&self.profiles.all).clone();
        let location = names::location(&target).to_owned();
        let start = Start { location, method, target, profile, job: Box::new(job) };
        self.state.engine.start(&mut self.state.store, start, self.now)
    }
}

/// Serves one method: serialized request in, serialized response out.
type Handler = Box<dyn Fn(&mut Context<'_>, &[u8]) -> Result<Vec<u8>, Status> + Send + Sync>;

/// The handler of the method at `package.Service/Method`, if it is served.
pub(crate) fn handler(path: &str) -> Option<&'static Handler> {
    table().get(path)
}

/// The paths of the methods that are served.
#[cfg(test)]
pub(crate) fn served() -> impl Iterator<Item = &'static str> {
    table().keys().map(String::as_str)
}

fn table() -> &'static BTreeMap<String, Handler> {
    static TABLE: OnceLock<BTreeMap<String, Handler>> = OnceLock::new();
    TABLE.get_or_init(|| {
        [
            serve(OPERATIONS, "GetOperation", operations::get),
            serve(OPERATIONS, "ListOperations", operations::list),
            serve(OPERATIONS, "CancelOperation", operations::cancel),
            serve(INSIGHTS, "CreateConversation", conversations::create),
            serve(INSIGHTS, "UploadConversation", conversations::upload),
            serve(INSIGHTS, "GetConversation", conversations::get),
            serve(INSIGHTS, "ListConversations", conversations::list),
            serve(INSIGHTS, "DeleteConversation", conversations::delete),
            serve(INSIGHTS, "CreateAnalysis", analyses::create),
            serve(INSIGHTS, "GetAnalysis", analyses::get),
            serve(INSIGHTS, "ListAnalyses", analyses::list),
            serve(INSIGHTS, "CreateIssueModel", issue_models::create),
            serve(INSIGHTS, "GetIssueModel", issue_models::get),
            serve(INSIGHTS, "ListIssueModels", issue_models::list),
            serve(INSIGHTS, "DeployIssueModel", issue_models::deploy),
            serve(INSIGHTS, "UndeployIssueModel", issue_models::undeploy),
            serve(INSIGHTS, "DeleteIssueModel", issue_models::delete),
        ]
        .into_iter()
        .collect()
    })
}

fn serve<Q, R>(
    service: &str,
    name: &str,
    method: fn(&mut Context<'_>, Q) -> Result<R, Status>,
) -> (String, Handler)
where
    Q: Message + Default + 'static,
    R: Message + 'static,
{
    let handler = move |context: &mut Context<'_>, request: &[u8]| {
        // The bytes have been through a dynamic message of this type already.
        let request = Q::decode(request).map_err(|error| fault::internal(error.to_string()))?;
        method(context, request).map(|response| response.encode_to_vec())
    };
    (format!("{service}/{name}"), Box::new(handler))
}
