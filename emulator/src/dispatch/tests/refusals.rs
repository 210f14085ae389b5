//! What is refused has not happened: not even an id is counted.

use std::collections::BTreeSet;

use super::*;
use crate::methods::Handler;

/// Calls that are refused, whatever there is: by a method of their own or by the standard ones, late rather than early.
fn refused() -> Vec<(&'static str, Value)> {
    let long = "x".repeat(257);
    let labels = json!({"labels": {"k": long}});
    let name = |below: &str| format!("{L}/{below}");
    let spec =
        json!({"name": name("encryptionSpec"), "kmsKey": "projects/k/locations/us/keyRings/r/cryptoKeys/c"});
    let card = name("qaScorecards/card-0001");
    let revision = json!({"parent": card, "qaScorecardRevision": {}});
    let question =
        json!({"parent": format!("{card}/revisions/5"), "qaQuestion": {"questionBody": "Polite?"}});
    let model = json!({"name": name("issueModels/none")});
    let file =
        json!({"gcsDestination": {"objectUri": "gs://b/model.json"}, "name": name("issueModels/none")});
    let upload = json!({"parent": L, "gcsSource": {"format": "JSON", "objectUri": "gs://b/none"}});
    let validate = json!({"parent": L, "gcsSource": {"format": "JSON", "objectUri": "gs://b/none"}, "validateOnly": true});
    let tune = |parent: &str, only: bool| json!({"parent": parent, "filter": "", "validateOnly": only});
    let none = format!("{card}/revisions/5");
    vec![
        ("CreateConversation", json!({"parent": L, "conversation": labels})),
        ("CreateConversation", json!({"parent": L, "conversation": {}, "conversationId": "conv-0001"})),
        ("CreateAnalysis", json!({"parent": name("conversations/none"), "analysis": {}})),
        (
            "CreateAnalysis",
            json!({"parent": name("conversations/conv-0001"), "analysis": {"annotatorSelector":
            {"runIssueModelAnnotator": true, "issueModels": [name("issueModels/none")]}}}),
        ),
        ("CreateAnalysisRule", json!({"parent": L, "analysisRule": {"analysisPercentage": 2}})),
        ("CreateFeedbackLabel", json!({"parent": name("conversations/none"), "feedbackLabel": {}})),
        ("CreateIssueModel", json!({"parent": L, "issueModel": {}})),
        (
            "CreateIssueModel",
            json!({"parent": L, "issueModel": {"modelType": "TYPE_V2", "inputDataConfig":
            {"filter": "colour=1"}}}),
        ),
        ("CreatePhraseMatcher", json!({"parent": L, "phraseMatcher": {"type": "ALL_OF"}})),
        ("CreateQaQuestion", question),
        ("CreateQaScorecard", json!({"parent": L, "qaScorecard": {}, "qaScorecardId": "card-0001"})),
        ("CreateQaScorecardRevision", revision),
        ("CreateView", json!({"parent": "projects/7/locations/mars", "view": {}})),
        (
            "UpdatePhraseMatcher",
            json!({"phraseMatcher": {"name": name("phraseMatchers/1"), "type": "ALL_OF"},
            "updateMask": "phraseMatchRuleGroups"}),
        ),
        ("UploadConversation", json!({"parent": L, "conversation": {"ttl": "-1s"}})),
        ("UploadConversation", json!({"parent": L, "conversation": {}, "conversationId": "conv-0001"})),
        ("BulkAnalyzeConversations", json!({"parent": L, "filter": "colour=1", "analysisPercentage": 50})),
        ("BulkDeleteConversations", json!({"parent": L, "force": true})),
        ("BulkDownloadFeedbackLabels", json!({"parent": L, "gcsDestination": {"format": "CSV"}})),
        ("BulkUploadFeedbackLabels", upload),
        ("BulkUploadFeedbackLabels", validate),
        ("DeleteIssueModel", model.clone()),
        ("DeployIssueModel", model.clone()),
        ("UndeployIssueModel", model),
        (
            "ExportInsightsData",
            json!({"parent": L, "filter": "colour=1", "bigQueryDestination": {"dataset": "d"}}),
        ),
        ("ExportIssueModel", file),
        (
            "ImportIssueModel",
            json!({"parent": L, "gcsSource": {"objectUri": "gs://b/none"}, "createNewModel": true}),
        ),
        (
            "IngestConversations",
            json!({"parent": L, "gcsSource": {"bucketUri": "gs://none/in"},
            "transcriptObjectConfig": {"medium": "CHAT"}}),
        ),
        ("InitializeEncryptionSpec", json!({"encryptionSpec": spec})),
        ("QueryMetrics", json!({"location": L, "filter": "colour=1"})),
        ("TuneQaScorecardRevision", tune(&none, false)),
        ("TuneQaScorecardRevision", tune(&none, true)),
    ]
}

#[test]
fn a_refused_call_leaves_the_snapshot_as_it_is_and_counts_no_id() {
    for has_files in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings {
            gcs_root: has_files.then(|| root.path().into()),
            min_training: 0,
            ..Settings::default()
        };
        let state = State { world: World::new(settings), ..State::default() };
        let service = Service::new(state, Arc::new(ManualClock::default()));
        let conversation = json!({"parent": L, "conversation": {}, "conversationId": "conv-0001"});
        call(&service, "CreateConversation", &conversation).unwrap();
        let card = json!({"parent": L, "qaScorecard": {}, "qaScorecardId": "card-0001"});
        call(&service, "CreateQaScorecard", &card).unwrap();
        let rule = json!({"config": {"exactMatchConfig": {}}, "query": "hello"});
        let groups = json!([{"type": "ALL_OF", "phraseMatchRules": [rule]}]);
        let matcher = json!({"type": "ALL_OF", "phraseMatchRuleGroups": groups});
        let made = call(&service, "CreatePhraseMatcher", &json!({"parent": L, "phraseMatcher": matcher}));
        let matcher = made.unwrap()["name"].clone();
        let before = service.snapshot();
        let mut tried = BTreeSet::new();
        for (method, mut request) in refused() {
            if method == "UpdatePhraseMatcher" {
                request["phraseMatcher"]["name"] = matcher.clone();
            }
            let status = call(&service, method, &request).map(|answer| answer.to_string()).unwrap_err();
            assert!(status.code() != Code::Internal, "{method} {status}");
            assert!(service.snapshot() == before, "{method} {request} {status}");
            tried.insert(method);
        }
        // As far as requests can be refused at all, every method that gives ids out is among them.
        let of_contract = Contract::get().methods().filter(|method| {
            matches!(methods::handler(&method.path), Some(Handler::Write(..)))
                && (method.operation.is_some() || method.path.contains("/Create"))
        });
        let names = of_contract.map(|method| method.path.rsplit('/').next().unwrap());
        let missing: Vec<&str> = names.filter(|name| !tried.contains(name)).collect();
        assert_eq!(missing, [""; 0]);
        // The next ids are those that would have been given without all that.
        let made = call(&service, "CreateView", &json!({"parent": L, "view": {}})).unwrap();
        let id = |name: &Value| -> u64 { names::id(name.as_str().unwrap()).parse().unwrap() };
        assert_eq!(id(&made["name"]), id(&matcher) + 2, "one was for the revision of the matcher");
    }
}

#[test]
fn a_call_that_runs_into_another_leaves_the_snapshot_as_it_is() {
    let service = service(Profile::polls(9));
    let conversation = json!({"parent": L, "conversation": {}, "conversationId": "conv-0001"});
    call(&service, "CreateConversation", &conversation).unwrap();
    for (method, request) in [
        ("UploadConversation", json!({"parent": L, "conversation": {}, "conversationId": "conv-0002"})),
        ("BulkAnalyzeConversations", json!({"parent": L, "analysisPercentage": 50})),
    ] {
        call(&service, method, &request).unwrap();
        let before = service.snapshot();
        assert_eq!(call(&service, method, &request).unwrap_err().code(), Code::Aborted, "{method}");
        assert!(service.snapshot() == before, "{method}");
    }
}
