//! Analyses: create, get, list.

use std::time::SystemTime;

use contact_center_insights::proto::insights::analysis_result::{CallAnalysisMetadata, Metadata};
use contact_center_insights::proto::insights::{
    Analysis, AnalysisResult, Conversation, CreateAnalysisOperationMetadata, CreateAnalysisRequest,
    GetAnalysisRequest, ListAnalysesRequest, ListAnalysesResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost_types::Any;

use super::Context;
use crate::engine::{Job, Moment};
use crate::fault;
use crate::paging::{Key, Page};
use crate::store::{Resource, Store};

/// The service's own maximum is not documented; this is the emulator's.
const MAX_PAGE: usize = 1000;

pub(super) fn create(context: &mut Context<'_>, request: CreateAnalysisRequest) -> Result<Operation, Status> {
    let conversation = request.parent;
    Conversation::PATTERN.check("parent", &conversation)?;
    let name = format!("{conversation}/analyses/{}", context.state.store.new_id());
    let asked = request.analysis.unwrap_or_default();
    let analysis = Analysis {
        name: name.clone(),
        request_time: Some(context.now.into()),
        annotator_selector: asked.annotator_selector,
        ..Analysis::default()
    };
    context.start("CreateAnalysis", name, Analyze { conversation, analysis })
}

pub(super) fn get(context: &mut Context<'_>, request: GetAnalysisRequest) -> Result<Analysis, Status> {
    let name = request.name;
    Analysis::PATTERN.check("name", &name)?;
    context.state.store.analyses.get(&name).cloned()
}

pub(super) fn list(
    context: &mut Context<'_>,
    request: ListAnalysesRequest,
) -> Result<ListAnalysesResponse, Status> {
    let ListAnalysesRequest { parent, page_size, page_token, filter } = request;
    Conversation::PATTERN.check("parent", &parent)?;
    if !filter.is_empty() {
        return Err(fault::unsupported("filter", "analyses cannot be filtered yet"));
    }
    let page = Page::read(page_size, &page_token, MAX_PAGE, &["ListAnalyses", &parent])?;
    context.state.store.conversations.get(&parent)?;
    let all = context.state.store.analyses.children(&parent);
    let (page, next_page_token) =
        page.cut(all.map(|(serial, found)| (Key::newest_first(found.created(), serial), found)));
    Ok(ListAnalysesResponse { analyses: page.into_iter().cloned().collect(), next_page_token })
}

/// The analysis appears when the operation completes: its `create_time` is that of its completion. The emulator
/// listens to nothing, so that the result says when it ended, and has no annotations.
#[derive(Debug)]
struct Analyze {
    conversation: String,
    analysis: Analysis,
}

impl Job<Store> for Analyze {
    fn begin(&mut self, store: &mut Store, _now: SystemTime) -> Result<(), Status> {
        store.conversations.get(&self.conversation).map(drop)
    }

    fn metadata(&self, moment: &Moment) -> Any {
        any::pack(&CreateAnalysisOperationMetadata {
            create_time: Some(moment.create_time.into()),
            end_time: moment.end_time.map(Into::into),
            conversation: self.conversation.clone(),
            annotator_selector: self.analysis.annotator_selector.clone(),
        })
    }

    fn complete(&mut self, store: &mut Store, now: SystemTime) -> Result<Any, Status> {
        let conversation = store.conversations.get_mut(&self.conversation)?;
        self.analysis.create_time = Some(now.into());
        self.analysis.analysis_result = Some(AnalysisResult {
            end_time: Some(now.into()),
            metadata: Some(Metadata::CallAnalysisMetadata(CallAnalysisMetadata::default())),
        });
        conversation.latest_analysis = Some(self.analysis.clone());
        conversation.update_time = Some(now.into());
        store.analyses.insert(self.analysis.clone())?;
        Ok(any::pack(&self.analysis))
    }

    fn undo(&mut self, _store: &mut Store, _now: SystemTime) {}
}
