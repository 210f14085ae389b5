//! Issue models: train, get, list, deploy, undeploy, delete.

use std::time::SystemTime;

use contact_center_insights::proto::insights::issue_model::State;
use contact_center_insights::proto::insights::issue_model_label_stats::IssueStats;
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, DeleteIssueModelMetadata, DeleteIssueModelRequest,
    DeployIssueModelMetadata, DeployIssueModelRequest, DeployIssueModelResponse, GetIssueModelRequest,
    IssueModel, IssueModelLabelStats, ListIssueModelsRequest, ListIssueModelsResponse,
    UndeployIssueModelMetadata, UndeployIssueModelRequest, UndeployIssueModelResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost_types::Any;

use super::Context;
use crate::engine::{Job, Moment};
use crate::fault;
use crate::names::LOCATION;
use crate::store::{Resource, Store};

/// What training finds. A stand-in, and the same every time: nothing is trained.
const ISSUES: [&str; 3] = ["Billing", "Delivery", "Account access"];

pub(super) fn create(
    context: &mut Context<'_>,
    request: CreateIssueModelRequest,
) -> Result<Operation, Status> {
    LOCATION.check("parent", &request.parent)?;
    let name = format!("{}/issueModels/{}", request.parent, context.state.store.new_id());
    let model = IssueModel { name: name.clone(), ..request.issue_model.clone().unwrap_or_default() };
    context.start("CreateIssueModel", name, Train { model, request, conversations: 0 })
}

pub(super) fn get(context: &mut Context<'_>, request: GetIssueModelRequest) -> Result<IssueModel, Status> {
    let name = request.name;
    IssueModel::PATTERN.check("name", &name)?;
    context.state.store.issue_models.get(&name).cloned()
}

pub(super) fn list(
    context: &mut Context<'_>,
    request: ListIssueModelsRequest,
) -> Result<ListIssueModelsResponse, Status> {
    let parent = request.parent;
    LOCATION.check("parent", &parent)?;
    let mut models: Vec<_> = context.state.store.issue_models.children(&parent).collect();
    models.sort_by_key(|(serial, _)| *serial);
    Ok(ListIssueModelsResponse { issue_models: models.into_iter().map(|(_, model)| model.clone()).collect() })
}

pub(super) fn deploy(
    context: &mut Context<'_>,
    request: DeployIssueModelRequest,
) -> Result<Operation, Status> {
    change(context, "DeployIssueModel", request.name, Kind::Deploy)
}

pub(super) fn undeploy(
    context: &mut Context<'_>,
    request: UndeployIssueModelRequest,
) -> Result<Operation, Status> {
    change(context, "UndeployIssueModel", request.name, Kind::Undeploy)
}

pub(super) fn delete(
    context: &mut Context<'_>,
    request: DeleteIssueModelRequest,
) -> Result<Operation, Status> {
    change(context, "DeleteIssueModel", request.name, Kind::Delete)
}

fn change(
    context: &mut Context<'_>,
    method: &'static str,
    name: String,
    kind: Kind,
) -> Result<Operation, Status> {
    IssueModel::PATTERN.check("name", &name)?;
    context.start(method, name.clone(), Change { kind, name, before: 0 })
}

/// The model is there from the start on, as AIP-151 asks. None of its states is one of training: until training has
/// ended, it has none.
#[derive(Debug)]
struct Train {
    model: IssueModel,
    request: CreateIssueModelRequest,
    conversations: usize,
}

impl Job<Store> for Train {
    fn begin(&mut self, store: &mut Store, now: SystemTime) -> Result<(), Status> {
        self.conversations =
            store.conversations.children(&format!("{}/conversations", self.request.parent)).count();
        self.model.create_time = Some(now.into());
        self.model.update_time = Some(now.into());
        store.issue_models.insert(self.model.clone())
    }

    /// The count of conversations in the echoed request grows from zero to all of the location's.
    fn metadata(&self, moment: &Moment) -> Any {
        let mut request = self.request.clone();
        let config = request.issue_model.get_or_insert_default().input_data_config.get_or_insert_default();
        config.training_conversations_count = count(moment.share(self.conversations));
        any::pack(&CreateIssueModelMetadata {
            create_time: Some(moment.create_time.into()),
            end_time: moment.end_time.map(Into::into),
            request: Some(request),
        })
    }

    fn complete(&mut self, store: &mut Store, now: SystemTime) -> Result<Any, Status> {
        let ids: Vec<u64> = ISSUES.iter().take(self.conversations).map(|_| store.new_id()).collect();
        let model = store.issue_models.get_mut(&self.model.name)?;
        let config = model.input_data_config.get_or_insert_default();
        config.training_conversations_count = count(self.conversations);
        model.training_stats = Some(training_stats(&model.name, &ids, self.conversations));
        model.issue_count = count(ids.len());
        model.state = State::Undeployed as i32;
        model.update_time = Some(now.into());
        Ok(any::pack(model))
    }

    fn undo(&mut self, store: &mut Store, _now: SystemTime) {
        // Gone already if it was deleted in the store; there is nothing else to take back.
        let _ = store.issue_models.remove(&self.model.name);
    }
}

/// Deals the conversations out over the issues like cards.
fn training_stats(model: &str, ids: &[u64], conversations: usize) -> IssueModelLabelStats {
    let issues = ids.iter().zip(ISSUES).enumerate();
    let issue_stats = issues.map(|(place, (id, display_name))| {
        let issue = format!("{model}/issues/{id}");
        let labeled = conversations / ids.len() + usize::from(place < conversations % ids.len());
        let stats = IssueStats {
            issue: issue.clone(),
            labeled_conversations_count: count(labeled),
            display_name: display_name.to_owned(),
        };
        (issue, stats)
    });
    IssueModelLabelStats {
        analyzed_conversations_count: count(conversations),
        unclassified_conversations_count: 0,
        issue_stats: issue_stats.collect(),
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Deploy,
    Undeploy,
    Delete,
}

/// Moves a model that is there from one state to another, or away.
#[derive(Debug)]
struct Change {
    kind: Kind,
    name: String,
    before: i32,
}

impl Change {
    /// Whether a model in this state may be changed so. That an undeployed model is needed to deploy, and a deployed
    /// one to undeploy, is the emulator's reading; one that says nothing of its state is taken for undeployed.
    fn allows(&self, state: State) -> bool {
        match self.kind {
            Kind::Deploy => matches!(state, State::Unspecified | State::Undeployed),
            Kind::Undeploy => state == State::Deployed,
            Kind::Delete => true,
        }
    }
}

impl Job<Store> for Change {
    fn begin(&mut self, store: &mut Store, now: SystemTime) -> Result<(), Status> {
        let model = store.issue_models.get_mut(&self.name)?;
        let state = model.state();
        if !self.allows(state) {
            let (reason, verb) = match self.kind {
                Kind::Deploy => ("MODEL_NOT_UNDEPLOYED", "deployed"),
                Kind::Undeploy | Kind::Delete => ("MODEL_NOT_DEPLOYED", "undeployed"),
            };
            let message =
                format!("issue model `{}` cannot be {verb}: its state is {}", self.name, state.as_str_name());
            return Err(fault::precondition(reason, message, &self.name));
        }
        self.before = model.state;
        let during = match self.kind {
            Kind::Deploy => State::Deploying,
            Kind::Undeploy => State::Undeploying,
            Kind::Delete => State::Deleting,
        };
        model.state = during as i32;
        model.update_time = Some(now.into());
        Ok(())
    }

    fn metadata(&self, moment: &Moment) -> Any {
        let create_time = Some(moment.create_time.into());
        let end_time = moment.end_time.map(Into::into);
        let name = self.name.clone();
        match self.kind {
            Kind::Deploy => {
                let request = Some(DeployIssueModelRequest { name });
                any::pack(&DeployIssueModelMetadata { create_time, end_time, request })
            }
            Kind::Undeploy => {
                let request = Some(UndeployIssueModelRequest { name });
                any::pack(&UndeployIssueModelMetadata { create_time, end_time, request })
            }
            Kind::Delete => {
                let request = Some(DeleteIssueModelRequest { name });
                any::pack(&DeleteIssueModelMetadata { create_time, end_time, request })
            }
        }
    }

    fn complete(&mut self, store: &mut Store, now: SystemTime) -> Result<Any, Status> {
        let (state, response) = match self.kind {
            Kind::Deploy => (State::Deployed, any::pack(&DeployIssueModelResponse {})),
            Kind::Undeploy => (State::Undeployed, any::pack(&UndeployIssueModelResponse {})),
            Kind::Delete => return store.issue_models.remove(&self.name).map(|_| any::pack(&())),
        };
        let model = store.issue_models.get_mut(&self.name)?;
        model.state = state as i32;
        model.update_time = Some(now.into());
        Ok(response)
    }

    fn undo(&mut self, store: &mut Store, now: SystemTime) {
        if let Ok(model) = store.issue_models.get_mut(&self.name) {
            model.state = self.before;
            model.update_time = Some(now.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_accounts_for_every_conversation() {
        for conversations in 0..8 {
            let ids: Vec<u64> = (1..=3).take(conversations).collect();
            let stats = training_stats("m", &ids, conversations);
            let labeled: i64 =
                stats.issue_stats.values().map(|stats| stats.labeled_conversations_count).sum();
            assert_eq!(labeled, stats.analyzed_conversations_count);
            assert_eq!(stats.issue_stats.len(), conversations.min(3));
            assert!(stats.issue_stats.iter().all(|(key, stats)| *key == stats.issue));
        }
    }
}
