//! Quality AI: answers to the questions of a scorecard, by a stand-in that counts words, and the scores they add up to.

use std::collections::{BTreeMap, BTreeSet};

use contact_center_insights::proto::insights::qa_answer::answer_source::SourceType as AnswerSourceType;
use contact_center_insights::proto::insights::qa_answer::{AnswerSource, AnswerValue, answer_value};
use contact_center_insights::proto::insights::qa_question::{AnswerChoice, answer_choice};
use contact_center_insights::proto::insights::qa_scorecard_result::score_source::SourceType as ScoreSourceType;
use contact_center_insights::proto::insights::qa_scorecard_result::{QaTagResult, ScoreSource};
use contact_center_insights::proto::insights::{
    Conversation, FeedbackLabel, QaAnswer, QaQuestion, QaScorecardResult, feedback_label,
};

use super::averages::{long, real, share};
use super::words::stems;

/// A revision of a scorecard, with its questions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scorecard {
    pub(crate) revision: String,
    pub(crate) questions: Vec<QaQuestion>,
}

/// Answers all questions about a conversation. A feedback label about a question is a correction by hand, and its
/// answer counts in place of the made one.
pub(crate) fn score(
    conversation: &Conversation,
    scorecard: &Scorecard,
    labels: &[FeedbackLabel],
) -> QaScorecardResult {
    let transcript = conversation.transcript.iter().flat_map(|transcript| &transcript.transcript_segments);
    let said: BTreeSet<String> = transcript.flat_map(|segment| stems(&segment.text)).collect();
    let mut answers: Vec<QaAnswer> = Vec::new();
    let mut edited = false;
    let mut questions: Vec<&QaQuestion> = scorecard.questions.iter().collect();
    questions.sort_by_key(|question| (question.order, question.name.clone()));
    for question in questions {
        let Some(choice) = choose(question, &said) else { continue };
        let made = value(question, choice);
        let mut sources = vec![source(AnswerSourceType::SystemGenerated, &made)];
        let mut counts = made;
        if let Some(corrected) = correction(question, labels) {
            sources.push(source(AnswerSourceType::ManualEdit, &corrected));
            counts = corrected;
            edited = true;
        }
        answers.push(QaAnswer {
            qa_question: question.name.clone(),
            conversation: conversation.name.clone(),
            question_body: question.question_body.clone(),
            answer_value: Some(counts),
            tags: question.tags.clone(),
            answer_sources: sources,
        });
    }
    let (score, potential_score) = total(answers.iter());
    let normalized_score = normalized(score, potential_score);
    let qa_tag_results = by_tag(&answers);
    let kind =
        if edited { ScoreSourceType::IncludesManualEdits } else { ScoreSourceType::SystemGeneratedOnly };
    let score_source = ScoreSource {
        source_type: kind.into(),
        score: Some(score),
        potential_score: Some(potential_score),
        normalized_score,
        qa_tag_results: qa_tag_results.clone(),
    };
    QaScorecardResult {
        qa_scorecard_revision: scorecard.revision.clone(),
        conversation: conversation.name.clone(),
        agent_id: conversation.agent_id.clone(),
        qa_answers: answers,
        score: Some(score),
        potential_score: Some(potential_score),
        normalized_score,
        qa_tag_results,
        score_sources: vec![score_source],
        ..QaScorecardResult::default()
    }
}

/// The choice that the conversation speaks for: the one whose own words were said most; if none were, yes or no by
/// whether half of what the question and its instructions talk about was said; if that does not apply, the first
/// choice that says "not applicable", or the first of all.
fn choose<'a>(question: &'a QaQuestion, said: &BTreeSet<String>) -> Option<&'a AnswerChoice> {
    let choices = &question.answer_choices;
    let heard = |choice: &AnswerChoice| match &choice.value {
        Some(answer_choice::Value::StrValue(text)) => stems(text).filter(|stem| said.contains(stem)).count(),
        _ => 0,
    };
    let best = choices.iter().map(|choice| (heard(choice), choice)).filter(|(count, _)| *count > 0);
    let best = best.fold(None::<(usize, &AnswerChoice)>, |best, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    if let Some((_, choice)) = best {
        return Some(choice);
    }
    let about: BTreeSet<String> =
        stems(&question.question_body).chain(stems(&question.answer_instructions)).collect();
    let matching = about.iter().filter(|stem| said.contains(*stem)).count();
    let yes = !about.is_empty() && matching * 2 >= about.len();
    let is = |wanted: answer_choice::Value| {
        choices.iter().find(move |choice| choice.value.as_ref() == Some(&wanted))
    };
    is(answer_choice::Value::BoolValue(yes))
        .or_else(|| is(answer_choice::Value::NaValue(true)))
        .or(choices.first())
}

/// A choice as an answer, with its scores.
fn value(question: &QaQuestion, choice: &AnswerChoice) -> AnswerValue {
    let potential = question.answer_choices.iter().filter_map(|choice| choice.score).reduce(f64::max);
    let value = choice.value.clone().map(|value| match value {
        answer_choice::Value::StrValue(text) => answer_value::Value::StrValue(text),
        answer_choice::Value::NumValue(number) => answer_value::Value::NumValue(number),
        answer_choice::Value::BoolValue(flag) => answer_value::Value::BoolValue(flag),
        answer_choice::Value::NaValue(flag) => answer_value::Value::NaValue(flag),
    });
    // What does not apply has no score, and takes nothing away.
    let applies = !matches!(value, Some(answer_value::Value::NaValue(_)));
    let score = choice.score.filter(|_| applies);
    let potential_score = potential.filter(|_| score.is_some());
    AnswerValue {
        key: choice.key.clone(),
        value,
        score,
        potential_score,
        normalized_score: score
            .zip(potential_score)
            .and_then(|(score, potential)| normalized(score, potential)),
    }
}

/// The answer of the newest label about this question, if it is one of the choices.
fn correction(question: &QaQuestion, labels: &[FeedbackLabel]) -> Option<AnswerValue> {
    let mut own: Vec<&FeedbackLabel> =
        labels.iter().filter(|label| label.labeled_resource == question.name).collect();
    own.sort_by_key(|label| label.update_time.map(|time| (time.seconds, time.nanos)));
    let Some(feedback_label::LabelType::QaAnswerLabel(answer)) = own.last()?.label_type.as_ref() else {
        return None;
    };
    let choice = matching(question, answer)?;
    Some(value(question, choice))
}

/// The choice that an answer names: by key, or else by value.
pub(crate) fn matching<'a>(question: &'a QaQuestion, answer: &AnswerValue) -> Option<&'a AnswerChoice> {
    let same = |choice: &&AnswerChoice| match (&choice.value, &answer.value) {
        (Some(answer_choice::Value::StrValue(a)), Some(answer_value::Value::StrValue(b))) => a == b,
        (Some(answer_choice::Value::NumValue(a)), Some(answer_value::Value::NumValue(b))) => {
            a.total_cmp(b).is_eq()
        }
        (Some(answer_choice::Value::BoolValue(a)), Some(answer_value::Value::BoolValue(b)))
        | (Some(answer_choice::Value::NaValue(a)), Some(answer_value::Value::NaValue(b))) => a == b,
        _ => false,
    };
    let mut choices = question.answer_choices.iter();
    if answer.key.is_empty() { choices.find(same) } else { choices.find(|choice| choice.key == answer.key) }
}

fn source(kind: AnswerSourceType, answer: &AnswerValue) -> AnswerSource {
    AnswerSource { source_type: kind.into(), answer_value: Some(answer.clone()) }
}

fn total<'a>(answers: impl Iterator<Item = &'a QaAnswer>) -> (f64, f64) {
    let values = answers.filter_map(|answer| answer.answer_value.as_ref());
    values.fold((0.0, 0.0), |(score, potential), value| {
        (score + value.score.unwrap_or_default(), potential + value.potential_score.unwrap_or_default())
    })
}

/// Nothing can be said of what could not have scored.
fn normalized(score: f64, potential: f64) -> Option<f64> {
    (potential != 0.0).then(|| share(score, potential))
}

fn by_tag(answers: &[QaAnswer]) -> Vec<QaTagResult> {
    let mut tags: BTreeMap<&str, Vec<&QaAnswer>> = BTreeMap::new();
    for answer in answers {
        for tag in &answer.tags {
            tags.entry(tag).or_default().push(answer);
        }
    }
    let results = tags.into_iter().map(|(tag, answers)| {
        let (score, potential) = total(answers.into_iter());
        QaTagResult {
            tag: tag.to_owned(),
            score: Some(score),
            potential_score: Some(potential),
            normalized_score: normalized(score, potential),
        }
    });
    results.collect()
}

/// The share, from 0 to 1, of labels on which the stand-in gives the labelled answer; `None` without labels.
pub(crate) fn accuracy(question: &QaQuestion, labelled: &[(&Conversation, &AnswerValue)]) -> Option<f64> {
    let right = labelled.iter().filter(|(conversation, answer)| {
        let transcript =
            conversation.transcript.iter().flat_map(|transcript| &transcript.transcript_segments);
        let said: BTreeSet<String> = transcript.flat_map(|segment| stems(&segment.text)).collect();
        choose(question, &said).is_some_and(|choice| matching(question, answer) == Some(choice))
    });
    let right = right.count();
    (!labelled.is_empty()).then(|| share(real(long(right)), real(long(labelled.len()))))
}

#[cfg(test)]
mod tests;
