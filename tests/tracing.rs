//! What a subscriber sees: spans with OpenTelemetry's names, the operation's name, failed attempts; never a token or
//! a payload, at any level, of any crate below.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use contact_center_insights::auth::{Credentials, Token};
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::{Client, Code};
use support::{NAME, Script, answer, fail, running, succeeded};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Collects what is printed.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Prints everything, of every crate and level, to this page while the guard lives.
    fn subscribe(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Page {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const SECRET: &str = "planted-token-planted-token";
const PAYLOAD: &str = "planted-payload-planted-payload";

#[tokio::test(start_paused = true)]
async fn spans_tell_the_call_and_the_operation_and_no_secret() {
    let page = Page::default();
    let guard = page.subscribe();
    let script = Script::new([
        fail(Code::Unavailable),
        answer(running(PAYLOAD)),
        answer(running(PAYLOAD)),
        answer(succeeded()),
    ]);
    let client = script.client_with(Credentials::from_token(Token::new(SECRET).unwrap()));
    client.get_operation(NAME).await.unwrap();
    let mut poller = client.poller::<IssueModel, CreateIssueModelMetadata>(NAME).unwrap();
    poller.until_done().await.unwrap();
    drop(guard);

    let text = page.text();
    for part in [
        "call{otel.name=\"google.longrunning.Operations/GetOperation\" otel.kind=\"client\"",
        "rpc.system=\"grpc\" rpc.service=\"google.longrunning.Operations\" rpc.method=\"GetOperation\"",
        "server.address=\"localhost\"",
        "rpc.grpc.status_code=0",
        "attempt failed, trying again attempt=1 code=\"UNAVAILABLE\" effect=Refused",
        "wait{otel.kind=\"internal\" gcp.longrunning.operation=\"projects/p/locations/us-central1/operations/1\"}:call{",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(text.contains("h2::"), "the crates below speak too, or the next check is blind");
    assert!(!text.contains(SECRET) && !text.contains(PAYLOAD), "a secret is in\n{text}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_marked() {
    let page = Page::default();
    let guard = page.subscribe();
    let script = Script::new([fail(Code::NotFound)]);
    script.client().get_operation(NAME).await.unwrap_err();
    drop(guard);
    let text = page.text();
    assert!(text.contains("rpc.grpc.status_code=5") && text.contains("otel.status_code=\"ERROR\""), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_callers_trace_goes_along() {
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let script = Script::new([answer(succeeded())]);
    let client: Client = Client::builder()
        .with_transport(script.client().transport().clone())
        .with_trace_context(|| Some(PARENT.parse().unwrap()))
        .build()
        .unwrap();
    client.get_operation(NAME).await.unwrap();
    script.client().get_operation(NAME).await.unwrap();
    let parents: Vec<_> = script
        .seen()
        .iter()
        .map(|seen| seen.headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(parents, [Some(PARENT.to_owned()), None]);
}

/// The events of a level, a line each.
fn events<'a>(text: &'a str, level: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter(move |line| line.contains(&format!(" {level} ")) && !line.contains("h2::"))
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_retries_are_used_up_is_one_warning_and_every_other_is_none() {
    let page = Page::default();
    let guard = page.subscribe();
    let client = Script::new([fail(Code::Unavailable)]).client();
    client.get_operation(NAME).await.unwrap_err();
    drop(guard);
    let text = page.text();
    let warnings: Vec<_> = events(&text, "WARN").collect();
    assert_eq!(warnings.len(), 1, "{text}");
    for part in [
        "call failed",
        "rpc.method=\"GetOperation\"",
        "code=\"UNAVAILABLE\"",
        "attempts=5",
        "elapsed_ms=",
        "scripted",
    ] {
        assert!(warnings[0].contains(part), "{part} is not in {warnings:?}");
    }
    assert!(
        text.contains("error.type=\"UNAVAILABLE\"") && text.contains("otel.status_description="),
        "{text}"
    );

    let page = Page::default();
    let guard = page.subscribe();
    Script::new([answer(succeeded())]).client().get_operation(NAME).await.unwrap();
    Script::new([fail(Code::NotFound)]).client().get_operation(NAME).await.unwrap_err();
    drop(guard);
    let text = page.text();
    assert_eq!(events(&text, "WARN").count(), 0, "{text}");
    assert!(events(&text, "DEBUG").any(|line| line.contains("call succeeded")), "{text}");
}

#[tokio::test(start_paused = true)]
async fn polls_that_are_tolerated_warn_of_nothing_and_giving_up_does_once() {
    let page = Page::default();
    let guard = page.subscribe();
    let script = Script::new([fail(Code::Unavailable), fail(Code::Internal), answer(succeeded())]);
    script.client().poller::<IssueModel, CreateIssueModelMetadata>(NAME).unwrap().await.unwrap();
    drop(guard);
    let text = page.text();
    assert_eq!(events(&text, "WARN").count(), 0, "{text}");
    assert_eq!(events(&text, "DEBUG").filter(|line| line.contains("poll failed")).count(), 2, "{text}");

    let page = Page::default();
    let guard = page.subscribe();
    let script = Script::new([fail(Code::Unavailable)]);
    script.client().poller::<IssueModel, CreateIssueModelMetadata>(NAME).unwrap().await.unwrap_err();
    drop(guard);
    let text = page.text();
    let warnings: Vec<_> = events(&text, "WARN").collect();
    assert_eq!(warnings.len(), 1, "{text}");
    assert!(warnings[0].contains("gave up waiting") && warnings[0].contains(NAME), "{warnings:?}");
}
