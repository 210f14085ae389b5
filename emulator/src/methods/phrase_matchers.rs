//! Phrase matchers: a new revision with each change but that of being active.

use contact_center_insights::Status;
use contact_center_insights::proto::insights::PhraseMatcher;
use prost::Message as _;

use super::context::Context;
use super::standard::{ResourceRules, changed};
use crate::errors;

pub(super) const RULES: ResourceRules = ResourceRules { create, update, ..ResourceRules::PLAIN };

fn create(context: &mut Context<'_>, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    let revision = revision(context);
    changed(bytes, |matcher: &mut PhraseMatcher| {
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
