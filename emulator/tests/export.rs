//! The state as a seed: loading it gives the same snapshot, whatever the state; and it can be edited.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};
use contact_center_insights_emulator::{ManualClock, Seed};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{L, World, builder};

/// What is done to an emulator: a call over REST below a location, or something else.
#[derive(Clone, Debug)]
enum Step {
    Call(&'static str, String, String),
    Clock,
    Poll,
    Cancel,
    Put(u8),
}

const OTHER: &str = "projects/acme/locations/europe-west1";

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let location = prop_oneof![Just(L), Just(OTHER), Just("projects/acme/locations/us")];
    let call = (location, 0..9_u8, 0..4_u8).prop_map(|(location, what, id)| {
        let post = |path: &str, body: &str| Step::Call("POST", format!("{location}/{path}"), body.to_owned());
        match what {
            0 => post(&format!("conversations?conversationId=call-000{id}"), r#"{"agentId": "7", "labels": {"b": "1", "a": "2"}}"#),
            1 => post(&format!("conversations/call-000{id}/analyses"), "{}"),
            2 => post("issueModels", r#"{"displayName": "m", "modelType": "TYPE_V2"}"#),
            3 => post("views", r#"{"displayName": "täglich"}"#),
            4 => post("qaScorecards?qaScorecardId=card-1", r#"{"displayName": "card"}"#),
            5 => post("phraseMatchers", r#"{"type": "ALL_OF", "phraseMatchRuleGroups": [{"type": "ANY_OF", "phraseMatchRules": [{"query": "hi", "config": {"exactMatchConfig": {}}}]}]}"#),
            6 => Step::Call("PATCH", format!("{location}/settings?updateMask=languageCode"), r#"{"languageCode": "de"}"#.into()),
            7 => Step::Call("DELETE", format!("{location}/conversations/call-000{id}"), String::new()),
            _ => post(&format!("conversations/call-000{id}/feedbackLabels"), r#"{"label": "x"}"#),
        }
    });
    let step = prop_oneof![
        8 => call,
        1 => Just(Step::Clock),
        1 => Just(Step::Poll),
        1 => Just(Step::Cancel),
        1 => (0..4_u8).prop_map(Step::Put),
    ];
    prop::collection::vec(step, 0..40)
}

/// Operations as no call makes them.
fn odd(kind: u8) -> Operation {
    let any = |url: &str, value: &[u8]| prost_types::Any { type_url: url.into(), value: value.to_vec() };
    let model = "type.googleapis.com/google.cloud.contactcenterinsights.v1.IssueModel";
    let payload = match kind {
        0 => any("type.googleapis.com/acme.Unknown", &[10, 2, 8, 3]),
        // Fields of no known number, and in another order than they are written in.
        1 => any(model, &[0xf8, 0x7f, 1, 18, 1, b'b', 10, 1, b'a']),
        2 => any(model, b"torn"),
        _ => any("", b"x"),
    };
    Operation {
        name: format!("{OTHER}/operations/odd-{kind}"),
        metadata: Some(payload.clone()),
        done: kind.is_multiple_of(2),
        result: kind.is_multiple_of(2).then_some(Outcome::Response(payload)),
    }
}

async fn filled(steps: Vec<Step>) -> World {
    let profile = "time:10m".parse().unwrap();
    let builder =
        builder().with_profile(profile).with_method_profile("CreateAnalysis", "polls:2".parse().unwrap());
    let world = World::of(builder.with_clock(ManualClock::default()).start().await.unwrap());
    let mut last = String::new();
    for step in steps {
        match step {
            Step::Call(verb, path, body) => {
                let (status, answer) = world.rest(verb, &path, &body).await;
                assert!(status < 500, "{path}: {answer}");
                if answer["name"].as_str().is_some_and(|name| name.contains("/operations/")) {
                    answer["name"].as_str().unwrap().clone_into(&mut last);
                }
            }
            Step::Clock => {
                let url = format!("{}/_emulator/v1/clock:advance", world.emulator.endpoint());
                let moved = world.http.post(url).body(r#"{"by": "3m"}"#).send().await.unwrap();
                assert_eq!(moved.status().as_u16(), 200);
            }
            Step::Poll if !last.is_empty() => drop(world.rest("GET", &last, "").await),
            Step::Cancel if !last.is_empty() => drop(world.rest("POST", &format!("{last}:cancel"), "").await),
            Step::Put(kind) => world.emulator.put_operation(odd(kind)).unwrap(),
            Step::Poll | Step::Cancel => {}
        }
    }
    world
}

fn exported(world: &World) -> String {
    world.emulator.export()
}

async fn loaded(text: &str) -> World {
    let seed = Seed::from_json(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    World::of(builder().with_seed(seed).with_clock(ManualClock::default()).start().await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn loading_an_export_gives_the_same_snapshot(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = filled(steps).await;
            let text = exported(&world);
            let again = loaded(&text).await;
            assert!(again.emulator.snapshot() == world.emulator.snapshot(), "{text}");
            assert_eq!(exported(&again), text);
            // Nor does it matter whether it is loaded at the start or later.
            let later = World::of(builder().with_clock(ManualClock::default()).start().await.unwrap());
            later.emulator.apply_seed(Seed::from_json(&text).unwrap()).unwrap();
            assert!(later.emulator.snapshot() == world.emulator.snapshot(), "{text}");
        });
    }
}

async fn small() -> (World, String) {
    let call = |path: &str, body: &str| Step::Call("POST", format!("{L}/{path}"), body.to_owned());
    let steps = vec![
        call("conversations?conversationId=call-0002", r#"{"agentId": "2"}"#),
        call("conversations?conversationId=call-0001", r#"{"agentId": "1"}"#),
        call("conversations/call-0001/analyses", "{}"),
        Step::Poll,
    ];
    let world = filled(steps).await;
    let text = exported(&world);
    (world, text)
}

#[tokio::test]
async fn an_export_is_read_as_resources_and_goes_on_where_it_was() {
    let (world, text) = small().await;
    let url = format!("{}/_emulator/v1/export", world.emulator.endpoint());
    let served: Value = world.http.get(url).send().await.unwrap().json().await.unwrap();
    let seed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(served, seed);
    assert_eq!(seed["conversations"][0]["agentId"], "1", "in order of name");
    let operation = seed["operations"][0]["name"].as_str().unwrap();
    let running = &seed["emulator"]["running"][operation];
    assert_eq!(
        (&running["method"], &running["profile"], &running["polls"]),
        (&json!("CreateAnalysis"), &json!("polls:2"), &json!(1))
    );

    let again = loaded(&text).await;
    assert_eq!(again.rest("GET", operation, "").await.1["done"], true, "the second poll ends it");
    let (_, listed) = again.rest("GET", &format!("{L}/conversations"), "").await;
    assert_eq!(listed["conversations"][0]["agentId"], "1", "the newest first, as it was");
}

#[tokio::test]
async fn an_export_can_be_edited_and_added_to_what_is_there() {
    let (_, text) = small().await;
    let mut seed: Value = serde_json::from_str(&text).unwrap();
    seed["conversations"][1]["agentId"] = json!("edited");
    seed["conversations"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": format!("{L}/conversations/call-0003") }));
    let operation = seed["operations"][0]["name"].as_str().unwrap().to_owned();
    let world = World::new("polls:2").await;
    world.rest("POST", &format!("{L}/conversations?conversationId=call-0000"), "{}").await;
    let (_, started) = world.rest("POST", &format!("{L}/issueModels"), r#"{"modelType": "TYPE_V2"}"#).await;
    let before = started["name"].as_str().unwrap().to_owned();
    world.emulator.apply_seed(Seed::from_json(&seed.to_string()).unwrap()).unwrap();
    let (_, found) = world.rest("GET", &format!("{L}/conversations/call-0002"), "").await;
    assert_eq!(found["agentId"], "edited");
    let (_, listed) = world.rest("GET", &format!("{L}/conversations"), "").await;
    let ids: Vec<_> = listed["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    // The newest first, as they were made; what was never made has no time.
    assert_eq!(ids, ["call-0000", "call-0001", "call-0002", "call-0003"]);
    for name in [&before, &operation] {
        assert_eq!(world.rest("GET", name, "").await.0, 200, "{name}");
    }
}

#[test]
fn what_cannot_be_resumed_is_named() {
    let name = format!("{L}/operations/1");
    let seed = |emulator: Value| {
        let seed = json!({ "operations": [{ "name": name }], "emulator": emulator });
        Seed::from_json(&seed.to_string()).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(seed(json!({})), Ok(()));
    // Of one that was taken out of the list.
    let gone = json!({"running": {"projects/p/locations/us/operations/2": {"method": "CreateAnalysis"}}});
    assert_eq!(seed(gone), Ok(()));
    for (emulator, words) in [
        (json!({"running": {name.as_str(): {"method": "Nothing"}}}), "cannot be resumed"),
        (json!({"clock": "noon"}), "emulator.clock"),
        (json!({"lastOperationId": "x"}), "emulator.lastOperationId"),
        (json!({"place": {}}), "emulator: unknown field `place`"),
        (json!([]), "emulator: is not an object"),
    ] {
        let error = seed(emulator.clone()).unwrap_err();
        assert!(error.contains(words), "{emulator}: {error}");
    }
}
