//! Operations: what starts them, what keeps them from starting, and what follows them.

use serde_json::{Value, json};

use crate::support::{L, World, seed};

fn error(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["status"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn r06_a_location_trains_one_model_at_a_time() {
    let world = World::new("polls:1").await;
    let train = |location: &'static str| {
        let world = &world;
        async move { world.rest("POST", &format!("{location}/issueModels"), r#"{"modelType": "TYPE_V2"}"#).await }
    };
    let (_, first) = train(L).await;
    let second = train(L).await;
    assert_eq!(error(&second), (409, "ABORTED"));
    let name = first["name"].as_str().unwrap();
    assert!(second.1["error"]["message"].as_str().unwrap().contains(name), "{}", second.1);
    assert_eq!(train("projects/p/locations/eu").await.0, 200);
    world.rest("GET", name, "").await;
    assert_eq!(train(L).await.0, 200);
}

#[tokio::test]
async fn a_location_has_ten_models_and_five_of_them_deployed() {
    let world = World::new("immediate").await;
    let mut models = Vec::new();
    for _ in 0..10 {
        let (_, done) = world.rest("POST", &format!("{L}/issueModels"), r#"{"modelType": "TYPE_V2"}"#).await;
        models.push(done["response"]["name"].as_str().unwrap().to_owned());
    }
    let eleventh = world.rest("POST", &format!("{L}/issueModels"), r#"{"modelType": "TYPE_V2"}"#).await;
    assert_eq!(error(&eleventh), (429, "RESOURCE_EXHAUSTED"));
    let details = eleventh.1["error"]["details"].as_array().unwrap();
    assert!(details.iter().any(|detail| detail["@type"] == "type.googleapis.com/google.rpc.QuotaFailure"));
    for (place, model) in models.iter().enumerate() {
        let deployed = world.rest("POST", &format!("{model}:deploy"), "{}").await;
        assert_eq!(deployed.0, if place < 5 { 200 } else { 429 }, "{place}: {}", deployed.1);
    }
    world.rest("POST", &format!("{}:undeploy", models[0]), "{}").await;
    assert_eq!(world.rest("POST", &format!("{}:deploy", models[9]), "{}").await.0, 200);
}

#[tokio::test]
async fn r05_issues_come_with_their_model_and_go_with_it() {
    let world = World::new("immediate").await;
    for id in ["call-0001", "call-0002"] {
        world.rest("POST", &format!("{L}/conversations?conversationId={id}"), "{}").await;
    }
    let (_, done) = world.rest("POST", &format!("{L}/issueModels"), r#"{"modelType": "TYPE_V2"}"#).await;
    let model = done["response"]["name"].as_str().unwrap();
    let (_, listed) = world.rest("GET", &format!("{model}/issues"), "").await;
    let issues = listed["issues"].as_array().cloned().unwrap_or_default();
    assert_eq!(done["response"]["issueCount"], json!(issues.len().to_string()));
    let issue = issues[0]["name"].as_str().unwrap();
    let (code, renamed) =
        world.rest("PATCH", &format!("{issue}?updateMask=displayName"), r#"{"displayName": "x"}"#).await;
    assert_eq!((code, &renamed["displayName"]), (200, &json!("x")));
    assert_eq!(world.rest("DELETE", issue, "").await.0, 200);
    let (_, left) = world.rest("GET", model, "").await;
    assert_eq!(left["issueCount"].as_str().map_or(0, |n| n.parse().unwrap()), issues.len() - 1);
    assert_eq!(world.rest("DELETE", model, "").await.0, 200);
    assert_eq!(world.rest("GET", &format!("{model}/issues"), "").await.0, 404);
}

#[tokio::test]
async fn the_key_of_a_location_is_set_once_and_while_it_is_empty() {
    let world = World::new("immediate").await;
    let spec = "projects/p/locations/europe-west1/encryptionSpec";
    let key = |location: &str| json!({"encryptionSpec": {"kmsKey": format!("projects/k/locations/{location}/keyRings/r/cryptoKeys/c")}});
    let initialize = |spec: &'static str, body: Value| {
        let world = &world;
        async move { world.rest("POST", &format!("{spec}:initialize"), &body.to_string()).await }
    };
    assert_eq!(world.rest("GET", spec, "").await.0, 404);
    assert_eq!(error(&initialize(spec, key("us-east1")).await), (400, "INVALID_ARGUMENT"), "another region");
    assert_eq!(
        error(&initialize("projects/p/locations/global/encryptionSpec", key("global")).await),
        (400, "INVALID_ARGUMENT")
    );
    let malformed = json!({"encryptionSpec": {"kmsKey": "my-key"}});
    assert!(initialize(spec, malformed).await.1["error"]["message"].as_str().unwrap().contains("cryptoKeys"));
    let (code, done) = initialize(spec, key("europe-west1")).await;
    assert_eq!((code, &done["done"]), (200, &json!(true)), "{done}");
    assert_eq!(done["metadata"]["request"]["encryptionSpec"]["name"], spec);
    let (_, found) = world.rest("GET", spec, "").await;
    assert_eq!(found["kmsKey"], key("europe-west1")["encryptionSpec"]["kmsKey"]);
    assert_eq!(error(&initialize(spec, key("europe-west1")).await), (400, "FAILED_PRECONDITION"), "once");
    world.rest("POST", "projects/p/locations/us-east1/views", "{}").await;
    let full = initialize("projects/p/locations/us-east1/encryptionSpec", key("us-east1")).await;
    assert!(
        error(&full) == (400, "FAILED_PRECONDITION")
            && full.1["error"]["message"].as_str().unwrap().contains("views")
    );
}

#[tokio::test]
async fn uploads_are_analysed_as_rules_and_settings_say() {
    let world = World::new("polls:1").await;
    let upload = |agent: &'static str| {
        let (world, body) = (&world, json!({"conversation": {"agentId": agent}}).to_string());
        async move {
            let (_, started) = world.rest("POST", &format!("{L}/conversations:upload"), &body).await;
            world.rest("GET", started["name"].as_str().unwrap(), "").await.1
        }
    };
    assert_eq!(upload("7").await["metadata"].get("analysisOperation"), None);
    let config = r#"{"analysisConfig": {"uploadConversationAnalysisPercentage": 100, "annotatorSelector": {"runEntityAnnotator": true}}}"#;
    world.rest("PATCH", &format!("{L}/settings?updateMask=analysisConfig"), config).await;
    let rule = r#"{"conversationFilter": "agent_id=\"8\"", "active": true, "analysisPercentage": 1, "annotatorSelector": {"runSilenceAnnotator": true}}"#;
    assert_eq!(world.rest("POST", &format!("{L}/analysisRules"), rule).await.0, 200);
    let rule = r#"{"conversationFilter": "agent_id=\"9\"", "active": true}"#;
    assert_eq!(world.rest("POST", &format!("{L}/analysisRules"), rule).await.0, 200);
    for (agent, selector) in [("7", "runEntityAnnotator"), ("8", "runSilenceAnnotator"), ("9", "")] {
        let done = upload(agent).await;
        let operation = done["metadata"]["analysisOperation"].as_str();
        assert_eq!(operation.is_some(), !selector.is_empty(), "{agent}: {done}");
        let Some(operation) = operation else { continue };
        let (code, analysed) = world.rest("GET", operation, "").await;
        assert_eq!((code, &analysed["done"]), (200, &json!(true)), "{analysed}");
        assert_eq!(analysed["response"]["annotatorSelector"][selector], true);
        assert_eq!(analysed["metadata"]["conversation"], done["response"]["name"]);
    }
    for (field, value) in [("analysisPercentage", json!(1.5)), ("conversationFilter", json!("colour=1"))] {
        let refused =
            world.rest("POST", &format!("{L}/analysisRules"), &json!({field: value}).to_string()).await;
        assert_eq!(error(&refused), (400, "INVALID_ARGUMENT"), "{}", refused.1);
        assert!(refused.1["error"]["message"].as_str().unwrap().contains("analysis_rule."), "{}", refused.1);
    }
}

#[tokio::test]
async fn r10_operations_are_listed_by_filter_and_page() {
    let operation = |id: u32, done: bool| json!({"name": format!("{L}/operations/{id}"), "done": done, "error": {"code": 10}});
    let running = json!({"name": format!("{L}/operations/9")});
    let text = json!({"operations": [operation(1, true), operation(2, true), running]}).to_string();
    let world = World::of(crate::support::builder().with_seed(seed(&text)).start().await.unwrap());
    let ids = |query: &'static str| {
        let world = &world;
        async move {
            let (code, list) = world.rest("GET", &format!("{L}/operations?{query}"), "").await;
            assert_eq!(code, 200, "{list}");
            let all = list["operations"].as_array().cloned().unwrap_or_default();
            all.iter()
                .map(|o| o["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(ids("").await, ["1", "2", "9"]);
    assert_eq!(ids("filter=done%3D%22true%22").await, ["1", "2"]);
    assert_eq!(ids("filter=-done%3Dtrue").await, ["9"]);
    assert_eq!(ids("filter=status_code%3D%22ABORTED%22&pageSize=1").await, ["1"]);
    let refused = world.rest("GET", &format!("{L}/operations?filter=colour%3D1"), "").await;
    assert_eq!(error(&refused), (400, "INVALID_ARGUMENT"));
    let partial = world.rest("GET", &format!("{L}/operations?returnPartialSuccess=true"), "").await;
    assert_eq!(error(&partial), (501, "UNIMPLEMENTED"));
}
