//! What the tests share: clients for an emulator, and requests that are good.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this")]

use contact_center_insights::Status;
use contact_center_insights::any::Unpack;
use contact_center_insights::proto::insights::contact_center_insights_client::ContactCenterInsightsClient;
use contact_center_insights::proto::insights::issue_model::ModelType;
use contact_center_insights::proto::insights::{
    Conversation, CreateConversationRequest, CreateIssueModelRequest, IssueModel,
};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use contact_center_insights::proto::rpc::ErrorInfo;
use contact_center_insights_emulator::{Emulator, EmulatorBuilder, Profile, Seed};
use serde_json::Value;
use tonic::transport::{Channel, Endpoint};

/// A project by its number, which is how answers name it.
pub const L: &str = "projects/123456789012/locations/us-central1";

/// A plain HTTP client. Built beside `google-cloud-auth`, reqwest has rustls without a provider, and wants one even
/// where there is no TLS.
pub fn http() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

/// An emulator with clients of both kinds.
pub struct World {
    pub emulator: Emulator,
    pub insights: ContactCenterInsightsClient<Channel>,
    pub operations: OperationsClient<Channel>,
    pub http: reqwest::Client,
}

/// Models are trained on what there is: few conversations, or none.
pub fn builder() -> EmulatorBuilder {
    Emulator::builder().with_min_training_conversations(0)
}

impl World {
    pub async fn new(profile: &str) -> Self {
        let profile: Profile = profile.parse().unwrap();
        Self::of(builder().with_profile(profile).start().await.unwrap())
    }

    pub fn of(emulator: Emulator) -> Self {
        let channel = Endpoint::new(emulator.endpoint()).unwrap().connect_lazy();
        Self {
            insights: ContactCenterInsightsClient::new(channel.clone()),
            operations: OperationsClient::new(channel),
            http: http().build().unwrap(),
            emulator,
        }
    }

    pub async fn conversation(&mut self, id: &str) -> Conversation {
        let request = CreateConversationRequest {
            parent: L.into(),
            conversation: Some(Conversation::default()),
            conversation_id: id.into(),
        };
        self.insights.create_conversation(request).await.unwrap().into_inner()
    }

    pub async fn train(&mut self, display_name: &str) -> Operation {
        let model = IssueModel {
            display_name: display_name.into(),
            model_type: ModelType::TypeV2.into(),
            ..IssueModel::default()
        };
        let request = CreateIssueModelRequest { parent: L.into(), issue_model: Some(model) };
        self.insights.create_issue_model(request).await.unwrap().into_inner()
    }

    pub async fn poll(&mut self, name: &str) -> Operation {
        let request = GetOperationRequest { name: name.into() };
        self.operations.get_operation(request).await.unwrap().into_inner()
    }

    /// Tunes the newest revision of a scorecard, so that it is ready, and another can be made.
    pub async fn tune(&self, card: &str) {
        let (_, latest) = self.rest("GET", &format!("{card}/revisions/latest"), "").await;
        if latest["state"] == "EDITABLE" {
            let path = format!("{}:tuneQaScorecardRevision", latest["name"].as_str().unwrap());
            let (code, tuned) = self.rest("POST", &path, "{}").await;
            assert_eq!((code, &tuned["done"]), (200, &Value::Bool(true)), "{tuned}");
        }
    }

    /// Status and JSON of a request; `path` begins after the version.
    pub async fn rest(&self, verb: &str, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}/v1/{path}", self.emulator.endpoint());
        let request = self.http.request(verb.parse().unwrap(), url).body(body.to_owned());
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
        let (code, answer): (u16, Value) = (response.status().as_u16(), response.json().await.unwrap());
        if let Some(error) = answer.get("error").filter(|_| code >= 400) {
            let details = error["details"].as_array().unwrap().iter();
            let infos = details.filter(|d| d["@type"] == "type.googleapis.com/google.rpc.ErrorInfo");
            let reasons: Vec<String> =
                infos.map(|info| info["reason"].as_str().unwrap().to_owned()).collect();
            check_info(&reasons);
        }
        (code, answer)
    }
}

/// Every error has one `ErrorInfo`, with a reason of this form (AIP-193, R51).
fn check_info(reasons: &[String]) {
    assert_eq!(reasons.len(), 1, "r51: {reasons:?}");
    let reason = reasons[0].as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let has_ends = reason.first().is_some_and(u8::is_ascii_uppercase) && reason.last() != Some(&b'_');
    assert!((3..=63).contains(&reason.len()) && has_ends && reason.iter().all(is_word), "r51: {reasons:?}");
}

/// The status of a gRPC call that failed.
pub fn refused<T: std::fmt::Debug>(answer: Result<tonic::Response<T>, tonic::Status>) -> Status {
    let status = Status::from(&answer.unwrap_err());
    let infos = status.details().iter().filter(|any| any.type_url.ends_with("/google.rpc.ErrorInfo"));
    let reasons: Vec<String> = infos.map(|any| ErrorInfo::unpack(any).unwrap().reason).collect();
    check_info(&reasons);
    status
}

/// The response of an operation that is done.
pub fn response<T: Unpack>(operation: &Operation) -> T {
    match &operation.result {
        Some(Outcome::Response(any)) => T::unpack(any).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The metadata of any operation.
pub fn metadata<T: Unpack>(operation: &Operation) -> T {
    T::unpack(operation.metadata.as_ref().unwrap()).unwrap()
}

pub fn seed(text: &str) -> Seed {
    Seed::from_json(text).unwrap()
}
