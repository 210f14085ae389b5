//! The recipe that the README has for OpenTelemetry: what is exported, and what the server gets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]
#![allow(dead_code, unreachable_pub, reason = "the example is a program; here its `main` is not called")]

mod support;
#[path = "../examples/telemetry.rs"]
mod telemetry;

use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::{Client, Code};
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use support::{NAME, Script, answer, fail, running, succeeded};
use tracing::subscriber::DefaultGuard;

const GET: &str = "google.longrunning.Operations/GetOperation";

/// A client by the recipe, and what it exports.
struct Traced {
    client: Client,
    exporter: InMemorySpanExporter,
    /// Its end would empty the exporter.
    _provider: SdkTracerProvider,
    _subscribed: DefaultGuard,
}

fn traced(script: &Script) -> Traced {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let subscribed = tracing::subscriber::set_default(telemetry::subscriber(provider.tracer("test")));
    let builder = Client::builder().with_transport(script.client().transport().clone());
    let client = telemetry::with_traceparent(builder).build().unwrap();
    Traced { client, exporter, _provider: provider, _subscribed: subscribed }
}

fn attribute(span: &SpanData, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    found.unwrap_or_else(|| panic!("no {key}: {span:?}")).value.to_string()
}

#[tokio::test(start_paused = true)]
async fn calls_are_exported_within_their_wait_and_their_trace_reaches_the_server() {
    let script = Script::new([answer(running("a")), answer(succeeded())]);
    let traced = traced(&script);
    let mut poller = traced.client.poller::<IssueModel, CreateIssueModelMetadata>(NAME).unwrap();
    poller.until_done().await.unwrap();

    let spans = traced.exporter.get_finished_spans().unwrap();
    let wait = spans.iter().find(|span| span.name == "wait").unwrap();
    assert_eq!(attribute(wait, "gcp.longrunning.operation"), NAME);
    let calls: Vec<_> = spans.iter().filter(|span| span.name == GET).collect();
    assert_eq!((calls.len(), spans.len()), (2, 3), "{spans:#?}");
    for (call, seen) in calls.iter().zip(script.seen()) {
        assert_eq!(
            (&call.span_kind, &call.parent_span_id),
            (&SpanKind::Client, &wait.span_context.span_id())
        );
        for (key, value) in [
            ("rpc.system", "grpc"),
            ("rpc.service", "google.longrunning.Operations"),
            ("rpc.method", "GetOperation"),
            ("server.address", "localhost"),
            ("rpc.grpc.status_code", "0"),
        ] {
            assert_eq!(attribute(call, key), value, "{key}");
        }
        let context = &call.span_context;
        let expected = format!("00-{}-{}-01", context.trace_id(), context.span_id());
        assert_eq!(seen.headers.get("traceparent").unwrap(), expected.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_exported_as_one() {
    let script = Script::new([fail(Code::NotFound)]);
    let traced = traced(&script);
    traced.client.get_operation(NAME).await.unwrap_err();
    let spans = traced.exporter.get_finished_spans().unwrap();
    let call = spans.iter().find(|span| span.name == GET).unwrap();
    assert!(matches!(call.status, Status::Error { .. }), "{call:?}");
    assert_eq!(attribute(call, "rpc.grpc.status_code"), "5");
}

#[tokio::test]
async fn the_example_runs() {
    let names = telemetry::run().await.unwrap();
    assert!(names.iter().any(|name| name.ends_with("ContactCenterInsights/CreateIssueModel")), "{names:?}");
    assert!(names.iter().any(|name| name == "wait"), "{names:?}");
}

#[test]
fn the_readme_shows_this_recipe() {
    let example = include_str!("../examples/telemetry.rs");
    let (_, recipe) = example.split_once("// README: begin\n").unwrap();
    let (recipe, _) = recipe.split_once("// README: end\n").unwrap();
    assert!(
        include_str!("../README.md").contains(recipe),
        "the README has another recipe than the example:\n{recipe}"
    );
}
