//! Scorecards, by hand.

use contact_center_insights::proto::insights::feedback_label::LabelType;

use super::*;
use crate::content::conversation::tests::chat;

fn choice(key: &str, value: answer_choice::Value, score: Option<f64>) -> AnswerChoice {
    AnswerChoice { key: key.into(), score, value: Some(value) }
}

fn yes_no(name: &str, body: &str, tags: &[&str]) -> QaQuestion {
    QaQuestion {
        name: name.into(),
        question_body: body.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        answer_choices: vec![
            choice("yes", answer_choice::Value::BoolValue(true), Some(2.0)),
            choice("no", answer_choice::Value::BoolValue(false), Some(0.0)),
        ],
        ..QaQuestion::default()
    }
}

fn scorecard() -> Scorecard {
    let sentiments = QaQuestion {
        name: "q3".into(),
        question_body: "Outcome?".into(),
        answer_choices: vec![
            choice("na", answer_choice::Value::NaValue(true), None),
            choice("refund", answer_choice::Value::StrValue("refunded".into()), Some(1.0)),
            choice("swap", answer_choice::Value::StrValue("replacement".into()), Some(3.0)),
        ],
        ..QaQuestion::default()
    };
    Scorecard {
        revision: "r".into(),
        questions: vec![
            yes_no("q1", "Did the agent offer a refund?", &["money"]),
            yes_no("q2", "Did the agent mention insurance?", &["money", "cover"]),
            sentiments,
        ],
    }
}

fn keys(result: &QaScorecardResult) -> Vec<&str> {
    result.qa_answers.iter().map(|answer| answer.answer_value.as_ref().unwrap().key.as_str()).collect()
}

#[test]
fn scores_add_up() {
    let made = chat(&["customer: I want my money", "agent: I offer a refund"]);
    let result = score(&made, &scorecard(), &[]);
    assert_eq!(keys(&result), ["yes", "no", "refund"]);
    assert_eq!((result.score, result.potential_score), (Some(3.0), Some(7.0)));
    assert_eq!(result.normalized_score, Some(3.0 / 7.0));
    let tags: Vec<_> =
        result.qa_tag_results.iter().map(|tag| (tag.tag.as_str(), tag.score, tag.potential_score)).collect();
    assert_eq!(tags, [("cover", Some(0.0), Some(2.0)), ("money", Some(2.0), Some(4.0))]);
    assert_eq!(result.score_sources[0].source_type(), ScoreSourceType::SystemGeneratedOnly);
    assert!(result.qa_answers.iter().all(|answer| answer.conversation == made.name));
}

#[test]
fn what_does_not_apply_takes_nothing_away() {
    let result = score(&chat(&["customer: Nothing of it"]), &scorecard(), &[]);
    assert_eq!(keys(&result), ["no", "no", "na"]);
    assert_eq!(
        (result.score, result.potential_score, result.normalized_score),
        (Some(0.0), Some(4.0), Some(0.0))
    );
    let nothing = Scorecard { revision: "r".into(), questions: vec![scorecard().questions[2].clone()] };
    assert_eq!(score(&chat(&["customer: No"]), &nothing, &[]).normalized_score, None);
}

#[test]
fn a_label_corrects_an_answer() {
    let label = |seconds, key: &str| FeedbackLabel {
        labeled_resource: "q2".into(),
        update_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        label_type: Some(LabelType::QaAnswerLabel(AnswerValue { key: key.into(), ..AnswerValue::default() })),
        ..FeedbackLabel::default()
    };
    let made = chat(&["agent: I offer a refund"]);
    let result = score(&made, &scorecard(), &[label(2, "yes"), label(1, "no")]);
    assert_eq!(keys(&result)[1], "yes");
    assert_eq!(result.qa_answers[1].answer_sources.len(), 2);
    assert_eq!(result.score_sources[0].source_type(), ScoreSourceType::IncludesManualEdits);
    assert_eq!(score(&made, &scorecard(), &[label(3, "perhaps")]).qa_answers[1].answer_sources.len(), 1);
}

#[test]
fn accuracy_is_the_share_of_labels_that_agree() {
    let (offered, silent) = (chat(&["agent: I offer a refund"]), chat(&["agent: No"]));
    let yes = AnswerValue { key: "yes".into(), ..AnswerValue::default() };
    let question = &scorecard().questions[0];
    assert_eq!(accuracy(question, &[]), None);
    assert_eq!(accuracy(question, &[(&offered, &yes), (&silent, &yes)]), Some(0.5));
}
