//! Issue models: deploy, undeploy, delete.

use std::time::SystemTime;

use contact_center_insights::proto::insights::issue_model::State;
use contact_center_insights::proto::insights::{
    DeleteIssueModelMetadata, DeleteIssueModelRequest, DeployIssueModelMetadata, DeployIssueModelRequest,
    DeployIssueModelResponse, IssueModel, UndeployIssueModelMetadata, UndeployIssueModelRequest,
    UndeployIssueModelResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::context::Context;
use super::standard::ResourceRules;
use crate::engine::{Claim, Job, Moment};
use crate::errors;
use crate::names;
use crate::store;
use crate::world::World;

/// How many models a location may have, and how many of them deployed (quotas of the documentation).
const MAX_MODELS: usize = 10;
const MAX_DEPLOYED: usize = 5;

/// An issue that is deleted no longer counts.
pub(super) const ISSUES: ResourceRules = ResourceRules {
    delete: |context, name| {
        let now = context.now;
        let change = |model: &mut IssueModel| {
            model.issue_count = model.issue_count.saturating_sub(1);
            model.update_time = Some(now.into());
        };
        context.store().update(names::above(name), change).map(drop)
    },
    ..ResourceRules::PLAIN
};

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

/// Whether a location may have one more issue model.
pub(super) fn check_models(world: &World, location: &str) -> Result<(), Status> {
    let models = world.store.count(store::of::<IssueModel>()?, location);
    check_quota("issue models", location, models, MAX_MODELS)
}

/// `RESOURCE_EXHAUSTED` if a location has as many as it may have.
fn check_quota(what: &str, location: &str, has: usize, most: usize) -> Result<(), Status> {
    if has < most {
        return Ok(());
    }
    let message = format!("`{location}` has {has} {what}, and may have no more than {most}");
    Err(errors::quota("TOO_MANY_RESOURCES", message, location, what))
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
            return Err(errors::precondition(reason, message, &self.name));
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
