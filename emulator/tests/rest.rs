//! JSON over HTTP, as curl and the official REST clients send it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use contact_center_insights::json;
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights_emulator::Seed;
use serde_json::{Value, json};
use support::{L, World};

const DOCUMENTED: &str = include_str!("data/documented_operation.json");

#[tokio::test]
async fn the_documented_operation_is_served_as_it_was_seeded() {
    let documented: Value = serde_json::from_str(DOCUMENTED).unwrap();
    let canonical = json::from_operation(&json::to_operation(&documented).unwrap()).unwrap();
    let seed = Seed::from_json(&json!({"operations": [documented]}).to_string()).unwrap();
    let world = World::of(
        crate::support::builder().with_seed(seed).with_echoed_project_names().start().await.unwrap(),
    );
    let path = "projects/PROJECT_ID/locations/us-central1/operations/OPERATION_ID";
    assert_eq!(world.rest("GET", path, "").await, (200, canonical.clone()));
    let (_, listed) = world.rest("GET", "projects/PROJECT_ID/locations/us-central1/operations", "").await;
    assert_eq!(listed, json!({"operations": [canonical]}));
    assert_eq!(world.rest("POST", &format!("{path}:cancel"), "{}").await, (200, json!({})));
    assert_eq!(world.rest("GET", path, "").await, (200, canonical), "r08");
}

#[tokio::test]
async fn operations_that_break_every_rule_can_be_placed() {
    let world = World::new("immediate").await;
    let name = format!("{L}/operations/odd");
    let any = prost_types::Any { type_url: "type.googleapis.com/a.B".into(), value: vec![1] };
    let odd = Operation { name: name.clone(), done: true, metadata: Some(any), ..Operation::default() };
    world.emulator.put_operation(odd).unwrap();
    let wanted = json!({"name": name, "metadata": {"@type": "type.googleapis.com/a.B", "value": "AQ=="}, "done": true});
    assert_eq!(world.rest("GET", &name, "").await, (200, wanted));
    let error = world.emulator.put_operation(Operation::default()).unwrap_err();
    assert!(error.to_string().contains("operations/{operation}"));
}

#[tokio::test]
async fn a_model_is_trained_over_rest() {
    let world = World::new("polls:2").await;
    let (status, made) = world
        .rest("POST", &format!("{L}/conversations?conversationId=call-0001"), r#"{"agentId": "7"}"#)
        .await;
    assert_eq!((status, &made["name"]), (200, &json!(format!("{L}/conversations/call-0001"))));
    assert_eq!((&made["medium"], &made["languageCode"]), (&json!("PHONE_CALL"), &json!("en-US")));
    let (_, started) = world
        .rest(
            "POST",
            &format!("{L}/issueModels"),
            r#"{"display_name": "complaints", "model_type": "TYPE_V2"}"#,
        )
        .await;
    assert_eq!(started.get("done"), None);
    let name = started["name"].as_str().unwrap();
    world.rest("GET", name, "").await;
    let (_, done) = world.rest("GET", name, "").await;
    assert_eq!(done["done"], true);
    assert_eq!(done["response"]["state"], "UNDEPLOYED");
    assert_eq!(done["response"]["inputDataConfig"]["trainingConversationsCount"], "1");
    let model = done["response"]["name"].as_str().unwrap();
    let (_, deploy) = world.rest("POST", &format!("{model}:deploy"), "").await;
    assert_eq!(deploy["metadata"]["request"]["name"], model);
    let (status, _) =
        world.rest("DELETE", &format!("{L}/conversations/call-0001?force=true"), "ignored").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn r55_enums_are_numbers_if_asked() {
    let world = World::new("immediate").await;
    for alt in
        ["$alt=json;enum-encoding=int", "%24alt=json%3Benum-encoding%3Dint", "$alt=json%3Benum-encoding=int"]
    {
        let (status, made) =
            world.rest("POST", &format!("{L}/conversations?conversationId=&{alt}"), r#"{"medium": 2}"#).await;
        assert_eq!((status, &made["medium"]), (200, &json!(2)), "{alt}");
    }
    let (_, listed) = world
        .rest("GET", &format!("{L}/conversations?view=0&pageToken=&orderBy=&filter=&page_size=2"), "")
        .await;
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 2);
    assert_eq!(listed["conversations"][0]["medium"], "CHAT");
    let token = listed["nextPageToken"].as_str().unwrap();
    let (_, rest) = world.rest("GET", &format!("{L}/conversations?pageToken={token}"), "").await;
    assert_eq!((rest["conversations"].as_array().unwrap().len(), rest.get("nextPageToken")), (1, None));
}

#[tokio::test]
async fn r57_curls_own_content_type_gets_an_answer() {
    let world = World::new("immediate").await;
    let url = format!("{}/v1/{L}/conversations", world.emulator.endpoint());
    let form = "application/x-www-form-urlencoded";
    let put = world.http.put(&url).header("content-type", form).body("{}").send().await.unwrap();
    assert_eq!(put.status(), 405);
    assert_eq!(put.headers()["content-type"], "application/json; charset=UTF-8");
    assert_eq!(put.json::<Value>().await.unwrap()["error"]["code"], 405);
    let response = world.http.post(url).header("content-type", form).body("{}").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
    let text = response.text().await.unwrap();
    assert!(text.starts_with("{\n  \"name\""), "pretty: {text}");
}

#[tokio::test]
async fn r49_r56_bad_requests_are_answered_in_the_wrapper() {
    let world = World::new("immediate").await;
    for (verb, path, body, code, status) in [
        ("POST", format!("{L}/conversations"), "{", 400, "INVALID_ARGUMENT"),
        ("POST", format!("{L}/conversations:upload"), "[]", 400, "INVALID_ARGUMENT"),
        ("POST", format!("{L}/conversations"), r#"{"colour": 1}"#, 400, "INVALID_ARGUMENT"),
        ("POST", format!("{L}/conversations"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{L}/conversations?colour=red"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{L}/conversations?parent=x"), "", 400, "INVALID_ARGUMENT"),
        ("GET", format!("{L}/operations/1"), "", 404, "NOT_FOUND"),
        ("GET", format!("{L}/nothing"), "", 404, "NOT_FOUND"),
        ("GET", "%FF/x".into(), "", 404, "NOT_FOUND"),
        ("GET", "projects/%FF/locations/us/operations".into(), "", 400, "INVALID_ARGUMENT"),
        ("DELETE", format!("{L}/operations/1"), "", 501, "UNIMPLEMENTED"),
        ("POST", format!("{L}/operations/1:wait"), "", 501, "UNIMPLEMENTED"),
        ("PUT", format!("{L}/conversations"), "", 405, "UNIMPLEMENTED"),
        ("GET", format!("{L}/views/1"), "", 404, "NOT_FOUND"),
        ("GET", format!("{L}/settings?name=x"), "", 400, "INVALID_ARGUMENT"),
    ] {
        let (http, answer) = world.rest(verb, &path, body).await;
        let error = &answer["error"];
        assert_eq!((http, &error["status"]), (code, &json!(status)), "{verb} {path}: {answer}");
        assert_eq!(error["code"], code);
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
        assert_eq!(error["details"][0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
    }
}

/// The reasons are those of the table in docs/emulator-errors.md.
#[tokio::test]
async fn each_mistake_of_a_request_has_its_own_reason() {
    let world = World::new("immediate").await;
    for (verb, path, body, reason, words) in [
        ("POST", format!("{L}/views"), r#"{"displayNam": "x"}"#, "MALFORMED_JSON", "displayNam"),
        ("POST", format!("{L}/views"), r#"{"displayName": 1}"#, "MALFORMED_JSON", "displayName"),
        ("POST", format!("{L}/views"), "1", "MALFORMED_JSON", ""),
        ("POST", format!("{L}/views"), "{", "MALFORMED_JSON", "line 1"),
        ("POST", format!("{L}/conversations:upload"), "1", "MALFORMED_JSON", ""),
        ("POST", format!("{L}/conversations:upload"), r#"{"parent": 1}"#, "MALFORMED_JSON", "parent"),
        ("GET", format!("{L}/views?pageSize=2147483648"), "", "INVALID_QUERY_PARAMETER", "`pageSize`"),
        ("GET", format!("{L}/views?page_size=-2147483649"), "", "INVALID_QUERY_PARAMETER", "`pageSize`"),
        ("GET", format!("{L}/views?pageSize=x"), "", "INVALID_QUERY_PARAMETER", "`pageSize`"),
        ("GET", format!("{L}/views?pageToken=%zz"), "", "INVALID_QUERY_PARAMETER", "%zz"),
        ("GET", format!("{L}/views/%zz"), "", "MALFORMED_PATH", "%zz"),
        ("GET", format!("{L}/views/%"), "", "MALFORMED_PATH", "/%`"),
        ("GET", format!("{L}/views/%2"), "", "MALFORMED_PATH", "/%2`"),
        ("GET", format!("{L}/views/%ff"), "", "MALFORMED_PATH", "%ff"),
        ("GET", "projects/%zz/locations/us-central1/views".to_owned(), "", "MALFORMED_PATH", "%zz"),
    ] {
        let (http, answer) = world.rest(verb, &path, body).await;
        let error = &answer["error"];
        let found = (http, &error["status"], &error["details"][0]["reason"]);
        assert_eq!(found, (400, &json!("INVALID_ARGUMENT"), &json!(reason)), "{verb} {path}: {answer}");
        assert!(error["message"].as_str().unwrap().contains(words), "{words}: {answer}");
    }
}

/// Java's client of the REST transport cannot send PATCH, and says so in a header (gax-java).
#[tokio::test]
async fn r47_a_patch_may_come_as_a_post_that_says_so() {
    let mut world = World::new("immediate").await;
    let name = world.conversation("call-0001").await.name;
    let uri = format!("{}/v1/{name}?updateMask=agentId", world.emulator.endpoint());
    let http = support::http().build().unwrap();
    let send = |verb: &'static str| {
        http.post(&uri).header("x-http-method-override", verb).body(r#"{"agentId": "8"}"#).send()
    };
    let answer = send("PATCH").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["agentId"], "8");
    // What it says is a verb like any other: not every path has it.
    assert_eq!(send("PUT").await.unwrap().status(), 405);
    // On another verb than POST the header says nothing.
    let read = http.get(&uri[..uri.find('?').unwrap()]).header("x-http-method-override", "DELETE").send();
    assert_eq!(read.await.unwrap().status(), 200);
}

/// Node's client of the REST transport sends an empty string for a resource that has no fields set (google-gax).
#[tokio::test]
async fn r47_an_empty_string_is_a_resource_without_fields() {
    let mut world = World::new("immediate").await;
    let name = world.conversation("call-0001").await.name;
    let (status, done) = world.rest("POST", &format!("{name}/analyses"), r#""""#).await;
    assert_eq!((status, &done["done"]), (200, &json!(true)), "{done}");
    let (status, _) = world.rest("POST", &format!("{name}/analyses"), r#""no resource""#).await;
    assert_eq!(status, 400);
}

/// Node's client writes masks with the names of the proto, also in a body (proto3-json-serializer).
#[tokio::test]
async fn r47_a_mask_in_a_body_may_have_the_names_of_the_proto() {
    let world = World::new("immediate").await;
    let filter = r#"create_time>\"2020-01-01T00:00:00Z\" create_time<\"2030-01-01T00:00:00Z\""#;
    for mask in ["conversation_measure.conversation_count", "conversationMeasure.conversationCount"] {
        let body = format!(r#"{{"filter": "{filter}", "measureMask": "{mask}"}}"#);
        let (status, done) = world.rest("POST", &format!("{L}:queryMetrics"), &body).await;
        assert_eq!((status, &done["done"]), (200, &json!(true)), "{done}");
        assert!(done.get("error").is_none(), "{done}");
    }
}
