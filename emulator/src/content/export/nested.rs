//! The columns that are lists of records.

use contact_center_insights::json;
use contact_center_insights::proto::insights::analysis_result::CallAnalysisMetadata;
use contact_center_insights::proto::insights::call_annotation::Data;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation_participant::Participant;
use contact_center_insights::proto::insights::qa_answer::{AnswerValue, answer_value};
use contact_center_insights::proto::insights::runtime_annotation::Data as Offer;
use contact_center_insights::proto::insights::{
    AnnotationBoundary, CallAnnotation, Conversation, ConversationParticipant,
    ConversationSummarizationSuggestionData, QaAnswer, RuntimeAnnotation, SentimentData,
};
use prost_types::{Duration, Timestamp};
use serde_json::{Value, json};

use super::{Revisions, Schema, last, text};
use crate::content::conversation::{nanos, role, timeline};

type Found<'a> = Option<&'a CallAnalysisMetadata>;

/// Who served the customer.
pub(super) fn agents(conversation: &Conversation) -> Value {
    let agents = conversation.quality_metadata.iter().flat_map(|quality| &quality.agent_info);
    let agents = agents.map(|agent| {
        json!({"agentId": agent.agent_id, "agentDisplayName": text(&agent.display_name), "agentTeams": agent.teams,
            "agentType": agent.agent_type().as_str_name(), "dispositionCode": text(&agent.disposition_code)})
    });
    agents.collect()
}

pub(super) fn issues(found: Found<'_>, schema: Schema) -> Value {
    let result = found.and_then(|found| found.issue_model_result.as_ref());
    let issues = result.into_iter().flat_map(|result| &result.issues).map(|issue| {
        let mut made = json!({"name": issue.display_name, "score": issue.score});
        if let (Some(made), Schema::Latest) = (made.as_object_mut(), schema) {
            let (model, _) = issue.issue.split_once("/issues/").unwrap_or_default();
            made.insert("issueId".to_owned(), text(last(&issue.issue)));
            made.insert("issueModelId".to_owned(), text(last(model)));
        }
        made
    });
    issues.collect()
}

/// Each with the channel of its first mention.
pub(super) fn entities(found: Found<'_>) -> Value {
    let annotations = found.map_or(&[][..], |found| found.annotations.as_slice());
    let speaker = |id: &str| {
        annotations.iter().find_map(|annotation| match &annotation.data {
            Some(Data::EntityMentionData(mention)) if mention.entity_unique_id == id => {
                Some(annotation.channel_tag)
            }
            _ => None,
        })
    };
    let entities = found.into_iter().flat_map(|found| &found.entities).map(|(id, entity)| {
        let sentiment = entity.sentiment.unwrap_or_default();
        json!({"name": entity.display_name, "type": entity.r#type().as_str_name(), "salience": entity.salience,
            "sentimentScore": sentiment.score, "sentimentMagnitude": sentiment.magnitude, "speakerTag": speaker(id)})
    });
    entities.collect()
}

pub(super) fn words(segment: &TranscriptSegment) -> impl Iterator<Item = Value> {
    let offset = |offset: Option<Duration>| offset.map(nanos);
    segment.words.iter().map(move |word| {
        json!({"word": word.word, "startOffsetNanos": offset(word.start_offset),
            "endOffsetNanos": offset(word.end_offset), "speakerTag": segment.channel_tag,
            "languageCode": segment.language_code})
    })
}

/// One for each segment, with what begins in it: matches, intents, and what agents were offered.
pub(super) fn sentences(
    conversation: &Conversation,
    segments: &[TranscriptSegment],
    found: Found<'_>,
    revisions: &Revisions,
) -> Value {
    let spans = conversation.transcript.as_ref().map(timeline).unwrap_or_default();
    let first = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let sentences = segments.iter().zip(&spans).enumerate().map(|(index, (segment, span))| {
        let begins = |start: &Option<AnnotationBoundary>| {
            start.as_ref().is_some_and(|start| usize::try_from(start.transcript_index) == Ok(index))
        };
        let within = found.into_iter().flat_map(|found| &found.annotations);
        let within: Vec<_> = within.filter(|annotation| begins(&annotation.annotation_start_boundary)).collect();
        let offered = conversation.runtime_annotations.iter().filter(|offer| begins(&offer.start_boundary));
        let participant = segment.segment_participant.as_ref();
        let covered = segment.dialogflow_segment_metadata.is_some_and(|data| data.smart_reply_allowlist_covered);
        let SentimentData { magnitude, score } = segment.sentiment.unwrap_or_default();
        json!({"sentence": segment.text, "startOffsetNanos": span.start.saturating_sub(first),
            "endOffsetNanos": span.end.saturating_sub(first), "createTimeNanos": segment.message_time.map(since_epoch),
            "sentimentScore": score, "sentimentMagnitude": magnitude, "speakerTag": segment.channel_tag,
            "languageCode": segment.language_code, "participantRole": role(segment).as_str_name(),
            "participantId": participant.map_or(Value::Null, participant_id),
            "obfuscatedExternalUserId": participant.map_or(Value::Null, |found| text(&found.obfuscated_external_user_id)),
            "isCoveredBySmartReplyAllowlist": covered, "annotations": offered.map(offer).collect::<Value>(),
            "phraseMatchData": matches(&within, revisions), "intentMatchData": intents(&within, found),
            // No field of v1 says which intent Dialogflow matched where.
            "dialogflowIntentMatchData": []})
    });
    sentences.collect()
}

fn matches(within: &[&CallAnnotation], revisions: &Revisions) -> Value {
    let matches = within.iter().filter_map(|annotation| match &annotation.data {
        Some(Data::PhraseMatchData(data)) => {
            let revision = revisions.get(&data.phrase_matcher);
            Some(json!({"phraseMatcherId": last(&data.phrase_matcher), "displayName": data.display_name,
                "revisionId": revision}))
        }
        _ => None,
    });
    matches.collect()
}

fn intents(within: &[&CallAnnotation], found: Found<'_>) -> Value {
    let intents = within.iter().filter_map(|annotation| match &annotation.data {
        Some(Data::IntentMatchData(data)) => {
            let intent = found.and_then(|found| found.intents.get(&data.intent_unique_id));
            let name = intent.map(|intent| intent.display_name.as_str());
            Some(json!({"intentId": data.intent_unique_id, "displayName": name}))
        }
        _ => None,
    });
    intents.collect()
}

/// What an agent was offered while the conversation went on.
fn offer(offer: &RuntimeAnnotation) -> Value {
    let kind = offer.data.as_ref().map(|data| match data {
        Offer::ArticleSuggestion(_) => "ARTICLE_SUGGESTION",
        Offer::FaqAnswer(_) => "FAQ",
        Offer::SmartReply(_) => "SMART_REPLY",
        Offer::SmartComposeSuggestion(_) => "SMART_COMPOSE",
        Offer::DialogflowInteraction(_) => "DIALOGFLOW_INTERACTION",
        Offer::ConversationSummarizationSuggestion(_) => "CONVERSATION_SUMMARIZATION",
    });
    let feedback = offer.answer_feedback.unwrap_or_default();
    let record = json::from_message(offer).map(|record| record.to_string()).ok();
    json!({"type": kind, "annotationRecord": record, "createTimeNanos": offer.create_time.map(since_epoch),
        "clicked": feedback.clicked, "displayed": feedback.displayed,
        "correctnessLevel": feedback.correctness_level().as_str_name()})
}

fn participant_id(participant: &ConversationParticipant) -> Value {
    match &participant.participant {
        Some(Participant::UserId(id)) => text(id),
        Some(Participant::DialogflowParticipantName(name)) => text(last(name)),
        None => Value::Null,
    }
}

fn since_epoch(time: Timestamp) -> i64 {
    nanos(Duration { seconds: time.seconds, nanos: time.nanos })
}

pub(super) fn summary(summary: Option<&ConversationSummarizationSuggestionData>) -> Value {
    let made = summary.map(|summary| {
        let sections = summary.text_sections.iter().map(|(key, value)| json!({"key": key, "value": value}));
        json!({"text": summary.text, "textSections": sections.collect::<Value>()})
    });
    json!(made)
}

pub(super) fn scorecard_results(found: Found<'_>) -> Value {
    let results = found.into_iter().flat_map(|found| &found.qa_scorecard_results).map(|result| {
        let tags = result.qa_tag_results.iter().map(|tag| {
            json!({"tag": tag.tag, "score": tag.score, "potentialScore": tag.potential_score,
                "normalizedScore": tag.normalized_score})
        });
        json!({"qaScorecardRevision": result.qa_scorecard_revision, "score": result.score,
            "potentialScore": result.potential_score, "normalizedScore": result.normalized_score,
            "qaAnswers": result.qa_answers.iter().map(answer).collect::<Value>(),
            "qaTagResults": tags.collect::<Value>()})
    });
    results.collect()
}

fn answer(answer: &QaAnswer) -> Value {
    json!({"qaQuestion": answer.qa_question, "questionBody": answer.question_body, "tags": answer.tags,
        "qaAnswerValue": answer.answer_value.as_ref().map(value)})
}

fn value(value: &AnswerValue) -> Value {
    let mut made = json!({"key": text(&value.key), "stringValue": null, "numericValue": null, "boolValue": null,
        "naValue": null, "score": value.score, "potentialScore": value.potential_score,
        "normalizedScore": value.normalized_score});
    let (column, answer) = match &value.value {
        Some(answer_value::Value::StrValue(text)) => ("stringValue", json!(text)),
        Some(answer_value::Value::NumValue(number)) => ("numericValue", json!(number)),
        Some(answer_value::Value::BoolValue(flag)) => ("boolValue", json!(flag)),
        Some(answer_value::Value::NaValue(flag)) => ("naValue", json!(flag)),
        None => return made,
    };
    if let Some(made) = made.as_object_mut() {
        made.insert(column.to_owned(), answer);
    }
    made
}
