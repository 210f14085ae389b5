//! Tuning of a scorecard's revision by feedback labels.

use std::time::SystemTime;

use contact_center_insights::proto::insights::qa_question::{Metrics, TuningMetadata};
use contact_center_insights::proto::insights::qa_scorecard_revision::State;
use contact_center_insights::proto::insights::tune_qa_scorecard_revision_metadata::{
    QaQuestionDatasetTuningMetrics, QaQuestionDatasetValidationResult, qa_question_dataset_tuning_metrics,
};
use contact_center_insights::proto::insights::{
    Conversation, FeedbackLabel, QaQuestion, QaScorecardRevision, TuneQaScorecardRevisionMetadata,
    TuneQaScorecardRevisionRequest, TuneQaScorecardRevisionResponse,
};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Status, any};
use prost::Message;
use prost_types::Any;

use super::context::Context;
use crate::content::averages::{count, long, real, share};
use crate::content::tuning::{Dataset, judge};
use crate::engine::{Claim, Job, Moment};
use crate::errors;
use crate::filter::Filter;
use crate::message::wire;
use crate::names;
use crate::profile::Profile;
use crate::store;
use crate::work::Work;
use crate::world::World;

pub(super) fn tune(
    context: &mut Context<'_>,
    request: TuneQaScorecardRevisionRequest,
) -> Result<Operation, Status> {
    let parent = request.parent.clone();
    names::check(store::of::<QaScorecardRevision>()?, "parent", &parent)?;
    let validate_only = request.validate_only;
    let claims = if validate_only { Vec::new() } else { vec![Claim::on(&parent)] };
    let job = Tune { request: Some(request), ..Tune::default() };
    if !validate_only {
        return context.start("TuneQaScorecardRevision", &parent, claims, job);
    }
    let mut start = context.state.world.plan("TuneQaScorecardRevision", &parent, claims, job);
    // There is nothing to wait for (AIP-163).
    start.profile = Profile::immediate();
    context.state.engine.start(&mut context.state.world, start, context.now)
}

/// The labels are judged when the operation starts; while it runs, the revision is in training. Nothing is learnt: the
/// accuracy is that of the stand-in that answers questions anyhow.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tune {
    #[prost(message, optional, tag = "1")]
    request: Option<TuneQaScorecardRevisionRequest>,
    #[prost(message, repeated, tag = "2")]
    validated: Vec<QaQuestionDatasetValidationResult>,
    #[prost(message, repeated, tag = "3")]
    tuned: Vec<QaQuestionDatasetTuningMetrics>,
}

impl Tune {
    fn revision(&self) -> String {
        self.request.clone().unwrap_or_default().parent
    }

    fn validate_only(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.validate_only)
    }

    /// Each question of the revision with what its labels are worth.
    fn judge(&self, world: &World) -> Result<Vec<(QaQuestion, Dataset)>, Status> {
        let request = self.request.clone().unwrap_or_default();
        let kind = store::of::<FeedbackLabel>()?;
        let filter = Filter::compile(&request.filter, &kind.message)?;
        let location = names::location(&request.parent).to_owned();
        let mut labels: Vec<(Conversation, FeedbackLabel)> = Vec::new();
        let work = Work::most();
        for item in world.store.below(kind, &location) {
            let about = wire::text(&item.bytes, LABELED_RESOURCE);
            if about.starts_with(&format!("{}/", request.parent)) && filter.selects(&item.bytes, &work)? {
                let label: FeedbackLabel = world.store.get(wire::text(&item.bytes, 1))?;
                labels.push((world.store.get(names::above(&label.name))?, label));
            }
        }
        let questions = world.store.all::<QaQuestion>(&request.parent)?;
        let judged = questions.into_iter().map(|(_, question)| {
            let own = labels.iter().filter(|(_, label)| label.labeled_resource == question.name);
            let own: Vec<_> = own.map(|(conversation, label)| (conversation, label)).collect();
            let dataset = judge(&question, &own);
            (question, dataset)
        });
        Ok(judged.collect())
    }

    fn move_to(&self, world: &mut World, state: State) -> Result<(), Status> {
        let change = |revision: &mut QaScorecardRevision| revision.state = state.into();
        world.store.update(&self.revision(), change).map(drop)
    }
}

const LABELED_RESOURCE: u32 = 3;

impl Job<World> for Tune {
    fn begin(&mut self, world: &mut World, _now: SystemTime) -> Result<(), Status> {
        let revision: QaScorecardRevision = world.store.get(&self.revision())?;
        let state = revision.state();
        let open = [State::Editable, State::TrainingFailed, State::TrainingCancelled];
        if !open.contains(&state) {
            let message = format!(
                "`{}` cannot be tuned: its state is {}, and must be EDITABLE, TRAINING_FAILED or TRAINING_CANCELLED",
                revision.name,
                state.as_str_name()
            );
            return Err(errors::precondition("REVISION_NOT_TUNABLE", message, &revision.name));
        }
        let judged = self.judge(world)?;
        let results = judged.into_iter().map(|(question, dataset)| QaQuestionDatasetValidationResult {
            question: question.name,
            dataset_validation_warnings: dataset.warnings.into_iter().map(Into::into).collect(),
            valid_feedback_labels_count: count(dataset.valid),
        });
        self.validated = results.collect();
        if self.validate_only() { Ok(()) } else { self.move_to(world, State::Training) }
    }

    fn metadata(&self, moment: &Moment) -> Any {
        const STEPS: usize = 1000;
        let ratio = share(real(long(moment.share(STEPS))), real(long(STEPS)));
        any::pack(&TuneQaScorecardRevisionMetadata {
            create_time: Some(moment.created()),
            end_time: moment.ended(),
            request: self.request.clone(),
            qa_question_dataset_validation_results: self.validated.clone(),
            qa_question_dataset_tuning_metrics: self.tuned.clone(),
            tuning_completion_ratio: if self.validate_only() { 0.0 } else { ratio },
        })
    }

    fn complete(&mut self, world: &mut World, now: SystemTime) -> Result<Any, Status> {
        if self.validate_only() {
            return Ok(any::pack(&TuneQaScorecardRevisionResponse {}));
        }
        for (mut question, dataset) in self.judge(world)? {
            let accuracy = dataset.accuracy.unwrap_or_default();
            self.tuned.push(QaQuestionDatasetTuningMetrics {
                question: question.name.clone(),
                metrics: Some(qa_question_dataset_tuning_metrics::Metrics { accuracy }),
            });
            question.metrics = Some(Metrics { accuracy });
            question.tuning_metadata = Some(TuningMetadata {
                total_valid_label_count: long(dataset.valid),
                dataset_validation_warnings: dataset.warnings.into_iter().map(Into::into).collect(),
                tuning_error: String::new(),
            });
            question.update_time = Some(now.into());
            world.store.put(&question)?;
        }
        self.move_to(world, State::Ready)?;
        Ok(any::pack(&TuneQaScorecardRevisionResponse {}))
    }

    fn undo(&mut self, world: &mut World, _now: SystemTime) {
        // Nothing to take back of a revision that is gone.
        if !self.validate_only() {
            let _ = self.move_to(world, State::TrainingFailed);
        }
    }

    fn cancel(&mut self, world: &mut World, _now: SystemTime) {
        if !self.validate_only() {
            let _ = self.move_to(world, State::TrainingCancelled);
        }
    }
}
