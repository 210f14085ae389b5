//! What every store promises, one case each. A case gets two handles of one new store: for PostgreSQL, of two processes.

use std::collections::HashSet;
use std::time::Duration;

use contact_center_insights::Handle;
use contact_center_insights_worker::{
    End, Intent, Registration, Settlement, State, Store, TakenCohort as _, TakenOutcomes as _,
};
use tokio::time::{sleep, timeout};

pub(crate) const PARENT: &str = "projects/p/locations/us-central1";
const LONG: Duration = Duration::from_mins(1);

pub(crate) fn name(number: usize) -> String {
    format!("{PARENT}/operations/{number}")
}

pub(crate) fn registration(number: usize) -> Registration {
    let handle = Handle::new(name(number), Some("a.Response".into()), Some("a.Metadata".into()));
    Registration::new(handle).with_context(format!("context {number}"))
}

pub(crate) fn registrations(numbers: std::ops::Range<usize>) -> Vec<Registration> {
    numbers.map(registration).collect()
}

pub(crate) fn end(number: usize) -> End {
    End { name: name(number), operation: Some(format!("result {number}").into_bytes()), lost: None }
}

/// The cohort that is due; a lock may end a moment after its holder.
pub(crate) async fn cohort<S: Store>(store: &S) -> S::Cohort {
    for _ in 0..200 {
        if let Some(taken) = store.take_cohort(LONG).await.unwrap() {
            return taken;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("no cohort is free");
}

async fn outcomes<S: Store>(store: &S, most: usize) -> S::Outcomes {
    store.take_outcomes(most, LONG).await.unwrap().expect("a result is free")
}

/// Registers operations and ends them all.
pub(crate) async fn ended<S: Store>(store: &S, numbers: std::ops::Range<usize>) {
    store.register(registrations(numbers.clone())).await.unwrap();
    let taken = cohort(store).await;
    let count = taken.finish(numbers.clone().map(end).collect(), Duration::ZERO).await.unwrap();
    assert_eq!(count, numbers.len());
}

fn numbers<T: contact_center_insights_worker::TakenOutcomes>(taken: &T) -> Vec<i64> {
    taken.outcomes().iter().map(|outcome| outcome.id).collect()
}

fn all_handed<T: contact_center_insights_worker::TakenOutcomes>(taken: &T) -> Vec<(i64, Settlement)> {
    numbers(taken).into_iter().map(|id| (id, Settlement::Handed)).collect()
}

/// What is registered is there, once, with all that was given.
pub(crate) async fn registers_once<S: Store>(store: S, other: S) {
    assert_eq!(store.register(registrations(0..10)).await.unwrap(), 10);
    assert_eq!(other.register(registrations(5..15)).await.unwrap(), 5);
    let twice = vec![registration(20), registration(20)];
    assert_eq!(store.register(twice).await.unwrap(), 1);
    assert_eq!(store.register(Vec::new()).await.unwrap(), 0);
    assert_eq!(other.statistics().await.unwrap().pending, 16);
    let taken = cohort(&other).await;
    let one = taken.pending().iter().find(|of| of.handle.name == name(7)).unwrap();
    assert_eq!(one.handle.response.as_deref(), Some("a.Response"));
    assert_eq!((one.created, one.age < LONG), (None, true));
    let listed = store.list(Some(State::Pending), None, 3).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0].context.as_deref(), Some("context 0"));
    let rest = store.list(None, Some(listed[2].name.clone()), 100).await.unwrap();
    assert_eq!(rest.len(), 13);
    let known = store.known(vec![name(1), name(99)]).await.unwrap();
    assert_eq!(known, [name(1)]);
}

/// A cohort is held by one; dropped, by another, and nothing has changed.
pub(crate) async fn holds_a_cohort_alone<S: Store>(store: S, other: S) {
    store.register(registrations(0..3)).await.unwrap();
    let taken = store.take_cohort(LONG).await.unwrap().unwrap();
    assert_eq!((taken.pending().len(), taken.cohort().parent.as_str()), (3, PARENT));
    assert!(other.take_cohort(LONG).await.unwrap().is_none(), "it is held");
    drop(taken);
    let taken = cohort(&other).await;
    assert_eq!(taken.pending().len(), 3);
    taken.finish(vec![end(1)], Duration::from_hours(1)).await.unwrap();
    assert!(store.take_cohort(LONG).await.unwrap().is_none(), "it is not due");
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.pending, statistics.waiting), (2, 1));
}

/// An end and its result are written together, once.
pub(crate) async fn ends_once<S: Store>(store: S, other: S) {
    ended(&store, 0..3).await;
    // A second end of the same, and one of what was never registered, are no news.
    store.register(registrations(3..4)).await.unwrap();
    let taken = cohort(&other).await;
    assert_eq!(taken.pending().len(), 1);
    let again = taken.finish(vec![end(0), end(3), end(77)], Duration::ZERO).await.unwrap();
    assert_eq!(again, 1);
    // What has ended is not registered anew, before and after it was handed over.
    assert_eq!(store.register(registrations(0..4)).await.unwrap(), 0);
    let taken = outcomes(&store, 10).await;
    assert_eq!(taken.outcomes().len(), 4);
    let settled = all_handed(&taken);
    taken.settle(settled).await.unwrap();
    assert_eq!(other.register(registrations(0..4)).await.unwrap(), 0);
    let statistics = other.statistics().await.unwrap();
    assert_eq!((statistics.pending, statistics.waiting, statistics.handed), (0, 0, 4));
}

/// A result carries what was registered and what was found.
pub(crate) async fn results_are_whole<S: Store>(store: S, _: S) {
    let odd = "o'Hara \"x\" ünï\u{1F980}%\\";
    store.register(vec![registration(1).with_context(odd), registration(2)]).await.unwrap();
    let lost = End { name: name(2), operation: None, lost: Some(odd.into()) };
    let taken = cohort(&store).await;
    taken.finish(vec![end(1), lost], Duration::ZERO).await.unwrap();
    let taken = outcomes(&store, 10).await;
    let find = |number| taken.outcomes().iter().find(|of| of.handle.name == name(number)).unwrap();
    assert_eq!(find(1).operation.as_deref(), Some(&b"result 1"[..]));
    assert_eq!((find(1).context.as_deref(), find(1).tries), (Some(odd), 0));
    assert_eq!((find(2).operation.as_deref(), find(2).lost.as_deref()), (None, Some(odd)));
    assert_eq!(find(2).handle.metadata.as_deref(), Some("a.Metadata"));
}

/// Cohorts are of one location and one day, and hold at most 10,000.
pub(crate) async fn cohorts_are_bounded<S: Store>(store: S, _: S) {
    let far = |number| Registration::new(format!("projects/p/locations/eu/operations/{number}"));
    let dated = |number, seconds| {
        registration(number).created_at(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
    };
    store.register(registrations(0..9_999)).await.unwrap();
    store.register(registrations(9_999..10_003)).await.unwrap();
    store
        .register(vec![far(1), dated(20_000, 0), dated(20_001, 86_399), dated(20_002, 86_400)])
        .await
        .unwrap();
    store.register(vec![Registration::new("operations/elsewhere")]).await.unwrap();
    let mut sizes = Vec::new();
    while let Some(taken) = store.take_cohort(LONG).await.unwrap() {
        let parents: HashSet<_> = taken
            .pending()
            .iter()
            .map(|of| of.handle.name.rsplit_once("/operations/").map(|of| of.0))
            .collect();
        assert_eq!(parents.len(), 1, "{parents:?}");
        let of_project = if taken.cohort().parent.is_empty() { 1 } else { 5 };
        assert_eq!(taken.cohort().of_project, of_project);
        sizes.push(taken.pending().len());
        taken.finish(Vec::new(), LONG).await.unwrap();
    }
    sizes.sort_unstable();
    assert!(sizes.iter().all(|size| *size <= 10_000), "{sizes:?}");
    assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (6, 10_008));
}

/// A result is in one hand; what is let go without a word is handed over again.
pub(crate) async fn holds_results_alone<S: Store>(store: S, other: S) {
    ended(&store, 0..8).await;
    let first = outcomes(&store, 4).await;
    let second = outcomes(&other, 100).await;
    let both: HashSet<_> = numbers(&first).into_iter().chain(numbers(&second)).collect();
    assert_eq!((first.outcomes().len(), second.outcomes().len(), both.len()), (4, 4, 8));
    assert!(other.take_outcomes(1, LONG).await.unwrap().is_none());
    let mut freed = numbers(&first);
    drop(first);
    let settled = all_handed(&second);
    second.settle(settled).await.unwrap();
    // A lock may end a moment after its holder; all of the four come back.
    let mut found = Vec::new();
    for _ in 0..200 {
        found =
            other.take_outcomes(100, LONG).await.unwrap().map(|again| numbers(&again)).unwrap_or_default();
        if found.len() == 4 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    freed.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, freed);
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.waiting, statistics.handed), (4, 4));
}

/// What fails waits, and is counted; what is buried rests until it is asked for.
pub(crate) async fn failures_wait_and_the_buried_rest<S: Store>(store: S, other: S) {
    ended(&store, 0..3).await;
    let taken = outcomes(&store, 10).await;
    let ids = numbers(&taken);
    let failed = |wait| Settlement::Failed { reason: "not now".into(), wait };
    taken
        .settle(vec![
            (ids[0], failed(Duration::ZERO)),
            (ids[1], failed(LONG * 60)),
            (ids[2], Settlement::Buried { reason: "never".into() }),
        ])
        .await
        .unwrap();
    let taken = outcomes(&other, 10).await;
    assert_eq!((numbers(&taken), taken.outcomes()[0].tries), (vec![ids[0]], 1));
    let settled = all_handed(&taken);
    taken.settle(settled).await.unwrap();
    let statistics = store.statistics().await.unwrap();
    let counts = (statistics.waiting, statistics.failing, statistics.buried, statistics.handed);
    assert_eq!(counts, (1, 1, 1, 1));
    assert_eq!(store.backlog(100).await.unwrap(), 1, "what is buried does not hold up the rest");
    let buried = store.list(Some(State::Buried), None, 10).await.unwrap();
    assert_eq!((buried.len(), buried[0].reason.as_deref()), (1, Some("never")));
    assert_eq!(store.retry(Some(vec![buried[0].name.clone()])).await.unwrap(), 1);
    let taken = outcomes(&other, 10).await;
    assert_eq!((numbers(&taken), taken.outcomes()[0].tries), (vec![ids[2]], 0));
    drop(taken);
    assert_eq!(store.retry(None).await.unwrap(), 1);
    let name = store.list(Some(State::Waiting), None, 10).await.unwrap()[0].name.clone();
    assert_eq!(store.bury(vec![name.clone(), "unknown".into()], "by hand".into()).await.unwrap(), 1);
    assert_eq!(store.bury(vec![name], "by hand".into()).await.unwrap(), 0);
}

fn intent(id: &str) -> Intent {
    Intent {
        id: id.into(),
        parent: PARENT.into(),
        method: "/a.Service/Method".into(),
        request_type: Some("a.MethodRequest".into()),
        request: vec![0, 1, 255],
        response: Some("a.Response".into()),
        metadata: None,
        context: Some("why".into()),
    }
}

/// An intent goes when its call has ended, and is looked for when its time is up; adopted once, or unsure.
pub(crate) async fn intents_are_settled_once<S: Store>(store: S, other: S) {
    store.write_intent(intent("a"), LONG).await.unwrap();
    assert!(other.open_intents().await.unwrap().is_empty(), "its call may be under way");
    store.settle_intent("a".into(), Some(registration(1))).await.unwrap();
    for id in ["b", "c", "d"] {
        store.write_intent(intent(id), Duration::ZERO).await.unwrap();
    }
    let open = other.open_intents().await.unwrap();
    assert_eq!(open.len(), 3);
    assert_eq!((&open[0].intent, open[0].looks), (&intent(&open[0].intent.id), 0));
    let (first, second) =
        tokio::join!(store.adopt("b".into(), registration(2)), other.adopt("b".into(), registration(2)));
    assert!(first.unwrap() ^ second.unwrap(), "one has adopted it");
    store.note_look("c".into(), Ok(LONG)).await.unwrap();
    store.note_look("d".into(), Err("two match".into())).await.unwrap();
    assert!(other.open_intents().await.unwrap().is_empty());
    let statistics = other.statistics().await.unwrap();
    assert_eq!((statistics.starting, statistics.unsure, statistics.pending), (1, 1, 2));
    let unsure = store.list(Some(State::Unsure), None, 10).await.unwrap();
    assert_eq!((unsure[0].name.as_str(), unsure[0].reason.as_deref()), ("d", Some("two match")));
    assert!(!store.adopt("e".into(), registration(3)).await.unwrap(), "there is no such intent");
    // A call that was believed dead has ended after all.
    store.settle_intent("d".into(), Some(registration(4))).await.unwrap();
    assert_eq!(store.bury(vec!["c".into()], "by hand".into()).await.unwrap(), 0, "it may still be found");
    assert_eq!(other.statistics().await.unwrap().pending, 3);
}

/// Registering does not wait for a sweep, however long that takes.
pub(crate) async fn registers_beside_a_sweep<S: Store>(store: S, other: S) {
    store.register(registrations(0..3)).await.unwrap();
    let taken = cohort(&store).await;
    let registered = timeout(Duration::from_secs(5), other.register(registrations(3..6))).await;
    assert_eq!(registered.expect("it waits").unwrap(), 3);
    taken.finish((0..3).map(end).collect(), Duration::ZERO).await.unwrap();
    assert_eq!(other.statistics().await.unwrap().pending, 3);
}

/// Cohorts that are emptied go; nobody who registers at that moment is lost.
pub(crate) async fn cohorts_come_and_go<S: Store>(store: S, other: S) {
    let adding = async {
        for number in 0..150 {
            assert_eq!(other.register(vec![registration(number)]).await.unwrap(), 1);
        }
    };
    let ending = async {
        let mut done = 0;
        while done < 150 {
            let Some(taken) = store.take_cohort(LONG).await.unwrap() else {
                tokio::task::yield_now().await;
                continue;
            };
            let ends = taken.pending().iter().map(|of| End {
                name: of.handle.name.clone(),
                operation: Some(vec![1]),
                lost: None,
            });
            done += taken.pending().len();
            let ends = ends.collect();
            taken.finish(ends, Duration::ZERO).await.unwrap();
        }
    };
    timeout(LONG, async { tokio::join!(adding, ending) }).await.expect("an operation is in no cohort");
    for _ in 0..3 {
        while let Some(taken) = store.take_cohort(LONG).await.unwrap() {
            taken.finish(Vec::new(), Duration::from_millis(1)).await.unwrap();
            if store.statistics().await.unwrap().cohorts == 0 {
                break;
            }
        }
    }
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.pending, statistics.waiting, statistics.cohorts), (0, 150, 0));
}

/// A result can be as large as a reply.
pub(crate) async fn large_results_pass<S: Store>(store: S, _: S) {
    store.register(registrations(0..3)).await.unwrap();
    let large = |number| End { operation: Some(vec![7; 60 << 20]), ..end(number) };
    let taken = cohort(&store).await;
    assert_eq!(taken.finish(vec![large(0), end(1), large(2)], Duration::ZERO).await.unwrap(), 3);
    let mut sizes = Vec::new();
    while let Some(taken) = store.take_outcomes(10, LONG).await.unwrap() {
        let size = |of: &contact_center_insights_worker::Outcome| of.operation.as_ref().map_or(0, Vec::len);
        let in_hand: usize = taken.outcomes().iter().map(size).sum();
        assert!(in_hand <= 64 << 20, "{in_hand} bytes are in hand");
        sizes.extend(taken.outcomes().iter().map(size));
        let settled = all_handed(&taken);
        taken.settle(settled).await.unwrap();
    }
    assert_eq!(sizes.len(), 3);
}

/// What was handed over is forgotten in time, and nothing else.
pub(crate) async fn the_handed_are_forgotten<S: Store>(store: S, _: S) {
    ended(&store, 0..2).await;
    let taken = outcomes(&store, 1).await;
    let settled = all_handed(&taken);
    taken.settle(settled).await.unwrap();
    assert_eq!(store.purge(LONG).await.unwrap(), 0);
    sleep(Duration::from_millis(5)).await;
    assert_eq!(store.purge(Duration::ZERO).await.unwrap(), 1);
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.waiting, statistics.handed), (1, 0));
}
