//! Tuning of a scorecard by feedback labels.

use contact_center_insights::Code;
use contact_center_insights::proto::insights::qa_scorecard_revision::State;
use contact_center_insights::proto::insights::{
    DatasetValidationWarning, GetQaQuestionRequest, GetQaScorecardRevisionRequest,
    TuneQaScorecardRevisionMetadata, TuneQaScorecardRevisionRequest,
};
use contact_center_insights::proto::longrunning::CancelOperationRequest;
use contact_center_insights_emulator::Emulator;

use crate::support::{L, World, metadata, refused, seed};

/// A revision with one question, and three labels of one conversation about it, of which one is not an answer.
async fn world(profile: &str) -> (World, String) {
    let revision = format!("{L}/qaScorecards/card/revisions/1");
    let label = |id: u8, key: &str| {
        format!(
            r#"{{"name": "{L}/conversations/c1/feedbackLabels/{id}", "labeledResource": "{revision}/qaQuestions/q",
            "qaAnswerLabel": {{"key": "{key}"}}}}"#
        )
    };
    let seed = seed(&format!(
        r#"{{"conversations": [{{"name": "{L}/conversations/c1"}}],
        "feedbackLabels": [{}, {}, {}],
        "qaScorecards": [{{"name": "{L}/qaScorecards/card"}}],
        "qaScorecardRevisions": [{{"name": "{revision}", "state": "EDITABLE"}}],
        "qaQuestions": [{{"name": "{revision}/qaQuestions/q", "questionBody": "Was a refund offered?",
            "answerChoices": [{{"key": "yes", "boolValue": true}}, {{"key": "no", "boolValue": false}}]}}]}}"#,
        label(1, "yes"),
        label(2, "no"),
        label(3, "perhaps"),
    ));
    let builder = Emulator::builder().with_profile(profile.parse().unwrap()).with_seed(seed);
    (World::of(builder.start().await.unwrap()), revision)
}

fn tuning(revision: &str, validate_only: bool) -> TuneQaScorecardRevisionRequest {
    TuneQaScorecardRevisionRequest {
        parent: revision.into(),
        filter: "feedback_label_type=\"QUALITY_AI\"".into(),
        validate_only,
    }
}

async fn state(world: &mut World, revision: &str) -> State {
    let request = GetQaScorecardRevisionRequest { name: revision.into() };
    world.insights.get_qa_scorecard_revision(request).await.unwrap().into_inner().state()
}

#[tokio::test]
async fn a_revision_is_tuned_step_by_step() {
    let (mut world, revision) = world("polls:2").await;
    let started =
        world.insights.tune_qa_scorecard_revision(tuning(&revision, false)).await.unwrap().into_inner();
    assert_eq!(state(&mut world, &revision).await, State::Training);
    let again = refused(world.insights.tune_qa_scorecard_revision(tuning(&revision, false)).await);
    assert_eq!(again.code(), Code::Aborted, "r06");
    let running: TuneQaScorecardRevisionMetadata = metadata(&world.poll(&started.name).await);
    assert!((running.tuning_completion_ratio - 0.5).abs() < 1e-9);
    let judged = &running.qa_question_dataset_validation_results[0];
    assert_eq!(judged.valid_feedback_labels_count, 2);
    assert!(
        judged
            .dataset_validation_warnings()
            .any(|w| w == DatasetValidationWarning::InsufficientFeedbackLabels)
    );
    assert!(running.qa_question_dataset_tuning_metrics.is_empty());
    let ended: TuneQaScorecardRevisionMetadata = metadata(&world.poll(&started.name).await);
    assert!((ended.tuning_completion_ratio - 1.0).abs() < 1e-9);
    // Nothing was said in the conversation, so that the stand-in answers "no": one label of two agrees.
    let accuracy = ended.qa_question_dataset_tuning_metrics[0].metrics.unwrap().accuracy;
    assert!((accuracy - 0.5).abs() < 1e-9);
    assert_eq!(state(&mut world, &revision).await, State::Ready);
    let request = GetQaQuestionRequest { name: format!("{revision}/qaQuestions/q") };
    let question = world.insights.get_qa_question(request).await.unwrap().into_inner();
    assert_eq!(question.tuning_metadata.unwrap().total_valid_label_count, 2);
    let ready = refused(world.insights.tune_qa_scorecard_revision(tuning(&revision, false)).await);
    assert_eq!(ready.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn r54_validation_alone_changes_nothing() {
    let (mut world, revision) = world("polls:9").await;
    let done = world.insights.tune_qa_scorecard_revision(tuning(&revision, true)).await.unwrap().into_inner();
    assert!(done.done);
    let seen: TuneQaScorecardRevisionMetadata = metadata(&done);
    assert_eq!(seen.qa_question_dataset_validation_results.len(), 1);
    assert!(seen.qa_question_dataset_tuning_metrics.is_empty());
    assert_eq!(state(&mut world, &revision).await, State::Editable);
    for parent in [format!("{revision}0"), "x".to_owned()] {
        let dry = refused(world.insights.tune_qa_scorecard_revision(tuning(&parent, true)).await);
        let live = refused(world.insights.tune_qa_scorecard_revision(tuning(&parent, false)).await);
        assert_eq!((dry.code(), dry.message()), (live.code(), live.message()));
    }
}

#[tokio::test]
async fn r07_the_state_tells_a_failed_tuning_from_a_cancelled_one() {
    let (mut world, revision) = world("polls:9").await;
    let started =
        world.insights.tune_qa_scorecard_revision(tuning(&revision, false)).await.unwrap().into_inner();
    world.operations.cancel_operation(CancelOperationRequest { name: started.name }).await.unwrap();
    assert_eq!(state(&mut world, &revision).await, State::TrainingCancelled);
    let (mut world, revision) = self::world("immediate,fail=INTERNAL").await;
    world.insights.tune_qa_scorecard_revision(tuning(&revision, false)).await.unwrap();
    assert_eq!(state(&mut world, &revision).await, State::TrainingFailed);
}
