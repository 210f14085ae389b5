//! Statistics and metrics of what is stored.

use contact_center_insights::Code;
use contact_center_insights::proto::insights::dimension::DimensionKey;
use contact_center_insights::proto::insights::query_metrics_request::TimeGranularity;
use contact_center_insights::proto::insights::query_metrics_response::slice::data_point::Measure;
use contact_center_insights::proto::insights::{
    CalculateIssueModelStatsRequest, CalculateStatsRequest, Dimension, QueryMetricsMetadata,
    QueryMetricsRequest, QueryMetricsResponse,
};
use contact_center_insights_emulator::ManualClock;

use crate::support::{L, World, metadata, refused, response, seed};

const DAY: &str = r#"create_time>="2025-01-01T00:00:00Z" create_time<"2025-01-02T00:00:00Z""#;

/// Three conversations of one day, two of them of one agent and analysed, and one of another day.
async fn seeded() -> World {
    let analysed = |id: &str, issue: &str| {
        format!(
            r#"{{"name": "{L}/conversations/{id}", "agentId": "a", "turnCount": 4, "duration": "10s",
            "createTime": "2025-01-01T10:00:00Z", "latestAnalysis": {{"analysisResult": {{"callAnalysisMetadata": {{
            "issueModelResult": {{"issueModel": "{L}/issueModels/m",
            "issues": [{{"issue": "{L}/issueModels/m/issues/{issue}", "displayName": "I", "score": 1}}]}}}}}}}}}}"#
        )
    };
    let plain = |id: &str, time: &str| {
        format!(
            r#"{{"name": "{L}/conversations/{id}", "agentId": "b", "turnCount": 1, "duration": "1s", "createTime": "{time}"}}"#
        )
    };
    let seed = seed(&format!(
        r#"{{"conversations": [{}, {}, {}, {}],
        "issueModels": [{{"name": "{L}/issueModels/m"}}],
        "issues": [{{"name": "{L}/issueModels/m/issues/1", "displayName": "One"}}]}}"#,
        analysed("c1", "1"),
        analysed("c2", "gone"),
        plain("c3", "2025-01-01T11:00:00Z"),
        plain("c4", "2025-01-05T11:00:00Z"),
    ));
    let builder = crate::support::builder().with_profile("immediate".parse().unwrap()).with_seed(seed);
    World::of(builder.with_clock(ManualClock::default()).start().await.unwrap())
}

#[tokio::test]
async fn statistics_are_of_what_matches() {
    let mut world = seeded().await;
    let request = |filter: &str| CalculateStatsRequest { location: L.into(), filter: filter.into() };
    let all = world.insights.calculate_stats(request("")).await.unwrap().into_inner();
    assert_eq!((all.conversation_count, all.average_turn_count), (4, 2));
    assert_eq!(all.issue_matches_stats.len(), 2);
    let some = world.insights.calculate_stats(request("agent_id=\"b\"")).await.unwrap().into_inner();
    assert_eq!((some.conversation_count, some.average_duration.unwrap().seconds), (2, 1));
    let status = refused(world.insights.calculate_stats(request("color=\"b\"")).await);
    assert_eq!(status.code(), Code::InvalidArgument);
    let (code, body) =
        world.rest("GET", &format!("{L}/conversations:calculateStats?filter=turn_count%3E%223%22"), "").await;
    assert_eq!((code, &body["conversationCount"]), (200, &2.into()), "{body}");
}

#[tokio::test]
async fn an_issue_that_is_gone_is_no_longer_counted() {
    let mut world = seeded().await;
    let request = CalculateIssueModelStatsRequest { issue_model: format!("{L}/issueModels/m") };
    let stats = world
        .insights
        .calculate_issue_model_stats(request)
        .await
        .unwrap()
        .into_inner()
        .current_stats
        .unwrap();
    assert_eq!((stats.analyzed_conversations_count, stats.unclassified_conversations_count), (2, 1));
    assert_eq!(stats.issue_stats[&format!("{L}/issueModels/m/issues/1")].labeled_conversations_count, 1);
    let request = CalculateIssueModelStatsRequest { issue_model: format!("{L}/issueModels/none") };
    assert_eq!(refused(world.insights.calculate_issue_model_stats(request).await).code(), Code::NotFound);
}

fn query(filter: &str) -> QueryMetricsRequest {
    QueryMetricsRequest { location: L.into(), filter: filter.into(), ..QueryMetricsRequest::default() }
}

#[tokio::test]
async fn metrics_are_by_dimension_and_time() {
    let mut world = seeded().await;
    let dimension = Dimension { dimension_key: DimensionKey::Agent.into(), dimension_metadata: None };
    let request = QueryMetricsRequest {
        time_granularity: TimeGranularity::Hourly.into(),
        dimensions: vec![dimension],
        ..query(DAY)
    };
    let done = world.insights.query_metrics(request).await.unwrap().into_inner();
    let _: QueryMetricsMetadata = metadata(&done);
    let answer: QueryMetricsResponse = response(&done);
    assert_eq!((answer.location.as_str(), answer.slices.len()), (L, 2));
    assert!(answer.update_time.is_some() && answer.macro_average_slice.is_some());
    let Some(Measure::ConversationMeasure(measure)) = answer.slices[0].total.clone().unwrap().measure else {
        panic!()
    };
    assert_eq!((measure.conversation_count, measure.average_turn_count), (Some(2), Some(4.0)));
    assert_eq!(answer.slices[0].time_series.as_ref().unwrap().data_points.len(), 1);
}

#[tokio::test]
async fn a_query_must_say_of_which_time() {
    let mut world = seeded().await;
    let two = vec![Dimension { dimension_key: DimensionKey::Agent.into(), dimension_metadata: None }; 2];
    let mask = prost_types::FieldMask { paths: vec!["color".into()] };
    for (request, why) in [
        (query(r#"agent_id="a""#), "must bound `create_time`"),
        (query(r#"create_time>"2025-01-01T00:00:00Z""#), "must bound `create_time`"),
        (query(r#"create_time>"2025-01-02T00:00:00Z" create_time<"2025-01-01T00:00:00Z""#), "ends before"),
        (QueryMetricsRequest { dimensions: two, ..query(DAY) }, "2 dimensions"),
        (QueryMetricsRequest { dimensions: vec![Dimension::default()], ..query(DAY) }, "not a key"),
        (QueryMetricsRequest { time_granularity: 77, ..query(DAY) }, "not a `TimeGranularity`"),
        (QueryMetricsRequest { measure_mask: Some(mask), ..query(DAY) }, "not a measure"),
    ] {
        let status = refused(world.insights.query_metrics(request).await);
        assert!(status.code() == Code::InvalidArgument && status.message().contains(why), "{status}");
    }
}
