//! Phrase matchers: a new revision with each change but that of being active.

use contact_center_insights::proto::insights::PhraseMatcher;
use contact_center_insights::{Code, Status};
use prost::Message as _;

use super::context::Context;
use super::standard::{ResourceRules, changed};
use crate::{errors, names};

pub(super) const RULES: ResourceRules = ResourceRules { create, update, check_id, ..ResourceRules::PLAIN };

/// The ids of phrase matchers are numbers, and the service looks for nothing else.
fn check_id(id: &str) -> Result<(), Status> {
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let text = format!("Invalid phrase matcher ID: {id}");
    Err(errors::with_reason(Code::InvalidArgument, "INVALID_PHRASE_MATCHER_ID", text, &[("id", id)]))
}

/// That the service refuses a matcher without groups, and a rule without its config, is a guess.
fn check(matcher: &PhraseMatcher) -> Result<(), Status> {
    let groups = &matcher.phrase_match_rule_groups;
    if groups.is_empty() {
        return Err(errors::invalid("phrase_matcher.phrase_match_rule_groups", "needs at least one group"));
    }
    for (group, found) in groups.iter().enumerate() {
        for (rule, found) in found.phrase_match_rules.iter().enumerate() {
            if found.config.as_ref().is_none_or(|config| config.config.is_none()) {
                let field = format!(
                    "phrase_matcher.phrase_match_rule_groups[{group}].phrase_match_rules[{rule}].config"
                );
                return Err(errors::invalid(&field, "is required: `exact_match_config`"));
            }
        }
    }
    Ok(())
}

fn create(context: &mut Context<'_>, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    let revision = revision(context);
    changed(bytes, |matcher: &mut PhraseMatcher| {
        check(matcher)?;
        if matcher.display_name.is_empty() {
            names::id(&matcher.name).clone_into(&mut matcher.display_name);
        }
        // It has none before the first update.
        matcher.update_time = None;
        matcher.revision_id = revision;
        matcher.revision_create_time = Some(context.now.into());
        matcher.activation_update_time = Some(context.now.into());
        Ok(())
    })
}

fn update(context: &mut Context<'_>, before: &[u8], after: &[u8]) -> Result<Vec<u8>, Status> {
    let before = PhraseMatcher::decode(before).map_err(|error| errors::internal(error.to_string()))?;
    let revision = revision(context);
    changed(after, |matcher: &mut PhraseMatcher| {
        check(matcher)?;
        if matcher.active != before.active {
            matcher.activation_update_time = Some(context.now.into());
        }
        let same =
            PhraseMatcher { active: before.active, update_time: before.update_time, ..matcher.clone() };
        if (PhraseMatcher { activation_update_time: before.activation_update_time, ..same }) != before {
            matcher.revision_id = revision;
            matcher.revision_create_time = Some(context.now.into());
        }
        Ok(())
    })
}

/// Eight hexadecimal digits, from the same counter as all ids.
fn revision(context: &mut Context<'_>) -> String {
    let id = context.store().new_id();
    format!("{:08x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32)
}
