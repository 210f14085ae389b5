//! The cache against a source that is stepped by hand; time is paused.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::auth::TokenFuture;

/// What the source does at its next fetch.
enum Step {
    Give(&'static str, Option<u64>),
    Fail,
    Hang,
    Panic,
}

#[derive(Clone, Default)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    fetches: Arc<AtomicUsize>,
}

impl Script {
    fn cache(steps: impl IntoIterator<Item = Step>) -> (TokenCache, Self) {
        let script = Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), ..Self::default() };
        (TokenCache::new("script", Arc::new(script.clone())), script)
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl TokenSource for Script {
    fn fetch(&self) -> TokenFuture<'_> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let step = self.steps.lock().unwrap().pop_front();
        Box::pin(async move {
            tokio::task::yield_now().await;
            match step {
                Some(Step::Give(secret, seconds)) => {
                    let token = Token::new(secret)?;
                    Ok(seconds.map_or(token.clone(), |s| token.expires_in(Duration::from_secs(s))))
                }
                Some(Step::Hang) => std::future::pending().await,
                Some(Step::Panic) => panic!("scripted"),
                Some(Step::Fail) | None => Err("scripted failure".into()),
            }
        })
    }
}

async fn secret(cache: &TokenCache) -> Result<String, String> {
    let token = cache.token().await.map_err(|e| format!("{e}"))?;
    Ok(token.header().to_str().unwrap().trim_start_matches("Bearer ").to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_thousand_first_calls_make_one_fetch() {
    let (cache, script) = Script::cache([Step::Give("a", Some(3600))]);
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { secret(&cache).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "a");
    }
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends_and_used_until_then() {
    let (cache, script) =
        Script::cache([Step::Give("a", Some(3600)), Step::Fail, Step::Give("b", Some(3600))]);
    assert_eq!(secret(&cache).await.unwrap(), "a");
    tokio::time::advance(Duration::from_secs(3600 - 200)).await;
    assert_eq!(secret(&cache).await.unwrap(), "a");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(script.fetches(), 2, "renewal started, and failed");
    assert_eq!(secret(&cache).await.unwrap(), "a", "the old token is still good");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(secret(&cache).await.unwrap(), "a");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(secret(&cache).await.unwrap(), "b");
    assert_eq!(script.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_ended_token_is_not_sent() {
    let (cache, script) = Script::cache([Step::Give("a", Some(60)), Step::Give("b", None)]);
    assert_eq!(secret(&cache).await.unwrap(), "a");
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(secret(&cache).await.unwrap(), "b");
    assert_eq!(script.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_failure_is_final() {
    let (cache, script) =
        Script::cache([Step::Fail, Step::Panic, Step::Hang, Step::Fail, Step::Give("late", None)]);
    let mut errors = Vec::new();
    let token = loop {
        match secret(&cache).await {
            Ok(token) => break token,
            Err(error) => errors.push(error),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_eq!(token, "late");
    assert_eq!(script.fetches(), 5, "backed off in between: {errors:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_waiter_cancels_nothing_for_others() {
    let (cache, script) = Script::cache([Step::Give("a", None)]);
    {
        let waiter = cache.token();
        tokio::pin!(waiter);
        tokio::select! { biased; _ = &mut waiter => panic!("too early"), () = std::future::ready(()) => {} }
    }
    assert_eq!(secret(&cache).await.unwrap(), "a");
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_fetched_anew_once() {
    let (cache, script) = Script::cache([Step::Give("a", None), Step::Give("b", None)]);
    assert_eq!(secret(&cache).await.unwrap(), "a");
    let sent = Instant::now();
    cache.reject(sent);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(secret(&cache).await.unwrap(), "b");
    cache.reject(sent);
    assert_eq!(secret(&cache).await.unwrap(), "b", "a late rejection of the old token changes nothing");
    assert_eq!(script.fetches(), 2);
}
