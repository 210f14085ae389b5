//! Feedback labels to files and back.

use contact_center_insights::Code;
use contact_center_insights::proto::insights::bulk_download_feedback_labels_request::gcs_destination::Format as WriteFormat;
use contact_center_insights::proto::insights::bulk_download_feedback_labels_request::{
    Destination, FeedbackLabelType, GcsDestination,
};
use contact_center_insights::proto::insights::bulk_upload_feedback_labels_request::gcs_source::Format as ReadFormat;
use contact_center_insights::proto::insights::bulk_upload_feedback_labels_request::{GcsSource, Source};
use contact_center_insights::proto::insights::{
    BulkDownloadFeedbackLabelsMetadata, BulkDownloadFeedbackLabelsRequest, BulkUploadFeedbackLabelsMetadata,
    BulkUploadFeedbackLabelsRequest, FeedbackLabel, ListAllFeedbackLabelsRequest,
};

use super::ingest::put;
use crate::support::{L, World, metadata, refused, seed};

/// Two conversations, a question with two answers, and no labels.
async fn world(profile: &str) -> (tempfile::TempDir, World) {
    let root = tempfile::tempdir().unwrap();
    let question = format!("{L}/qaScorecards/card/revisions/1/qaQuestions/q");
    let seed = seed(&format!(
        r#"{{"conversations": [{{"name": "{L}/conversations/c1"}}, {{"name": "{L}/conversations/c2", "agentId": "7"}}],
        "issueModels": [{{"name": "{L}/issueModels/m"}}],
        "qaScorecards": [{{"name": "{L}/qaScorecards/card"}}],
        "qaQuestions": [{{"name": "{question}", "answerChoices": [{{"key": "yes", "boolValue": true}}, {{"key": "no", "boolValue": false}}]}}]}}"#
    ));
    let builder = crate::support::builder().with_profile(profile.parse().unwrap()).with_seed(seed);
    let world = World::of(builder.with_gcs_root(root.path()).start().await.unwrap());
    (root, world)
}

fn upload(uri: &str, format: ReadFormat) -> BulkUploadFeedbackLabelsRequest {
    BulkUploadFeedbackLabelsRequest {
        parent: L.into(),
        source: Some(Source::GcsSource(GcsSource { format: format.into(), object_uri: uri.into() })),
        validate_only: false,
    }
}

fn download(uri: &str, format: WriteFormat) -> BulkDownloadFeedbackLabelsRequest {
    let destination =
        GcsDestination { format: format.into(), object_uri: uri.into(), ..GcsDestination::default() };
    BulkDownloadFeedbackLabelsRequest {
        parent: L.into(),
        destination: Some(Destination::GcsDestination(destination)),
        ..BulkDownloadFeedbackLabelsRequest::default()
    }
}

async fn labels(world: &mut World) -> Vec<FeedbackLabel> {
    let request =
        ListAllFeedbackLabelsRequest { parent: L.into(), ..ListAllFeedbackLabelsRequest::default() };
    world.insights.list_all_feedback_labels(request).await.unwrap().into_inner().feedback_labels
}

/// Processed, failed, successful, and how many errors there are.
fn counts(metadata: &BulkUploadFeedbackLabelsMetadata) -> (i32, i32, i32, usize) {
    let stats = metadata.upload_stats.unwrap();
    let errors = metadata.partial_errors.len();
    (stats.processed_object_count, stats.failed_validation_count, stats.successful_upload_count, errors)
}

/// Four good rows and three bad ones: a conversation that is not there, a model that is not, and an answer that is no
/// choice.
fn csv() -> String {
    let (c1, c2, model) =
        (format!("{L}/conversations/c1"), format!("{L}/conversations/c2"), format!("{L}/issueModels/m"));
    let question = format!("{L}/qaScorecards/card/revisions/1/qaQuestions/q");
    format!(
        "conversation,name,labeled_resource,label,qa_answer_key\n\
         {c1},,{model},late parcel,\n\
         ,{c1}/feedbackLabels/mine,{model},refund,\n\
         {L}/conversations/none,,{model},x,\n\
         {c2},,{L}/issueModels/none,x,\n\
         {c2},,{question},,yes\n\
         {c2},,{question},,perhaps\n\
         {c2},,other/thing,free,\n"
    )
}

#[tokio::test]
async fn r11_good_rows_are_stored_and_bad_ones_told() {
    let (root, mut world) = world("polls:2").await;
    put(root.path(), "b/labels.csv", &csv());
    let started =
        world.insights.bulk_upload_feedback_labels(upload("gs://b/labels.csv", ReadFormat::Csv)).await;
    let name = started.unwrap().into_inner().name;
    let running: BulkUploadFeedbackLabelsMetadata = metadata(&world.poll(&name).await);
    assert_eq!(counts(&running), (3, 1, 2, 1));
    let ended: BulkUploadFeedbackLabelsMetadata = metadata(&world.poll(&name).await);
    assert_eq!(counts(&ended), (7, 3, 4, 3));
    let stored = labels(&mut world).await;
    assert_eq!(stored.len(), 4);
    assert!(stored.iter().any(|label| label.name.ends_with("/c1/feedbackLabels/mine")));
    assert!(stored.iter().all(|label| label.create_time.is_some()));
}

#[tokio::test]
async fn r54_to_validate_changes_nothing_and_fails_as_the_call_would() {
    let (root, mut world) = world("polls:9").await;
    put(root.path(), "b/labels.csv", &csv());
    let validate =
        |uri: &str| BulkUploadFeedbackLabelsRequest { validate_only: true, ..upload(uri, ReadFormat::Csv) };
    let done =
        world.insights.bulk_upload_feedback_labels(validate("gs://b/labels.csv")).await.unwrap().into_inner();
    assert!(done.done, "at once, whatever the profile");
    assert_eq!(counts(&metadata(&done)), (7, 3, 0, 3));
    assert!(labels(&mut world).await.is_empty());
    for uri in ["gs://b/none.csv", "b/labels.csv"] {
        let dry = refused(world.insights.bulk_upload_feedback_labels(validate(uri)).await);
        let live = refused(world.insights.bulk_upload_feedback_labels(upload(uri, ReadFormat::Csv)).await);
        assert_eq!((dry.code(), dry.message()), (live.code(), live.message()));
    }
}

#[tokio::test]
async fn what_is_downloaded_can_be_uploaded() {
    for (format, read, files) in [
        (WriteFormat::Csv, ReadFormat::Csv, vec!["gs://out/l.csv"]),
        (WriteFormat::Json, ReadFormat::Json, vec!["gs://out/l.json"]),
    ] {
        let (root, mut world) = world("immediate").await;
        put(root.path(), "b/labels.csv", &csv());
        world
            .insights
            .bulk_upload_feedback_labels(upload("gs://b/labels.csv", ReadFormat::Csv))
            .await
            .unwrap();
        let before = labels(&mut world).await;
        let mut request = download(files[0], format);
        let Some(Destination::GcsDestination(destination)) = &mut request.destination else { panic!() };
        destination.records_per_file_count = 100;
        let done = world.insights.bulk_download_feedback_labels(request).await.unwrap().into_inner();
        let stats = metadata::<BulkDownloadFeedbackLabelsMetadata>(&done).download_stats.unwrap();
        assert_eq!((stats.processed_object_count, stats.successful_download_count), (4, 4));
        assert_eq!(
            (stats.total_files_written, stats.file_names),
            (1, files.iter().map(|f| (*f).to_owned()).collect())
        );
        world.insights.bulk_upload_feedback_labels(upload(files[0], read)).await.unwrap();
        let strip = |mut label: FeedbackLabel| {
            label.update_time = None;
            label
        };
        let after: Vec<_> = labels(&mut world).await.into_iter().map(strip).collect();
        assert_eq!(after, before.into_iter().map(strip).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn downloads_are_of_what_is_asked_for() {
    let (root, mut world) = world("immediate").await;
    put(root.path(), "b/labels.csv", &csv());
    world.insights.bulk_upload_feedback_labels(upload("gs://b/labels.csv", ReadFormat::Csv)).await.unwrap();
    let base = || download("gs://out/x", WriteFormat::Json);
    let question = BulkDownloadFeedbackLabelsRequest {
        feedback_label_type: FeedbackLabelType::QualityAi.into(),
        ..base()
    };
    let template =
        BulkDownloadFeedbackLabelsRequest { template_qa_scorecard_id: vec!["card".into()], ..base() };
    for (request, labels) in [
        (base(), 4),
        (BulkDownloadFeedbackLabelsRequest { max_download_count: 2, ..base() }, 2),
        (question, 1),
        (BulkDownloadFeedbackLabelsRequest { filter: r#"issue_model_id="m""#.into(), ..base() }, 2),
        (BulkDownloadFeedbackLabelsRequest { conversation_filter: r#"agent_id="7""#.into(), ..base() }, 2),
        (template, 2),
    ] {
        let done = world.insights.bulk_download_feedback_labels(request).await.unwrap().into_inner();
        let stats = metadata::<BulkDownloadFeedbackLabelsMetadata>(&done).download_stats.unwrap();
        assert_eq!((stats.successful_download_count, stats.total_files_written), (labels, labels));
    }
    for (request, why) in [
        (download("gs://out/x", WriteFormat::Unspecified), "gcs_destination.format"),
        (download("gs://out", WriteFormat::Csv), "not an object"),
        (BulkDownloadFeedbackLabelsRequest { destination: None, ..base() }, "gcs_destination"),
        (BulkDownloadFeedbackLabelsRequest { filter: "x=".into(), ..base() }, "at byte 2"),
        (
            BulkDownloadFeedbackLabelsRequest { conversation_filter: "x".into(), ..base() },
            "conversation_filter",
        ),
        (BulkDownloadFeedbackLabelsRequest { max_download_count: -1, ..base() }, "max_download_count"),
    ] {
        let status = refused(world.insights.bulk_download_feedback_labels(request).await);
        assert!(status.code() == Code::InvalidArgument && status.message().contains(why), "{status}");
    }
}
