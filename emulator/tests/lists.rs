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

use contact_center_insights::proto::insights::{Analysis, CreateAnalysisRequest};
use contact_center_insights::proto::longrunning::{ListOperationsRequest, Operation};
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
