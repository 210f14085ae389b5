use std::collections::BTreeMap;

use contact_center_insights::Code;
use contact_center_insights::any::type_name;
use contact_center_insights::proto::insights::{
    Analysis, Conversation, CreateAnalysisRequest, CreateConversationRequest, CreateIssueModelRequest,
    DeleteIssueModelRequest, DeployIssueModelRequest, EncryptionSpec, InitializeEncryptionSpecRequest,
    IssueModel, UndeployIssueModelRequest, UploadConversationRequest,
};
use contact_center_insights::proto::longrunning::operation::Result as Outcome;
use contact_center_insights::proto::rpc::{BadRequest, ErrorInfo};
use http::HeaderMap;
use proptest::prelude::*;
use prost::Message;
use tokio::runtime::Runtime;

use super::*;
use crate::clock::ManualClock;
use crate::contract::{INSIGHTS, Trait};
use crate::exchange::Front;
use crate::journal::Transport;
use crate::profile::Profile;
use crate::rest;
use crate::world::{Profiles, Settings, World};

const L: &str = "projects/p/locations/l";

fn service(profile: Profile) -> Service {
    let profiles = Profiles { all: profile, by_method: BTreeMap::new() };
    let world = World::new(Settings { profiles, ..Settings::default() });
    Service::new(State { world, ..State::default() }, Arc::new(ManualClock::default()))
}

fn call<R: Message + Default>(service: &Service, method: &str, request: &impl Message) -> Result<R, Status> {
    let bytes = service.dispatch(&format!("{INSIGHTS}/{method}"), &request.encode_to_vec())?;
    Ok(R::decode(bytes.as_slice()).unwrap())
}

fn response(operation: &Operation) -> prost_types::Any {
    match operation.result.clone() {
        Some(Outcome::Response(response)) => response,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r01_r03_every_long_running_method_returns_the_types_it_promises() {
    let service = service(Profile::immediate());
    let conversation = Some(Conversation::default());
    let create = CreateConversationRequest {
        parent: L.into(),
        conversation: conversation.clone(),
        ..Default::default()
    };
    let made: Conversation = call(&service, "CreateConversation", &create).unwrap();
    let train = CreateIssueModelRequest { parent: L.into(), issue_model: Some(IssueModel::default()) };
    let trained: Operation = call(&service, "CreateIssueModel", &train).unwrap();
    let name = IssueModel::decode(response(&trained).value.as_slice()).unwrap().name;
    let upload = UploadConversationRequest { parent: L.into(), conversation, ..Default::default() };
    let analyze = CreateAnalysisRequest { parent: made.name, analysis: Some(Analysis::default()) };
    let deploy = DeployIssueModelRequest { name: name.clone() };
    let undeploy = UndeployIssueModelRequest { name: name.clone() };
    let spec = EncryptionSpec {
        name: "projects/p/locations/eu/encryptionSpec".into(),
        kms_key: "projects/k/locations/eu/keyRings/r/cryptoKeys/c".into(),
    };
    let encrypt = InitializeEncryptionSpecRequest { encryption_spec: Some(spec) };
    let operations: [(&str, Operation); 7] = [
        ("InitializeEncryptionSpec", call(&service, "InitializeEncryptionSpec", &encrypt).unwrap()),
        ("CreateIssueModel", trained),
        ("UploadConversation", call(&service, "UploadConversation", &upload).unwrap()),
        ("CreateAnalysis", call(&service, "CreateAnalysis", &analyze).unwrap()),
        ("DeployIssueModel", call(&service, "DeployIssueModel", &deploy).unwrap()),
        ("UndeployIssueModel", call(&service, "UndeployIssueModel", &undeploy).unwrap()),
        ("DeleteIssueModel", call(&service, "DeleteIssueModel", &DeleteIssueModelRequest { name }).unwrap()),
    ];
    let promised = methods::served().filter(|path| Contract::get().method(path).unwrap().operation.is_some());
    assert_eq!(
        promised.count(),
        operations.len(),
        "a long-running method is served that this test does not call"
    );
    for (method, operation) in operations {
        let wanted =
            Contract::get().method(&format!("{INSIGHTS}/{method}")).unwrap().operation.clone().unwrap();
        let (response, metadata) = (response(&operation), operation.metadata.unwrap());
        assert!(operation.name.starts_with("projects/p/locations/"), "{method}");
        assert_eq!((type_name(&response.type_url), type_name(&metadata.type_url)), (&*wanted.0, &*wanted.1));
        assert!(response.type_url.starts_with("type.googleapis.com/"), "{method}");
        assert!(metadata.type_url.starts_with("type.googleapis.com/"), "{method}");
    }
}

#[test]
fn everything_served_is_in_the_contract() {
    assert_eq!(methods::served().count(), 65);
    for path in methods::served() {
        assert!(Contract::get().method(path).is_some(), "{path}");
    }
}

#[test]
fn r38_every_required_field_of_every_served_method_is_asked_for() {
    let service = service(Profile::default());
    for method in methods::served().filter_map(|path| Contract::get().method(path)) {
        let fields = method.input.fields().filter(|field| Contract::get().behaves(field, Trait::Required));
        let required: Vec<String> = fields.map(|field| field.name().to_owned()).collect();
        if required.is_empty() {
            continue;
        }
        let error = service.dispatch(&method.path, &[]).unwrap_err();
        let violations = error.detail::<BadRequest>().unwrap().field_violations;
        let named: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
        assert_eq!((error.code(), named), (Code::InvalidArgument, required), "{}", method.path);
    }
}

#[test]
fn methods_that_are_not_served_say_so() {
    let service = service(Profile::default());
    for method in Contract::get().methods().filter(|method| methods::handler(&method.path).is_none()) {
        let error = service.dispatch(&method.path, &[]).unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert!(error.message().contains(&method.path), "{error}");
    }
    for path in ["", "x", "a.B/C", "google.longrunning.Operations/Delete"] {
        assert_eq!(service.dispatch(path, &[]).unwrap_err().code(), Code::Unimplemented);
    }
}

#[test]
fn r09_delete_and_wait_are_not_of_this_service() {
    for name in ["DeleteOperation", "WaitOperation"] {
        let error = service(Profile::default()).dispatch(&format!("{OPERATIONS}/{name}"), &[]).unwrap_err();
        assert!(
            error.code() == Code::Unimplemented && error.message().contains("the service has `GetOperation`")
        );
    }
}

proptest! {
    #[test]
    fn r51_arbitrary_bytes_are_answered_without_panic(index in 0usize..65, bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let path = methods::served().nth(index).unwrap();
        if let Err(error) = service(Profile::default()).dispatch(path, &bytes) {
            prop_assert!(error.detail::<ErrorInfo>().is_some(), "{error}");
        }
    }

    #[test]
    fn r51_arbitrary_rest_requests_are_answered_in_json(
        verb in prop_oneof![Just("GET"), Just("POST"), Just("DELETE"), Just("PATCH"), Just("PUT")],
        path in prop_oneof![
            "(/.{0,12}){0,6}",
            "/v1/projects/[^/]{0,9}/locations/[^/]{1,4}/(conversations|issueModels|operations)(/[^/]{1,6})?(:[a-z]{1,6})?",
        ],
        query in prop_oneof![".{0,30}", "(pageSize|page_token|view|conversationId|force|\\$alt)=.{0,12}"],
        body in prop_oneof![".{0,30}", Just("{\"issueModel\":{}}".to_owned()), Just("[[[]]]".to_owned()), Just("{}".to_owned())],
    ) {
        let front = Front::of(service(Profile::default()), ManualClock::default());
        let headers = HeaderMap::new();
        let asked = rest::Asked { verb, path: &path, query: &query, headers: &headers, body: body.as_bytes() };
        let mut visit = front.visit(Transport::Rest, &path, &headers);
        let response = Runtime::new().unwrap().block_on(rest::answer(&mut visit, &asked));
        let json: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        if !response.status().is_success() {
            prop_assert_eq!(&json["error"]["code"], response.status().as_u16());
            let details = json["error"]["details"].as_array().unwrap();
            prop_assert_eq!(details.iter().filter(|d| d["reason"].is_string()).count(), 1);
        }
    }
}
