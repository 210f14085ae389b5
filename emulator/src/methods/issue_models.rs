//! Issue models: train, deploy, undeploy, delete.

use std::time::SystemTime;

use contact_center_insights::proto::insights::issue_model::State;
use contact_center_insights::proto::insights::issue_model_label_stats::IssueStats;
use contact_center_insights::proto::insights::{
    Conversation, CreateIssueModelMetadata, CreateIssueModelRequest, DeleteIssueModelMetadata,
    DeleteIssueModelRequest, DeployIssueModelMetadata, DeployIssueModelRequest, DeployIssueModelResponse,
    Issue, IssueModel, IssueModelLabelStats, UndeployIssueModelMetadata, UndeployIssueModelRequest,
    UndeployIssueModelResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::Context;
use super::standard::Family;
use crate::engine::{Claim, Job, Moment, ONLY_ONE};
use crate::fault;
use crate::names::{self, LOCATION};
use crate::store;
use crate::world::World;

/// What training finds. A stand-in, and the same every time: nothing is trained.
const TOPICS: [&str; 3] = ["Billing", "Delivery", "Account access"];

/// How many models a location may have, and how many of them deployed (quotas of the documentation).
const MAX_MODELS: usize = 10;
const MAX_DEPLOYED: usize = 5;

/// An issue that is deleted no longer counts.
pub(super) const ISSUES: Family = Family {
    delete: |context, name| {
        let now = context.now;
        let change = |model: &mut IssueModel| {
            model.issue_count = model.issue_count.saturating_sub(1);
            model.update_time = Some(now.into());
        };
        context.store().update(names::above(name), change).map(drop)
    },
    ..Family::PLAIN
};

pub(super) fn create(
    context: &mut Context<'_>,
    request: CreateIssueModelRequest,
) -> Result<Operation, Status> {
    LOCATION.check("parent", &request.parent)?;
    let name = format!("{}/issueModels/{}", request.parent, context.store().new_id());
    let model = IssueModel { name: name.clone(), ..request.issue_model.clone().unwrap_or_default() };
    let claims = vec![Claim::on(&name), Claim::only_one(ONLY_ONE[0], &request.parent)];
    let job = Train { model: Some(model), request: Some(request), conversations: 0 };
    context.start("CreateIssueModel", &name, claims, job)
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
    names::check(store::of::<IssueModel>()?, "name", &name)?;
    let (location, claims) = (names::location(&name).to_owned(), vec![Claim::on(&name)]);
    context.start(method, &location, claims, Change { kind: kind as i32, name, before: 0 })
}

/// The model is there from the start on, as AIP-151 asks. None of its states is one of training: until training has
/// ended, it has none.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Train {
    #[prost(message, optional, tag = "1")]
    model: Option<IssueModel>,
    #[prost(message, optional, tag = "2")]
    request: Option<CreateIssueModelRequest>,
    #[prost(uint64, tag = "3")]
    conversations: u64,
}

impl Train {
    fn name(&self) -> &str {
        self.model.as_ref().map_or("", |model| model.name.as_str())
    }

    fn count(&self) -> usize {
        usize::try_from(self.conversations).unwrap_or(usize::MAX)
    }
}

impl Job<World> for Train {
    fn begin(&mut self, world: &mut World, now: SystemTime) -> Result<(), Status> {
        let location = names::location(self.name());
        let models = world.store.count(store::of::<IssueModel>()?, location);
        check_quota("issue models", location, models, MAX_MODELS)?;
        self.conversations = world.store.count(store::of::<Conversation>()?, location) as u64;
        let model = self.model.get_or_insert_default();
        model.create_time = Some(now.into());
        model.update_time = Some(now.into());
        world.store.insert(model)
    }

    /// The count of conversations in the echoed request grows from zero to all of the location's.
    fn metadata(&self, moment: &Moment) -> Any {
        let mut request = self.request.clone().unwrap_or_default();
        let config = request.issue_model.get_or_insert_default().input_data_config.get_or_insert_default();
        config.training_conversations_count = count(moment.share(self.count()));
        any::pack(&CreateIssueModelMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: Some(request),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let ids: Vec<u64> = TOPICS.iter().take(self.count()).map(|_| world.store.new_id()).collect();
        for (id, display_name) in ids.iter().zip(TOPICS) {
            world.store.insert(&Issue {
                name: format!("{}/issues/{id}", self.name()),
                display_name: display_name.to_owned(),
                create_time: Some(now.into()),
                update_time: Some(now.into()),
                ..Issue::default()
            })?;
        }
        let conversations = self.count();
        let model = world.store.update(self.name(), |model: &mut IssueModel| {
            let config = model.input_data_config.get_or_insert_default();
            config.training_conversations_count = count(conversations);
            model.training_stats = Some(training_stats(&model.name, &ids, conversations));
            model.issue_count = count(ids.len());
            model.state = State::Undeployed as i32;
            model.update_time = Some(now.into());
        })?;
        Ok(any::pack(&model))
    }

    fn undo(&mut self, world: &mut World, _now: SystemTime) {
        // Gone already if it was deleted in the store; there is nothing else to take back.
        let _ = store::of::<IssueModel>().and_then(|models| world.store.remove(models, self.name()));
    }
}

/// `RESOURCE_EXHAUSTED` if a location has as many as it may have.
fn check_quota(what: &str, location: &str, has: usize, most: usize) -> Result<(), Status> {
    if has < most {
        return Ok(());
    }
    let message = format!("`{location}` has {has} {what}, and may have no more than {most}");
    Err(fault::quota("TOO_MANY_RESOURCES", message, location, what))
}

/// Deals the conversations out over the issues like cards.
fn training_stats(model: &str, ids: &[u64], conversations: usize) -> IssueModelLabelStats {
    let issues = ids.iter().zip(TOPICS).enumerate();
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Kind {
    Deploy = 0,
    Undeploy = 1,
    Delete = 2,
}

/// Moves a model that is there from one state to another, or away.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Change {
    #[prost(enumeration = "Kind", tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(int32, tag = "3")]
    before: i32,
}

impl Change {
    fn move_to(&self, world: &mut World, state: i32, now: SystemTime) -> Result<(), Status> {
        let change = |model: &mut IssueModel| {
            model.state = state;
            model.update_time = Some(now.into());
        };
        world.store.update(&self.name, change).map(drop)
    }

    /// Whether a model in this state may be changed so. That an undeployed model is needed to deploy, and a deployed
    /// one to undeploy, is the emulator's reading; one that says nothing of its state is taken for undeployed.
    fn allows(&self, state: State) -> bool {
        match self.kind() {
            Kind::Deploy => matches!(state, State::Unspecified | State::Undeployed),
            Kind::Undeploy => state == State::Deployed,
            Kind::Delete => true,
        }
    }
}

impl Job<World> for Change {
    fn begin(&mut self, world: &mut World, now: SystemTime) -> Result<(), Status> {
        let model: IssueModel = world.store.get(&self.name)?;
        let state = model.state();
        if !self.allows(state) {
            let (reason, verb) = match self.kind() {
                Kind::Deploy => ("MODEL_NOT_UNDEPLOYED", "deployed"),
                Kind::Undeploy | Kind::Delete => ("MODEL_NOT_DEPLOYED", "undeployed"),
            };
            let message =
                format!("issue model `{}` cannot be {verb}: its state is {}", self.name, state.as_str_name());
            return Err(fault::precondition(reason, message, &self.name));
        }
        if self.kind() == Kind::Deploy {
            let location = names::location(&self.name);
            let models = world.store.all::<IssueModel>(location)?;
            let is_deployed =
                |model: &IssueModel| matches!(model.state(), State::Deploying | State::Deployed);
            let deployed = models.iter().filter(|(_, model)| is_deployed(model)).count();
            check_quota("deployed issue models", location, deployed, MAX_DEPLOYED)?;
        }
        self.before = model.state;
        let during = match self.kind() {
            Kind::Deploy => State::Deploying,
            Kind::Undeploy => State::Undeploying,
            Kind::Delete => State::Deleting,
        };
        self.move_to(world, during as i32, now)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        let (create_time, end_time) = (Some(moment.created()), moment.ended());
        let name = self.name.clone();
        match self.kind() {
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

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let (state, response) = match self.kind() {
            Kind::Deploy => (State::Deployed, any::pack(&DeployIssueModelResponse {})),
            Kind::Undeploy => (State::Undeployed, any::pack(&UndeployIssueModelResponse {})),
            Kind::Delete => {
                world.store.remove(store::of::<IssueModel>()?, &self.name)?;
                return Ok(any::pack(&()));
            }
        };
        self.move_to(world, state as i32, now)?;
        Ok(response)
    }

    fn undo(&mut self, world: &mut World, now: SystemTime) {
        // Nothing to take back of a model that is gone.
        let _ = self.move_to(world, self.before, now);
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
