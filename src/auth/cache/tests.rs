//! The cache against a source that is stepped by hand; time is paused, and the wall clock is set.

mod refusals_and_runtimes;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::auth::TokenFuture;

/// What the source does at its next fetch.
enum Step {
    Give(&'static str, Option<u64>),
    Fail,
    Misconfigured,
    Hang,
    Panic,
}

#[derive(Clone, Default)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    fetches: Arc<AtomicUsize>,
    discards: Arc<AtomicUsize>,
}

impl Script {
    fn cache(steps: impl IntoIterator<Item = Step>) -> (TokenCache, Self) {
        Self::cache_with(Timing::default(), steps)
    }

    fn cache_with(timing: Timing, steps: impl IntoIterator<Item = Step>) -> (TokenCache, Self) {
        let script = Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), ..Self::default() };
        let source = Arc::new(script.clone());
        (TokenCache::with_wall_clock("script", source, timing, Jitter::seeded(7), wall_clock), script)
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    fn discards(&self) -> usize {
        self.discards.load(Ordering::SeqCst)
    }
}

thread_local! {
    /// How far the wall clock has gone ahead of the other one: the machine slept for so long.
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn wall_clock() -> SystemTime {
    SystemTime::now() + SLEPT.get()
}

fn impatient() -> Timing {
    Timing { patience: Duration::ZERO, ..Timing::default() }
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
                    let now = Moment { at: Instant::now(), wall: wall_clock() };
                    Ok(seconds.map_or(token.clone(), |s| token.ends_at(now, Duration::from_secs(s))))
                }
                Some(Step::Hang) => std::future::pending().await,
                Some(Step::Panic) => panic!("scripted"),
                Some(Step::Misconfigured) => {
                    Err(CredentialsError::permanent("script", "no such file".into()).into())
                }
                Some(Step::Fail) | None => Err("scripted failure".into()),
            }
        })
    }

    fn discard(&self) {
        self.discards.fetch_add(1, Ordering::SeqCst);
    }
}

async fn secret(cache: &TokenCache) -> Result<String, String> {
    let token = cache.token().await.map_err(|error| error.to_string())?;
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
    let (cache, script) = Script::cache_with(
        impatient(),
        [Step::Fail, Step::Panic, Step::Hang, Step::Fail, Step::Give("late", None)],
    );
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
async fn calls_wait_through_a_bad_start() {
    let (cache, script) =
        Script::cache([Step::Fail, Step::Panic, Step::Hang, Step::Fail, Step::Give("late", None)]);
    let began = Instant::now();
    assert_eq!(secret(&cache).await.unwrap(), "late");
    assert_eq!(script.fetches(), 5);
    // Ten seconds are the fetch that hung; the rest is backoff.
    let took = began.elapsed().saturating_sub(Duration::from_secs(10));
    assert!((Duration::from_millis(3_750)..=Duration::from_millis(7_510)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn patience_ends_counted_from_the_first_call_that_found_none() {
    let (cache, script) = Script::cache([]);
    let began = Instant::now();
    assert!(secret(&cache).await.is_err());
    assert_eq!(began.elapsed().as_secs(), 30);
    let fetches = script.fetches();
    assert!((6..=8).contains(&fetches), "{fetches}");
    let second = Instant::now();
    assert!(secret(&cache).await.is_err());
    assert_eq!(second.elapsed(), Duration::ZERO, "the trouble is known, and no fetch is due");
    tokio::time::advance(Duration::from_mins(5)).await;
    let third = Instant::now();
    assert!(secret(&cache).await.is_err());
    assert_eq!(third.elapsed().as_secs(), 30, "nobody has asked for long: patient again");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_configuration_ends_calls_at_once_but_not_for_ever() {
    let (cache, script) = Script::cache([Step::Misconfigured, Step::Give("mended", None)]);
    let began = Instant::now();
    assert!(secret(&cache).await.is_err());
    assert!(secret(&cache).await.is_err());
    assert_eq!(began.elapsed(), Duration::ZERO);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(secret(&cache).await.unwrap(), "mended");
    assert_eq!(script.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_fetch_timeout_is_settable() {
    let timing = Timing { fetch_timeout: Duration::from_secs(3), ..impatient() };
    let (cache, _) = Script::cache_with(timing, [Step::Hang]);
    let began = Instant::now();
    let error = cache.token().await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 3);
    assert_eq!(error.to_string(), "script gave no token: no token within 3s");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_sends_no_token_past_its_end() {
    for life in [Some(3600), None] {
        SLEPT.set(Duration::ZERO);
        let (cache, script) = Script::cache([Step::Give("a", life), Step::Give("b", life)]);
        assert_eq!(secret(&cache).await.unwrap(), "a");
        SLEPT.set(Duration::from_hours(8));
        assert!(cache.ready().is_none(), "{life:?}");
        assert_eq!(secret(&cache).await.unwrap(), "b");
        assert_eq!((script.fetches(), script.discards()), (2, 1), "what the source keeps has slept as well");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_ending_token_again_is_used_and_asked_about_calmly() {
    let given = Arc::new(AtomicUsize::new(0));
    let counter = given.clone();
    let ends = Instant::now() + Duration::from_hours(1);
    let source = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        // As a metadata server does: the same token until a minute before its end.
        let left = ends.saturating_duration_since(Instant::now());
        let (secret, left) = if left > Duration::from_mins(1) { ("a", left) } else { ("b", left * 60) };
        std::future::ready(Token::new(secret).map(|token| token.expires_in(left)))
    };
    let cache = TokenCache::new("mds", Arc::new(source), Timing::default(), Jitter::seeded(7));
    let mut last = String::new();
    for _ in 0..3600 {
        last = secret(&cache).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(last, "b");
    let fetches = given.load(Ordering::SeqCst);
    assert!((8..=20).contains(&fetches), "{fetches}");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_universe_is_never_served() {
    let source = || async { Ok(Token::new("a")?.with_universe_domain("example.cloud")) };
    let timing = Timing { universe: Some("googleapis.com".into()), ..Timing::default() };
    let cache = TokenCache::new("script", Arc::new(source), timing, Jitter::seeded(7));
    let error = cache.token().await.unwrap_err();
    let text = error.to_string();
    assert!(
        !error.is_transient() && text.contains("example.cloud") && text.contains("googleapis.com"),
        "{text}"
    );
    let timing = Timing { universe: Some("example.cloud".into()), ..Timing::default() };
    let cache = TokenCache::new("script", Arc::new(source), timing, Jitter::seeded(7));
    assert_eq!(secret(&cache).await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_token_is_told_apart_from_one_that_was_sent() {
    let (cache, _) = Script::cache([Step::Give("a", Some(60)), Step::Hang, Step::Give("b", None)]);
    let began = Instant::now();
    assert!(cache.starving(began).is_none(), "nobody has asked");
    secret(&cache).await.unwrap();
    assert!(cache.starving(began).is_none(), "it may have been sent");
    tokio::time::advance(Duration::from_mins(2)).await;
    let second = Instant::now();
    assert!(tokio::time::timeout(Duration::from_secs(5), cache.token()).await.is_err());
    assert!(cache.starving(second).is_some());
    assert!(cache.starving(began).is_none(), "an older call may have had the first token");
    assert_eq!(secret(&cache).await.unwrap(), "b");
    assert!(cache.starving(second).is_none());
}
