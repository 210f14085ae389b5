//! One look at operations that a program keeps itself.

use std::time::Duration;

use contact_center_insights::Code;
use contact_center_insights::track::{How, Sweep};
use prost_types::Timestamp;

use super::begin;
use super::fleet::{Fleet, Manners, PARENT};

#[tokio::test(start_paused = true)]
async fn what_is_not_listed_is_asked_about_and_what_is_listed_runs() {
    let fleet = Fleet::start(Manners::default());
    let client = fleet.client(None);
    let names = begin(&fleet, 100, 30);
    tokio::time::sleep(Duration::from_millis(34_950)).await;
    let lost = Fleet::name(5_000);
    let swept =
        client.operations().sweep(Sweep::of(PARENT), names.into_iter().chain([lost.clone()])).await.unwrap();
    let lost_too = swept.ended.iter().find(|ended| ended.name == lost).unwrap();
    assert_eq!(lost_too.how, How::Lost);
    assert!(swept.ended.iter().filter(|ended| ended.name != lost).all(|ended| ended.how == How::Sweep));
    assert!((50..56).contains(&swept.ended.len()), "{}", swept.ended.len());
    assert_eq!(swept.running + swept.ended.len(), 101);
    assert_eq!((swept.pages, swept.gets as usize, swept.failed.len()), (1, swept.ended.len(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_window_bounds_what_is_walked() {
    let fleet = Fleet::start(Manners { page_cap: 10, ..Manners::default() });
    let client = fleet.client(None);
    begin(&fleet, 100, 600);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let names = begin(&fleet, 20, 600);
    let from = Some(Timestamp { seconds: 1_790_000_005, nanos: 0 });
    let sweep = Sweep::of(PARENT).with_window(from, None).with_page_size(5);
    let swept = client.operations().sweep(sweep, names).await.unwrap();
    assert_eq!((swept.running, swept.pages, swept.gets), (20, 4, 0));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_listed_all_are_asked_about() {
    let fleet = Fleet::start(Manners { denies: Some(Code::PermissionDenied), ..Manners::default() });
    let client = fleet.client(None);
    let names = begin(&fleet, 30, 60);
    let elsewhere = "projects/p/locations/elsewhere/operations/1000000000000000000";
    let pending = names.into_iter().chain([elsewhere.to_owned()]);
    let swept = client.operations().sweep(Sweep::of(PARENT), pending).await.unwrap();
    assert_eq!((swept.running, swept.gets, swept.ended.len()), (31, 31, 0));
    assert!(client.operations().sweep(Sweep::of(PARENT), ["a b"]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_limit_leaves_the_rest_for_the_next_look() {
    let fleet = Fleet::start(Manners::default());
    let client = fleet.client(None);
    let names = begin(&fleet, 100, 1);
    tokio::time::sleep(Duration::from_mins(1)).await;
    let sweep = Sweep::of(PARENT).with_limit(30);
    let swept = client.operations().sweep(sweep, names.iter().map(String::as_str)).await.unwrap();
    assert_eq!((swept.ended.len(), swept.gets, swept.unasked.len(), swept.running), (30, 30, 70, 0));
    let swept = client.operations().sweep(Sweep::of(PARENT), swept.unasked).await.unwrap();
    assert_eq!((swept.ended.len(), swept.unasked.len()), (70, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_after_the_end_and_nothing_is_forgotten() {
    let fleet = Fleet::start(Manners::default());
    let client = fleet.client(None);
    let names = begin(&fleet, 100, 1);
    tokio::time::sleep(Duration::from_mins(1)).await;
    let started = tokio::time::Instant::now();
    for millis in [0, 10, 300, 440] {
        let until = tokio::time::Instant::now() + Duration::from_millis(millis);
        let sweep = Sweep::of(PARENT).until(until);
        let swept = client.operations().sweep(sweep, names.iter().map(String::as_str)).await.unwrap();
        assert_eq!(swept.ended.len() + swept.unasked.len() + swept.running, 100, "{millis}");
        assert!(!swept.unasked.is_empty(), "{millis}");
        assert!(tokio::time::Instant::now() <= until + Duration::from_millis(1), "{millis}");
    }
    assert!(started.elapsed() < Duration::from_secs(2));
}
