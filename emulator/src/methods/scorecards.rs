//! Quality assurance: scorecards, their revisions, and the questions of these.

use contact_center_insights::Status;
use contact_center_insights::proto::insights::qa_scorecard_revision::State;
use contact_center_insights::proto::insights::{QaScorecard, QaScorecardRevision};

use super::Context;
use super::standard::{Family, changed};
use crate::{fault, names};

pub(super) const SCORECARDS: Family = Family { blocking: &["QaScorecardRevision"], ..Family::PLAIN };

pub(super) const REVISIONS: Family =
    Family { create: create_revision, blocking: &["QaQuestion"], ..Family::PLAIN };

/// Questions can be changed while their revision can.
pub(super) const QUESTIONS: Family = Family {
    create: |context, bytes| {
        check_editable(context, bytes)?;
        Ok(bytes.to_vec())
    },
    update: |context, before, after| {
        check_editable(context, before)?;
        Ok(after.to_vec())
    },
    ..Family::PLAIN
};

/// A revision begins as a copy of its scorecard that can be edited.
fn create_revision(context: &mut Context<'_>, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    changed(bytes, |revision: &mut QaScorecardRevision| {
        revision.snapshot = Some(context.store().get::<QaScorecard>(above(&revision.name))?);
        revision.state = State::Editable as i32;
        Ok(())
    })
}

fn check_editable(context: &mut Context<'_>, question: &[u8]) -> Result<(), Status> {
    let name = above(crate::message::wire::text(question, 1)).to_owned();
    let revision: QaScorecardRevision = context.store().get(&name)?;
    if revision.state() == State::Editable {
        return Ok(());
    }
    let state = revision.state().as_str_name();
    let message = format!("questions of `{name}` cannot be changed: its state is {state}, not EDITABLE");
    Err(fault::precondition("REVISION_NOT_EDITABLE", message, &name))
}

/// The name of what a resource lies below: two segments less.
fn above(name: &str) -> &str {
    let cut = name.len() - names::id(name).len();
    let parent = name.get(..cut.saturating_sub(1)).unwrap_or_default();
    parent.rsplit_once('/').map_or("", |(above, _)| above)
}
