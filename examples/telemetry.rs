//! Spans of calls and waits, exported by OpenTelemetry, with the trace sent along to the server.
//!
//! ```sh
//! cargo run --example telemetry
//! ```

use std::collections::HashMap;
use std::process::ExitCode;

use contact_center_insights::proto::insights::issue_model::ModelType;
use contact_center_insights::proto::insights::{CreateIssueModelRequest, IssueModel};
use contact_center_insights::{Client, ClientBuilder, Credentials};
use contact_center_insights_emulator::Emulator;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

// README: begin
/// Spans go to OpenTelemetry: one for each call, and one for each wait for an operation.
pub(crate) fn subscriber(tracer: SdkTracer) -> impl Subscriber + Send + Sync {
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    Registry::default().with(LevelFilter::INFO).with(layer)
}

/// Every call carries the `traceparent` of its span.
pub(crate) fn with_traceparent(builder: ClientBuilder) -> ClientBuilder {
    builder.with_trace_context(|| {
        let mut headers = HashMap::new();
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut headers);
        headers.get("traceparent")?.parse().ok()
    })
}
// README: end

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Trains a model; gives the names of the spans. A service puts its OTLP exporter in the place of the one in memory.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let guard = tracing::subscriber::set_default(subscriber(provider.tracer("my-service")));

    let emulator = Emulator::builder()
        .with_profile("polls:1".parse()?)
        .with_min_training_conversations(0)
        .start()
        .await?;
    let builder =
        Client::builder().with_endpoint(emulator.endpoint()).with_credentials(Credentials::anonymous());
    let client = with_traceparent(builder).build()?;
    let request = CreateIssueModelRequest {
        parent: "projects/my-project/locations/us-central1".into(),
        issue_model: Some(IssueModel {
            display_name: "billing".into(),
            model_type: ModelType::TypeV2.into(),
            ..Default::default()
        }),
    };
    client.create_issue_model(request).await?.until_done().await?;

    drop(guard);
    provider.force_flush()?;
    let names: Vec<_> = exporter.get_finished_spans()?.into_iter().map(|span| span.name.into()).collect();
    println!("{names:#?}");
    Ok(names)
}
