//! Analyses: create; what else there is to them is standard.

use std::time::SystemTime;

use contact_center_insights::proto::insights::{
    Analysis, Conversation, CreateAnalysisOperationMetadata, CreateAnalysisRequest,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::annotate::{annotate, selector, tools};
use super::context::Context;
use super::standard::{ListOrder, ResourceRules};
use crate::content::analysis::Tools;
use crate::engine::{Claim, Job, Moment, Start};
use crate::names;
use crate::store;
use crate::world::World;

pub(super) const RULES: ResourceRules =
    ResourceRules { order: ListOrder::Newest, delete, ..ResourceRules::PLAIN };

pub(super) fn create(context: &mut Context<'_>, request: CreateAnalysisRequest) -> Result<Operation, Status> {
    let conversation = request.parent;
    names::check(store::of::<Conversation>()?, "parent", &conversation)?;
    let analysis = request.analysis.unwrap_or_default();
    let start = plan(&mut context.state.world, &conversation, analysis, context.now);
    context.state.engine.start(&mut context.state.world, start, context.now)
}

/// What starts an analysis of a conversation.
pub(super) fn plan(world: &mut World, conversation: &str, asked: Analysis, now: SystemTime) -> Start<World> {
    let name = format!("{conversation}/analyses/{}", world.store.new_id());
    let analysis = Analysis {
        name: name.clone(),
        request_time: Some(now.into()),
        annotator_selector: asked.annotator_selector,
        ..Analysis::default()
    };
    let job = Analyze { conversation: conversation.to_owned(), analysis: Some(analysis) };
    world.plan("CreateAnalysis", conversation, vec![Claim::on(name)], job)
}

/// A conversation whose latest analysis is deleted has the one before it as its latest, if there is one.
fn delete(context: &mut Context<'_>, name: &str) -> Result<(), Status> {
    let Some((conversation, _)) = name.rsplit_once("/analyses/") else { return Ok(()) };
    let mut left: Vec<(u64, Analysis)> = context.store().all(conversation)?;
    left.retain(|(_, analysis)| analysis.name != name);
    let latest = left.into_iter().max_by_key(|(serial, _)| *serial).map(|(_, analysis)| analysis);
    let is_latest =
        |found: &Conversation| found.latest_analysis.as_ref().is_some_and(|latest| latest.name == name);
    if is_latest(&context.store().get(conversation)?) {
        context.store().update(conversation, |found: &mut Conversation| found.latest_analysis = latest)?;
    }
    Ok(())
}

/// The analysis appears when the operation completes: its `create_time` is that of its completion. What its selector
/// names must be there at the start; what is found, is found in what is there at the end.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Analyze {
    #[prost(string, tag = "1")]
    conversation: String,
    #[prost(message, optional, tag = "2")]
    analysis: Option<Analysis>,
}

impl Analyze {
    fn tools(&self, world: &World) -> Result<Tools, Status> {
        let asked = self.analysis.as_ref().and_then(|analysis| analysis.annotator_selector.as_ref());
        tools(&world.store, names::location(&self.conversation), &selector(asked))
    }
}

impl Job<World> for Analyze {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        world.store.raw(store::of::<Conversation>()?, &self.conversation)?;
        self.tools(world).map(drop)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&CreateAnalysisOperationMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            conversation: self.conversation.clone(),
            annotator_selector: self
                .analysis
                .as_ref()
                .and_then(|analysis| analysis.annotator_selector.clone()),
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        let tools = self.tools(world)?;
        let analysis = self.analysis.clone().unwrap_or_default();
        annotate(world, &self.conversation, analysis, &tools, now).map(|analysis| any::pack(&analysis))
    }

    fn undo(&mut self, _world: &mut World, _now: SystemTime) {}
}
