//! One call: its headers, its deadline, its retries, its token. Time is paused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::proto::insights::CreateIssueModelRequest;
use contact_center_insights::proto::longrunning::{ListOperationsRequest, ListOperationsResponse};
use contact_center_insights::{Client, Code, Error, Payload};
use support::{NAME, Script, Step, answer, fail, running, succeeded};
use tokio::time::Instant;
use tokio_stream::StreamExt as _;

fn header(script: &Script, name: &str) -> Option<String> {
    let seen = script.seen();
    Some(seen.first()?.headers.get(name)?.to_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_headers_say_what_is_called_and_by_whom() {
    let script = Script::new([answer(succeeded())]);
    let client = script.client_with(Credentials::from_token(Token::new("tok-123").unwrap()));
    client.get_operation(NAME).await.unwrap();
    let params = header(&script, "x-goog-request-params").unwrap();
    assert_eq!(params, "name=projects%2Fp%2Flocations%2Fus-central1%2Foperations%2F1");
    let api_client = header(&script, "x-goog-api-client").unwrap();
    assert!(
        api_client.starts_with("gl-rust/1.") && api_client.contains(" gapic/0.1.0 grpc/"),
        "{api_client}"
    );
    assert_eq!(header(&script, "authorization").unwrap(), "Bearer tok-123");
    assert_eq!(header(&script, "grpc-timeout").unwrap(), "60001m");
    assert_eq!(header(&script, "te").unwrap(), "trailers");
}

#[tokio::test(start_paused = true)]
async fn an_anonymous_call_carries_no_token_and_a_caller_may_add_headers() {
    let script = Script::new([answer(succeeded())]);
    let quota = http::HeaderName::from_static("x-goog-user-project");
    let call = script.client().get_operation(NAME).with_header(quota, "billed".parse().unwrap());
    call.await.unwrap();
    assert_eq!(header(&script, "authorization"), None);
    assert_eq!(header(&script, "x-goog-user-project").unwrap(), "billed");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_a_deadline_exceeded_and_the_client_lives_on() {
    let script = Script::new([Step::Hang, answer(succeeded())]);
    let client = script.client();
    let started = Instant::now();
    let error = client.get_operation(NAME).with_timeout(Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 5);
    assert!(error.is_deadline_exceeded() && error.may_have_been_applied(), "{error:?}");
    assert_eq!(error.code(), Some(Code::DeadlineExceeded));
    assert!(client.get_operation(NAME).await.unwrap().is_done());
}

#[tokio::test(start_paused = true)]
async fn reads_outlive_transient_faults() {
    for code in [Code::Unavailable, Code::Internal, Code::Unknown, Code::ResourceExhausted] {
        let script = Script::new([fail(code), fail(code), answer(succeeded())]);
        assert!(script.client().get_operation(NAME).await.unwrap().is_done(), "{code:?}");
        assert_eq!(script.calls(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_says_how_often_and_how_long_was_tried() {
    let script = Script::new([fail(Code::Unavailable)]);
    let error = script.client().get_operation(NAME).await.unwrap_err();
    assert_eq!(script.calls(), 5);
    let call = error.call().unwrap();
    assert_eq!(call.attempts(), 5);
    assert_eq!(call.method(), "google.longrunning.Operations/GetOperation");
    assert!(call.elapsed() > Duration::from_secs(2), "{:?}", call.elapsed());
    assert!(error.to_string().contains("UNAVAILABLE after 5 attempts in"), "{error}");
    assert!(error.to_string().ends_with(": scripted"), "{error}");
    assert!(error.source().is_none(), "the message has been said");
    assert!(!error.may_have_been_applied(), "the server said itself that it was unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_definite_answer_is_not_questioned() {
    for code in [Code::NotFound, Code::InvalidArgument, Code::PermissionDenied, Code::Aborted] {
        let script = Script::new([fail(code)]);
        let error = script.client().get_operation(NAME).await.unwrap_err();
        assert_eq!((error.code(), script.calls()), (Some(code), 1));
        assert!(!error.is_transient());
        assert_eq!(error.is_not_found(), code == Code::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn retries_end_with_the_callers_deadline_and_policy() {
    let script = Script::new([fail(Code::Unavailable)]);
    let started = Instant::now();
    let call = script.client().get_operation(NAME).with_timeout(Duration::from_millis(900));
    let error = call.await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(900), "a wait that passes the deadline is not begun");
    assert_eq!(error.code(), Some(Code::Unavailable), "the last fault, not a made-up deadline");

    let script = Script::new([fail(Code::Unavailable)]);
    script.client().get_operation(NAME).with_retry(RetryPolicy::never()).await.unwrap_err();
    assert_eq!(script.calls(), 1);
}

/// Counts fetches, and gives `token-0`, `token-1`, …
fn counting() -> (Credentials, Arc<AtomicUsize>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let counter = fetches.clone();
    let credentials = Credentials::from_source(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        async move { Token::new(format!("token-{number}")) }
    });
    (credentials, fetches)
}

/// 1,000 calls, each of which would be tried five times, send little more than 1,000 requests.
#[tokio::test(start_paused = true)]
async fn an_outage_is_not_answered_with_a_storm() {
    let script = Script::new([fail(Code::Unavailable)]);
    let client = script.client();
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get_operation(NAME).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().code(), Some(Code::Unavailable));
    }
    assert!((1000..=1400).contains(&script.calls()), "{}", script.calls());
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_fetched_anew_once() {
    let (credentials, fetches) = counting();
    let script = Script::new([fail(Code::Unauthenticated), answer(succeeded())]);
    script.client_with(credentials).get_operation(NAME).await.unwrap();
    let tokens: Vec<_> = script
        .seen()
        .iter()
        .map(|seen| seen.headers.get("authorization").unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(tokens, ["Bearer token-0", "Bearer token-1"]);

    let (credentials, fetches_of_second) = counting();
    let script = Script::new([fail(Code::Unauthenticated)]);
    let error = script.client_with(credentials).get_operation(NAME).await.unwrap_err();
    assert!(error.is_credentials());
    assert_eq!((script.calls(), fetches_of_second.load(Ordering::SeqCst)), (2, 2));
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent_and_the_error_says_so() {
    let script = Script::new([answer(succeeded())]);
    let credentials = Credentials::from_source(|| async { Err("the vault is closed".into()) });
    let error = script.client_with(credentials).get_operation(NAME).await.unwrap_err();
    let Error::Credentials(cause) = &error else { panic!("{error:?}") };
    assert_eq!(cause.reason().to_string(), "the vault is closed");
    assert!(error.to_string().ends_with("gave no token: the vault is closed"), "{error}");
    assert!(error.is_credentials() && error.is_transient() && !error.may_have_been_applied());
    assert_eq!(script.calls(), 0);
}

#[tokio::test]
async fn an_unreachable_server_is_told_from_a_failing_one() {
    // Nothing listens there: the port was free a moment ago, and is not on any wire.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for endpoint in [format!("http://{free}"), "http://no-such-host.invalid".to_owned()] {
        let client = Client::builder()
            .with_endpoint(&endpoint)
            .with_credentials(Credentials::anonymous())
            .with_retry(RetryPolicy::never())
            .build()
            .unwrap();
        let error = client.get_operation(NAME).await.unwrap_err();
        assert!(error.is_unreachable() && error.is_transient(), "{endpoint}: {error:?}");
        assert!(!error.may_have_been_applied());
        let request = CreateIssueModelRequest::default();
        assert!(client.create_issue_model(request).await.unwrap_err().is_unreachable());
    }
}

#[tokio::test(start_paused = true)]
async fn futures_are_send_and_small() {
    fn check<T: Send>(future: &T) -> usize {
        std::mem::size_of_val(future)
    }
    let script = Script::new([answer(succeeded())]);
    let client = script.client();
    let call = client.get_operation(NAME);
    assert!(std::mem::size_of_val(&call) <= 512, "{}", std::mem::size_of_val(&call));
    let mut poller = client.poller::<Payload, Payload>(NAME).unwrap();
    let size = check(&poller.until_done());
    assert!(size <= 4096, "{size}");
    check(&call.into_future());
}

fn page(names: &[&str], token: &str) -> ListOperationsResponse {
    let operations = names.iter().map(|name| contact_center_insights::proto::longrunning::Operation {
        name: (*name).to_owned(),
        ..running("")
    });
    ListOperationsResponse {
        operations: operations.collect(),
        next_page_token: token.to_owned(),
        ..Default::default()
    }
}

fn request() -> ListOperationsRequest {
    ListOperationsRequest { name: "projects/p/locations/us-central1".into(), ..Default::default() }
}

#[tokio::test(start_paused = true)]
async fn items_come_from_all_pages_in_order() {
    let script = Script::with_pages([page(&["1", "2"], "t1"), page(&[], "t2"), page(&["3"], "")]);
    let mut items = script.client().list_operations(request()).into_pages().with_page_size(2).into_items();
    let mut names = Vec::new();
    while let Some(operation) = items.next().await {
        names.push(operation.unwrap().name);
    }
    assert_eq!(names, ["1", "2", "3"]);
    assert_eq!(script.tokens(), ["", "t1", "t2"]);
    assert!(items.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_limit_ends_the_walk_without_asking_for_more() {
    let script = Script::with_pages([page(&["1", "2"], "t1"), page(&["3", "4"], "t2"), page(&["5"], "")]);
    let mut items = script.client().list_operations(request()).into_pages().with_limit(3).into_items();
    let mut names = Vec::new();
    while let Some(operation) = items.next().await {
        names.push(operation.unwrap().name);
    }
    assert_eq!(names, ["1", "2", "3"]);
    assert_eq!(script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_walk_resumes_from_a_token() {
    let script = Script::with_pages([page(&["3"], "")]);
    let mut pages = script.client().list_operations(request()).into_pages().with_page_token("t2");
    assert_eq!(pages.token(), Some("t2"));
    assert_eq!(pages.next_page().await.unwrap().unwrap().operations.len(), 1);
    assert!(pages.next_page().await.unwrap().is_none());
    assert_eq!(script.tokens(), ["t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_page_token_ends_the_walk_with_an_error() {
    let script = Script::with_pages([page(&["1"], "same")]);
    let mut pages = script.client().list_operations(request()).into_pages();
    pages.next_page().await.unwrap().unwrap();
    assert!(matches!(pages.next_page().await.unwrap_err(), Error::Protocol { .. }));
    assert!(pages.next_page().await.unwrap().is_none());
    assert_eq!(script.calls(), 2);
}
