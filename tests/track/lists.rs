//! Whatever the lists of a service are like, the same operations end with the same results, at worst later.

use std::collections::BTreeSet;
use std::time::Duration;

use contact_center_insights::call::Budget;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::track::{How, TrackPolicy, TrackStatistics};
use contact_center_insights::{Client, Code};

use super::fleet::{Fleet, Manners};
use super::{all, begin};

const COUNT: usize = 400;

async fn track(manners: Manners) -> (Fleet, TrackStatistics) {
    track_some(COUNT, manners).await
}

/// Tracks operations that end from 20 s on, and checks what is handed over.
async fn track_some(count: usize, manners: Manners) -> (Fleet, TrackStatistics) {
    let fleet = Fleet::start(manners);
    let client: Client = fleet.client(Some(Budget::default()));
    let tracker = client.operations().tracker(TrackPolicy::default());
    let names = begin(&fleet, count, 20);
    for name in &names {
        tracker.add(name.as_str()).await.unwrap();
    }
    let ended = all(&tracker).await;
    let told: BTreeSet<_> = ended.iter().map(|ended| ended.name.clone()).collect();
    assert_eq!(told, names.into_iter().collect());
    assert_eq!(ended.len(), count, "each once");
    for ended in ended {
        assert_ne!(ended.how, How::Lost);
        let number = Fleet::number(&ended.name);
        // It has ended, and has its own result.
        fleet.since_end(number);
        let operation = ended.typed::<IssueModel, CreateIssueModelMetadata>().unwrap();
        assert_eq!(operation.result().unwrap().unwrap().display_name, number.to_string());
    }
    let statistics = tracker.statistics();
    assert_eq!((statistics.pending, statistics.lost), (0, 0));
    (fleet, statistics)
}

#[tokio::test(start_paused = true)]
async fn a_good_list_saves_most_calls() {
    let (fleet, statistics) = track(Manners::default()).await;
    assert!(fleet.calls() < COUNT as u64 + 60, "{} calls", fleet.calls());
    assert!(statistics.sweeps > 5 && statistics.failed_sweeps == 0, "{statistics:?}");
    assert!(fleet.now() < Duration::from_secs(75), "{:?}", fleet.now());
}

#[tokio::test(start_paused = true)]
async fn short_pages_are_walked_to_their_end() {
    for page_cap in [1, 20, 100] {
        let (fleet, _) = track(Manners { page_cap, ..Manners::default() }).await;
        assert!(fleet.now() < Duration::from_mins(4), "{page_cap}: {:?}", fleet.now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_list_is_believed_late_and_never_alone() {
    let (fleet, _) = track(Manners { stale: Duration::from_secs(30), ..Manners::default() }).await;
    assert!(fleet.now() < Duration::from_mins(3), "{:?}", fleet.now());
}

#[tokio::test(start_paused = true)]
async fn what_a_list_leaves_out_is_not_taken_for_ended() {
    let (_, statistics) = track(Manners { omits: 3, ..Manners::default() }).await;
    assert!(statistics.gets > COUNT as u64, "asked about what runs: {statistics:?}");
}

#[tokio::test(start_paused = true)]
async fn the_order_of_a_list_does_not_matter() {
    track(Manners { shuffles: true, page_cap: 50, ..Manners::default() }).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_shows_what_is_done_is_found_out() {
    let (fleet, _) = track_some(30, Manners { shows_done: true, ..Manners::default() }).await;
    assert!(fleet.now() < Duration::from_hours(7), "{:?}", fleet.now());
}

#[tokio::test(start_paused = true)]
async fn expired_tokens_and_refused_filters_cost_calls_and_nothing_else() {
    track(Manners { expires: 3, page_cap: 50, ..Manners::default() }).await;
    track(Manners { refuses_windows: true, page_cap: 20, ..Manners::default() }).await;
    let (fleet, _) = track(Manners { refuses_filters: true, ..Manners::default() }).await;
    assert_eq!(fleet.pages(), 0);
}

#[tokio::test(start_paused = true)]
async fn where_lists_are_denied_each_is_asked_about() {
    for code in [Code::PermissionDenied, Code::Unimplemented] {
        let (fleet, statistics) = track(Manners { denies: Some(code), ..Manners::default() }).await;
        assert_eq!((statistics.sweeps, fleet.pages()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_by_the_projects_number_are_about_the_same_operations() {
    track(Manners { is_numbered: true, ..Manners::default() }).await;
}
