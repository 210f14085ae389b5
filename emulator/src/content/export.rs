//! A conversation as a row of the table that `ExportInsightsData` fills.
//!
//! The columns are those that Google's pages on the schema and Google's dashboards name. Times are in seconds, durations
//! in nanoseconds, percentages are fractions from 0 to 1: dashboards multiply them by durations, and show them as percent.
//! The date is that on which a conversation was loaded.

mod nested;

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::Conversation;
use contact_center_insights::proto::insights::conversation_data_source::Source;
use prost_types::Timestamp;
use serde_json::{Map, Value, json};

use super::conversation::{channels, nanos};
use super::silence::talk_share;
use super::stats::found;

/// A version of the table's schema, of those whose columns are known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Schema {
    V1,
    V2,
    #[default]
    Latest,
}

impl Schema {
    /// The one of this name in the REST API. An empty name is that of the latest.
    pub(crate) fn read(name: &str) -> Result<Self, String> {
        match name {
            "EXPORT_V1" => Ok(Self::V1),
            "EXPORT_V2" => Ok(Self::V2),
            "" | "EXPORT_SCHEMA_VERSION_UNSPECIFIED" | "EXPORT_VERSION_LATEST_AVAILABLE" => Ok(Self::Latest),
            _ => {
                let number = name.strip_prefix("EXPORT_V").and_then(|number| number.parse::<u8>().ok());
                let known = "those of EXPORT_V1, EXPORT_V2 and EXPORT_VERSION_LATEST_AVAILABLE are";
                Err(match number {
                    Some(3..=19) => format!("the columns of `{name}` are not known to the emulator; {known}"),
                    _ => format!("`{name}` is not a version of the schema"),
                })
            }
        }
    }

    /// Whether the version has a column.
    fn has(self, column: &str) -> bool {
        const SINCE_2: [&str; 1] = ["dialogflowConversationProfileId"];
        const LATER: [&str; 6] = [
            "startTimestamp",
            "analysisTimestampUtc",
            "conversationUpdateTimestampUtc",
            "agents",
            "latestSummary",
            "qaScorecardResults",
        ];
        match self {
            Self::V1 => !SINCE_2.contains(&column) && !LATER.contains(&column),
            Self::V2 => !LATER.contains(&column),
            Self::Latest => true,
        }
    }
}

/// The revisions of phrase matchers, by the names of the matchers.
pub(crate) type Revisions = BTreeMap<String, String>;

/// One row. What is not known is null.
pub(crate) fn row(conversation: &Conversation, schema: Schema, revisions: &Revisions) -> Value {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| {
        if schema.has(name) {
            row.insert(name.to_owned(), value);
        }
    };
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
    put("startTimestamp", json!(start.map(|time| time.to_string())));
    put("loadTimestampUtc", seconds(conversation.create_time));
    let analysed = conversation.latest_analysis.as_ref().and_then(|analysis| analysis.create_time);
    put("analysisTimestampUtc", seconds(analysed));
    put("conversationUpdateTimestampUtc", seconds(conversation.update_time));
    // The date is the first ten characters of a time as RFC 3339 has it.
    let date = conversation.create_time.map(|time| time.to_string()).unwrap_or_default();
    for (name, range) in [("year", 0..4), ("month", 5..7), ("day", 8..10)] {
        let number = date.get(range).and_then(|digits| digits.parse::<u32>().ok());
        put(name, json!(number));
    }
    put("durationNanos", json!(conversation.duration.map(nanos)));
    let silence = found.and_then(|found| found.silence.as_ref());
    put("silenceNanos", json!(silence.and_then(|silence| silence.silence_duration).map(nanos)));
    let fraction = |percentage: f32| (f64::from(percentage) / 100.0).clamp(0.0, 1.0);
    put("silencePercentage", json!(silence.map(|silence| fraction(silence.silence_percentage))));
    let transcript = conversation.transcript.as_ref();
    put("agentSpeakingPercentage", json!(transcript.map(|transcript| talk_share(transcript, agent))));
    put("clientSpeakingPercentage", json!(transcript.map(|transcript| talk_share(transcript, client))));
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
    put("agents", nested::agents(conversation));
    let labels = conversation.labels.iter().map(|(key, value)| json!({"key": key, "value": value}));
    put("labels", labels.collect());
    put("issues", nested::issues(found, schema));
    put("entities", nested::entities(found));
    put("words", segments.iter().flat_map(nested::words).collect());
    put("sentences", nested::sentences(conversation, segments, found, revisions));
    put("latestSummary", nested::summary(conversation.latest_summary.as_ref()));
    put("qaScorecardResults", nested::scorecard_results(found));
    Value::Object(row)
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn seconds(time: Option<Timestamp>) -> Value {
    json!(time.map(|time| time.seconds))
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::analysis_result::Metadata;
    use contact_center_insights::proto::insights::{
        Analysis, AnalysisResult, IssueAssignment, IssueModelResult,
    };

    use super::*;
    use crate::content::analysis::{Tools, all, run};
    use crate::content::conversation::tests::chat;

    fn analysed(lines: &[&str]) -> Conversation {
        let mut made = chat(lines);
        let mut metadata = run(&made, &all(), &Tools::default()).metadata;
        let issue = "projects/p/locations/us/issueModels/7/issues/9".to_owned();
        let issues = vec![IssueAssignment { issue, score: 0.5, display_name: "Bill".into() }];
        metadata.issue_model_result = Some(IssueModelResult { issue_model: String::new(), issues });
        made.latest_analysis = Some(Analysis {
            analysis_result: Some(AnalysisResult {
                metadata: Some(Metadata::CallAnalysisMetadata(metadata)),
                ..AnalysisResult::default()
            }),
            ..Analysis::default()
        });
        made
    }

    fn columns(conversation: &Conversation, schema: Schema) -> Vec<String> {
        row(conversation, schema, &Revisions::new()).as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn p18_p19_a_row_has_what_is_known() {
        let mut made = analysed(&["agent: How can I help", "customer: I hate this bill", "agent: Sorry"]);
        // Loaded on the last second of a year, on New Year's Eve by UTC.
        made.create_time = Some(Timestamp { seconds: 1_767_225_599, nanos: 0 });
        let row = row(&made, Schema::Latest, &Revisions::new());
        assert_eq!(row["startTimestampUtc"], 1_600_000_000);
        assert_eq!(row["startTimestamp"], "2020-09-13T12:26:40Z");
        assert_eq!((&row["year"], &row["month"], &row["day"]), (&json!(2025), &json!(12), &json!(31)));
        assert_eq!((&row["medium"], &row["turnCount"]), (&json!("CHAT"), &json!(3)));
        assert_eq!(row["transcript"], "How can I help\nI hate this bill\nSorry");
        assert!(row["clientSentimentScore"].as_f64().unwrap() < 0.0);
        assert_eq!(row["agentSentimentScore"], Value::Null);
        let share = |column: &str| row[column].as_f64().unwrap();
        let shares = ["agentSpeakingPercentage", "clientSpeakingPercentage", "silencePercentage"].map(share);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{shares:?}");
        let silence = share("silencePercentage") * share("durationNanos") - share("silenceNanos");
        assert!(silence.abs() < 1e4, "percentage times duration: {silence}");
        let issue = json!([{"name": "Bill", "score": 0.5, "issueId": "9", "issueModelId": "7"}]);
        assert_eq!(row["issues"], issue);
        let greeting = &row["sentences"][0];
        assert_eq!(greeting["intentMatchData"], json!([{"intentId": "greeting", "displayName": "Greeting"}]));
        assert_eq!(
            (&greeting["participantRole"], &greeting["speakerTag"]),
            (&json!("HUMAN_AGENT"), &json!(2))
        );
        assert_eq!(greeting["createTimeNanos"], 1_600_000_000_000_000_000_i64);
        assert_eq!(row["sentences"][1]["startOffsetNanos"], 10_000_000_000_i64);
        assert_eq!(row["audioFileUri"], Value::Null);
    }

    #[test]
    fn an_empty_conversation_has_the_same_columns() {
        for (schema, count) in [(Schema::V1, 26), (Schema::V2, 27), (Schema::Latest, 33)] {
            let made = chat(&["agent: Hello"]);
            assert_eq!(columns(&Conversation::default(), schema), columns(&made, schema));
            assert_eq!(columns(&made, schema).len(), count, "{schema:?}");
        }
    }

    #[test]
    fn p20_versions_whose_columns_are_known_are_taken() {
        assert_eq!(Schema::read("EXPORT_V1"), Ok(Schema::V1));
        assert_eq!(Schema::read("EXPORT_VERSION_LATEST_AVAILABLE"), Ok(Schema::Latest));
        assert!(Schema::read("EXPORT_V9").unwrap_err().contains("not known to the emulator"));
        for none in ["EXPORT_V20", "EXPORT_V", "v1"] {
            assert!(Schema::read(none).unwrap_err().contains("not a version"), "{none}");
        }
        let made = analysed(&["agent: Hello", "customer: My bill"]);
        let first = row(&made, Schema::V1, &Revisions::new());
        assert_eq!(first["issues"], json!([{"name": "Bill", "score": 0.5}]));
    }
}
