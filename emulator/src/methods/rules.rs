//! Analysis rules, and which uploads are analysed without being asked for.

use std::time::SystemTime;

use contact_center_insights::Status;
use contact_center_insights::proto::insights::{
    Analysis, AnalysisRule, AnnotatorSelector, Conversation, Settings,
};
use prost::Message as _;

use super::analyses;
use super::standard::{Family, changed};
use crate::filter::Filter;
use crate::world::World;
use crate::{fault, names, store};

pub(super) const FAMILY: Family =
    Family { create: |_, bytes| checked(bytes), update: |_, _, bytes| checked(bytes), ..Family::PLAIN };

/// The share of a rule is from 0 to 1, where those of the settings are percentages.
fn checked(bytes: &[u8]) -> Result<Vec<u8>, Status> {
    changed(bytes, |rule: &mut AnalysisRule| {
        let listed = &store::of::<Conversation>()?.message;
        Filter::compile_field("analysis_rule.conversation_filter", &rule.conversation_filter, listed)?;
        if (0.0..=1.0).contains(&rule.analysis_percentage) {
            return Ok(());
        }
        let why = format!("{} is no share from 0 to 1", rule.analysis_percentage);
        Err(fault::invalid("analysis_rule.analysis_percentage", &why))
    })
}

/// Asks for an analysis of what was uploaded, if a rule or the settings want one; gives the name of its operation.
/// The first rule that is active and fits decides; without one, the settings do.
pub(super) fn follow_upload(
    world: &mut World,
    conversation: &Conversation,
    now: SystemTime,
) -> Result<Option<String>, Status> {
    let location = names::location(&conversation.name);
    let Some((share, selector)) = wanted(world, conversation, location)? else { return Ok(None) };
    if draw(&conversation.name, world.settings.seed) >= share {
        return Ok(None);
    }
    let analysis = Analysis { annotator_selector: selector, ..Analysis::default() };
    let start = analyses::plan(world, &conversation.name, analysis, now);
    Ok(Some(world.follow_up(start)))
}

fn wanted(
    world: &World,
    conversation: &Conversation,
    location: &str,
) -> Result<Option<(f64, Option<AnnotatorSelector>)>, Status> {
    let listed = &store::of::<Conversation>()?.message;
    let bytes = conversation.encode_to_vec();
    let mut rules = world.store.all::<AnalysisRule>(location)?;
    rules.sort_by_key(|(serial, _)| *serial);
    for (_, rule) in rules.into_iter().filter(|(_, rule)| rule.active) {
        if Filter::compile(&rule.conversation_filter, listed)?.matches(&bytes) {
            return Ok(Some((rule.analysis_percentage, rule.annotator_selector)));
        }
    }
    let settings: Settings = world.store.get(&format!("{location}/settings")).unwrap_or_default();
    let config = settings.analysis_config;
    Ok(config
        .map(|config| (config.upload_conversation_analysis_percentage / 100.0, config.annotator_selector)))
}

/// A number from 0 up to 1 that depends on the name alone: the same conversations are drawn each time (FNV-1a).
pub(super) fn draw(name: &str, seed: u64) -> f64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    let hash = name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    f64::from(u32::try_from(mixed >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_evenly_and_repeat() {
        let names: Vec<String> =
            (0..1000).map(|id| format!("projects/p/locations/l/conversations/{id}")).collect();
        let below = |share: f64| names.iter().filter(|name| draw(name, 7) < share).count();
        assert!((250..350).contains(&below(0.3)) && below(1.0) == 1000 && below(0.0) == 0, "{}", below(0.3));
        assert!((draw("a", 1) - draw("a", 1)).abs() < f64::EPSILON);
    }
}
