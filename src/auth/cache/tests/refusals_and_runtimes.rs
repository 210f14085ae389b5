//! Tokens that the server refuses, and runtimes that end or stand still.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_storm_of_refusals_makes_one_fetch() {
    let (cache, script) = Script::cache([Step::Give("a", None), Step::Give("b", None)]);
    assert_eq!(secret(&cache).await.unwrap(), "a");
    let generation = cache.next_generation();
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move {
                assert!(cache.refuse(generation));
                secret(&cache).await
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "b");
    }
    assert!(cache.refuse(generation), "a late refusal of the old token changes nothing");
    assert_eq!(secret(&cache).await.unwrap(), "b");
    assert_eq!((script.fetches(), script.discards()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn the_token_that_a_first_call_waited_for_can_be_refused() {
    let (cache, script) = Script::cache([Step::Give("a", None), Step::Give("b", None)]);
    let generation = cache.next_generation();
    assert_eq!(secret(&cache).await.unwrap(), "a");
    assert!(cache.refuse(generation));
    assert_eq!(secret(&cache).await.unwrap(), "b");
    assert_eq!(script.fetches(), 2);
}

/// An hour of calls to a server that refuses every token.
#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_all_does_not_make_a_fetch_for_every_call() {
    let (cache, script) = Script::cache((0..100_000).map(|_| Step::Give("a", None)));
    for _ in 0..3600 * 2 {
        let generation = cache.next_generation();
        secret(&cache).await.unwrap();
        cache.refuse(generation);
        tokio::time::advance(Duration::from_millis(500)).await;
    }
    assert!((60..=75).contains(&script.fetches()), "{}", script.fetches());
}

/// The runtime in which a fetch runs goes away; callers in another one fetch anew.
#[test]
fn the_end_of_one_runtime_hangs_nobody_in_another() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (cache, script) = Script::cache([Step::Hang, Step::Give("b", None)]);
    let (first, second) = (runtime(), runtime());
    first.block_on(async {
        assert!(tokio::time::timeout(Duration::from_secs(1), cache.token()).await.is_err());
    });
    drop(first);
    assert_eq!(second.block_on(secret(&cache)).unwrap(), "b");
    assert_eq!(script.fetches(), 2);
}

/// It stands still, as one does between two `block_on`: worse than gone, for it drops nothing.
#[test]
fn a_runtime_that_stands_still_hangs_nobody_in_another() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (cache, script) = Script::cache([Step::Hang, Step::Give("b", None)]);
    let (first, second) = (runtime(), runtime());
    first.block_on(async {
        assert!(tokio::time::timeout(Duration::from_secs(1), cache.token()).await.is_err());
    });
    assert_eq!(second.block_on(secret(&cache)).unwrap(), "b");
    assert_eq!(script.fetches(), 2);
    drop(first);
}

#[test]
fn outside_of_a_runtime_there_is_an_error_not_a_panic() {
    let (cache, _) = Script::cache_with(impatient(), []);
    let (_, start) = cache.lock().ask(cache.now());
    cache.run(start);
    assert!(matches!(cache.lock().ask(cache.now()), (Answer::Fail(_), None)));
}
