//! What `QueryMetrics` measures: conversations by dimension and by time.

mod measure;

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::dimension::{
    AgentDimensionMetadata, DimensionKey, DimensionMetadata, IssueDimensionMetadata,
    QaQuestionAnswerDimensionMetadata, QaQuestionDimensionMetadata,
};
use contact_center_insights::proto::insights::qa_answer::answer_value;
use contact_center_insights::proto::insights::query_metrics_request::TimeGranularity;
use contact_center_insights::proto::insights::query_metrics_response::Slice;
use contact_center_insights::proto::insights::query_metrics_response::slice::{
    DataPoint, TimeSeries, data_point,
};
use contact_center_insights::proto::insights::{Conversation, Dimension, QaAnswer};
use contact_center_insights::proto::r#type::Interval;
use prost_types::Timestamp;

pub(crate) use self::measure::Chosen;
use self::measure::Measures;
use super::stats::found;

/// What is asked: conversations created from `start` up to `end`, in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) granularity: TimeGranularity,
    pub(crate) dimension: DimensionKey,
    pub(crate) chosen: Chosen,
}

/// A slice for each value of the dimension, in order of it; one for all if there is no dimension. With a dimension
/// there is the average over its slices besides.
#[derive(Debug)]
pub(crate) struct Answer {
    query: Query,
    /// By what tells values apart. Time slots by their start.
    slices: BTreeMap<Vec<String>, (Dimension, Measures, BTreeMap<i64, Measures>)>,
}

impl Answer {
    pub(crate) fn new(query: Query) -> Self {
        let mut slices = BTreeMap::new();
        if query.dimension == DimensionKey::Unspecified {
            slices.insert(Vec::new(), Default::default());
        }
        Self { query, slices }
    }

    /// Measures a conversation, unless it was created outside of the time that is asked about, whose end belongs to it:
    /// a filter may say `<=`.
    pub(crate) fn add(&mut self, conversation: &Conversation) {
        let created = conversation.create_time.unwrap_or_default().seconds;
        if !(self.query.start..=self.query.end).contains(&created) {
            return;
        }
        let slot = slot(created, self.query.granularity);
        for (key, dimension, answers) in values(conversation, self.query.dimension) {
            let slice =
                self.slices.entry(key).or_insert_with(|| (dimension, Measures::default(), BTreeMap::new()));
            slice.1.add(conversation, &answers);
            if let Some((start, _)) = slot {
                slice.2.entry(start).or_default().add(conversation, &answers);
            }
        }
    }

    /// The slices, and their average.
    pub(crate) fn finish(self) -> (Vec<Slice>, Option<Slice>) {
        let Self { query, slices } = self;
        let whole = (query.start, query.end);
        let has_dimension = query.dimension != DimensionKey::Unspecified;
        let average = (has_dimension && !slices.is_empty()).then(|| Slice {
            total: Some(point(
                whole,
                &Measures::average(slices.values().map(|slice| &slice.1)),
                &query.chosen,
            )),
            ..Slice::default()
        });
        let slices = slices.into_values().map(|(dimension, total, series)| Slice {
            dimensions: if has_dimension { vec![dimension] } else { Vec::new() },
            total: Some(point(whole, &total, &query.chosen)),
            time_series: slot(0, query.granularity).map(|_| TimeSeries {
                data_points: series
                    .iter()
                    .filter_map(|(start, measures)| {
                        // The first and the last slot are cut off where the time that is asked about is.
                        let (from, to) = slot(*start, query.granularity)?;
                        let to = to.min(query.end.max(from.saturating_add(1)));
                        Some(point((from.max(query.start), to), measures, &query.chosen))
                    })
                    .collect(),
            }),
        });
        (slices.collect(), average)
    }
}

fn point((from, to): (i64, i64), measures: &Measures, chosen: &Chosen) -> DataPoint {
    let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
    DataPoint {
        interval: Some(Interval { start_time: time(from), end_time: time(to) }),
        measure: Some(data_point::Measure::ConversationMeasure(measures.finish(chosen))),
    }
}

/// The slot of time that a moment is in, from its start to the next one's; in UTC.
fn slot(seconds: i64, granularity: TimeGranularity) -> Option<(i64, i64)> {
    let step = match granularity {
        TimeGranularity::Unspecified | TimeGranularity::None => return None,
        TimeGranularity::PerMinute => 60,
        TimeGranularity::Per5Minutes => 300,
        TimeGranularity::Hourly => 3600,
        TimeGranularity::Daily => 86_400,
        TimeGranularity::Monthly => return month(seconds),
    };
    let start = seconds.div_euclid(step).saturating_mul(step);
    Some((start, start.saturating_add(step)))
}

fn month(seconds: i64) -> Option<(i64, i64)> {
    let text = Timestamp { seconds, nanos: 0 }.to_string();
    let (year, month) = (text.get(..4)?.parse::<u32>().ok()?, text.get(5..7)?.parse::<u32>().ok()?);
    let first = |year: u32, month: u32| {
        let text = format!("{year:04}-{month:02}-01T00:00:00Z");
        text.parse::<Timestamp>().ok().map(|time| time.seconds)
    };
    let next = if month == 12 { first(year + 1, 1) } else { first(year, month + 1) };
    Some((first(year, month)?, next?))
}

/// The values that a conversation has of a dimension: what tells each apart, what is shown of it, and the answers that
/// it is about, if it is about answers.
fn values(conversation: &Conversation, key: DimensionKey) -> Vec<(Vec<String>, Dimension, Vec<&QaAnswer>)> {
    let shown = |metadata| Dimension { dimension_key: key.into(), dimension_metadata: Some(metadata) };
    let mut values: Vec<(Vec<String>, Dimension, Vec<&QaAnswer>)> = match key {
        DimensionKey::Unspecified => vec![(Vec::new(), Dimension::default(), Vec::new())],
        DimensionKey::Issue => {
            let issues = found(conversation).and_then(|found| found.issue_model_result.as_ref());
            let issues = issues.into_iter().flat_map(|result| &result.issues).map(|issue| {
                let metadata = IssueDimensionMetadata {
                    issue_id: segment(&issue.issue, "issues"),
                    issue_display_name: issue.display_name.clone(),
                    issue_model_id: segment(&issue.issue, "issueModels"),
                };
                let metadata = DimensionMetadata::IssueDimensionMetadata(metadata);
                (vec![issue.issue.clone()], shown(metadata), Vec::new())
            });
            issues.collect()
        }
        DimensionKey::Agent | DimensionKey::AgentTeam => agents(conversation, key),
        DimensionKey::QaQuestionId => answers(conversation)
            .map(|answer| {
                let metadata = QaQuestionDimensionMetadata {
                    qa_scorecard_id: segment(&answer.qa_question, "qaScorecards"),
                    qa_question_id: segment(&answer.qa_question, "qaQuestions"),
                    question_body: answer.question_body.clone(),
                };
                let metadata = DimensionMetadata::QaQuestionDimensionMetadata(metadata);
                (vec![answer.qa_question.clone()], shown(metadata), vec![answer])
            })
            .collect(),
        DimensionKey::QaQuestionAnswerValue => answers(conversation)
            .map(|answer| {
                let answer_value = answer_text(answer);
                let metadata = QaQuestionAnswerDimensionMetadata {
                    qa_scorecard_id: segment(&answer.qa_question, "qaScorecards"),
                    qa_question_id: segment(&answer.qa_question, "qaQuestions"),
                    question_body: answer.question_body.clone(),
                    answer_value: answer_value.clone(),
                };
                let metadata = DimensionMetadata::QaQuestionAnswerDimensionMetadata(metadata);
                (vec![answer.qa_question.clone(), answer_value], shown(metadata), vec![answer])
            })
            .collect(),
        // No field of this version of the API says which profile a conversation was held under.
        DimensionKey::ConversationProfileId => Vec::new(),
    };
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values.dedup_by(|a, b| a.0 == b.0);
    values
}

#[allow(deprecated, reason = "conversations may still have one team")]
fn agents(conversation: &Conversation, key: DimensionKey) -> Vec<(Vec<String>, Dimension, Vec<&QaAnswer>)> {
    let value = |metadata: AgentDimensionMetadata| {
        let told_apart =
            if key == DimensionKey::Agent { metadata.agent_id.clone() } else { metadata.agent_team.clone() };
        let dimension = Dimension {
            dimension_key: key.into(),
            dimension_metadata: Some(DimensionMetadata::AgentDimensionMetadata(metadata)),
        };
        (vec![told_apart], dimension, Vec::new())
    };
    let infos = conversation.quality_metadata.iter().flat_map(|quality| &quality.agent_info);
    let mut found: Vec<AgentDimensionMetadata> = Vec::new();
    for info in infos {
        let agent = AgentDimensionMetadata {
            agent_id: info.agent_id.clone(),
            agent_display_name: info.display_name.clone(),
            ..AgentDimensionMetadata::default()
        };
        let teams = info.teams.iter().chain(Some(&info.team).filter(|team| !team.is_empty()));
        if key == DimensionKey::Agent {
            found.push(agent);
        } else {
            let team =
                |team: &String| AgentDimensionMetadata { agent_team: team.clone(), ..Default::default() };
            found.extend(teams.map(team));
        }
    }
    if key == DimensionKey::Agent && !conversation.agent_id.is_empty() {
        found.push(AgentDimensionMetadata { agent_id: conversation.agent_id.clone(), ..Default::default() });
    }
    found
        .into_iter()
        .map(value)
        .filter(|(told_apart, ..)| told_apart.iter().all(|text| !text.is_empty()))
        .collect()
}

fn answers(conversation: &Conversation) -> impl Iterator<Item = &QaAnswer> {
    let results = found(conversation).into_iter().flat_map(|found| &found.qa_scorecard_results);
    results.flat_map(|result| &result.qa_answers)
}

fn answer_text(answer: &QaAnswer) -> String {
    match answer.answer_value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(answer_value::Value::StrValue(text)) => text.clone(),
        Some(answer_value::Value::NumValue(number)) => number.to_string(),
        Some(answer_value::Value::BoolValue(flag)) => flag.to_string(),
        Some(answer_value::Value::NaValue(_)) => "N/A".to_owned(),
        None => String::new(),
    }
}

/// The id that follows a collection in a name.
fn segment(name: &str, collection: &str) -> String {
    let mut segments = name.split('/').skip_while(|segment| *segment != collection);
    segments.nth(1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
