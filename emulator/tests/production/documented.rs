//! What Google documents, or its tools rely on: P16 to P29.

use std::fs;

use contact_center_insights::Code;
use contact_center_insights::Status;
use contact_center_insights::proto::insights::{CreateIssueModelRequest, GetConversationRequest};
use contact_center_insights_emulator::Emulator;
use serde_json::{Value, json};

use super::{ID, NUMBER, bad, good, immediate, world};
use crate::support::{World, seed};

#[tokio::test]
async fn p17_a_revision_is_tuned_before_it_is_deployed() {
    let world = immediate().await;
    let card = format!("{NUMBER}/qaScorecards/night-shift");
    good(&world, "POST", &format!("{ID}/qaScorecards?qaScorecardId=night-shift"), &json!({})).await;
    let first = good(&world, "GET", &format!("{card}/revisions/latest"), &Value::Null).await;
    let first = first["name"].as_str().unwrap().to_owned();
    // Guesses: what cannot be done while a revision can be edited.
    for (path, words) in
        [(format!("{first}:deploy"), "tune it first"), (format!("{card}/revisions"), "EDITABLE")]
    {
        let (code, message) = bad(&world, "POST", &path, &json!({})).await;
        assert!(code == 400 && message.contains(words), "{message}");
    }
    // The parent alone is what Google's tool sends.
    let tuned = good(&world, "POST", &format!("{first}:tuneQaScorecardRevision"), &json!({})).await;
    assert_eq!(tuned["done"], true);
    assert_eq!(good(&world, "GET", &first, &Value::Null).await["state"], "READY");
    let deployed = good(&world, "POST", &format!("{first}:deploy"), &json!({})).await;
    assert_eq!(deployed["alternateIds"], json!(["latest", "default"]));
    assert_eq!(good(&world, "GET", &format!("{card}/revisions/default"), &Value::Null).await, deployed);
    let second = good(&world, "POST", &format!("{card}/revisions"), &json!({})).await;
    assert_eq!((&second["state"], &second["alternateIds"]), (&json!("EDITABLE"), &json!(["latest"])));
    let default = good(&world, "GET", &format!("{card}/revisions/default"), &Value::Null).await;
    assert_eq!((&default["name"], &default["alternateIds"]), (&json!(first), &json!(["default"])));
}

#[tokio::test]
async fn p17_questions_are_listed_over_all_scorecards() {
    let world = immediate().await;
    let mut names = Vec::new();
    for card in ["card-1", "card-2"] {
        good(&world, "POST", &format!("{ID}/qaScorecards?qaScorecardId={card}"), &json!({})).await;
        let latest =
            good(&world, "GET", &format!("{ID}/qaScorecards/{card}/revisions/latest"), &Value::Null).await;
        let path = format!("{}/qaQuestions", latest["name"].as_str().unwrap());
        names.push(good(&world, "POST", &path, &json!({"questionBody": card})).await["name"].clone());
    }
    let listed = async |parent: &str| {
        let path = format!("{ID}/qaScorecards/{parent}/qaQuestions");
        let found = good(&world, "GET", &path, &Value::Null).await;
        let names = found["qaQuestions"].as_array().into_iter().flatten().map(|one| one["name"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed("-/revisions/-").await, names);
    assert_eq!(listed("card-2/revisions/-").await, names[1..]);
    assert!(listed("card-3/revisions/-").await.is_empty());
}

#[tokio::test]
async fn p21_a_model_needs_a_hundred_conversations() {
    let builder = Emulator::builder().with_project_number("corner-shop", 900_100_200_300);
    let world = World::of(builder.with_profile("immediate".parse().unwrap()).start().await.unwrap());
    let path = format!("{ID}/issueModels");
    let body = json!({"modelType": "TYPE_V2", "inputDataConfig": {"filter": "medium=\"CHAT\""}});
    for call in 0..99 {
        let path = format!("{ID}/conversations?conversationId=call-{call:04}");
        good(&world, "POST", &path, &json!({"medium": "CHAT"})).await;
    }
    good(&world, "POST", &format!("{ID}/conversations"), &json!({"medium": "PHONE_CALL"})).await;
    let text = "Project: `900100200300` has too few conversations with the given filters. Current number: 99. \
                Minimum requirement is: 100.";
    assert_eq!(bad(&world, "POST", &path, &body).await, (400, text.to_owned()));
    assert_eq!(good(&world, "GET", &path, &Value::Null).await, json!({}), "nothing was begun");
    good(&world, "POST", &format!("{ID}/conversations"), &json!({"medium": "CHAT"})).await;
    assert_eq!(good(&world, "POST", &path, &body).await["done"], true);
}

#[tokio::test]
async fn p22_bodies_that_googles_pages_print_are_taken_or_refused_clearly() {
    let world = immediate().await;
    let path = format!("{ID}/conversations?conversationId=call-0001");
    let made = good(&world, "POST", &path, &json!({"ttl": {"seconds": "60"}})).await;
    assert!(made["expireTime"].is_string(), "{made}");
    let settings = format!("{ID}/settings?updateMask=conversationTtl");
    let set = good(&world, "PATCH", &settings, &json!({"conversationTtl": {"seconds": 86400}})).await;
    assert_eq!(set["conversationTtl"], "86400s");
    let analyze = format!("{ID}/conversations:bulkAnalyze");
    for filter in [json!({}), json!({"filter": ""})] {
        let mut body = filter;
        body["analysisPercentage"] = json!(100);
        assert_eq!(good(&world, "POST", &analyze, &body).await["response"]["successfulAnalysisCount"], 1);
    }
    let highlight = json!({"type": "ALL_OF", "phraseMatchRuleGroups": {"type": "ALL_OF"}});
    let (code, message) = bad(&world, "POST", &format!("{ID}/phraseMatchers"), &highlight).await;
    assert!(
        code == 400 && message.contains("phraseMatchRuleGroups") && message.contains("not a list"),
        "{message}"
    );
    let torn = "{\"pubsub_notification_settings\": {\n  \"create-analysis\": \"projects/p/topics/t\",\n}}";
    let path = format!("{ID}/settings?updateMask=pubsub_notification_settings");
    let (code, answer) = world.rest("PATCH", &path, torn).await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(code == 400 && message.contains("line 3 column 1: a comma is the last thing"), "{message}");
}

#[tokio::test]
async fn p23_a_transcript_that_cannot_be_read_is_the_error_of_the_call() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("calls")).unwrap();
    fs::write(root.path().join("calls/torn.json"), "{\"entries\": [").unwrap();
    let builder = Emulator::builder().with_profile("immediate".parse().unwrap()).with_gcs_root(root.path());
    let world = World::of(builder.start().await.unwrap());
    for (object, code) in [("torn", 400), ("none", 404)] {
        let source =
            json!({"dataSource": {"gcsSource": {"transcriptUri": format!("gs://calls/{object}.json")}}});
        let path = format!("{ID}/conversations?conversationId=call-{object}");
        let refused = bad(&world, "POST", &path, &source).await;
        assert!(refused.0 == code && refused.1.contains(&format!("gs://calls/{object}.json")), "{refused:?}");
        assert_eq!(
            bad(&world, "GET", &format!("{ID}/conversations/call-{object}"), &Value::Null).await.0,
            404
        );
    }
}

#[tokio::test]
async fn p24_a_location_must_be_one_of_the_services() {
    let mut mars = world().await;
    let message = "Permission denied on 'locations/mars' (or it may not exist).";
    let parent = "projects/corner-shop/locations/mars";
    for (verb, path) in [
        ("GET", format!("{parent}/conversations")),
        ("POST", format!("{parent}/views")),
        ("GET", format!("{parent}/operations/1")),
        ("PATCH", format!("{parent}/settings?updateMask=languageCode")),
    ] {
        assert_eq!(bad(&mars, verb, &path, &json!({})).await, (403, message.to_owned()), "{verb} {path}");
    }
    let request = GetConversationRequest { name: format!("{parent}/conversations/call-0001"), view: 0 };
    let status = Status::from(&mars.insights.get_conversation(request).await.unwrap_err());
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, message));
    for location in ["us-central1", "europe-west6", "eu", "global"] {
        good(&mars, "GET", &format!("projects/p/locations/{location}/views"), &Value::Null).await;
    }
    let any = World::of(Emulator::builder().with_any_location().start().await.unwrap());
    good(&any, "POST", &format!("{parent}/views"), &json!({})).await;
}

#[tokio::test]
async fn p25_notifications_have_triggers_and_topics() {
    let world = world().await;
    let path = format!("{ID}/settings?updateMask=pubsubNotificationSettings");
    let topics =
        json!({"create-analysis": "projects/corner-shop/topics/done", "all-triggers": "projects/1/topics/t"});
    let set = good(&world, "PATCH", &path, &json!({"pubsubNotificationSettings": topics})).await;
    assert_eq!(set["pubsubNotificationSettings"], topics);
    for (topics, words) in [
        (json!({"create-analyses": "projects/p/topics/t"}), "create-analyses"),
        (json!({"create-analysis": "t"}), "projects/{project}/topics/{topic}"),
        (json!({"create-analysis": "projects/p/topics/t/x"}), "projects/{project}/topics/{topic}"),
        (json!({"create-analysis": ""}), "projects/{project}/topics/{topic}"),
    ] {
        let (code, message) =
            bad(&world, "PATCH", &path, &json!({"pubsubNotificationSettings": topics})).await;
        assert!(code == 400 && message.contains(words), "{message}");
    }
    let kept = good(&world, "GET", &format!("{ID}/settings"), &Value::Null).await;
    assert_eq!(kept, set, "what is refused changes nothing");
}

#[tokio::test]
async fn p27_labels_without_a_name_are_of_the_conversation_that_they_are_about() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("labels")).unwrap();
    let lines = [
        json!({"labeledResource": format!("{ID}/conversations/call-0001"), "label": "late parcel"}),
        json!({"labeledResource": format!("{NUMBER}/conversations/call-0002"), "label": "broken"}),
        json!({"labeledResource": format!("{ID}/issueModels/1"), "label": "nowhere"}),
        json!({"labeledResource": format!("{ID}/conversations/call-0001"), "label": "x", "satisfiesPzs": true}),
    ];
    let file = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    fs::write(root.path().join("labels/1.jsonl"), file).unwrap();
    let seed = seed(
        &json!({"conversations": [{"name": format!("{ID}/conversations/call-0001")},
        {"name": format!("{ID}/conversations/call-0002")}]})
        .to_string(),
    );
    let builder = Emulator::builder().with_project_number("corner-shop", 900_100_200_300).with_seed(seed);
    let builder = builder.with_profile("immediate".parse().unwrap()).with_gcs_root(root.path());
    let world = World::of(builder.start().await.unwrap());
    let body = json!({"gcsSource": {"format": "JSON", "objectUri": "gs://labels/1.jsonl"}});
    let done = good(&world, "POST", &format!("{NUMBER}:bulkUploadFeedbackLabels"), &body).await;
    let stats = &done["metadata"]["uploadStats"];
    assert_eq!(
        (&stats["successfulUploadCount"], &stats["failedValidationCount"]),
        (&json!(3), &json!(1)),
        "{done}"
    );
    let error = done["metadata"]["partialErrors"][0]["message"].as_str().unwrap();
    assert!(error.contains("`feedback_label.name`: is needed"), "{error}");
    let listed = async |call: &str| {
        let path = format!("{NUMBER}/conversations/{call}/feedbackLabels");
        let found = good(&world, "GET", &path, &Value::Null).await;
        let labels = found["feedbackLabels"].as_array().unwrap().iter().map(|label| label["label"].clone());
        labels.collect::<Vec<_>>()
    };
    assert_eq!(
        (listed("call-0001").await, listed("call-0002").await),
        (vec![json!("late parcel"), json!("x")], vec![json!("broken")])
    );
}

#[tokio::test]
async fn p29_an_operation_that_is_not_there_is_not_found() {
    let world = world().await;
    let (code, message) = bad(&world, "GET", &format!("{ID}/operations/123"), &Value::Null).await;
    assert!(code == 404 && message.contains("not found"), "{message}");
}

#[tokio::test]
async fn answers_have_the_fields_that_are_wanted() {
    let mut world = immediate().await;
    for call in ["call-0001", "call-0002"] {
        let path = format!("{ID}/conversations?conversationId={call}");
        good(&world, "POST", &path, &json!({"agentId": call, "labels": {"a": "b"}})).await;
    }
    let wanted = json!({"conversations": [{"agentId": "call-0002", "labels": {"a": "b"}}, {"agentId": "call-0001",
        "labels": {"a": "b"}}]});
    for parameter in ["fields", "$fields"] {
        let path = format!("{ID}/conversations?{parameter}=conversations(agentId,labels),nextPageToken");
        assert_eq!(good(&world, "GET", &path, &Value::Null).await, wanted);
    }
    let path = format!("{ID}/conversations?fields=conversations(agentId,colour)");
    let refused = bad(&world, "GET", &path, &Value::Null).await;
    assert_eq!(refused, (400, "Invalid field selection conversations.colour".to_owned()));
    let create = format!("{ID}/conversations?conversationId=call-0003&fields=colour");
    assert_eq!(bad(&world, "POST", &create, &json!({})).await.0, 400);
    assert_eq!(
        bad(&world, "GET", &format!("{ID}/conversations/call-0003"), &Value::Null).await.0,
        404,
        "nothing is done"
    );

    let mut request = tonic::Request::new(GetConversationRequest {
        name: format!("{ID}/conversations/call-0001"),
        view: 0,
    });
    request.metadata_mut().insert("x-goog-fieldmask", "name,labels".parse().unwrap());
    let found = world.insights.get_conversation(request).await.unwrap().into_inner();
    assert_eq!((found.name.as_str(), found.labels.len()), (&*format!("{NUMBER}/conversations/call-0001"), 1));
    assert_eq!((found.agent_id.as_str(), found.create_time), ("", None));
    let mut request = tonic::Request::new(CreateIssueModelRequest { parent: ID.into(), issue_model: None });
    request.metadata_mut().insert("x-goog-fieldmask", "x".parse().unwrap());
    let status = world.insights.create_issue_model(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
}
