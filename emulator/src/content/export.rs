//! A conversation as a row of the table that `ExportInsightsData` fills.
//!
//! The columns are those that the service's documentation of its BigQuery schema names, as far as anything here is
//! known of them; times are in seconds, durations in nanoseconds.

use contact_center_insights::proto::insights::call_annotation::Data;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation_data_source::Source;
use contact_center_insights::proto::insights::{CallAnnotation, Conversation, SentimentData};
use prost_types::{Duration, Timestamp};
use serde_json::{Map, Value, json};

use super::conversation::{channels, nanos, timeline};
use super::silence::talk_percentage;
use super::stats::found;

/// One row. What is not known is null.
pub(crate) fn row(conversation: &Conversation) -> Value {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
    let (agent, client) = channels(conversation);
    let found = found(conversation);
    let audio = match conversation.data_source.as_ref().and_then(|found| found.source.as_ref()) {
        Some(Source::GcsSource(source)) => source.audio_uri.as_str(),
        Some(Source::DialogflowSource(source)) => source.audio_uri.as_str(),
        None => "",
    };
    put("conversationName", text(&conversation.name));
    put("audioFileUri", text(audio));
    put("dialogflowConversationProfileId", Value::Null);
    let start = conversation.start_time.or(conversation.create_time);
    put("startTimestampUtc", seconds(start));
    put("loadTimestampUtc", seconds(conversation.create_time));
    let analysed = conversation.latest_analysis.as_ref().and_then(|analysis| analysis.create_time);
    put("analysisTimestampUtc", seconds(analysed));
    put("conversationUpdateTimestampUtc", seconds(conversation.update_time));
    // The date is the first ten characters of a time as RFC 3339 has it.
    let date = start.map(|time| time.to_string()).unwrap_or_default();
    for (name, range) in [("year", 0..4), ("month", 5..7), ("day", 8..10)] {
        let number = date.get(range).and_then(|digits| digits.parse::<u32>().ok());
        put(name, json!(number));
    }
    put("durationNanos", json!(conversation.duration.map(nanos)));
    let silence = found.and_then(|found| found.silence.as_ref());
    put("silenceNanos", json!(silence.and_then(|silence| silence.silence_duration).map(nanos)));
    put("silencePercentage", json!(silence.map(|silence| silence.silence_percentage)));
    let transcript = conversation.transcript.as_ref();
    put("agentSpeakingPercentage", json!(transcript.map(|transcript| talk_percentage(transcript, agent))));
    put("clientSpeakingPercentage", json!(transcript.map(|transcript| talk_percentage(transcript, client))));
    for (who, channel) in [("agent", agent), ("client", client)] {
        let levels = found.into_iter().flat_map(|found| &found.sentiments);
        let sentiment =
            levels.filter(|level| level.channel_tag == channel).find_map(|level| level.sentiment_data);
        put(&format!("{who}SentimentScore"), json!(sentiment.map(|sentiment| sentiment.score)));
        put(&format!("{who}SentimentMagnitude"), json!(sentiment.map(|sentiment| sentiment.magnitude)));
    }
    let segments = transcript.map_or(&[][..], |transcript| transcript.transcript_segments.as_slice());
    let lines: Vec<&str> = segments.iter().map(|segment| segment.text.as_str()).collect();
    put("transcript", text(&lines.join("\n")));
    put("turnCount", json!(conversation.turn_count));
    put("languageCode", text(&conversation.language_code));
    put("medium", json!(conversation.medium().as_str_name()));
    put("agentId", text(&conversation.agent_id));
    let labels = conversation.labels.iter().map(|(key, value)| json!({"key": key, "value": value}));
    put("labels", labels.collect());
    let issues = found.and_then(|found| found.issue_model_result.as_ref());
    let issues = issues.into_iter().flat_map(|result| &result.issues);
    put("issues", issues.map(|issue| json!({"name": issue.display_name, "score": issue.score})).collect());
    let entities = found.into_iter().flat_map(|found| found.entities.values()).map(|entity| {
        let sentiment = entity.sentiment.unwrap_or_default();
        json!({"name": entity.display_name, "type": entity.r#type().as_str_name(), "salience": entity.salience,
            "sentimentScore": sentiment.score, "sentimentMagnitude": sentiment.magnitude})
    });
    put("entities", entities.collect());
    put("words", segments.iter().flat_map(words).collect());
    let annotations = found.map_or(&[][..], |found| found.annotations.as_slice());
    put("sentences", sentences(conversation, segments, annotations));
    put(
        "latestSummary",
        json!(conversation.latest_summary.as_ref().map(|summary| json!({"text": summary.text}))),
    );
    let results = found.into_iter().flat_map(|found| &found.qa_scorecard_results).map(|result| {
        json!({"qaScorecardRevision": result.qa_scorecard_revision, "score": result.score,
            "potentialScore": result.potential_score, "normalizedScore": result.normalized_score})
    });
    put("qaScorecardResults", results.collect());
    Value::Object(row)
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn seconds(time: Option<Timestamp>) -> Value {
    json!(time.map(|time| time.seconds))
}

fn words(segment: &TranscriptSegment) -> impl Iterator<Item = Value> {
    let offset = |offset: Option<Duration>| offset.map(nanos);
    segment.words.iter().map(move |word| {
        json!({"word": word.word, "startOffsetNanos": offset(word.start_offset),
            "endOffsetNanos": offset(word.end_offset), "speakerTag": segment.channel_tag,
            "languageCode": segment.language_code})
    })
}

/// One for each segment, with the matchers and intents that begin in it.
fn sentences(
    conversation: &Conversation,
    segments: &[TranscriptSegment],
    annotations: &[CallAnnotation],
) -> Value {
    let spans = conversation.transcript.as_ref().map(timeline).unwrap_or_default();
    let first = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let sentences = segments.iter().zip(&spans).enumerate().map(|(index, (segment, span))| {
        let within = annotations.iter().filter(|annotation| {
            let start = annotation.annotation_start_boundary.as_ref();
            start.is_some_and(|start| usize::try_from(start.transcript_index) == Ok(index))
        });
        let (mut matchers, mut intents) = (Vec::new(), Vec::new());
        for annotation in within {
            match &annotation.data {
                Some(Data::PhraseMatchData(data)) => matchers
                    .push(json!({"phraseMatcherId": last(&data.phrase_matcher), "displayName": data.display_name})),
                Some(Data::IntentMatchData(data)) => intents.push(json!({"intentUniqueId": data.intent_unique_id})),
                _ => {}
            }
        }
        let SentimentData { magnitude, score } = segment.sentiment.unwrap_or_default();
        json!({"sentence": segment.text, "startOffsetNanos": span.start.saturating_sub(first), "endOffsetNanos": span.end.saturating_sub(first),
            "sentimentScore": score, "sentimentMagnitude": magnitude, "speakerTag": segment.channel_tag,
            "languageCode": segment.language_code, "phraseMatchData": matchers, "intentMatchData": intents})
    });
    sentences.collect()
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::analysis_result::Metadata;
    use contact_center_insights::proto::insights::{Analysis, AnalysisResult};

    use super::*;
    use crate::content::analysis::{Tools, all, run};
    use crate::content::conversation::tests::chat;

    #[test]
    fn a_row_has_what_is_known() {
        let mut made = chat(&["agent: How can I help", "customer: I hate this bill"]);
        let metadata = run(&made, &all(), &Tools::default()).metadata;
        made.latest_analysis = Some(Analysis {
            analysis_result: Some(AnalysisResult {
                metadata: Some(Metadata::CallAnalysisMetadata(metadata)),
                ..AnalysisResult::default()
            }),
            ..Analysis::default()
        });
        let row = row(&made);
        assert_eq!(row["startTimestampUtc"], 1_600_000_000);
        assert_eq!((&row["year"], &row["month"], &row["day"]), (&json!(2020), &json!(9), &json!(13)));
        assert_eq!((&row["medium"], &row["turnCount"]), (&json!("CHAT"), &json!(2)));
        assert_eq!(row["transcript"], "How can I help\nI hate this bill");
        assert!(row["clientSentimentScore"].as_f64().unwrap() < 0.0);
        assert_eq!(row["sentences"][0]["intentMatchData"][0]["intentUniqueId"], "greeting");
        assert_eq!(row["sentences"][1]["startOffsetNanos"], 10_000_000_000_i64);
        assert_eq!(row["audioFileUri"], Value::Null);
    }

    #[test]
    fn an_empty_conversation_has_the_same_columns() {
        let columns = |conversation: &Conversation| {
            row(conversation).as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(columns(&Conversation::default()), columns(&chat(&["agent: Hello"])));
        assert_eq!(columns(&Conversation::default()).len(), 31);
    }
}
