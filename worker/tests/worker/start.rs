//! Starting, and what a crash in between leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use contact_center_insights::Code;
use contact_center_insights::proto::insights::issue_model::ModelType;
use contact_center_insights::proto::insights::{
    CreateIssueModelMetadata, CreateIssueModelRequest, IssueModel,
};
use contact_center_insights_emulator::{Break, Emulator, Fault};
use contact_center_insights_worker::{
    BoxError, Delivery, Error, Intent, SqliteStore, State, Store as _, Worker,
};
use prost::Message as _;

use super::support::api::PARENT;
use super::{Shared, Stage, run, until};

type Training = Delivery<IssueModel, CreateIssueModelMetadata>;

fn request(display_name: &str) -> CreateIssueModelRequest {
    let display_name = display_name.to_owned();
    let issue_model = IssueModel { display_name, model_type: ModelType::TypeV2.into(), ..Default::default() };
    CreateIssueModelRequest { parent: PARENT.into(), issue_model: Some(issue_model) }
}

/// As a worker writes it before the call.
fn intent(id: &str, display_name: &str) -> Intent {
    Intent {
        id: id.into(),
        parent: PARENT.into(),
        method: "/google.cloud.contactcenterinsights.v1.ContactCenterInsights/CreateIssueModel".into(),
        request_type: Some("google.cloud.contactcenterinsights.v1.CreateIssueModelRequest".into()),
        request: request(display_name).encode_to_vec(),
        response: Some("google.cloud.contactcenterinsights.v1.IssueModel".into()),
        metadata: Some("google.cloud.contactcenterinsights.v1.CreateIssueModelMetadata".into()),
        context: Some("why".into()),
    }
}

/// Runs a worker until nothing is being started any more. Names of the models that were handed over.
async fn recover(stage: &Stage) -> Vec<String> {
    let models = Shared::<Vec<String>>::default();
    let taken = models.clone();
    let worker = stage
        .builder()
        .on(move |delivery: Training| {
            taken.lock().unwrap().push(delivery.result().unwrap().display_name);
            async { Ok::<_, BoxError>(()) }
        })
        .build();
    let done = async || {
        let counts = stage.store.statistics().await.unwrap();
        counts.starting == 0 && counts.pending == 0 && counts.waiting == 0
    };
    run(&worker, until(done)).await;
    std::mem::take(&mut models.lock().unwrap())
}

/// One model is trained at a time, unless that takes no time.
async fn immediate() -> Stage {
    let emulator = Emulator::builder().with_profile("immediate".parse().unwrap());
    Stage::with(emulator.with_min_training_conversations(0).start().await.unwrap()).await
}

fn starts(emulator: &Emulator) -> usize {
    emulator.journal().calls("CreateIssueModel").len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_started_is_followed_with_its_context() {
    let stage = Stage::new().await;
    let worker = stage.builder().build();
    let call = stage.client.create_issue_model(request("billing"));
    let poller = worker.start_with_context(call, "order 4711").await.unwrap();
    let listed = stage.store.list(None, None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), listed[0].context.as_deref()), (poller.name(), Some("order 4711")));
    assert_eq!(recover(&stage).await, ["billing"]);
    assert_eq!(starts(&stage.emulator), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_refused_leaves_nothing() {
    let stage = Stage::new().await;
    let worker = stage.builder().build();
    let bad = CreateIssueModelRequest { parent: PARENT.into(), issue_model: None };
    let refused = worker.start(stage.client.create_issue_model(bad)).await;
    assert!(matches!(refused, Err(Error::Api(error)) if error.code() == Some(Code::InvalidArgument)));
    assert!(stage.store.list(None, None, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_whose_answer_is_lost_is_found_by_its_request() {
    let stage = immediate().await;
    // Others train, too.
    stage.client.create_issue_model(request("delivery")).await.unwrap();
    let lost = Fault::transport(Break::Reset(2)).with_method("CreateIssueModel").after_execution();
    stage.emulator.add_fault(lost).unwrap();
    let worker = stage.builder().build();
    let unsure = worker.start(stage.client.create_issue_model(request("billing"))).await;
    assert!(
        matches!(&unsure, Err(Error::Unsure { intent, .. }) if intent.starts_with("intent-")),
        "{unsure:?}"
    );
    assert_eq!(stage.count(State::Starting).await, 1);
    assert_eq!(recover(&stage).await, ["billing"]);
    assert_eq!(starts(&stage.emulator), 2, "nothing is started twice");
    assert_eq!(stage.count(State::Unsure).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_the_call_is_as_a_lost_answer() {
    let stage = Stage::new().await;
    // The process wrote the intent, made the call, and died.
    stage.store.write_intent(intent("crashed", "billing"), Duration::ZERO).await.unwrap();
    stage.client.create_issue_model(request("billing")).await.unwrap();
    assert_eq!(recover(&stage).await, ["billing"]);
    let handed = stage.store.list(Some(State::Handed), None, 10).await.unwrap();
    assert_eq!((handed.len(), handed[0].context.as_deref()), (1, Some("why")));
    assert!(handed[0].name.starts_with(PARENT), "as the intent spells the project: {}", handed[0].name);
    assert_eq!(starts(&stage.emulator), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_matches_are_for_somebody_to_decide() {
    let stage = immediate().await;
    stage.store.write_intent(intent("crashed", "billing"), Duration::ZERO).await.unwrap();
    for _ in 0..2 {
        stage.client.create_issue_model(request("billing")).await.unwrap();
    }
    // One operation, and two starts of the same, of which one did not happen.
    for id in ["one", "other"] {
        stage.store.write_intent(intent(id, "returns"), Duration::ZERO).await.unwrap();
    }
    stage.client.create_issue_model(request("returns")).await.unwrap();
    assert!(recover(&stage).await.is_empty());
    let unsure = stage.store.list(Some(State::Unsure), None, 10).await.unwrap();
    let reasons: Vec<_> = unsure.iter().map(|of| of.reason.clone().unwrap()).collect();
    assert_eq!(unsure.len(), 3);
    assert!(reasons[0].starts_with("2 operations match, and 0 other"), "{reasons:?}");
    assert!(reasons[1].starts_with("1 operations match, and 1 other"), "{reasons:?}");
    assert_eq!(starts(&stage.emulator), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_nowhere_is_looked_for_a_while_and_then_unsure() {
    let stage = immediate().await;
    let clock = Arc::new(AtomicI64::new(micros_now()));
    let read = clock.clone();
    let path = stage.path().with_extension("clocked");
    let store = SqliteStore::open_with_clock(path, move || read.load(Ordering::SeqCst)).await.unwrap();
    store.write_intent(intent("crashed", "billing"), Duration::ZERO).await.unwrap();
    // Of the same kind, but not this request.
    stage.client.create_issue_model(request("delivery")).await.unwrap();
    let listed = async |state| store.list(Some(state), None, 10).await.unwrap();
    for look in 1..=4 {
        assert_eq!(listed(State::Starting).await.len(), 1, "before look {look}");
        let worker = Worker::builder(store.clone(), &stage.client)
            .on(|_: Delivery| async { Ok::<_, BoxError>(()) })
            .build();
        let looked = async || {
            let all = store.list(None, None, 10).await.unwrap();
            all[0].tries == look
        };
        run(&worker, until(looked)).await;
        clock.fetch_add(21_000_000, Ordering::SeqCst);
    }
    let unsure = listed(State::Unsure).await;
    assert_eq!(unsure[0].reason.as_deref(), Some("no such operation was found"));
    assert_eq!(starts(&stage.emulator), 1, "nothing was started from here");
}

fn micros_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}
