//! The measures of a set of conversations, and which of them were asked for.

use std::collections::{BTreeMap, BTreeSet};

use contact_center_insights::proto::insights::query_metrics_response::slice::data_point::ConversationMeasure;
use contact_center_insights::proto::insights::query_metrics_response::slice::data_point::conversation_measure::QaTagScore;
use contact_center_insights::proto::insights::{Conversation, QaAnswer};

use crate::content::averages::{Mean, real, single};
use crate::content::conversation::{channels, duration, nanos};
use crate::content::stats::found;

/// The measures that there are, by their fields.
const MEASURES: [&str; 10] = [
    "conversation_count",
    "average_silence_percentage",
    "average_duration",
    "average_turn_count",
    "average_agent_sentiment_score",
    "average_client_sentiment_score",
    "average_customer_satisfaction_rating",
    "average_qa_normalized_score",
    "qa_tag_scores",
    "average_qa_question_normalized_score",
];

/// Which measures to show.
#[derive(Clone, Debug)]
pub(crate) struct Chosen(BTreeSet<&'static str>);

impl Chosen {
    /// From the paths of `measure_mask`; none means all. A path starts at the measure, as in
    /// `conversation_measure.conversation_count`; the documentation itself writes `conversation_measure.count`.
    ///
    /// # Errors
    /// The path that names no measure.
    pub(crate) fn read(paths: &[String]) -> Result<Self, String> {
        let mut chosen = BTreeSet::new();
        for path in paths {
            let name = match path.strip_prefix("conversation_measure.") {
                Some("count") => "conversation_count",
                Some(name) => name,
                None if path == "conversation_measure" || path == "*" => {
                    chosen.extend(MEASURES);
                    continue;
                }
                None => "",
            };
            let known = MEASURES.into_iter().find(|known| *known == name);
            chosen.insert(known.ok_or_else(|| {
                format!(
                    "`{path}` is not a measure: write `conversation_measure.` and one of {}",
                    MEASURES.join(", ")
                )
            })?);
        }
        if paths.is_empty() {
            chosen.extend(MEASURES);
        }
        Ok(Self(chosen))
    }
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Measures {
    count: Mean,
    silence: Mean,
    nanos: Mean,
    turns: Mean,
    agent: Mean,
    client: Mean,
    satisfaction: Mean,
    quality: Mean,
    tags: BTreeMap<String, Mean>,
    question: Mean,
}

impl Measures {
    /// Adds a conversation; `answers` are those that the dimension is about.
    pub(super) fn add(&mut self, conversation: &Conversation, answers: &[&QaAnswer]) {
        self.count.add(1.0);
        self.turns.add(conversation.turn_count.into());
        self.nanos.extend(conversation.duration.map(|span| real(nanos(span))));
        let rating =
            conversation.quality_metadata.as_ref().map(|quality| quality.customer_satisfaction_rating);
        self.satisfaction.extend(rating.filter(|rating| *rating != 0).map(f64::from));
        let normalized = |answer: &&QaAnswer| answer.answer_value.as_ref()?.normalized_score;
        self.question.extend(answers.iter().filter_map(normalized));
        let Some(found) = found(conversation) else { return };
        self.silence.extend(found.silence.as_ref().map(|silence| f64::from(silence.silence_percentage)));
        let (agent, client) = channels(conversation);
        let score = |channel: i32| {
            let level = found.sentiments.iter().find(|level| level.channel_tag == channel);
            level.and_then(|level| level.sentiment_data).map(|data| f64::from(data.score))
        };
        self.agent.extend(score(agent));
        self.client.extend(score(client));
        for result in &found.qa_scorecard_results {
            self.quality.extend(result.normalized_score);
            for tag in &result.qa_tag_results {
                self.tags.entry(tag.tag.clone()).or_default().extend(tag.normalized_score);
            }
        }
    }

    /// The average of several, each of which counts alike.
    pub(super) fn average<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let mut average = Self::default();
        for one in all {
            average.count.add(one.count.sum());
            average.silence.extend(one.silence.get());
            average.nanos.extend(one.nanos.get());
            average.turns.extend(one.turns.get());
            average.agent.extend(one.agent.get());
            average.client.extend(one.client.get());
            average.satisfaction.extend(one.satisfaction.get());
            average.quality.extend(one.quality.get());
            average.question.extend(one.question.get());
            for (tag, mean) in &one.tags {
                average.tags.entry(tag.clone()).or_default().extend(mean.get());
            }
        }
        average.count = {
            let mut mean = Mean::default();
            mean.add(average.count.get().unwrap_or_default());
            mean
        };
        average
    }

    /// Those that were asked for; what nothing was added to is unset.
    pub(super) fn finish(&self, chosen: &Chosen) -> ConversationMeasure {
        let asked = |name: &str| chosen.0.contains(name);
        let mean = |name: &str, mean: Mean| mean.get().filter(|_| asked(name));
        let tags = self.tags.iter().filter_map(|(tag, mean)| {
            Some(QaTagScore { tag: tag.clone(), average_tag_normalized_score: mean.get()? })
        });
        ConversationMeasure {
            conversation_count: asked("conversation_count").then(|| whole(self.count.sum())),
            average_silence_percentage: mean("average_silence_percentage", self.silence).map(single),
            average_duration: mean("average_duration", self.nanos).map(|nanos| duration(long(nanos))),
            average_turn_count: mean("average_turn_count", self.turns).map(single),
            average_agent_sentiment_score: mean("average_agent_sentiment_score", self.agent).map(single),
            average_client_sentiment_score: mean("average_client_sentiment_score", self.client).map(single),
            average_customer_satisfaction_rating: mean(
                "average_customer_satisfaction_rating",
                self.satisfaction,
            ),
            average_qa_normalized_score: mean("average_qa_normalized_score", self.quality),
            qa_tag_scores: if asked("qa_tag_scores") { tags.collect() } else { Vec::new() },
            average_qa_question_normalized_score: mean("average_qa_question_normalized_score", self.question),
        }
    }
}

/// A count that was summed as a double; of an average, rounded.
#[allow(clippy::cast_possible_truncation, reason = "casts saturate")]
fn whole(number: f64) -> i32 {
    number.round() as i32
}

#[allow(clippy::cast_possible_truncation, reason = "casts saturate")]
fn long(number: f64) -> i64 {
    number.round() as i64
}
