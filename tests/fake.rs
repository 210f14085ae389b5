//! A service in the process in the place of the API: what `ClientBuilder::with_fake` promises, and the calls that only
//! other services answer.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contact_center_insights::any::pack;
use contact_center_insights::call::{CallSettings, Caller};
use contact_center_insights::error::Setting;
use contact_center_insights::lro::{Operations as OtherOperations, PollPolicy};
use contact_center_insights::names::OperationName;
use contact_center_insights::proto::insights::contact_center_insights_server::{
    ContactCenterInsights, ContactCenterInsightsServer,
};
use contact_center_insights::proto::insights::{CreateIssueModelRequest, GetSettingsRequest, IssueModel};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_server::{Operations, OperationsServer};
use contact_center_insights::proto::longrunning::{
    DeleteOperationRequest, GetOperationRequest, Operation, WaitOperationRequest,
};
use contact_center_insights::tonic::{Request, Response, Status, async_trait};
use contact_center_insights::{Client, Code, Credentials, Error, Payload, Transport};
use tokio::time::Instant;

const NAME: &str = "projects/p/locations/us-central1/operations/1";

/// Trains any model in three polls; waits for 90 s where it is asked to, and is then done.
#[derive(Clone, Default)]
struct Trainer {
    polls: Arc<Mutex<u32>>,
    /// Failures of the next calls to wait or delete.
    failures: Arc<Mutex<Vec<Code>>>,
    /// `grpc-timeout` and the seconds to wait, of each call that waits.
    waits: Arc<Mutex<Vec<(String, i64)>>>,
    deleted: Arc<Mutex<Vec<String>>>,
}

impl Trainer {
    fn failing(codes: impl Into<Vec<Code>>) -> Self {
        Self { failures: Arc::new(Mutex::new(codes.into())), ..Self::default() }
    }

    fn fail(&self) -> Result<(), Status> {
        self.failures.lock().unwrap().pop().map_or(Ok(()), |code| Err(Status::new(code, "scripted")))
    }

    fn client(&self) -> Client {
        Client::builder()
            .with_fake(ContactCenterInsightsServer::new(self.clone()))
            .with_fake(OperationsServer::new(self.clone()))
            .build()
            .unwrap()
    }
}

fn done() -> Operation {
    let model = IssueModel { display_name: "billing".into(), ..Default::default() };
    Operation { name: NAME.into(), done: true, result: Some(Outcome::Response(pack(&model))), metadata: None }
}

fn running() -> Operation {
    Operation { name: NAME.into(), ..Default::default() }
}

#[async_trait]
impl ContactCenterInsights for Trainer {
    async fn create_issue_model(
        &self,
        _: Request<CreateIssueModelRequest>,
    ) -> Result<Response<Operation>, Status> {
        Ok(Response::new(running()))
    }
}

#[async_trait]
impl Operations for Trainer {
    async fn get_operation(&self, _: Request<GetOperationRequest>) -> Result<Response<Operation>, Status> {
        let mut polls = self.polls.lock().unwrap();
        *polls += 1;
        Ok(Response::new(if *polls < 3 { running() } else { done() }))
    }

    async fn wait_operation(
        &self,
        request: Request<WaitOperationRequest>,
    ) -> Result<Response<Operation>, Status> {
        let timeout = request.metadata().get("grpc-timeout").unwrap().to_str().unwrap().to_owned();
        let seconds = request.into_inner().timeout.unwrap().seconds;
        self.waits.lock().unwrap().push((timeout, seconds));
        self.fail()?;
        tokio::time::sleep(Duration::from_secs(90)).await;
        Ok(Response::new(done()))
    }

    async fn delete_operation(
        &self,
        request: Request<DeleteOperationRequest>,
    ) -> Result<Response<()>, Status> {
        self.fail()?;
        self.deleted.lock().unwrap().push(request.into_inner().name);
        Ok(Response::new(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_running_method_is_followed_to_its_end() {
    let trainer = Trainer::default();
    let training = trainer.client().create_issue_model(CreateIssueModelRequest::default()).await.unwrap();
    assert_eq!(training.name(), NAME);
    let policy = PollPolicy::default().with_first_wait(Duration::from_secs(1));
    assert_eq!(training.with_policy(policy).await.unwrap().display_name, "billing");
    assert_eq!(*trainer.polls.lock().unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_no_fake_implements_is_unimplemented() {
    let client =
        Client::builder().with_fake(ContactCenterInsightsServer::new(Trainer::default())).build().unwrap();
    let method = client.get_settings(GetSettingsRequest::default()).await.unwrap_err();
    assert_eq!(method.code(), Some(Code::Unimplemented));
    let service = client.get_operation(NAME).await.unwrap_err();
    assert_eq!(service.code(), Some(Code::Unimplemented));
    assert!(service.to_string().contains("google.longrunning.Operations"), "{service}");
}

#[tokio::test(start_paused = true)]
async fn a_fake_given_twice_counts_as_it_was_given_last() {
    let (first, last) = (Trainer::default(), Trainer::default());
    let client = Client::builder()
        .with_fake(OperationsServer::new(first.clone()))
        .with_fake(OperationsServer::new(last.clone()))
        .build()
        .unwrap();
    // The name of an operation will do as it is.
    let name: OperationName = NAME.parse().unwrap();
    let operation = client.get_operation(&name).await.unwrap();
    assert_eq!(operation.name(), name.as_str());
    assert_eq!((*first.polls.lock().unwrap(), *last.polls.lock().unwrap()), (0, 1));
}

#[tokio::test]
async fn a_transport_and_a_fake_exclude_each_other() {
    let transport = Transport::new("http://localhost:1".parse().unwrap(), Credentials::anonymous()).unwrap();
    let builder = Client::builder().with_fake(OperationsServer::new(Trainer::default()));
    let error = builder.with_transport(transport).build().unwrap_err();
    assert_eq!(error.setting(), Some(Setting::Transport), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_call_outlasts_the_wait_that_the_server_is_asked_for() {
    let trainer = Trainer::failing([Code::Unavailable]);
    let transport = trainer.client().transport().clone();
    // Each attempt has 60 s by default; the calls of this client 20 s.
    let settings = CallSettings::default().with_timeout(Duration::from_secs(20));
    let operations = OtherOperations::new(Caller::new(transport, settings));
    let before = Instant::now();
    let operation = operations.wait::<IssueModel, Payload>(NAME, Duration::from_mins(2)).await.unwrap();
    assert_eq!(operation.result().unwrap().unwrap().display_name, "billing");
    let took = before.elapsed();
    assert!(took >= Duration::from_secs(91) && took < Duration::from_secs(100), "{took:?}");
    let waits = trainer.waits.lock().unwrap().clone();
    assert_eq!(
        waits.iter().map(|(_, seconds)| *seconds).collect::<Vec<_>>(),
        [120, 120],
        "retried as a read"
    );
    assert_eq!(waits.first().unwrap().0, "140001m");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_call_itself_ends_the_wait() {
    let trainer = Trainer::default();
    let client = trainer.client();
    let wait = client.operations().wait::<Payload, Payload>(NAME, Duration::MAX);
    let error = wait.with_timeout(Duration::from_secs(30)).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::DeadlineExceeded), "{error}");
    assert_eq!(trainer.waits.lock().unwrap().first().unwrap().1, 315_576_000_000);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_retried_only_where_the_server_cannot_have_acted() {
    let refused = Trainer::failing([Code::Unavailable]);
    refused.client().operations().delete(NAME).await.unwrap();
    assert_eq!(*refused.deleted.lock().unwrap(), [NAME]);

    let unknown = Trainer::failing([Code::Internal]);
    let error = unknown.client().operations().delete(NAME).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Internal));
    assert!(unknown.deleted.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn names_are_checked_before_anything_is_sent() {
    let trainer = Trainer::default();
    let client = trainer.client();
    let deleted = client.operations().delete("a b").await.unwrap_err();
    let waited = client.operations().wait::<Payload, Payload>("", Duration::ZERO).await.unwrap_err();
    assert!(matches!((deleted, waited), (Error::Name(_), Error::Name(_))));
    assert!(trainer.waits.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_emulator_serves_neither_as_the_api_does_not() {
    let emulator = contact_center_insights_emulator::Emulator::builder().start().await.unwrap();
    let client = Client::builder()
        .with_endpoint(emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .build()
        .unwrap();
    let deleted = client.operations().delete(NAME).await.unwrap_err();
    let waited = client.operations().wait::<Payload, Payload>(NAME, Duration::ZERO).await.unwrap_err();
    assert_eq!((deleted.code(), waited.code()), (Some(Code::Unimplemented), Some(Code::Unimplemented)));
}

/// The fake stands for one of Google's hosts, by the location that is set.
#[tokio::test]
async fn a_name_of_another_location_is_told_with_its_host() {
    let trainer = Trainer::failing([Code::NotFound; 4]);
    let fake = || Client::builder().with_fake(OperationsServer::new(trainer.clone()));
    let delete = async |client: &Client, location: &str| {
        let name = format!("projects/p/locations/{location}/operations/1");
        client.operations().delete(name).await.unwrap_err()
    };
    let client = fake().with_location("eu").build().unwrap();
    let error = delete(&client, "us-central1").await;
    let advice = "the name is in `us-central1`, which is at contactcenterinsights.googleapis.com; \
                  eu-contactcenterinsights.googleapis.com serves eu only";
    assert_eq!(error.call().unwrap().advice(), Some(advice));
    assert!(error.to_string().ends_with(&format!("NOT_FOUND: scripted ({advice})")), "{error}");
    assert_eq!(delete(&client, "eu").await.call().unwrap().advice(), None);
    // Neither an emulator nor a client that picks the host by the name sends it elsewhere.
    for client in [fake().build(), fake().with_regional_endpoints().build()] {
        let error = delete(&client.unwrap(), "eu").await;
        assert_eq!(error.call().unwrap().advice(), None, "{error}");
    }
}
