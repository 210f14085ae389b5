//! Analysis rules, and which conversations are analysed without being asked for.

use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::insights::{
    Analysis, AnalysisRule, AnnotatorSelector, Conversation, Settings,
};
use prost::Message as _;

use super::analyses;
use super::standard::{ResourceRules, changed};
use crate::content::select::chosen;
use crate::filter::Filter;
use crate::work::Work;
use crate::world::World;
use crate::{errors, names, store};

pub(super) const RULES: ResourceRules = ResourceRules {
    create: |_, bytes| checked(bytes),
    update: |_, _, bytes| checked(bytes),
    ..ResourceRules::PLAIN
};

/// The share of a rule is from 0 to 1, where those of the settings are percentages.
fn checked(bytes: &[u8]) -> Result<Vec<u8>, Status> {
    changed(bytes, |rule: &mut AnalysisRule| {
        let listed = &store::of::<Conversation>()?.message;
        Filter::compile_field("analysis_rule.conversation_filter", &rule.conversation_filter, listed)?;
        if (0.0..=1.0).contains(&rule.analysis_percentage) {
            return Ok(());
        }
        let why = format!("{} is not between 0 and 1", rule.analysis_percentage);
        Err(errors::invalid("analysis_rule.analysis_percentage", &why))
    })
}

/// Asks for an analysis of what was uploaded, if a rule or the settings want one; gives the name of its operation.
/// The first rule that is active and fits decides; without one, the settings do.
pub(super) fn follow_upload(
    world: &mut World,
    conversation: &Conversation,
    now: SystemTime,
) -> Result<Option<String>, Status> {
    let wanted = match by_rule(world, conversation)? {
        Some(found) => Some(found),
        None => by_settings(world, names::location(&conversation.name))?,
    };
    Ok(wanted.and_then(|wanted| follow(world, conversation, wanted, now)))
}

/// The same for what was ingested, where rules alone decide: the settings are about uploads.
pub(super) fn follow_ingestion(
    world: &mut World,
    conversation: &Conversation,
    now: SystemTime,
) -> Result<Option<String>, Status> {
    let wanted = by_rule(world, conversation)?;
    Ok(wanted.and_then(|wanted| follow(world, conversation, wanted, now)))
}

/// Which share of such conversations is to be analysed, from 0 to 1, and by which annotators.
type Wanted = (f64, Option<AnnotatorSelector>);

fn follow(
    world: &mut World,
    conversation: &Conversation,
    (share, annotator_selector): Wanted,
    now: SystemTime,
) -> Option<String> {
    if !chosen(&conversation.name, world.settings.seed, share * 100.0) {
        return None;
    }
    let analysis = Analysis { annotator_selector, ..Analysis::default() };
    let start = analyses::plan(world, &conversation.name, analysis, now);
    Some(world.follow_up(start))
}

fn by_rule(world: &World, conversation: &Conversation) -> Result<Option<Wanted>, Status> {
    let listed = &store::of::<Conversation>()?.message;
    let mut rules = world.store.all::<AnalysisRule>(names::location(&conversation.name))?;
    rules.retain(|(_, rule)| rule.active);
    rules.sort_by_key(|(serial, _)| *serial);
    let work = Work::most();
    let bytes = if rules.is_empty() { Vec::new() } else { conversation.encode_to_vec() };
    for (_, rule) in rules {
        if Filter::compile(&rule.conversation_filter, listed)?.selects(&bytes, &work)? {
            return Ok(Some((rule.analysis_percentage, rule.annotator_selector)));
        }
    }
    Ok(None)
}

fn by_settings(world: &World, location: &str) -> Result<Option<Wanted>, Status> {
    let settings: Settings = world.store.look(&format!("{location}/settings"))?.unwrap_or_default();
    let config = settings.analysis_config;
    Ok(config
        .map(|config| (config.upload_conversation_analysis_percentage / 100.0, config.annotator_selector)))
}
