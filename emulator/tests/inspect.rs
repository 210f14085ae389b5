//! What the admin API shows to those who look: operations in their states, resources by kind, and parts of the journal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights_emulator::ManualClock;
use serde_json::{Value, json};
use support::{L, World, seed};

/// What a request below `/_emulator/v1/` is answered with; it must go well unless `status` says otherwise.
async fn ask(world: &World, verb: &str, path: &str, body: Value, status: u16) -> Value {
    let url = format!("{}/_emulator/v1/{path}", world.emulator.endpoint());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = world.http.request(verb.parse().unwrap(), url).body(body).send().await.unwrap();
    let (found, reply) = (reply.status(), reply.json::<Value>().await.unwrap());
    assert_eq!(found, status, "{verb} {path} {reply}");
    reply
}

async fn get(world: &World, path: &str) -> Value {
    ask(world, "GET", path, Value::Null, 200).await
}

fn field<'a>(list: &'a Value, name: &str) -> Vec<&'a Value> {
    list.as_array().into_iter().flatten().map(|item| &item[name]).collect()
}

#[tokio::test]
async fn operations_are_seen_in_their_states_and_looking_moves_none() {
    let clock = ManualClock::default();
    let builder = support::builder().with_profile("time:100s".parse().unwrap()).with_clock(clock.clone());
    let mut world = World::of(builder.start().await.unwrap());
    let waiting = world.train("a").await.name;
    let only = |name: &str| format!("operations?name={name}");
    let seen = get(&world, &only(&waiting)).await["operations"][0].clone();
    assert_eq!(
        (&seen["state"], &seen["method"], &seen["createTime"], &seen["progress"], &seen["profile"]),
        (
            &json!("WAITING"),
            &json!("CreateIssueModel"),
            &json!("2026-01-01T00:00:00Z"),
            &json!(0.0),
            &json!("time:100s")
        ),
        "{seen}"
    );
    assert_eq!(seen["json"]["metadata"]["createTime"], "2026-01-01T00:00:00Z", "{seen}");
    clock.advance(std::time::Duration::from_secs(40));
    let seen = get(&world, "operations").await;
    assert_eq!(
        (&seen["operations"][0]["state"], &seen["operations"][0]["progress"]),
        (&json!("RUNNING"), &json!(0.4))
    );
    assert_eq!(seen["operations"][0].get("json"), None, "a list has none");

    let body = json!({ "name": waiting, "error": { "code": 9, "message": "no" } });
    ask(&world, "POST", "operations:fail", body, 200).await;
    let cancelled = world.train("b").await.name;
    ask(&world, "POST", "operations:cancel", json!({ "name": cancelled }), 200).await;
    ask(&world, "POST", "operations:cancel", json!({ "name": cancelled }), 400).await;
    assert_eq!(
        world.poll(&cancelled).await.result.map(|result| format!("{result:?}").contains("code: 1")),
        Some(true)
    );
    let completed = world.train("c").await.name;
    ask(&world, "POST", "operations:complete", json!({ "name": completed }), 200).await;
    world.train("d").await;

    let seen = get(&world, "operations").await;
    let states = ["WAITING", "SUCCEEDED", "CANCELLED", "FAILED"].map(Value::from);
    assert_eq!(
        field(&seen["operations"], "state"),
        states.iter().collect::<Vec<_>>(),
        "newest first: {seen}"
    );
    let failed = &seen["operations"][3];
    assert_eq!((&failed["error"]["code"], &failed["error"]["message"]), (&json!(9), &json!("no")));
    assert_eq!((&failed["endTime"], failed.get("progress")), (&json!("2026-01-01T00:00:40Z"), None));
    assert_eq!(seen["total"], "4");
    assert_eq!(field(&seen["counts"], "state").len(), 4, "{seen}");
    assert!(!world.emulator.journal().entries().iter().any(|entry| entry.method == "ListOperations"));
}

#[tokio::test]
async fn lists_are_cut_searched_and_gone_through_page_by_page() {
    let world = World::new("polls:2").await;
    for id in 1..=250 {
        let name = format!("{L}/operations/{id}");
        world.emulator.put_operation(Operation { name, ..Operation::default() }).unwrap();
    }
    let seen = get(&world, "operations").await;
    assert_eq!((seen["operations"].as_array().unwrap().len(), &seen["total"]), (100, &json!("250")));
    let mut found = Vec::new();
    let mut before = "0".to_owned();
    loop {
        let page = get(&world, &format!("operations?limit=60&before={before}")).await;
        assert_eq!(page["total"], "250");
        let Some(items) = page["operations"].as_array() else { break };
        found.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        before = items.last().unwrap()["serial"].as_str().unwrap().to_owned();
    }
    let wanted: Vec<_> = (1..=250).rev().map(|id| format!("{L}/operations/{id}")).collect();
    assert_eq!(found, wanted);
    assert_eq!(get(&world, "operations?contains=OPERATIONS/24").await["total"], "11");
    assert_eq!(get(&world, "operations?state=RUNNING&contains=/77").await["total"], "1");
    assert_eq!(get(&world, "operations?state=FAILED").await.get("total"), None);
    ask(&world, "GET", "operations?state=GONE", Value::Null, 400).await;
    ask(&world, "GET", &format!("operations?name={L}/operations/none"), Value::Null, 404).await;
}

#[tokio::test]
async fn resources_are_counted_by_kind_and_shown_without_a_call() {
    let world = World::new("polls:2").await;
    let conversations: Vec<_> =
        (1..=3).map(|id| json!({ "name": format!("{L}/conversations/call-000{id}") })).collect();
    let models =
        json!([{ "name": format!("{L}/issueModels/7"), "displayName": "<img src=x onerror=alert(1)>" }]);
    let all = json!({ "conversations": conversations, "issueModels": models });
    world.emulator.apply_seed(seed(&all.to_string())).unwrap();
    let kinds = get(&world, "resources").await;
    let count = |kind: &str| {
        let kinds = kinds["kinds"].as_array().unwrap();
        kinds.iter().find(|found| found["kind"] == kind).unwrap().get("count").cloned()
    };
    assert_eq!(
        (count("conversations"), count("issueModels"), count("views")),
        (Some("3".into()), Some("1".into()), None)
    );
    assert_eq!(kinds.get("resources"), None, "only kinds are told unless one is asked for");

    let listed = get(&world, "resources?kind=conversations&limit=2").await;
    let newest = ["call-0003", "call-0002"].map(|id| Value::from(format!("{L}/conversations/{id}")));
    assert_eq!(field(&listed["resources"], "name"), newest.iter().collect::<Vec<_>>());
    assert_eq!(listed["total"], "3");
    let before = listed["resources"][1]["serial"].as_str().unwrap();
    let rest = get(&world, &format!("resources?kind=conversations&before={before}")).await;
    assert_eq!(rest["resources"].as_array().unwrap().len(), 1);
    let model = get(&world, "resources?kind=issueModels&contains=ONERROR").await["resources"][0].clone();
    assert_eq!((&model["displayName"], model.get("json")), (&json!("<img src=x onerror=alert(1)>"), None));
    let model = get(&world, &format!("resources?name={L}/issueModels/7")).await["resources"][0].clone();
    assert_eq!(model["json"]["displayName"], "<img src=x onerror=alert(1)>", "JSON is an object");
    let refusal = ask(&world, "GET", "resources?kind=calls", Value::Null, 400).await;
    assert!(refusal["error"]["message"].as_str().unwrap().contains("issueModels"), "{refusal}");
    for name in ["x", &format!("{L}/issueModels/8")] {
        ask(&world, "GET", &format!("resources?name={name}"), Value::Null, 404).await;
    }
    assert!(world.emulator.journal().entries().is_empty());
}

#[tokio::test]
async fn the_journal_is_filtered_turned_round_and_told_to_keep_bodies() {
    let mut world = World::new("polls:2").await;
    world.conversation("call-0001").await;
    world.rest("GET", &format!("{L}/conversations/none"), "").await;
    world.rest("GET", &format!("{L}/conversations/call-0001"), "").await;
    let listed = get(&world, "journal?newestFirst=true&limit=2&brief=true").await;
    assert_eq!(field(&listed["calls"], "sequence"), [&json!("3"), &json!("2")]);
    assert_eq!((&listed["total"], listed["calls"][0].get("headers")), (&json!("3"), None));
    let found = get(&world, "journal?code=NOT_FOUND&transport=REST").await;
    assert_eq!(field(&found["calls"], "method"), [&json!("GetConversation")]);
    assert_eq!(get(&world, "journal?transport=GRPC").await["total"], "1");
    assert_eq!(field(&get(&world, "journal?before=2").await["calls"], "sequence"), [&json!("1")]);
    ask(&world, "GET", "journal?code=GONE", Value::Null, 400).await;
    ask(&world, "GET", "journal?brief=perhaps", Value::Null, 400).await;

    assert_eq!(get(&world, "status").await.get("journalBodies"), None);
    ask(&world, "PUT", "journal", json!({ "bodies": true }), 200).await;
    assert_eq!(get(&world, "status").await["journalBodies"], true);
    world.conversation("call-0002").await;
    let calls = get(&world, "journal?after=2").await["calls"].clone();
    assert_eq!(
        (calls[0].get("request"), &calls[1]["request"]["conversationId"]),
        (None, &json!("call-0002"))
    );
    ask(&world, "PUT", "journal", json!({}), 200).await;
    world.conversation("call-0003").await;
    assert_eq!(get(&world, "journal?after=4").await["calls"][0].get("request"), None);
}

#[tokio::test]
async fn one_fault_is_switched_off_and_the_others_stay() {
    let world = World::new("polls:2").await;
    let unavailable = json!({ "method": "ListConversations", "status": { "code": 14 }, "times": 5 });
    let aborted = json!({ "method": "ListConversations", "status": { "code": 10 }, "times": 5 });
    let seen = ask(&world, "POST", "faults", json!({ "faults": [unavailable, aborted] }), 200).await;
    let ids: Vec<_> = field(&seen["faults"], "id").into_iter().cloned().collect();
    let list = format!("{L}/conversations");
    assert_eq!(world.rest("GET", &list, "").await.0, 503);
    let left = ask(&world, "POST", "faults:remove", json!({ "id": ids[0] }), 200).await;
    assert_eq!(field(&left["faults"], "id"), [&ids[1]]);
    assert_eq!(world.rest("GET", &list, "").await.0, 409);
    ask(&world, "POST", "faults:remove", json!({ "id": ids[0] }), 404).await;
    let added = ask(&world, "POST", "faults", json!({ "faults": [{ "reset": 7, "id": ids[1] }] }), 200).await;
    let new = &field(&added["faults"], "id")[1];
    assert!(!ids.contains(new), "an id is never given out again, nor taken from a request: {added}");
}

#[tokio::test]
async fn the_lines_for_each_language_have_the_address_that_is_asked_for() {
    let world = World::new("polls:2").await;
    let snippets = get(&world, "snippets?address=localhost:32768").await["snippets"].clone();
    let languages = ["rust", "python", "node", "java", "go", "curl"].map(Value::from);
    assert_eq!(field(&snippets, "language"), languages.iter().collect::<Vec<_>>());
    for snippet in snippets.as_array().unwrap() {
        assert!(snippet["code"].as_str().unwrap().contains("32768"), "{snippet}");
    }
    assert!(
        get(&world, "snippets").await["snippets"][1]["code"].as_str().unwrap().contains("127.0.0.1:9420")
    );
    ask(&world, "GET", "snippets?address=a%22b:1", Value::Null, 400).await;
}

#[tokio::test]
async fn an_operation_of_a_seed_can_be_failed_or_cancelled_and_nothing_else() {
    let names = ["1", "2"].map(|id| format!("{L}/operations/{id}"));
    let all = names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>();
    let builder = support::builder().with_seed(seed(&json!({ "operations": all }).to_string()));
    let world = World::of(builder.start().await.unwrap());
    for (verb, word) in [("advance", "advanced"), ("complete", "completed")] {
        let refused =
            ask(&world, "POST", &format!("operations:{verb}"), json!({ "name": names[0] }), 400).await;
        assert_eq!(refused["error"]["details"][0]["reason"], "NOTHING_RUNS", "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(word), "{refused}");
    }
    let body = json!({ "name": names[0], "error": { "code": 15, "message": "damaged" } });
    ask(&world, "POST", "operations:fail", body, 200).await;
    assert_eq!(world.rest("GET", &names[0], "").await.1["error"]["code"], 15);
    ask(&world, "POST", "operations:cancel", json!({ "name": names[1] }), 200).await;
    assert_eq!(world.rest("GET", &names[1], "").await.1["error"]["code"], 1);
}
