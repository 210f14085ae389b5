//! What `CalculateStats` and `CalculateIssueModelStats` count, over conversations and their latest analyses.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::analysis_result::{CallAnalysisMetadata, Metadata};
use contact_center_insights::proto::insights::calculate_stats_response::TimeSeries;
use contact_center_insights::proto::insights::calculate_stats_response::time_series::Interval;
use contact_center_insights::proto::insights::issue_model_label_stats::IssueStats;
use contact_center_insights::proto::insights::{
    CalculateStatsResponse, Conversation, Issue, IssueModelLabelStats,
};
use prost_types::{Duration, Timestamp};

use super::conversation::{duration, nanos};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// A series has hours up to this span, and days beyond it.
const SHORT: i64 = 2 * DAY;

/// What the latest analysis found, if there is one.
pub(crate) fn found(conversation: &Conversation) -> Option<&CallAnalysisMetadata> {
    match conversation.latest_analysis.as_ref()?.analysis_result.as_ref()?.metadata.as_ref()? {
        Metadata::CallAnalysisMetadata(found) => Some(found),
    }
}

/// Counts of conversations, added one by one.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    conversations: i64,
    nanos: i128,
    turns: i64,
    intents: BTreeMap<String, i32>,
    matchers: BTreeMap<String, i32>,
    issues: BTreeMap<String, IssueStats>,
    hours: BTreeMap<i64, i32>,
}

impl Stats {
    /// Counts a conversation.
    pub(crate) fn add(&mut self, conversation: &Conversation) {
        self.conversations += 1;
        self.nanos += i128::from(nanos(conversation.duration.unwrap_or_default()));
        self.turns = self.turns.saturating_add(conversation.turn_count.into());
        if let Some(time) = conversation.create_time {
            *self.hours.entry(time.seconds.div_euclid(HOUR).saturating_mul(HOUR)).or_default() += 1;
        }
        let Some(found) = found(conversation) else { return };
        for intent in found.intents.values() {
            *self.intents.entry(intent.display_name.clone()).or_default() += 1;
        }
        for matcher in found.phrase_matchers.keys() {
            *self.matchers.entry(matcher.clone()).or_default() += 1;
        }
        for issue in found.issue_model_result.iter().flat_map(|result| &result.issues) {
            let stats = self.issues.entry(issue.issue.clone()).or_insert_with(|| IssueStats {
                issue: issue.issue.clone(),
                display_name: issue.display_name.clone(),
                ..IssueStats::default()
            });
            stats.labeled_conversations_count += 1;
        }
    }

    /// What was counted. Averages are rounded down; those of nothing are unset.
    #[allow(deprecated, reason = "`issue_matches` is still filled")]
    pub(crate) fn response(self) -> CalculateStatsResponse {
        let average = i64::try_from(self.nanos / i128::from(self.conversations.max(1))).unwrap_or(i64::MAX);
        let turns = self.turns / self.conversations.max(1);
        let issue_matches = self.issues.iter().map(|(name, stats)| {
            (name.clone(), i32::try_from(stats.labeled_conversations_count).unwrap_or(i32::MAX))
        });
        CalculateStatsResponse {
            average_duration: (self.conversations > 0).then(|| duration(average)),
            average_turn_count: i32::try_from(turns).unwrap_or(i32::MAX),
            conversation_count: i32::try_from(self.conversations).unwrap_or(i32::MAX),
            smart_highlighter_matches: self.intents,
            custom_highlighter_matches: self.matchers,
            issue_matches: issue_matches.collect(),
            issue_matches_stats: self.issues,
            conversation_count_time_series: series(&self.hours),
        }
    }
}

/// Conversations by the hour or the day in which they were created, from the first to the last.
fn series(hours: &BTreeMap<i64, i32>) -> Option<TimeSeries> {
    let ((first, _), (last, _)) = (hours.first_key_value()?, hours.last_key_value()?);
    let step = if last.saturating_sub(*first) <= SHORT { HOUR } else { DAY };
    let mut points: BTreeMap<i64, i32> = BTreeMap::new();
    for (hour, conversations) in hours {
        *points.entry(hour.div_euclid(step).saturating_mul(step)).or_default() += conversations;
    }
    let points = points.into_iter().map(|(seconds, conversation_count)| Interval {
        start_time: Some(Timestamp { seconds, nanos: 0 }),
        conversation_count,
    });
    let interval_duration = Some(Duration { seconds: step, nanos: 0 });
    Some(TimeSeries { interval_duration, points: points.collect() })
}

/// Of the conversations whose latest analysis used a model, how many have which of its issues.
#[derive(Debug)]
pub(crate) struct ModelStats<'a> {
    model: &'a str,
    stats: IssueModelLabelStats,
}

impl<'a> ModelStats<'a> {
    /// Starts with none for each issue.
    pub(crate) fn new(model: &'a str, issues: &[Issue]) -> Self {
        let issue_stats = issues.iter().map(|issue| {
            let stats = IssueStats {
                issue: issue.name.clone(),
                display_name: issue.display_name.clone(),
                ..IssueStats::default()
            };
            (issue.name.clone(), stats)
        });
        let stats =
            IssueModelLabelStats { issue_stats: issue_stats.collect(), ..IssueModelLabelStats::default() };
        Self { model, stats }
    }

    /// Counts a conversation, if its latest analysis used the model.
    pub(crate) fn add(&mut self, conversation: &Conversation) {
        let result = found(conversation).and_then(|found| found.issue_model_result.as_ref());
        let Some(result) = result.filter(|result| result.issue_model == self.model) else { return };
        self.count(result.issues.iter().map(|assigned| assigned.issue.as_str()));
    }

    /// Counts a conversation that has these issues.
    pub(crate) fn count<'b>(&mut self, issues: impl Iterator<Item = &'b str>) {
        self.stats.analyzed_conversations_count += 1;
        let mut classified = false;
        for issue in issues {
            // One that has been deleted since is no longer counted.
            if let Some(stats) = self.stats.issue_stats.get_mut(issue) {
                stats.labeled_conversations_count += 1;
                classified = true;
            }
        }
        self.stats.unclassified_conversations_count += i64::from(!classified);
    }

    /// What was counted.
    pub(crate) fn finish(self) -> IssueModelLabelStats {
        self.stats
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use contact_center_insights::proto::insights::{
        Analysis, AnalysisResult, Intent, IssueAssignment, IssueModelResult, PhraseMatchData,
    };

    use super::*;

    /// A conversation of ten seconds and three turns, created at `seconds`, analysed to have an issue.
    pub(crate) fn conversation(seconds: i64, issue: Option<&str>) -> Conversation {
        let assigned = issue.map(|issue| IssueAssignment {
            issue: format!("m/issues/{issue}"),
            display_name: issue.to_uppercase(),
            score: 1.0,
        });
        let intent = Intent { id: "refund".into(), display_name: "Refund".into() };
        let found = CallAnalysisMetadata {
            intents: [("refund".into(), intent)].into(),
            phrase_matchers: [("p".into(), PhraseMatchData::default())].into(),
            issue_model_result: Some(IssueModelResult {
                issue_model: "m".into(),
                issues: assigned.into_iter().collect(),
            }),
            ..CallAnalysisMetadata::default()
        };
        Conversation {
            create_time: Some(Timestamp { seconds, nanos: 0 }),
            duration: Some(Duration { seconds: 10, nanos: 0 }),
            turn_count: 3,
            latest_analysis: Some(Analysis {
                analysis_result: Some(AnalysisResult {
                    metadata: Some(Metadata::CallAnalysisMetadata(found)),
                    ..AnalysisResult::default()
                }),
                ..Analysis::default()
            }),
            ..Conversation::default()
        }
    }

    #[test]
    fn conversations_are_counted() {
        let mut stats = Stats::default();
        for made in [conversation(0, Some("a")), conversation(HOUR, Some("a")), conversation(HOUR + 1, None)]
        {
            stats.add(&made);
        }
        stats.add(&Conversation { turn_count: 7, ..Conversation::default() });
        let seen = stats.response();
        assert_eq!((seen.conversation_count, seen.average_turn_count), (4, 4));
        assert_eq!(seen.average_duration, Some(Duration { seconds: 7, nanos: 500_000_000 }));
        assert_eq!(seen.smart_highlighter_matches, [("Refund".to_owned(), 3)].into());
        assert_eq!(seen.custom_highlighter_matches, [("p".to_owned(), 3)].into());
        let issue = &seen.issue_matches_stats["m/issues/a"];
        assert_eq!((issue.labeled_conversations_count, issue.display_name.as_str()), (2, "A"));
        let series = seen.conversation_count_time_series.unwrap();
        assert_eq!(series.interval_duration, Some(Duration { seconds: HOUR, nanos: 0 }));
        let points: Vec<i32> = series.points.iter().map(|point| point.conversation_count).collect();
        assert_eq!(points, [1, 2]);
    }

    #[test]
    fn a_long_series_is_by_the_day() {
        let hours = [(-1, 1), (HOUR, 2), (3 * DAY, 4)].into();
        let series = series(&hours).unwrap();
        let points: Vec<(i64, i32)> =
            series.points.iter().map(|p| (p.start_time.unwrap().seconds, p.conversation_count)).collect();
        assert_eq!(points, [(-DAY, 1), (0, 2), (3 * DAY, 4)]);
    }

    #[test]
    fn nothing_has_no_averages() {
        assert_eq!(Stats::default().response(), CalculateStatsResponse::default());
    }

    #[test]
    fn issues_of_a_model_are_counted() {
        let issue = |id: &str| Issue { name: format!("m/issues/{id}"), ..Issue::default() };
        let mut stats = ModelStats::new("m", &[issue("a"), issue("b")]);
        for made in [conversation(0, Some("a")), conversation(0, None), conversation(0, Some("gone"))] {
            stats.add(&made);
        }
        stats.add(&Conversation::default());
        let seen = stats.finish();
        assert_eq!((seen.analyzed_conversations_count, seen.unclassified_conversations_count), (3, 2));
        assert_eq!(seen.issue_stats["m/issues/a"].labeled_conversations_count, 1);
        assert_eq!(seen.issue_stats["m/issues/b"].labeled_conversations_count, 0);
    }
}
