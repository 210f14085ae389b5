//! What a tracker promises besides.

use std::time::Duration;

use contact_center_insights::any::Unpack as _;
use contact_center_insights::call::Budget;
use contact_center_insights::proto::insights::{Conversation, CreateIssueModelMetadata, IssueModel};
use contact_center_insights::track::{Added, How, TrackPolicy};
use contact_center_insights::{Code, Error, Handle};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

use super::fleet::{Fleet, Manners, NUMBERED, PARENT, Run};
use super::{all, begin};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn one_operation_is_tracked_once_under_whatever_name() {
    let fleet = Fleet::start(Manners { is_numbered: true, ..Manners::default() });
    let tracker = fleet.client(None).operations().tracker(TrackPolicy::default());
    let name = Fleet::name(fleet.begin(60 * SECOND));
    assert_eq!(tracker.add(name.as_str()).await.unwrap(), Added::New);
    assert_eq!(tracker.add(name.as_str()).await.unwrap(), Added::Known);
    // That the number is the same project, an answer has to show.
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(tracker.add(name.replace(PARENT, NUMBERED)).await.unwrap(), Added::Known);
    assert_eq!(tracker.pending(), 1);
    // The same id under another project is another operation.
    assert_eq!(tracker.add(name.replace("projects/p/", "projects/q/")).await.unwrap(), Added::New);
    assert_eq!(tracker.pending(), 2);
}

#[tokio::test(start_paused = true)]
async fn both_spellings_become_one_when_an_answer_shows_it() {
    let fleet = Fleet::start(Manners { is_numbered: true, ..Manners::default() });
    let tracker = fleet.client(None).operations().tracker(TrackPolicy::default());
    let name = Fleet::name(fleet.begin(60 * SECOND));
    let other = Fleet::name(fleet.begin(60 * SECOND)).replace(PARENT, NUMBERED);
    for name in [&name, &name.replace(PARENT, NUMBERED), &other] {
        assert_eq!(tracker.add(name.as_str()).await.unwrap(), Added::New);
    }
    let ended = all(&tracker).await;
    let mut names: Vec<_> = ended.iter().map(|ended| ended.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(ended.len(), 2, "{names:?}");
    assert!(names.contains(&other.as_str()), "as it was added");
}

#[tokio::test(start_paused = true)]
async fn what_the_service_forgot_is_handed_over_as_lost() {
    let fleet = Fleet::start(Manners::default());
    let tracker = fleet.client(None).operations().tracker(TrackPolicy::default());
    for name in begin(&fleet, 20, 30) {
        tracker.add(name).await.unwrap();
    }
    let lost = Fleet::name(1_000);
    tracker.add(Handle::new(lost.clone(), IssueModel::expected(), None)).await.unwrap();
    let ended = all(&tracker).await;
    assert_eq!(ended.len(), 21);
    let ended = ended.into_iter().find(|ended| ended.name == lost).unwrap();
    assert_eq!((ended.how, ended.operation.is_none()), (How::Lost, true));
    let error = ended.typed::<IssueModel, CreateIssueModelMetadata>().unwrap_err();
    assert_eq!(error.code(), Some(Code::NotFound));
    assert_eq!(tracker.statistics().lost, 1);
}

#[tokio::test(start_paused = true)]
async fn to_add_waits_for_capacity_and_to_end_waits_for_a_reader() {
    let fleet = Fleet::start(Manners::default());
    let policy = TrackPolicy::default().with_capacity(10).with_buffer(3);
    let tracker = fleet.client(None).operations().tracker(policy);
    let names = begin(&fleet, 20, 5);
    for name in &names[..10] {
        tracker.add(name.as_str()).await.unwrap();
    }
    assert!(timeout(SECOND, tracker.add(names[10].as_str())).await.is_err(), "the tracker is full");
    assert_eq!(tracker.pending(), 10, "a dropped future has added nothing");
    tokio::time::sleep(600 * SECOND).await;
    let calls = fleet.calls();
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(fleet.calls(), calls, "nobody takes what has ended, so that nothing more is asked");
    assert!(tracker.pending() >= 6, "{:?}", tracker.statistics());
    let mut ends = tracker.ended();
    for name in &names[10..] {
        ends.next().await.unwrap();
        tracker.add(name.as_str()).await.unwrap();
    }
    drop(ends);
    assert_eq!(all(&tracker).await.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_is_young_is_not_asked_about() {
    let fleet = Fleet::start(Manners::default());
    let tracker = fleet.client(None).operations().tracker(TrackPolicy::default());
    for name in begin(&fleet, 100, 60) {
        let handle = Handle::new(name, None, CreateIssueModelMetadata::expected());
        tracker.add(handle).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(9_900)).await;
    assert_eq!(fleet.calls(), 0);
    tokio::time::sleep(SECOND).await;
    assert_eq!(fleet.calls(), 1, "one page has all");
}

#[tokio::test(start_paused = true)]
async fn a_few_are_asked_about_one_by_one() {
    let fleet = Fleet::start(Manners::default());
    let tracker = fleet.client(None).operations().tracker(TrackPolicy::default());
    for name in begin(&fleet, 3, 30) {
        tracker.add(name).await.unwrap();
    }
    let ended = all(&tracker).await;
    assert!(ended.iter().all(|ended| ended.how == How::Get));
    assert_eq!(fleet.pages(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_has_no_create_time_and_what_no_list_has_is_asked_about() {
    let fleet = Fleet::start(Manners { page_cap: 20, ..Manners::default() });
    let tracker = fleet.client(None).operations().tracker(TrackPolicy::default());
    for name in begin(&fleet, 300, 60) {
        tracker.add(name).await.unwrap();
    }
    let (start, end) = (fleet.now(), Duration::from_secs(90));
    for _ in 0..10 {
        let number = fleet.add(Run { start, end, is_dated: false });
        tracker.add(Fleet::name(number)).await.unwrap();
    }
    let foreign = format!("operations/{}", Fleet::name(fleet.begin(90 * SECOND)).rsplit('/').next().unwrap());
    tracker.add(foreign.as_str()).await.unwrap();
    let ended = all(&tracker).await;
    assert_eq!(ended.len(), 311);
    let foreign = ended.iter().find(|ended| ended.name == foreign).unwrap();
    assert_eq!(foreign.how, How::Get);
    assert!(fleet.now() < Duration::from_mins(4), "{:?}", fleet.now());
}

#[tokio::test(start_paused = true)]
async fn overload_slows_it_down_and_loses_nothing() {
    let fleet = Fleet::start(Manners { quota: 100, ..Manners::default() });
    let tracker = fleet.client(Some(Budget::per_minute(100))).operations().tracker(TrackPolicy::default());
    for name in begin(&fleet, 300, 10) {
        tracker.add(name).await.unwrap();
    }
    assert_eq!(all(&tracker).await.len(), 300);
    assert!(fleet.busiest_minute() <= 100, "{}", fleet.busiest_minute());
}

#[tokio::test(start_paused = true)]
async fn types_are_those_that_were_added() {
    let fleet = Fleet::start(Manners::default());
    let tracker = fleet.client(None).operations().tracker(TrackPolicy::default());
    let name = Fleet::name(fleet.begin(SECOND));
    tracker.add(Handle::new(name, IssueModel::expected(), None)).await.unwrap();
    let ended = tracker.next_ended().await.unwrap();
    assert_eq!(ended.handle.response, IssueModel::expected());
    assert!(matches!(ended.typed::<Conversation, ()>(), Err(Error::Resume { .. })));
    assert!(matches!(tracker.add("no name").await, Err(Error::Name(_))));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_tracker_asks_no_more() {
    let fleet = Fleet::start(Manners::default());
    let client = fleet.client(None);
    let tracker = client.operations().tracker(TrackPolicy::default());
    for name in begin(&fleet, 50, 600) {
        tracker.add(name).await.unwrap();
    }
    tokio::time::sleep(60 * SECOND).await;
    let calls = fleet.calls();
    assert!(calls > 5);
    drop(tracker);
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(fleet.calls(), calls);
}
