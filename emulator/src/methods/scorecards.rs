//! Quality assurance: scorecards, their revisions, and the questions of these.
//!
//! A revision is `EDITABLE` until it is tuned, and `READY` then; only what is ready is deployed. No state shows which one
//! is: its alternate ids do. `latest` is the newest revision of a scorecard, and `default` the one in use.

use contact_center_insights::Status;
use contact_center_insights::proto::insights::qa_scorecard_revision::State;
use contact_center_insights::proto::insights::{
    DeployQaScorecardRevisionRequest, QaScorecard, QaScorecardRevision, UndeployQaScorecardRevisionRequest,
};
use prost::Message as _;

use super::context::Context;
use super::shared::DEPLOYED;
use super::standard::{ListOrder, ResourceRules, changed};
use crate::engine::Claim;
use crate::message::wire;
use crate::store::{self, Store};
use crate::{errors, names};

const LATEST: &str = "latest";

/// A scorecard has a revision from the start, which goes with it unless there are more.
pub(super) const SCORECARDS: ResourceRules = ResourceRules {
    create: create_scorecard,
    blocking: &["QaScorecardRevision"],
    may_stay: 1,
    ..ResourceRules::PLAIN
};

pub(super) const REVISIONS: ResourceRules = ResourceRules {
    order: ListOrder::Newest,
    create: create_revision,
    delete: delete_revision,
    blocking: &["QaQuestion"],
    takes_wildcard_parent: true,
    alias_field: Some("alternate_ids"),
    ..ResourceRules::PLAIN
};

/// Questions can be changed while their revision can.
pub(super) const QUESTIONS: ResourceRules = ResourceRules {
    create: |context, bytes| {
        check_editable(context, wire::text(bytes, 1))?;
        Ok(bytes.to_vec())
    },
    update: |context, before, after| {
        check_editable(context, wire::text(before, 1))?;
        Ok(after.to_vec())
    },
    delete: check_editable,
    takes_wildcard_parent: true,
    ..ResourceRules::PLAIN
};

pub(super) fn deploy(
    context: &mut Context<'_>,
    request: DeployQaScorecardRevisionRequest,
) -> Result<QaScorecardRevision, Status> {
    let DeployQaScorecardRevisionRequest { name } = request;
    let revision = settled(context, &name)?;
    if revision.state() != State::Ready {
        let state = revision.state().as_str_name();
        let message = format!("`{name}` cannot be deployed: its state is {state}, not READY; tune it first");
        return Err(errors::precondition("REVISION_NOT_READY", message, &name));
    }
    // One revision of a scorecard is in use at a time.
    move_id(context.store(), names::above(&name), DEPLOYED, Some(&name))?;
    context.store().get(&name)
}

pub(super) fn undeploy(
    context: &mut Context<'_>,
    request: UndeployQaScorecardRevisionRequest,
) -> Result<QaScorecardRevision, Status> {
    let UndeployQaScorecardRevisionRequest { name } = request;
    if !settled(context, &name)?.alternate_ids.iter().any(|id| id == DEPLOYED) {
        let message = format!("`{name}` is not deployed");
        return Err(errors::precondition("REVISION_NOT_DEPLOYED", message, &name));
    }
    move_id(context.store(), names::above(&name), DEPLOYED, None)?;
    context.store().get(&name)
}

/// A revision that no operation is working on.
fn settled(context: &mut Context<'_>, name: &str) -> Result<QaScorecardRevision, Status> {
    names::check(store::of::<QaScorecardRevision>()?, "name", name)?;
    let revision = context.store().get(name)?;
    context.state.engine.check_idle(&Claim::on(name))?;
    Ok(revision)
}

fn create_scorecard(context: &mut Context<'_>, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    let scorecard = QaScorecard::decode(bytes).map_err(|error| errors::internal(error.to_string()))?;
    let id = context.store().new_id();
    let revision = QaScorecardRevision {
        name: format!("{}/revisions/{id}", scorecard.name),
        create_time: Some(context.now.into()),
        snapshot: Some(scorecard),
        state: State::Editable.into(),
        alternate_ids: vec![LATEST.to_owned()],
    };
    context.store().insert(&revision)?;
    Ok(bytes.to_vec())
}

/// A revision begins as a copy of its scorecard that can be edited. While another can be, or is in training, there is
/// no second.
fn create_revision(context: &mut Context<'_>, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    changed(bytes, |revision: &mut QaScorecardRevision| {
        let scorecard = names::above(&revision.name);
        let others: Vec<(u64, QaScorecardRevision)> = context.store().all(scorecard)?;
        let is_open =
            |other: &QaScorecardRevision| matches!(other.state(), State::Editable | State::Training);
        if let Some((_, open)) = others.iter().find(|(_, other)| is_open(other)) {
            let (other, state) = (&open.name, open.state().as_str_name());
            let message = format!(
                "`{scorecard}` has the revision `{other}`, whose state is {state}: a new one can be made when it is READY"
            );
            return Err(errors::precondition("REVISION_OPEN", message, other));
        }
        revision.snapshot = Some(context.store().get::<QaScorecard>(scorecard)?);
        revision.state = State::Editable as i32;
        revision.alternate_ids = vec![LATEST.to_owned()];
        move_id(context.store(), scorecard, LATEST, None)
    })
}

fn delete_revision(context: &mut Context<'_>, name: &str) -> Result<(), Status> {
    settled(context, name)?;
    let scorecard = names::above(name);
    let mut left: Vec<(u64, QaScorecardRevision)> = context.store().all(scorecard)?;
    left.retain(|(_, revision)| revision.name != name);
    if left.is_empty() {
        let message = format!("`{name}` is the only revision of its scorecard: delete the scorecard instead");
        return Err(errors::precondition("LAST_REVISION", message, name));
    }
    let latest = left.into_iter().max_by_key(|(serial, _)| *serial).map(|(_, revision)| revision.name);
    move_id(context.store(), scorecard, LATEST, latest.as_deref())
}

/// Gives an alternate id to one revision of a scorecard, or to none, and takes it from the others.
fn move_id(store: &mut Store, scorecard: &str, id: &str, to: Option<&str>) -> Result<(), Status> {
    for (_, mut revision) in store.all::<QaScorecardRevision>(scorecard)? {
        let had = revision.alternate_ids.iter().any(|found| found == id);
        let has = to == Some(revision.name.as_str());
        if had == has {
            continue;
        }
        revision.alternate_ids.retain(|found| found != id);
        if has {
            revision.alternate_ids.push(id.to_owned());
        }
        store.put(&revision)?;
    }
    Ok(())
}

fn check_editable(context: &mut Context<'_>, question: &str) -> Result<(), Status> {
    let name = names::above(question).to_owned();
    let revision: QaScorecardRevision = context.store().get(&name)?;
    if revision.state() == State::Editable {
        return Ok(());
    }
    let state = revision.state().as_str_name();
    let message = format!("questions of `{name}` cannot be changed: its state is {state}, not EDITABLE");
    Err(errors::precondition("REVISION_NOT_EDITABLE", message, &name))
}
