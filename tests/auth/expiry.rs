//! Tokens that end in the middle of the traffic, through the whole client. Time is virtual, and so is the network: the
//! server refuses a token that has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::error::BoxError;
use http::{HeaderName, HeaderValue};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{NAME, Script, answer, fail, succeeded};

/// Gives tokens that say when they end, by this clock, and counts them.
#[derive(Clone)]
struct Mint {
    began: Instant,
    life: Duration,
    fetches: Arc<AtomicUsize>,
}

impl Mint {
    fn new(life: Duration) -> Self {
        Self { began: Instant::now(), life, fetches: Arc::default() }
    }

    fn credentials(&self) -> Credentials {
        let mint = self.clone();
        let source = move || {
            let mint = mint.clone();
            async move {
                mint.fetches.fetch_add(1, SeqCst);
                let ends = mint.began.elapsed() + mint.life;
                // On its way to us the token grows older.
                sleep(Duration::from_millis(50)).await;
                let token = Token::new(format!("until-{}", ends.as_millis()))?;
                Ok::<_, BoxError>(token.expires_in(mint.life))
            }
        };
        Credentials::from_source(source).with_jitter_seed(7)
    }

    fn fetches(&self) -> usize {
        self.fetches.load(SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_first_calls_make_one_fetch() {
    let script = Script::new([answer(succeeded())]);
    let mint = Mint::new(Duration::from_hours(1));
    let client = script.client_with(mint.credentials());
    let mut calls = JoinSet::new();
    for _ in 0..1000 {
        let client = client.clone();
        calls.spawn(async move { client.get_operation(NAME).await });
    }
    assert!(calls.join_all().await.iter().all(Result::is_ok));
    assert_eq!((mint.fetches(), script.calls()), (1, 1000));
}

/// A thousand calls a second for a minute, with tokens that live two seconds.
#[tokio::test(start_paused = true)]
async fn no_call_fails_while_tokens_end() {
    const SECONDS: u64 = 60;
    const CALLS: u64 = 1000;
    let script = Script::new([answer(succeeded())]);
    let mint = Mint::new(Duration::from_secs(2));
    let client = script.client_with(mint.credentials());
    let began = Instant::now();
    let began_by_wall = SystemTime::now();
    let mut failed = 0;
    for tick in 0..SECONDS * 100 {
        sleep_until(began + Duration::from_millis(tick * 10)).await;
        let mut calls = JoinSet::new();
        for _ in 0..CALLS / 100 {
            let client = client.clone();
            calls.spawn(async move { client.get_operation(NAME).await });
        }
        failed += calls.join_all().await.iter().filter(|result| result.is_err()).count();
    }
    assert_eq!((failed, script.calls()), (0, usize::try_from(SECONDS * CALLS).unwrap()));
    let ended = script.seen().into_iter().filter(|seen| {
        let bearer = seen.headers.get("authorization").unwrap().to_str().unwrap();
        let until: u64 = bearer.rsplit('-').next().unwrap().parse().unwrap();
        seen.at >= mint.began + Duration::from_millis(until)
    });
    assert_eq!(ended.count(), 0, "calls were sent with a token that had ended");
    // Renewal starts after three quarters of a life, 60 s / 1.5 s = 40 at the most often, by either clock: the paused one,
    // or the wall's, which goes on while a busy machine computes.
    let fetches = mint.fetches();
    let by_wall = began_by_wall.elapsed().unwrap_or_default().as_secs();
    println!("{fetches} fetches in {SECONDS} s");
    let most = 42 + usize::try_from(by_wall * 2 / 3).unwrap();
    assert!((30..=most).contains(&fetches), "{fetches}, at most {most}");
}

/// The server refuses a token early: one fetch for all calls that were refused, and none of them fails.
#[tokio::test(start_paused = true)]
async fn calls_that_are_refused_together_make_one_fetch() {
    let refusals = (0..50).map(|_| fail(contact_center_insights::Code::Unauthenticated));
    let script = Script::new(refusals.chain([answer(succeeded())]));
    let mint = Mint::new(Duration::from_hours(1));
    let client = script.client_with(mint.credentials());
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        calls.spawn(async move { client.get_operation(NAME).await });
    }
    let results = calls.join_all().await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!((mint.fetches(), script.calls()), (2, 100));
}

/// A call's deadline ends its wait for a token, and the error says that it was not sent.
#[tokio::test(start_paused = true)]
async fn a_deadline_ends_the_wait_for_a_token() {
    let script = Script::new([answer(succeeded())]);
    let source = || async { Err::<Token, BoxError>("the metadata server is down".into()) };
    let client = script.client_with(Credentials::from_source(source).with_jitter_seed(7));
    let began = Instant::now();
    let call = client.get_operation(NAME).with_timeout(Duration::from_secs(5));
    let error = call.await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 5);
    assert!(error.is_credentials() && error.is_transient() && !error.may_have_been_applied(), "{error:?}");
    assert!(crate::child::chain(&error).ends_with("the metadata server is down"), "{error:?}");
    assert_eq!(script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_calls_own_quota_project_goes_before_that_of_the_credentials() {
    const PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");
    let script = Script::new([answer(succeeded())]);
    let source = || async { Token::new("a")?.with_quota_project("of-the-credentials") };
    let client = script.client_with(Credentials::from_source(source));
    client.get_operation(NAME).await.unwrap();
    let own = HeaderValue::from_static("of-the-call");
    client.get_operation(NAME).with_header(PROJECT, own).await.unwrap();
    let sent: Vec<_> = script
        .seen()
        .iter()
        .map(|seen| {
            let values = seen.headers.get_all(PROJECT.as_str()).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(sent, [["of-the-credentials"], ["of-the-call"]]);
}
