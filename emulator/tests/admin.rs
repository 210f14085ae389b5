//! The admin API, as JSON and over gRPC, and whom it refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use contact_center_insights::proto::insights::CreateIssueModelMetadata;
use contact_center_insights_emulator::ManualClock;
use serde_json::{Value, json};
use support::{L, World, metadata};

/// Status and body of a request below `/_emulator/v1/`.
async fn admin(world: &World, verb: &str, path: &str, body: impl Into<String>) -> (u16, Value) {
    let url = format!("{}/_emulator/v1/{path}", world.emulator.endpoint());
    let response = world.http.request(verb.parse().unwrap(), url).body(body.into()).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
    (response.status().as_u16(), response.json().await.unwrap())
}

/// One that must go well.
async fn good(world: &World, verb: &str, path: &str, body: impl Into<String>) -> Value {
    let (status, reply) = admin(world, verb, path, body).await;
    assert_eq!(status, 200, "{verb} {path} {reply}");
    reply
}

/// One that must be refused with this HTTP status, for this reason.
async fn bad(world: &World, verb: &str, path: &str, body: &str, status: u16, reason: &str) -> String {
    let (found, reply) = admin(world, verb, path, body).await;
    assert_eq!(found, status, "{verb} {path} {body} {reply}");
    assert_eq!(reply["error"]["details"][0]["reason"], reason, "{reply}");
    reply["error"]["message"].as_str().unwrap().to_owned()
}

async fn conversations(world: &World, parent: &str) -> usize {
    let (_, listed) = world.rest("GET", &format!("{parent}/conversations"), "").await;
    listed["conversations"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_reset_is_of_one_project_or_of_all() {
    let mut world = World::new("polls:2").await;
    world.conversation("call-0001").await;
    let operation = world.train("m").await;
    let other = "projects/other/locations/us";
    world.rest("POST", &format!("{other}/conversations"), "{}").await;
    let status = good(&world, "GET", "status", "").await;
    assert_eq!((&status["resources"], &status["operations"]), (&json!("3"), &json!("1")), "{status}");

    good(&world, "POST", "reset", r#"{"project": "123456789012"}"#).await;
    assert_eq!((conversations(&world, L).await, conversations(&world, other).await), (0, 1));
    assert_eq!(world.rest("GET", &operation.name, "").await.0, 404);
    bad(&world, "POST", "reset", r#"{"project": "projects/other"}"#, 400, "INVALID_FIELD").await;
    let refused = world.emulator.reset(Some("projects/other")).unwrap_err();
    assert_eq!(refused.code(), contact_center_insights::Code::InvalidArgument);
    good(&world, "POST", "reset", "").await;
    assert_eq!(conversations(&world, other).await, 0);
    // The name that it had may be given out anew, and nothing holds its place.
    world.train("m").await;
}

#[tokio::test]
async fn a_seed_is_the_body() {
    let world = World::new("polls:2").await;
    let seed =
        json!({ "conversations": [{ "name": format!("{L}/conversations/call-0001"), "turnCount": 3 }] });
    good(&world, "POST", "seed", seed.to_string()).await;
    assert_eq!(world.rest("GET", &format!("{L}/conversations/call-0001"), "").await.1["turnCount"], 3);
    let message = bad(&world, "POST", "seed", r#"{"conversations": [{"name": "x"}]}"#, 400, "BAD_SEED").await;
    assert!(message.starts_with("conversations[0] (`x`)"), "{message}");
}

#[tokio::test]
async fn a_snapshot_is_what_restore_takes_and_the_same_state_gives_the_same_bytes() {
    let mut world = World::new("polls:2").await;
    world.conversation("call-0001").await;
    let operation = world.train("m").await;
    let snapshot = good(&world, "GET", "snapshot", "").await;
    assert_eq!(good(&world, "GET", "snapshot", "").await, snapshot);
    world.conversation("call-0002").await;
    good(&world, "POST", "restore", snapshot.to_string()).await;
    assert_eq!(good(&world, "GET", "snapshot", "").await, snapshot);
    assert_eq!(conversations(&world, L).await, 1);
    world.poll(&operation.name).await;
    assert!(world.poll(&operation.name).await.done, "it runs on");
    bad(&world, "POST", "restore", r#"{"state": "AAAA"}"#, 400, "BAD_SNAPSHOT").await;
    bad(&world, "POST", "restore", r#"{"state": 1}"#, 400, "MALFORMED_JSON").await;
}

#[tokio::test]
async fn operations_go_on_end_and_fail_when_told() {
    let mut world = World::new("polls:3").await;
    let name = |operation: &contact_center_insights::proto::longrunning::Operation| {
        json!({ "name": operation.name }).to_string()
    };
    let advanced = world.train("a").await;
    let state = good(&world, "POST", "operations:advance", name(&advanced)).await;
    assert_eq!(state.get("done"), None);
    let body = json!({ "name": advanced.name, "polls": 2 }).to_string();
    assert_eq!(good(&world, "POST", "operations:advance", body).await["done"], true);

    let completed = world.train("b").await;
    good(&world, "POST", "operations:complete", name(&completed)).await;
    let seen = world.poll(&completed.name).await;
    assert!(seen.done && metadata::<CreateIssueModelMetadata>(&seen).end_time.is_some());
    bad(&world, "POST", "operations:complete", &name(&completed), 400, "OPERATION_DONE").await;

    let failed = world.train("c").await;
    let info = json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BUCKET_GONE" });
    let error = json!({ "code": 9, "message": "no", "details": [info] });
    let body = json!({ "name": failed.name, "error": error }).to_string();
    good(&world, "POST", "operations:fail", body).await;
    let (_, seen) = world.rest("GET", &failed.name, "").await;
    assert_eq!(
        (&seen["error"]["code"], &seen["error"]["details"][0]["reason"]),
        (&json!(9), &json!("BUCKET_GONE"))
    );

    let unknown = json!({ "name": format!("{L}/operations/5") }).to_string();
    bad(&world, "POST", "operations:advance", &unknown, 404, "RESOURCE_NOT_FOUND").await;
    let running = world.train("d").await;
    bad(&world, "POST", "operations:fail", &name(&running), 400, "INVALID_FIELD").await;
}

#[tokio::test]
async fn only_a_virtual_clock_is_moved() {
    let builder = crate::support::builder().with_profile("time:1h".parse().unwrap());
    let mut world = World::of(builder.clone().with_clock(ManualClock::default()).start().await.unwrap());
    let operation = world.train("m").await;
    let clock = good(&world, "GET", "clock", "").await;
    assert_eq!(clock, json!({ "time": "2026-01-01T00:00:00Z", "virtual": true }));
    // As profiles have durations, and as ProtoJSON has them.
    let clock = good(&world, "POST", "clock:advance", r#"{"by": "59m"}"#).await;
    assert_eq!(clock["time"], "2026-01-01T00:59:00Z");
    let clock = good(&world, "POST", "clock:advance", r#"{"by": "59s"}"#).await;
    assert_eq!(clock["time"], "2026-01-01T00:59:59Z");
    assert!(!world.poll(&operation.name).await.done);
    good(&world, "POST", "clock:set", r#"{"time": "2026-01-01T01:00:00Z"}"#).await;
    assert!(world.poll(&operation.name).await.done);
    for (path, body) in [
        ("clock:advance", r#"{"by": "-1s"}"#),
        ("clock:advance", ""),
        ("clock:advance", r#"{"by": "315576000000s"}"#),
        ("clock:set", "{}"),
    ] {
        bad(&world, "POST", path, body, 400, "INVALID_FIELD").await;
    }
    let real = World::of(builder.start().await.unwrap());
    let message = bad(&real, "POST", "clock:advance", r#"{"by": "1s"}"#, 400, "REAL_CLOCK").await;
    assert!(message.contains("--clock virtual"), "{message}");
}

#[tokio::test]
async fn faults_are_added_seen_and_cleared() {
    let world = World::new("polls:2").await;
    let faults = json!({ "faults": [
        { "method": "ListConversations", "status": { "code": 14, "message": "later" }, "times": 2 },
        { "method": "GetOperation", "fields": { "name": "x" }, "goAway": { "code": 11, "text": "calm" } },
        { "headers": { "x-a": "b" }, "delay": "1.500s", "always": true, "probability": 0.5 },
        { "transport": "FREEZE", "after": 7 },
        { "slowBody": { "bytes": 1, "every": "1s" }, "after": 7 },
        { "httpReply": { "status": 502, "contentType": "text/html", "body": "x" }, "after": 7 },
    ]});
    let seen = good(&world, "POST", "faults", faults.to_string()).await;
    assert_eq!(seen["faults"].as_array().unwrap().len(), 6);
    let (status, reply) = world.rest("GET", &format!("{L}/conversations"), "").await;
    assert_eq!((status, &reply["error"]["message"]), (503, &json!("later")));
    let seen = good(&world, "GET", "faults", "").await;
    assert_eq!((&seen["faults"][0]["hit"], &seen["faults"][0]["matched"]), (&json!(1), &json!(1)));
    assert_eq!(seen["faults"][1]["goAway"], json!({ "code": 11, "text": "calm" }));
    assert_eq!(seen["faults"][3]["transport"], "FREEZE");
    assert_eq!(good(&world, "DELETE", "faults", "").await, json!({}));
    // What is shown is what is taken.
    good(&world, "POST", "faults", seen.to_string()).await;
    let again = good(&world, "GET", "faults", "").await;
    let without_id = |faults: &Value| {
        let mut fault = faults["faults"][5].clone();
        fault.as_object_mut().unwrap().remove("id");
        fault
    };
    assert_eq!(without_id(&again), without_id(&seen));
    good(&world, "DELETE", "faults", "").await;

    let wrong = r#"{"faults": [{"reset": 7}, {"method": "GetOperations", "reset": 7}]}"#;
    let message = bad(&world, "POST", "faults", wrong, 400, "INVALID_FIELD").await;
    assert!(message.contains("faults[1]") && message.contains("`GetOperation`"), "{message}");
    assert_eq!(good(&world, "GET", "faults", "").await, json!({}), "all or none");
    for wrong in [r#"{"faults": [{"status": {"code": 99}}]}"#, r#"{"faults": [{"delay": "-1s"}]}"#] {
        bad(&world, "POST", "faults", wrong, 400, "INVALID_FIELD").await;
    }
    let wrong = r#"{"faults": [{"transport": "Reset"}]}"#;
    let message = bad(&world, "POST", "faults", wrong, 400, "MALFORMED_JSON").await;
    assert!(message.starts_with("faults[0].transport: \"Reset\" is not one of CLOSE, ABORT, "), "{message}");
}

#[tokio::test]
async fn the_details_of_a_fault_may_be_of_any_type() {
    let world = World::new("polls:2").await;
    let details = json!([
        { "@type": "type.googleapis.com/acme.Unknown", "value": "CgIIAw==" },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s" },
    ]);
    let fault = json!({ "method": "ListConversations", "status": { "code": 8, "details": details } });
    let seen = good(&world, "POST", "faults", json!({ "faults": [fault] }).to_string()).await;
    assert_eq!(seen["faults"][0]["status"]["details"], details);
    let url = format!("{}/v1/{L}/conversations", world.emulator.endpoint());
    let reply: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(reply["error"]["details"], details);
}

#[tokio::test]
async fn quotas_are_set_whole() {
    let world = World::new("polls:2").await;
    assert_eq!(good(&world, "GET", "quotas", "").await, json!({}));
    let quotas =
        good(&world, "PUT", "quotas", r#"{"documented": true, "methods": {"ListConversations": 1}}"#).await;
    assert_eq!((&quotas["all"], &quotas["methods"]["ExportInsightsData"]), (&json!(3000), &json!(60)));
    assert_eq!(world.rest("GET", &format!("{L}/conversations"), "").await.0, 200);
    assert_eq!(world.rest("GET", &format!("{L}/conversations"), "").await.0, 429);
    good(&world, "PUT", "quotas", "{}").await;
    assert_eq!(world.rest("GET", &format!("{L}/conversations"), "").await.0, 200);
    bad(&world, "PUT", "quotas", r#"{"methods": {"X": 1}}"#, 400, "INVALID_FIELD").await;
}

#[tokio::test]
async fn the_journal_is_read_by_method_and_onwards() {
    let mut world = World::new("polls:2").await;
    world.conversation("call-0001").await;
    world.rest("GET", &format!("{L}/conversations"), "").await;
    world.rest("GET", &format!("{L}/conversations"), "").await;
    let all = good(&world, "GET", "journal", "").await;
    assert_eq!(all["calls"].as_array().unwrap().len(), 3, "and none of the admin API's own");
    let listed = good(&world, "GET", "journal?method=ListConversations&after=2&limit=5", "").await;
    let call = &listed["calls"][0];
    assert_eq!(
        (&call["sequence"], &call["transport"], &call["attempt"]),
        (&json!("3"), &json!("REST"), &json!(2))
    );
    assert_eq!((&call["code"], listed["calls"].as_array().unwrap().len()), (&json!("OK"), 1));
    good(&world, "DELETE", "journal", "").await;
    assert_eq!(good(&world, "GET", "journal", "").await, json!({}));
}

#[tokio::test]
async fn calls_are_counted_and_the_nearest_are_told() {
    let mut world = World::new("polls:2").await;
    world.conversation("call-0001").await;
    world.rest("GET", &format!("{L}/conversations"), "").await;
    world.rest("GET", &format!("{L}/conversations/none"), "").await;
    let count = async |body: Value| good(&world, "POST", "journal:count", body.to_string()).await;
    assert_eq!(count(json!({})).await, json!({ "count": 3 }));
    assert_eq!(
        count(json!({ "method": "GetConversation", "code": "NOT_FOUND" })).await,
        json!({ "count": 1 })
    );
    assert_eq!(count(json!({ "transport": "GRPC" })).await, json!({ "count": 1 }));
    assert_eq!(count(json!({ "after": 2 })).await, json!({ "count": 1 }));
    let none = count(json!({ "method": "GetConversation", "code": "OK" })).await;
    let nearest =
        json!({ "method": "GetConversation", "code": "NOT_FOUND", "transport": "REST", "count": 1 });
    assert_eq!((&none["nearest"][0], none.get("count")), (&nearest, None));
    for (body, words) in [
        (r#"{"method": "GetConversations"}"#, "the nearest is `GetConversation`"),
        (r#"{"code": "GONE"}"#, "`GONE` is not one of OK, CANCELLED"),
        (r#"{"transport": "HTTP"}"#, "is not one of GRPC, REST"),
    ] {
        let message = bad(&world, "POST", "journal:count", body, 400, "INVALID_FIELD").await;
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn bodies_are_in_the_journal_if_that_is_asked_for() {
    let builder = crate::support::builder().with_journal_bodies();
    let mut world = World::of(builder.start().await.unwrap());
    world.conversation("call-0001").await;
    world.rest("GET", &format!("{L}/conversations/none"), "").await;
    let calls = good(&world, "GET", "journal", "").await["calls"].clone();
    assert_eq!(
        calls[0]["request"],
        json!({ "parent": L, "conversation": {}, "conversationId": "call-0001" })
    );
    assert_eq!(calls[0]["reply"]["name"], format!("{L}/conversations/call-0001"));
    assert_eq!((&calls[1]["reply"]["code"], &calls[1]["code"]), (&json!(5), &json!("NOT_FOUND")));
    assert!(calls[1]["reply"]["details"][0]["reason"].is_string(), "{calls}");
    let entry = &world.emulator.journal().calls("GetConversation")[0];
    assert_eq!(entry.request.as_deref(), Some(&*format!(r#"{{"name":"{L}/conversations/none"}}"#)));

    let mut quiet = World::new("polls:2").await;
    quiet.conversation("call-0001").await;
    let calls = good(&quiet, "GET", "journal", "").await["calls"].clone();
    assert_eq!((calls[0].get("request"), calls[0].get("reply")), (None, None));
}

#[tokio::test]
async fn coverage_names_every_method() {
    let world = World::new("polls:2").await;
    let coverage = good(&world, "GET", "coverage", "").await;
    let methods = coverage["methods"].as_array().unwrap();
    assert_eq!(methods.len(), contact_center_insights::call::methods::ALL.len());
    let wait =
        methods.iter().find(|method| method["method"] == "google.longrunning.Operations/WaitOperation");
    assert_eq!(wait.unwrap()["served"], false);
    assert!(coverage["served"].as_u64().unwrap() > 40);
}

#[tokio::test]
async fn pages_elsewhere_are_refused_on_both_transports() {
    let world = World::new("polls:2").await;
    let url = format!("{}/_emulator/v1/reset", world.emulator.endpoint());
    let response = world.http.post(&url).header("origin", "https://example.com").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 403);
    assert!(response.text().await.unwrap().contains("Origin: https://example.com"));
    let own = world.http.post(&url).header("origin", world.emulator.endpoint()).send().await.unwrap();
    assert_eq!(own.status().as_u16(), 200);
    let packed = world.http.post(&url).header("content-encoding", "br").body("x").send().await.unwrap();
    assert_eq!(packed.status().as_u16(), 415);

    let two = support::http().http2_prior_knowledge().build().unwrap();
    let call = |origin: Option<&'static str>, method: &str| {
        let url =
            format!("{}/contactcenterinsights.emulator.v1.EmulatorAdmin/{method}", world.emulator.endpoint());
        let request = two.post(url).header("content-type", "application/grpc").header("te", "trailers");
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        async move {
            let response = request.body(vec![0; 5]).send().await.unwrap();
            let status = response.headers().get("grpc-status").map(|code| code.to_str().unwrap().to_owned());
            (status, response.bytes().await.unwrap())
        }
    };
    assert_eq!(call(Some("https://example.com"), "Reset").await.0.as_deref(), Some("7"));
    assert_eq!(call(None, "Nothing").await.0.as_deref(), Some("12"));
    let (status, reply) = call(None, "GetStatus").await;
    assert_eq!((status, reply[0]), (None, 0));
    assert!(reply.windows(5).any(|bytes| bytes == env!("CARGO_PKG_VERSION").as_bytes()));
}

#[tokio::test]
async fn paths_and_bodies_that_are_wrong_are_told_the_right_ones() {
    let world = World::new("polls:2").await;
    let message = bad(&world, "GET", "nothing", "", 404, "UNKNOWN_PATH").await;
    assert!(message.contains("GET /_emulator/v1/status"), "{message}");
    bad(&world, "GET", "reset", "", 405, "WRONG_VERB").await;
    bad(&world, "POST", "reset", "{", 400, "MALFORMED_JSON").await;
    bad(&world, "POST", "reset", r#"{"projekt": ""}"#, 400, "MALFORMED_JSON").await;
}
