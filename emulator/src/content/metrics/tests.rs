//! Metrics by hand.

use contact_center_insights::proto::insights::conversation::QualityMetadata;
use contact_center_insights::proto::insights::conversation::quality_metadata::AgentInfo;
use contact_center_insights::proto::insights::query_metrics_response::slice::data_point::ConversationMeasure;

use super::*;
use crate::content::stats::tests::conversation;

const DAY: i64 = 86_400;

fn query(granularity: TimeGranularity, dimension: DimensionKey, paths: &[&str]) -> Query {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    Query { start: 0, end: 100 * DAY, granularity, dimension, chosen: Chosen::read(&paths).unwrap() }
}

fn ask(query: Query, conversations: &[Conversation]) -> (Vec<Slice>, Option<Slice>) {
    let mut answer = Answer::new(query);
    for conversation in conversations {
        answer.add(conversation);
    }
    answer.finish()
}

fn measure(point: Option<&DataPoint>) -> ConversationMeasure {
    let Some(data_point::Measure::ConversationMeasure(measure)) = point.unwrap().measure.clone() else {
        panic!()
    };
    measure
}

fn by_agent(agent: &str, team: &str, turns: i32) -> Conversation {
    let info = AgentInfo { agent_id: agent.into(), teams: vec![team.into()], ..AgentInfo::default() };
    let quality = QualityMetadata { agent_info: vec![info], ..QualityMetadata::default() };
    Conversation { turn_count: turns, quality_metadata: Some(quality), ..conversation(5, None) }
}

#[test]
fn without_dimension_there_is_one_slice() {
    let made = [conversation(5, None), conversation(DAY, None), conversation(200 * DAY, None)];
    let (slices, average) = ask(query(TimeGranularity::None, DimensionKey::Unspecified, &[]), &made);
    assert!(slices.len() == 1 && average.is_none() && slices[0].time_series.is_none());
    let seen = measure(slices[0].total.as_ref());
    assert_eq!((seen.conversation_count, seen.average_turn_count), (Some(2), Some(3.0)));
    assert_eq!(seen.average_duration, Some(prost_types::Duration { seconds: 10, nanos: 0 }));
    assert_eq!((seen.average_silence_percentage, seen.average_qa_normalized_score), (None, None));
    let interval = slices[0].total.as_ref().unwrap().interval.unwrap();
    assert_eq!((interval.start_time.unwrap().seconds, interval.end_time.unwrap().seconds), (0, 100 * DAY));
    let (slices, _) = ask(query(TimeGranularity::None, DimensionKey::Unspecified, &[]), &[]);
    assert_eq!(measure(slices[0].total.as_ref()).conversation_count, Some(0));
}

#[test]
fn time_is_cut_into_slots() {
    let made =
        [conversation(5, None), conversation(6, None), conversation(DAY, None), conversation(40 * DAY, None)];
    for (granularity, counts) in [
        (TimeGranularity::PerMinute, vec![2, 1, 1]),
        (TimeGranularity::Per5Minutes, vec![2, 1, 1]),
        (TimeGranularity::Hourly, vec![2, 1, 1]),
        (TimeGranularity::Daily, vec![2, 1, 1]),
        (TimeGranularity::Monthly, vec![3, 1]),
    ] {
        let (slices, _) = ask(query(granularity, DimensionKey::Unspecified, &[]), &made);
        let points = &slices[0].time_series.as_ref().unwrap().data_points;
        let seen: Vec<i32> =
            points.iter().map(|point| measure(Some(point)).conversation_count.unwrap()).collect();
        assert_eq!(seen, counts, "{granularity:?}");
        for point in points {
            let interval = point.interval.unwrap();
            assert!(interval.start_time.unwrap().seconds < interval.end_time.unwrap().seconds);
        }
    }
    assert_eq!(slot(40 * DAY, TimeGranularity::Monthly), Some((31 * DAY, 59 * DAY)));
    assert_eq!(slot(360 * DAY, TimeGranularity::Monthly), Some((334 * DAY, 365 * DAY)));
}

#[test]
fn each_value_of_a_dimension_has_a_slice() {
    let made = [by_agent("b", "x", 4), by_agent("a", "x", 2), by_agent("a", "y", 4)];
    let (slices, average) = ask(query(TimeGranularity::None, DimensionKey::Agent, &[]), &made);
    let agents: Vec<(String, Option<i32>)> = slices
        .iter()
        .map(|slice| {
            let Some(DimensionMetadata::AgentDimensionMetadata(agent)) =
                &slice.dimensions[0].dimension_metadata
            else {
                panic!()
            };
            (agent.agent_id.clone(), measure(slice.total.as_ref()).conversation_count)
        })
        .collect();
    assert_eq!(agents, [("a".into(), Some(2)), ("b".into(), Some(1))]);
    // The mean of the agents' means, 3 and 4.
    assert_eq!(measure(average.unwrap().total.as_ref()).average_turn_count, Some(3.5));
    let (slices, _) = ask(query(TimeGranularity::None, DimensionKey::AgentTeam, &[]), &made);
    assert_eq!(slices.len(), 2);
    let (slices, average) =
        ask(query(TimeGranularity::None, DimensionKey::ConversationProfileId, &[]), &made);
    assert!(slices.is_empty() && average.is_none());
}

#[test]
fn issues_are_named_by_their_ids() {
    let mut made = conversation(5, Some("7"));
    let (slices, _) =
        ask(query(TimeGranularity::None, DimensionKey::Issue, &[]), std::slice::from_ref(&made));
    let Some(DimensionMetadata::IssueDimensionMetadata(issue)) = &slices[0].dimensions[0].dimension_metadata
    else {
        panic!()
    };
    assert_eq!(issue.issue_id, "7");
    made.latest_analysis = None;
    assert!(ask(query(TimeGranularity::None, DimensionKey::Issue, &[]), &[made]).0.is_empty());
}

#[test]
fn only_what_was_asked_for_is_measured() {
    let made = [conversation(5, None)];
    for path in ["conversation_measure.count", "conversation_measure.conversation_count"] {
        let (slices, _) = ask(query(TimeGranularity::None, DimensionKey::Unspecified, &[path]), &made);
        let wanted = ConversationMeasure { conversation_count: Some(1), ..ConversationMeasure::default() };
        assert_eq!(measure(slices[0].total.as_ref()), wanted);
    }
    let error = Chosen::read(&["conversation_measure.color".into()]).unwrap_err();
    assert!(error.contains("average_duration"), "{error}");
    assert!(Chosen::read(&["count".into()]).is_err());
}
