//! Lists of operations that are short, late or in no order, and a client that concludes nothing from them alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod support;

use std::time::Duration;

use contact_center_insights::proto::insights::{
    Analysis, CreateAnalysisOperationMetadata, CreateAnalysisRequest, CreateIssueModelMetadata,
};
use contact_center_insights::proto::longrunning::{CancelOperationRequest, ListOperationsRequest, Operation};
use contact_center_insights::track::Sweep;
use contact_center_insights::{Client, Credentials};
use contact_center_insights_emulator::{ManualClock, OperationLists};
use support::{L, World, builder};

/// An emulator whose operations last a minute, and as many of them; its clock stands.
async fn world(lists: OperationLists, count: usize) -> (World, ManualClock, Vec<String>) {
    let clock = ManualClock::default();
    let builder = builder().with_profile("time:60s".parse().unwrap()).with_clock(clock.clone());
    let mut world = World::of(builder.with_operation_lists(lists).start().await.unwrap());
    let mut names = Vec::new();
    for number in 0..count {
        let conversation = world.conversation(&format!("call-{number}")).await;
        let request =
            CreateAnalysisRequest { parent: conversation.name, analysis: Some(Analysis::default()) };
        names.push(world.insights.create_analysis(request).await.unwrap().into_inner().name);
    }
    (world, clock, names)
}

async fn list(world: &mut World, filter: &str) -> Vec<Vec<Operation>> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            ListOperationsRequest { name: L.into(), filter: filter.into(), page_token, ..Default::default() };
        let page = world.operations.list_operations(request).await.unwrap().into_inner();
        pages.push(page.operations);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn pages_are_as_short_as_is_set_and_turned_round() {
    let (mut world, _, names) = world(OperationLists::default().with_page_cap(3).unordered(), 7).await;
    let pages = list(&mut world, r#"done="false""#).await;
    let listed: Vec<Vec<_>> =
        pages.iter().map(|page| page.iter().map(|operation| operation.name.clone()).collect()).collect();
    assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(listed[0], [names[2].clone(), names[1].clone(), names[0].clone()]);
    let mut all = listed.concat();
    all.sort_unstable();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(all, names, "each once");
}

#[tokio::test]
async fn late_lists_show_what_has_ended_and_not_what_is_new() {
    let lists = OperationLists::default().with_lag(Duration::from_secs(40));
    let (mut world, clock, names) = world(lists, 2).await;
    assert_eq!(list(&mut world, "").await.concat().len(), 0, "not listed yet");
    clock.advance(Duration::from_secs(50));
    assert_eq!(list(&mut world, r#"done="false""#).await.concat().len(), 2);
    clock.advance(Duration::from_secs(15));
    let running = list(&mut world, r#"done="false""#).await.concat();
    assert_eq!(running.len(), 2, "both have ended, which lists do not know yet");
    assert!(world.poll(&names[0]).await.done);
    clock.advance(Duration::from_secs(50));
    world.poll(&names[0]).await;
    clock.advance(Duration::from_secs(50));
    assert_eq!(list(&mut world, r#"done="false""#).await.concat().len(), 0);
    assert_eq!(list(&mut world, r#"done="true""#).await.concat().len(), 2);
}

#[tokio::test]
async fn a_sweep_asks_about_what_a_late_list_does_not_have() {
    let lists = OperationLists::default().with_lag(Duration::from_secs(40)).with_page_cap(2).unordered();
    let (world, clock, names) = world(lists, 5).await;
    let client = Client::builder()
        .with_endpoint(world.emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .build()
        .unwrap();
    let operations = client.operations();
    let young = operations.sweep(Sweep::of(L), names.clone()).await.unwrap();
    assert_eq!((young.running, young.gets, young.ended.len()), (5, 5, 0), "{young:?}");
    clock.advance(Duration::from_secs(50));
    let listed = operations.sweep(Sweep::of(L), names.clone()).await.unwrap();
    assert_eq!((listed.running, listed.gets, listed.pages), (5, 0, 3), "{listed:?}");
    clock.advance(Duration::from_secs(100));
    client.get_operation(names[0].as_str()).await.unwrap();
    clock.advance(Duration::from_secs(100));
    let over = operations.sweep(Sweep::of(L), names).await.unwrap();
    assert_eq!((over.running, over.ended.len()), (0, 5), "{over:?}");
}

const ANALYSIS: &str =
    "type.googleapis.com/google.cloud.contactcenterinsights.v1.CreateAnalysisOperationMetadata";

/// An operation that was started and that ended so many seconds after the start of the clock.
fn seeded(id: &str, started: i64, ended: i64) -> serde_json::Value {
    let time = |seconds: i64| format!("2026-01-01T00:{:02}:{:02}Z", seconds / 60, seconds % 60);
    serde_json::json!({
        "name": format!("{L}/operations/{id}"),
        "metadata": {"@type": ANALYSIS, "createTime": time(started), "endTime": time(ended)},
        "done": true,
        "error": {"code": 5},
    })
}

/// What is listed: the end of each name, and whether it is done.
async fn shown(world: &mut World) -> Vec<(String, bool)> {
    let all = list(world, "").await.concat();
    all.iter().map(|found| (found.name.rsplit('/').next().unwrap().to_owned(), found.done)).collect()
}

#[tokio::test]
async fn lists_are_as_late_as_is_set_whenever_they_are_asked_for() {
    for profile in ["immediate", "time:2s", "polls:1"] {
        let clock = ManualClock::default();
        let lists = OperationLists::default().with_lag(Duration::from_secs(20));
        let builder = builder().with_profile(profile.parse().unwrap()).with_clock(clock.clone());
        let mut world = World::of(builder.with_operation_lists(lists).start().await.unwrap());
        let parent = world.conversation("call-1").await.name;
        let request = CreateAnalysisRequest { parent, analysis: Some(Analysis::default()) };
        let name = world.insights.create_analysis(request).await.unwrap().into_inner().name;
        if profile == "polls:1" {
            clock.advance(Duration::from_secs(2));
            assert!(world.poll(&name).await.done);
            clock.advance(Duration::from_secs(17));
        } else {
            clock.advance(Duration::from_secs(19));
        }
        assert_eq!(shown(&mut world).await.len(), 0, "{profile}");
        clock.advance(Duration::from_secs(1));
        assert_eq!(
            shown(&mut world).await[0].1,
            profile == "immediate",
            "{profile}: as it was in the beginning"
        );
        let snapshot = world.emulator.snapshot();
        clock.advance(Duration::from_secs(2));
        assert!(shown(&mut world).await[0].1, "{profile}");
        // An emulator that has not seen any of it.
        let later = ManualClock::default();
        let builder = crate::support::builder().with_clock(later.clone()).with_operation_lists(lists);
        let mut restored = World::of(builder.start().await.unwrap());
        restored.emulator.restore(&snapshot).unwrap();
        let listed = list(&mut restored, "").await.concat();
        assert_eq!((listed.len(), listed[0].done), (1, profile == "immediate"), "{profile}");
        assert_eq!(listed[0].result.is_some(), listed[0].done);
        let ended = |operation: &Operation| {
            support::metadata::<CreateAnalysisOperationMetadata>(operation).end_time.is_some()
        };
        assert_eq!(ended(&listed[0]), listed[0].done, "{profile}");
        later.advance(Duration::from_secs(2));
        assert!(shown(&mut restored).await[0].1, "{profile}");
    }
}

#[tokio::test]
async fn what_was_seeded_is_listed_by_its_own_times() {
    let lists = OperationLists::default().with_lag(Duration::from_secs(20));
    let bare = serde_json::json!({ "name": format!("{L}/operations/bare") });
    let all = [bare, seeded("old", 0, 10), seeded("late", 30, 40)];
    let text = serde_json::json!({ "operations": all }).to_string();
    let clock = ManualClock::default();
    let builder = builder().with_operation_lists(lists).with_clock(clock.clone());
    let mut world = World::of(builder.with_seed(support::seed(&text)).start().await.unwrap());
    let name = |name: &str, done| (name.to_owned(), done);
    for (seconds, wanted) in [
        (0, vec![name("bare", false)]),
        (25, vec![name("bare", false), name("old", false)]),
        (45, vec![name("bare", false), name("old", true)]),
        (55, vec![name("bare", false), name("old", true), name("late", false)]),
        (60, vec![name("bare", false), name("old", true), name("late", true)]),
    ] {
        let now = ManualClock::default();
        now.advance(Duration::from_secs(seconds));
        clock.set(contact_center_insights_emulator::Clock::now(&now));
        assert_eq!(shown(&mut world).await, wanted, "{seconds}");
    }
    let cancel = CancelOperationRequest { name: format!("{L}/operations/bare") };
    world.operations.cancel_operation(cancel).await.unwrap();
    clock.advance(Duration::from_secs(19));
    assert_eq!(shown(&mut world).await[0], name("bare", false), "that it has ended is not known yet");
    clock.advance(Duration::from_secs(1));
    assert_eq!(shown(&mut world).await[0], name("bare", true));
}

#[tokio::test]
async fn how_far_an_operation_was_is_told_as_of_then() {
    let clock = ManualClock::default();
    let lists = OperationLists::default().with_lag(Duration::from_secs(40));
    let builder = builder().with_profile("time:100s".parse().unwrap()).with_clock(clock.clone());
    let mut world = World::of(builder.with_operation_lists(lists).start().await.unwrap());
    for number in 0..10 {
        world.conversation(&format!("call-{number}")).await;
    }
    world.train("m").await;
    clock.advance(Duration::from_secs(110));
    let listed = list(&mut world, "").await.concat().remove(0);
    let metadata: CreateIssueModelMetadata = support::metadata(&listed);
    let config = metadata.request.unwrap().issue_model.unwrap().input_data_config.unwrap();
    assert_eq!((listed.done, config.training_conversations_count), (false, 7), "after 70 s");
}
