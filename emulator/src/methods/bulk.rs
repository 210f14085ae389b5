//! Many conversations at once, by filter: analyse, delete.

use std::time::SystemTime;

use contact_center_insights::proto::insights::{
    Analysis, BulkAnalyzeConversationsMetadata, BulkAnalyzeConversationsRequest,
    BulkAnalyzeConversationsResponse, BulkDeleteConversationsMetadata, BulkDeleteConversationsRequest,
    BulkDeleteConversationsResponse, Conversation,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::proto::rpc;
use contact_center_insights::{Code, Status, any};
use prost::Message;
use prost_types::Any;

use super::annotate::{annotate, selector, tools};
use super::context::Context;
use super::shared::{matching, note};
use crate::content::averages::count;
use crate::content::select::chosen;
use crate::engine::{Claim, FollowUps as _, Job, Moment};
use crate::errors;
use crate::names::LOCATION;
use crate::store;
use crate::world::World;

pub(super) fn analyze(
    context: &mut Context<'_>,
    request: BulkAnalyzeConversationsRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    LOCATION.check("parent", &parent)?;
    if !(request.analysis_percentage > 0.0 && request.analysis_percentage <= 100.0) {
        let why = format!("{} is not above 0 and up to 100", request.analysis_percentage);
        return Err(errors::invalid("analysis_percentage", &why));
    }
    let claims = vec![Claim::only_one("analysing conversations in bulk", &parent)];
    let job = Analyze { request: Some(request), ..Analyze::default() };
    context.start("BulkAnalyzeConversations", &parent, claims, job)
}

/// The conversations are chosen at the start; each gets an analysis when the operation completes. One that has been
/// deleted meanwhile is one that failed.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Analyze {
    #[prost(message, optional, tag = "1")]
    request: Option<BulkAnalyzeConversationsRequest>,
    #[prost(string, repeated, tag = "2")]
    conversations: Vec<String>,
    #[prost(uint64, tag = "3")]
    failed: u64,
    #[prost(message, repeated, tag = "4")]
    partial_errors: Vec<rpc::Status>,
}

impl Job<World> for Analyze {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let request = self.request.get_or_insert_default();
        tools(&world.store, &request.parent, &selector(request.annotator_selector.as_ref()))?;
        let mut found = matching(&world.store, &request.parent, "filter", &request.filter)?;
        let (seed, percentage) = (world.settings.seed, f64::from(request.analysis_percentage));
        found.retain(|name| chosen(name, seed, percentage));
        self.conversations = found;
        Ok(())
    }

    fn metadata(&self, moment: &Moment) -> Any {
        let done = moment.share(self.conversations.len());
        let failed = usize::try_from(self.failed).unwrap_or(usize::MAX).min(done);
        any::pack(&BulkAnalyzeConversationsMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            completed_analyses_count: count(done - failed),
            failed_analyses_count: count(failed),
            total_requested_analyses_count: count(self.conversations.len()),
            partial_errors: self.partial_errors.clone(),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let request = self.request.clone().unwrap_or_default();
        let tools = tools(&world.store, &request.parent, &selector(request.annotator_selector.as_ref()))?;
        let mut failed = 0;
        for conversation in &self.conversations {
            let analysis = Analysis {
                name: format!("{conversation}/analyses/{}", world.store.new_id()),
                request_time: Some(now.into()),
                annotator_selector: request.annotator_selector.clone(),
                ..Analysis::default()
            };
            if let Err(status) = annotate(world, conversation, analysis, &tools, now) {
                failed += 1;
                note(&mut self.partial_errors, world.inside(status));
            }
        }
        self.failed = failed as u64;
        Ok(any::pack(&BulkAnalyzeConversationsResponse {
            successful_analysis_count: count(self.conversations.len() - failed),
            failed_analysis_count: count(failed),
        }))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}

pub(super) fn delete(
    context: &mut Context<'_>,
    request: BulkDeleteConversationsRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    LOCATION.check("parent", &parent)?;
    if request.max_delete_count < 0 {
        return Err(errors::invalid("max_delete_count", "must not be negative"));
    }
    context.start(
        "BulkDeleteConversations",
        &parent,
        Vec::new(),
        Delete { request: Some(request), ..Delete::default() },
    )
}

/// What matches is looked up when the operation completes. More than `max_delete_count` are an error that tells the
/// number, and then nothing is deleted: with the count of zero, which is the default, that is a way to ask.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Delete {
    #[prost(message, optional, tag = "1")]
    request: Option<BulkDeleteConversationsRequest>,
    #[prost(message, repeated, tag = "2")]
    partial_errors: Vec<rpc::Status>,
}

impl Delete {
    fn check_count(&self, world: &World) -> Result<Vec<String>, Status> {
        let request = self.request.clone().unwrap_or_default();
        let found = matching(&world.store, &request.parent, "filter", &request.filter)?;
        if count(found.len()) <= request.max_delete_count {
            return Ok(found);
        }
        let message = format!(
            "the filter matches {} conversations, and `max_delete_count` allows {}; nothing was deleted",
            found.len(),
            request.max_delete_count
        );
        let parts = [
            ("matching", &*found.len().to_string()),
            ("max_delete_count", &*request.max_delete_count.to_string()),
        ];
        Err(errors::with_reason(Code::FailedPrecondition, "TOO_MANY_MATCHING_CONVERSATIONS", message, &parts))
    }
}

impl Job<World> for Delete {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        self.check_count(world).map(drop)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&BulkDeleteConversationsMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            partial_errors: self.partial_errors.clone(),
        })
    }

    fn complete(&mut self, world: &mut World, _now: SystemTime) -> Result<Any, Status> {
        let (conversations, analyses) = (store::of::<Conversation>()?, store::of::<Analysis>()?);
        let force = self.request.as_ref().is_some_and(|request| request.force);
        for name in self.check_count(world)? {
            if !force && world.store.below(analyses, &name).next().is_some() {
                let message = format!("conversation `{name}` has analyses; `force` deletes them with it");
                let status = errors::precondition("RESOURCE_HAS_CHILDREN", message, &name);
                note(&mut self.partial_errors, world.inside(status));
                continue;
            }
            world.store.remove(conversations, &name)?;
        }
        Ok(any::pack(&BulkDeleteConversationsResponse {}))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
