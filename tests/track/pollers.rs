//! Pollers of one client share sweeps without being told, and behave as ever.

use std::time::Duration;

use contact_center_insights::call::Budget;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::{Client, Code, PollPolicy, Poller};
use tokio::task::JoinSet;

use super::begin;
use super::fleet::{Fleet, Manners};

type Training = Poller<IssueModel, CreateIssueModelMetadata>;

/// Follows each to its end, and checks its result; how late the ends were noticed in the mean.
async fn follow(fleet: &Fleet, client: &Client, names: Vec<String>) -> Duration {
    let mut pollers = JoinSet::new();
    for name in names {
        let (fleet, mut poller): (Fleet, Training) = (fleet.clone(), client.poller(name.as_str()).unwrap());
        pollers.spawn(async move {
            let number = Fleet::number(poller.name());
            assert_eq!(poller.until_done().await.unwrap().display_name, number.to_string());
            fleet.since_end(number)
        });
    }
    let lags = pollers.join_all().await;
    lags.iter().sum::<Duration>() / u32::try_from(lags.len()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn many_pollers_make_few_calls_and_notice_sooner() {
    let fleet = Fleet::start(Manners::default());
    let names = begin(&fleet, 500, 30);
    let lag = follow(&fleet, &fleet.client(Some(Budget::default())), names).await;
    let (pages, gets) = (fleet.pages(), fleet.gets());
    assert!(pages > 10 && pages + gets < 650, "{pages} pages, {gets} gets");
    assert!(lag < Duration::from_secs(4), "{lag:?}");

    let alone = Fleet::start(Manners::default());
    let names = begin(&alone, 500, 30);
    let client = alone.builder().with_shared_polling(false).with_budget(None).build().unwrap();
    let lag_alone = follow(&alone, &client, names).await;
    assert!(alone.pages() == 0 && alone.gets() > 2_500 && lag_alone > lag, "{} {lag_alone:?}", alone.gets());
}

#[tokio::test(start_paused = true)]
async fn one_poller_and_those_with_waits_of_their_own_ask_alone() {
    let fleet = Fleet::start(Manners::default());
    follow(&fleet, &fleet.client(None), begin(&fleet, 5, 60)).await;
    assert_eq!(fleet.pages(), 0);

    let policy = PollPolicy::default().with_max_wait(Duration::from_secs(2));
    let client = fleet.builder().with_poll_policy(policy).build().unwrap();
    let lag = follow(&fleet, &client, begin(&fleet, 50, 60)).await;
    assert_eq!(fleet.pages(), 0);
    assert!(lag < Duration::from_secs(2), "{lag:?}");
}

#[tokio::test(start_paused = true)]
async fn lists_that_lie_or_are_denied_end_in_the_same_results() {
    for manners in [
        Manners { omits: 2, ..Manners::default() },
        Manners { stale: Duration::from_mins(1), ..Manners::default() },
        Manners { shuffles: true, page_cap: 10, ..Manners::default() },
        Manners { denies: Some(Code::PermissionDenied), ..Manners::default() },
        Manners { denies: Some(Code::Unavailable), ..Manners::default() },
        Manners { refuses_filters: true, ..Manners::default() },
        Manners { is_numbered: true, ..Manners::default() },
    ] {
        let fleet = Fleet::start(manners.clone());
        let lag = follow(&fleet, &fleet.client(Some(Budget::default())), begin(&fleet, 200, 20)).await;
        assert!(lag < Duration::from_secs(100), "{manners:?}: {lag:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_poll_of_a_shared_poller_gives_what_is_known_and_is_cancel_safe() {
    let fleet = Fleet::start(Manners::default());
    let client = fleet.client(None);
    let names = begin(&fleet, 60, 600);
    let mut pollers: Vec<Training> = names.iter().map(|name| client.poller(name.as_str()).unwrap()).collect();
    let mut watched = pollers.remove(0);
    let mut others = JoinSet::new();
    for mut poller in pollers {
        others.spawn(async move { poller.until_done().await.unwrap() });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut polls = 0;
    while polls < 20 {
        // Dropped again and again, now while it waits for its turn, now while it waits for a sweep.
        match tokio::time::timeout(Duration::from_millis(130), watched.poll()).await {
            Ok(operation) => {
                let operation = operation.unwrap();
                assert!(!operation.is_done() && operation.metadata().unwrap().is_ok());
                polls += 1;
            }
            Err(_) => assert!(fleet.now() < Duration::from_secs(700)),
        }
    }
    let waited = watched.wait_for(Duration::from_secs(1)).await.unwrap();
    assert!(!waited.into_operation().is_done());
    drop(others);
    assert_eq!(watched.until_done().await.unwrap().display_name, "0");
}

#[tokio::test(start_paused = true)]
async fn thousands_stay_within_the_quota_and_none_gives_up() {
    let fleet = Fleet::start(Manners { quota: 1_000, ..Manners::default() });
    let names: Vec<_> =
        (0..3_000).map(|number| Fleet::name(fleet.begin(Duration::from_secs(60 + number % 600)))).collect();
    let lag = follow(&fleet, &fleet.client(Some(Budget::per_minute(1_000))), names).await;
    assert_eq!(fleet.refused(), 0);
    assert!(lag < Duration::from_secs(30), "{lag:?}");
}
