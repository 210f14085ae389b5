mod annotations;
mod divisions;
mod neighbours;
mod pages;
mod parity;
mod refusals;

use std::collections::BTreeMap;

use contact_center_insights::Code;
use contact_center_insights::json::{self, Enums};
use contact_center_insights::proto::rpc::{BadRequest, ErrorInfo};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::*;
use crate::clock::ManualClock;
use crate::contract::{INSIGHTS, Trait};
use crate::journal::Transport;
use crate::pipeline::{CallRecord, Pipeline};
use crate::profile::Profile;
use crate::rest;
use crate::world::{Profiles, Settings, World};

const L: &str = "projects/7/locations/us";

fn service(profile: Profile) -> Service {
    let profiles = Profiles { all: profile, by_method: BTreeMap::new() };
    let world = World::new(Settings { profiles, ..Settings::default() });
    Service::new(State { world, ..State::default() }, Arc::new(ManualClock::default()))
}

/// Status and text of the answer to a request in JSON.
fn answered(record: &mut CallRecord, call: rest::RestRequest<'_>) -> (StatusCode, String) {
    Runtime::new().unwrap().block_on(async {
        let response = rest::answer(record, call).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    })
}

/// Calls a method with a request in JSON.
fn call(service: &Service, method: &str, request: &Value) -> Result<Value, Status> {
    let method = Contract::get().method(&format!("{INSIGHTS}/{method}")).unwrap();
    let request = json::to_bytes(method.input.full_name(), request).unwrap();
    let answer = service.dispatch(&method.path, &request)?;
    Ok(json::from_bytes(method.output.full_name(), &answer, Enums::Names).unwrap())
}

/// What each long-running method is called with here; `M` is a model that the first call trains, `C` a conversation,
/// `R` a revision of a scorecard.
fn calls() -> Vec<(&'static str, Value)> {
    let spec = json!({"name": "projects/7/locations/eu/encryptionSpec", "kmsKey": "projects/k/locations/eu/keyRings/r/cryptoKeys/c"});
    vec![
        ("CreateIssueModel", json!({"parent": L, "issueModel": {"modelType": "TYPE_V2"}})),
        ("InitializeEncryptionSpec", json!({"encryptionSpec": spec})),
        ("UploadConversation", json!({"parent": L, "conversation": {}})),
        ("CreateAnalysis", json!({"parent": "C", "analysis": {}})),
        (
            "BulkAnalyzeConversations",
            json!({"parent": L, "filter": "agent_id=\"7\"", "analysisPercentage": 50}),
        ),
        (
            "IngestConversations",
            json!({"parent": L, "gcsSource": {"bucketUri": "gs://b/in"}, "transcriptObjectConfig": {"medium": "CHAT"}}),
        ),
        (
            "ExportInsightsData",
            json!({"parent": L, "bigQueryDestination": {"projectId": "p", "dataset": "d", "table": "t"}}),
        ),
        (
            "QueryMetrics",
            json!({"location": L, "filter": "create_time>\"2020-01-01T00:00:00Z\" create_time<\"2030-01-01T00:00:00Z\""}),
        ),
        (
            "BulkDownloadFeedbackLabels",
            json!({"parent": L, "gcsDestination": {"format": "CSV", "objectUri": "gs://b/labels"}}),
        ),
        (
            "BulkUploadFeedbackLabels",
            json!({"parent": L, "gcsSource": {"format": "JSON", "objectUri": "gs://b/labels.json"}}),
        ),
        (
            "TuneQaScorecardRevision",
            json!({"parent": "R", "filter": "qa_scorecard_id=\"card-0001\"", "validateOnly": true}),
        ),
        ("DeployIssueModel", json!({"name": "M"})),
        ("UndeployIssueModel", json!({"name": "M"})),
        ("ExportIssueModel", json!({"name": "M", "gcsDestination": {"objectUri": "gs://b/model.json"}})),
        (
            "ImportIssueModel",
            json!({"parent": L, "gcsSource": {"objectUri": "gs://b/model.json"}, "createNewModel": true}),
        ),
        ("DeleteIssueModel", json!({"name": "M"})),
        ("BulkDeleteConversations", json!({"parent": L, "maxDeleteCount": 1000, "force": true})),
    ]
}

#[test]
fn r01_r03_every_long_running_method_returns_the_types_it_promises() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("b/in")).unwrap();
    std::fs::write(root.path().join("b/labels.json"), "").unwrap();
    let profiles = Profiles { all: Profile::immediate(), by_method: BTreeMap::new() };
    let world = World::new(Settings {
        profiles,
        gcs_root: Some(root.path().into()),
        min_training: 0,
        ..Settings::default()
    });
    let service = Service::new(State { world, ..State::default() }, Arc::new(ManualClock::default()));
    let made = call(&service, "CreateConversation", &json!({"parent": L, "conversation": {"agentId": "7"}}))
        .unwrap();
    call(
        &service,
        "CreateQaScorecard",
        &json!({"parent": L, "qaScorecard": {}, "qaScorecardId": "card-0001"}),
    )
    .unwrap();
    let card = format!("{L}/qaScorecards/card-0001");
    let latest = json!({"name": format!("{card}/revisions/latest")});
    let revision = call(&service, "GetQaScorecardRevision", &latest).unwrap();
    let question = json!({"parent": revision["name"], "qaQuestion": {"questionBody": "Polite?"}});
    call(&service, "CreateQaQuestion", &question).unwrap();
    let mut model = String::new();
    let mut tried = Vec::new();
    for (name, mut request) in calls() {
        let method = Contract::get().method(&format!("{INSIGHTS}/{name}")).unwrap();
        for (letter, value) in [
            ("M", model.as_str()),
            ("C", made["name"].as_str().unwrap()),
            ("R", revision["name"].as_str().unwrap()),
        ] {
            let fields = request.as_object_mut().unwrap().values_mut();
            fields.filter(|field| **field == json!(letter)).for_each(|field| *field = json!(value));
        }
        let operation = call(&service, name, &request).unwrap();
        let (response, metadata) = method.operation.as_ref().unwrap();
        let ids: Vec<&str> = operation["name"].as_str().unwrap().split('/').collect();
        let is_named =
            matches!(ids[..], ["projects", "7", "locations", _, "operations", id] if !id.is_empty());
        assert!(is_named, "r01: {name} {ids:?}");
        assert_eq!(
            operation["response"]["@type"],
            format!("type.googleapis.com/{response}"),
            "r03: {name} {operation}"
        );
        assert_eq!(operation["metadata"]["@type"], format!("type.googleapis.com/{metadata}"), "r03: {name}");
        if name == "CreateIssueModel" {
            model = operation["response"]["name"].as_str().unwrap().to_owned();
        }
        tried.push(name);
    }
    assert_eq!(tried.len(), Contract::get().long_running().count(), "each is called");
}

#[test]
fn every_long_running_method_has_a_job_to_resume() {
    for name in Contract::get().long_running() {
        // Every field of a job is optional, so that no bytes are one too.
        assert_eq!(methods::job(name, &[]).map(|(method, _)| method), Some(name));
    }
    assert!(methods::job("GetOperation", &[]).is_none());
}

#[test]
fn everything_served_is_in_the_contract() {
    // All but what the service itself does not have.
    let missing = ["DeleteOperation", "WaitOperation"].map(|name| format!("{OPERATIONS}/{name}"));
    let unserved = Contract::get().methods().map(|method| &method.path);
    let unserved: Vec<_> = unserved.filter(|path| methods::handler(path).is_none()).collect();
    assert_eq!(unserved, missing.iter().collect::<Vec<_>>());
    for path in methods::served() {
        assert!(Contract::get().method(path).is_some(), "{path}");
    }
}

#[test]
fn r38_every_required_field_of_every_served_method_is_asked_for() {
    let service = service(Profile::default());
    for method in methods::served().filter_map(|path| Contract::get().method(path)) {
        // Zero is a value of a number without presence.
        let fields = method.input.fields().filter(|field| {
            Contract::get().behaves(field, Trait::Required) && field.kind() != prost_reflect::Kind::Float
        });
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
    fn r51_arbitrary_bytes_are_answered_without_panic(index in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let path = methods::served().nth(index.index(methods::served().count())).unwrap();
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
        let pipeline = Pipeline::of(service(Profile::default()), ManualClock::default());
        let headers = HeaderMap::new();
        let call = rest::RestRequest { verb, path: &path, query: &query, headers: &headers, body: body.clone().into() };
        let mut record = pipeline.begin(Transport::Rest, &path, &headers, None);
        let (status, text) = answered(&mut record, call);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        if !status.is_success() {
            prop_assert_eq!(&json["error"]["code"], status.as_u16());
            let details = json["error"]["details"].as_array().unwrap();
            prop_assert_eq!(details.iter().filter(|d| d["reason"].is_string()).count(), 1);
        }
    }
}
