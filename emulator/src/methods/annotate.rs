//! How an analysis is made and stored: what its annotators need is looked up, and what they find is put where it
//! belongs. For one conversation, for many, and for those that are analysed because they were uploaded.

use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::insights::analysis_result::Metadata;
use contact_center_insights::proto::insights::annotator_selector::qa_config::ScorecardSource;
use contact_center_insights::proto::insights::issue_model::State as ModelState;
use contact_center_insights::proto::insights::{
    Analysis, AnalysisResult, AnnotatorSelector, Conversation, FeedbackLabel, Issue, IssueModel,
    PhraseMatcher, QaQuestion, QaScorecardRevision,
};

use super::shared::DEPLOYED;
use crate::content::analysis::{self, Tools};
use crate::content::quality::Scorecard;
use crate::names;
use crate::store::{self, Resources};
use crate::world::World;

/// The selector of an analysis, or every annotator if it has none.
pub(super) fn selector(asked: Option<&AnnotatorSelector>) -> AnnotatorSelector {
    asked.cloned().unwrap_or_else(analysis::all)
}

/// Looks up what the annotators of `selector` need in `location`, but for what belongs to one conversation. What it
/// names must be there; where it names nothing, it is what is in use: matchers that are active, the issue model that
/// was deployed last, and of each scorecard the revision that is deployed.
pub(super) fn tools(
    resources: &Resources,
    location: &str,
    selector: &AnnotatorSelector,
) -> Result<Tools, Status> {
    let mut tools = Tools::default();
    if selector.run_phrase_matcher_annotator {
        tools.matchers = if selector.phrase_matchers.is_empty() {
            resources.all(location)?.into_iter().map(|(_, matcher)| matcher).collect()
        } else {
            named::<PhraseMatcher>(resources, &selector.phrase_matchers, "phrase_matchers")?
        };
    }
    if selector.run_issue_model_annotator {
        let asked = named::<IssueModel>(resources, &selector.issue_models, "issue_models")?;
        tools.issue_model = match asked.into_iter().next().or(deployed(resources, location)?) {
            None => None,
            Some(model) => {
                let issues = resources.all::<Issue>(&model.name)?;
                Some((model.name, issues.into_iter().map(|(_, issue)| issue).collect()))
            }
        };
    }
    if selector.run_qa_annotator {
        let listed = selector.qa_config.as_ref().and_then(|config| config.scorecard_source.as_ref());
        let revisions: Vec<QaScorecardRevision> = match listed {
            Some(ScorecardSource::ScorecardList(list)) if !list.qa_scorecard_revisions.is_empty() => named(
                resources,
                &list.qa_scorecard_revisions,
                "qa_config.scorecard_list.qa_scorecard_revisions",
            )?,
            _ => deployed_revisions(resources, location)?,
        };
        for revision in revisions {
            let questions = resources.all::<QaQuestion>(&revision.name)?;
            let questions = questions.into_iter().map(|(_, question)| question).collect();
            tools.scorecards.push(Scorecard { revision: revision.name, questions });
        }
    }
    Ok(tools)
}

fn named<T>(resources: &Resources, names: &[String], field: &str) -> Result<Vec<T>, Status>
where
    T: prost::Message + prost::Name + Default,
{
    let one = |name: &String| {
        names::check(store::of::<T>()?, &format!("annotator_selector.{field}"), name)?;
        resources.get(name)
    };
    names.iter().map(one).collect()
}

/// The model that was deployed last.
fn deployed(resources: &Resources, location: &str) -> Result<Option<IssueModel>, Status> {
    let mut models = resources.all::<IssueModel>(location)?;
    models.retain(|(_, model)| model.state() == ModelState::Deployed);
    let newest = models
        .into_iter()
        .max_by_key(|(serial, model)| (model.update_time.map(|time| (time.seconds, time.nanos)), *serial));
    Ok(newest.map(|(_, model)| model))
}

/// The revisions that are deployed, which their alternate ids tell.
fn deployed_revisions(resources: &Resources, location: &str) -> Result<Vec<QaScorecardRevision>, Status> {
    let all = resources.all::<QaScorecardRevision>(location)?.into_iter().map(|(_, revision)| revision);
    Ok(all.filter(|revision| revision.alternate_ids.iter().any(|id| id == DEPLOYED)).collect())
}

/// Runs an analysis that has its name and its selector, and stores it: as an analysis, as the conversation's latest,
/// and with it the summary and the sentiments of the transcript, which belong to the conversation.
pub(super) fn annotate(
    world: &mut World,
    conversation: &str,
    mut analysis: Analysis,
    tools: &Tools,
    now: SystemTime,
) -> Result<Analysis, Status> {
    let found: Conversation = world.store.get(conversation)?;
    let selector = selector(analysis.annotator_selector.as_ref());
    let labels = world.store.all::<FeedbackLabel>(conversation)?;
    let tools = Tools { labels: labels.into_iter().map(|(_, label)| label).collect(), ..tools.clone() };
    let mut findings = analysis::run(&found, &selector, &tools);
    for result in &mut findings.metadata.qa_scorecard_results {
        let id = world.store.new_id();
        result.name = format!("{}/qaScorecardResults/{id}", names::location(conversation));
        result.create_time = Some(now.into());
    }
    analysis.create_time = Some(now.into());
    analysis.analysis_result = Some(AnalysisResult {
        end_time: Some(now.into()),
        metadata: Some(Metadata::CallAnalysisMetadata(findings.metadata)),
    });
    world.store.update(conversation, |conversation: &mut Conversation| {
        conversation.latest_analysis = Some(analysis.clone());
        conversation.update_time = Some(now.into());
        if findings.summary.is_some() {
            conversation.latest_summary = findings.summary;
        }
        let segments = conversation.transcript.iter_mut().flat_map(|found| &mut found.transcript_segments);
        for (segment, sentiment) in segments.zip(findings.sentiments) {
            segment.sentiment = sentiment;
        }
    })?;
    world.store.insert(&analysis)?;
    Ok(analysis)
}
