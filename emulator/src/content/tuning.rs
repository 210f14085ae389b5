//! What tuning a scorecard says of the labels it is given, question by question.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::feedback_label::LabelType;
use contact_center_insights::proto::insights::qa_answer::AnswerValue;
use contact_center_insights::proto::insights::{
    Conversation, DatasetValidationWarning, FeedbackLabel, QaQuestion,
};

use super::quality::{accuracy, matching};

/// How many labels are enough. The service's own numbers are not documented.
const ENOUGH: usize = 10;
const ENOUGH_PER_ANSWER: usize = 2;

/// The labels about one question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dataset {
    pub(crate) valid: usize,
    pub(crate) warnings: Vec<DatasetValidationWarning>,
    /// The share of valid labels that the stand-in answers alike; none without labels.
    pub(crate) accuracy: Option<f64>,
}

/// Judges the labels about a question, each with its conversation. A label is valid if it is one of the answer choices.
pub(crate) fn judge(question: &QaQuestion, labels: &[(&Conversation, &FeedbackLabel)]) -> Dataset {
    let mut answers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut valid: Vec<(&Conversation, &AnswerValue)> = Vec::new();
    for (conversation, label) in labels {
        let Some(LabelType::QaAnswerLabel(answer)) = &label.label_type else { continue };
        let Some(choice) = matching(question, answer) else { continue };
        *answers.entry(choice.key.as_str()).or_default() += 1;
        valid.push((conversation, answer));
    }
    let mut warnings = Vec::new();
    if (labels.len() - valid.len()) * 2 > labels.len() {
        warnings.push(DatasetValidationWarning::TooManyInvalidFeedbackLabels);
    }
    if valid.len() < ENOUGH {
        warnings.push(DatasetValidationWarning::InsufficientFeedbackLabels);
    }
    let few = |key: &str| answers.get(key).copied().unwrap_or_default() < ENOUGH_PER_ANSWER;
    if question.answer_choices.iter().any(|choice| few(&choice.key)) {
        warnings.push(DatasetValidationWarning::InsufficientFeedbackLabelsPerAnswer);
    }
    if answers.len() == 1 && valid.len() > 1 {
        warnings.push(DatasetValidationWarning::AllFeedbackLabelsHaveTheSameAnswer);
    }
    Dataset { valid: valid.len(), warnings, accuracy: accuracy(question, &valid) }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::qa_question::{AnswerChoice, answer_choice};

    use super::*;
    use crate::content::conversation::tests::chat;

    fn question() -> QaQuestion {
        let choice = |key: &str, flag| AnswerChoice {
            key: key.into(),
            score: None,
            value: Some(answer_choice::Value::BoolValue(flag)),
        };
        QaQuestion {
            question_body: "Was a refund offered?".into(),
            answer_choices: vec![choice("yes", true), choice("no", false)],
            ..QaQuestion::default()
        }
    }

    fn judged(keys: &[&str]) -> Dataset {
        let refund = chat(&["agent: A refund was offered"]);
        let labels: Vec<FeedbackLabel> = keys
            .iter()
            .map(|key| {
                let answer = AnswerValue { key: (*key).into(), ..AnswerValue::default() };
                FeedbackLabel {
                    label_type: Some(LabelType::QaAnswerLabel(answer)),
                    ..FeedbackLabel::default()
                }
            })
            .collect();
        judge(&question(), &labels.iter().map(|label| (&refund, label)).collect::<Vec<_>>())
    }

    #[test]
    fn a_good_dataset_has_no_warnings() {
        let good = judged(&["yes", "no", "yes", "no", "yes", "yes", "yes", "yes", "yes", "yes"]);
        assert_eq!(good, Dataset { valid: 10, warnings: vec![], accuracy: Some(0.8) });
    }

    #[test]
    fn a_bad_one_is_warned_of() {
        use DatasetValidationWarning as W;
        for (keys, valid, warnings) in [
            (vec![], 0, vec![W::InsufficientFeedbackLabels, W::InsufficientFeedbackLabelsPerAnswer]),
            (
                vec!["yes"; 10],
                10,
                vec![W::InsufficientFeedbackLabelsPerAnswer, W::AllFeedbackLabelsHaveTheSameAnswer],
            ),
            (
                vec!["perhaps", "perhaps", "yes"],
                1,
                vec![
                    W::TooManyInvalidFeedbackLabels,
                    W::InsufficientFeedbackLabels,
                    W::InsufficientFeedbackLabelsPerAnswer,
                ],
            ),
        ] {
            let seen = judged(&keys);
            assert_eq!((seen.valid, seen.warnings), (valid, warnings), "{keys:?}");
        }
    }
}
