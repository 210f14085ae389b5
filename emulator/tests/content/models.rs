//! Issue models: trained on transcripts, assigned, exported and imported.

use contact_center_insights::Code;
use contact_center_insights::proto::insights::import_issue_model_request::{GcsSource, Source};
use contact_center_insights::proto::insights::issue_model::{InputDataConfig, ModelType, State};
use contact_center_insights::proto::insights::{
    BulkAnalyzeConversationsRequest, CalculateIssueModelStatsRequest, CreateIssueModelRequest,
    DeployIssueModelRequest, ExportIssueModelRequest, GetIssueModelRequest, ImportIssueModelRequest, Issue,
    IssueModel, ListIssueModelsRequest, ListIssuesRequest, export_issue_model_request,
};

use super::ingest::{chat, ingestion, put, world};
use crate::support::{L, World, refused, response};

const BILLS: [&str; 4] = [
    "My bill is too high",
    "I was charged twice on this bill",
    "The bill has a wrong charge",
    "Charged for a bill I paid",
];
const PARCELS: [&str; 4] = [
    "My parcel never arrived",
    "The parcel was delivered broken",
    "Where is my parcel delivery",
    "Delivery of the parcel is late",
];

async fn ingested() -> (tempfile::TempDir, World) {
    let (root, mut world) = world("immediate").await;
    for (index, line) in BILLS.iter().chain(&PARCELS).enumerate() {
        put(root.path(), &format!("b/{index}.json"), &chat(&["Hello", line]));
    }
    world.insights.ingest_conversations(ingestion("gs://b")).await.unwrap();
    (root, world)
}

async fn train(world: &mut World, filter: &str) -> IssueModel {
    let config = InputDataConfig { filter: filter.into(), ..InputDataConfig::default() };
    let model = IssueModel {
        display_name: "topics".into(),
        input_data_config: Some(config),
        model_type: ModelType::TypeV2.into(),
        ..IssueModel::default()
    };
    let request = CreateIssueModelRequest { parent: L.into(), issue_model: Some(model) };
    response(&world.insights.create_issue_model(request).await.unwrap().into_inner())
}

async fn issues(world: &mut World, model: &str) -> Vec<Issue> {
    let request = ListIssuesRequest { parent: model.into() };
    world.insights.list_issues(request).await.unwrap().into_inner().issues
}

#[tokio::test]
async fn training_finds_the_topics_and_analysis_assigns_them() {
    let (_root, mut world) = ingested().await;
    let model = train(&mut world, "").await;
    assert_eq!((model.issue_count, model.state()), (2, State::Undeployed));
    let stats = model.training_stats.unwrap();
    assert_eq!((stats.analyzed_conversations_count, stats.unclassified_conversations_count), (8, 0));
    assert!(stats.issue_stats.values().all(|issue| issue.labeled_conversations_count == 4), "{stats:?}");
    let found = issues(&mut world, &model.name).await;
    assert!(found.iter().any(|issue| issue.display_description.contains("parcel")), "{found:?}");
    assert!(found.iter().all(|issue| !issue.sample_utterances.is_empty()));

    world.insights.deploy_issue_model(DeployIssueModelRequest { name: model.name.clone() }).await.unwrap();
    let request = BulkAnalyzeConversationsRequest {
        parent: L.into(),
        filter: "turn_count>\"0\"".into(),
        analysis_percentage: 100.0,
        annotator_selector: None,
    };
    world.insights.bulk_analyze_conversations(request).await.unwrap();
    let request = CalculateIssueModelStatsRequest { issue_model: model.name.clone() };
    let stats = world
        .insights
        .calculate_issue_model_stats(request)
        .await
        .unwrap()
        .into_inner()
        .current_stats
        .unwrap();
    assert_eq!(stats.analyzed_conversations_count, 8);
    assert!(stats.issue_stats.values().all(|issue| issue.labeled_conversations_count == 4), "{stats:?}");
}

#[tokio::test]
async fn training_is_on_what_the_filter_asks_for() {
    let (_root, mut world) = ingested().await;
    let model = train(&mut world, "turn_count>\"99\"").await;
    assert_eq!((model.issue_count, model.input_data_config.unwrap().training_conversations_count), (0, 0));
    let config = InputDataConfig { filter: "color=\"x\"".into(), ..InputDataConfig::default() };
    let model = IssueModel {
        input_data_config: Some(config),
        model_type: ModelType::TypeV2.into(),
        ..IssueModel::default()
    };
    let request = CreateIssueModelRequest { parent: L.into(), issue_model: Some(model) };
    let status = refused(world.insights.create_issue_model(request).await);
    assert!(
        status.code() == Code::InvalidArgument && status.message().contains("input_data_config.filter"),
        "{status}"
    );
}

fn import(uri: &str, create_new_model: bool) -> ImportIssueModelRequest {
    let source = Some(Source::GcsSource(GcsSource { object_uri: uri.into() }));
    ImportIssueModelRequest { parent: L.into(), source, create_new_model }
}

#[tokio::test]
async fn a_model_goes_to_a_file_and_comes_back() {
    let (root, mut world) = ingested().await;
    let model = train(&mut world, "").await;
    let destination = export_issue_model_request::GcsDestination { object_uri: "gs://out/model.json".into() };
    let destination = Some(export_issue_model_request::Destination::GcsDestination(destination));
    let request = ExportIssueModelRequest { name: model.name.clone(), destination };
    assert!(world.insights.export_issue_model(request).await.unwrap().into_inner().done);
    assert!(root.path().join("out/model.json").exists());

    let before = issues(&mut world, &model.name).await;
    world.insights.import_issue_model(import("gs://out/model.json", false)).await.unwrap();
    assert_eq!(issues(&mut world, &model.name).await, before, "in place of the one of its id");
    world.insights.import_issue_model(import("gs://out/model.json", true)).await.unwrap();
    let request = ListIssueModelsRequest { parent: L.into() };
    let models = world.insights.list_issue_models(request).await.unwrap().into_inner().issue_models;
    assert_eq!(models.len(), 2);
    assert_ne!(models[0].name, models[1].name);
    assert_eq!(issues(&mut world, &models[1].name).await.len(), 2);

    // Into an emulator of its own.
    let mut other = {
        let emulator =
            crate::support::builder().with_profile("immediate".parse().unwrap()).with_gcs_root(root.path());
        World::of(emulator.start().await.unwrap())
    };
    other.insights.import_issue_model(import("gs://out/model.json", false)).await.unwrap();
    let request = GetIssueModelRequest { name: model.name.clone() };
    let imported = other.insights.get_issue_model(request).await.unwrap().into_inner();
    assert_eq!((imported.display_name, imported.issue_count), (model.display_name, 2));

    put(root.path(), "out/bad.json", "{}");
    for (uri, code) in [
        ("gs://out/none", Code::NotFound),
        ("gs://out/bad.json", Code::InvalidArgument),
        ("x", Code::InvalidArgument),
    ] {
        assert_eq!(refused(world.insights.import_issue_model(import(uri, false)).await).code(), code);
    }
}
