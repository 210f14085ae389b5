//! Projects have a number: P2, and the texts of P3 that name it.

use contact_center_insights::Code;
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights_emulator::{EmulatorBuilder, ManualClock, Seed, StartError};
use serde_json::{Value, json};

use super::{ID, NUMBER, bad, good, world};
use crate::support::World;

#[tokio::test]
async fn p02_answers_name_the_number_and_requests_either() {
    let world = world().await;
    let path = format!("{ID}/conversations?conversationId=call-77");
    let made = good(&world, "POST", &path, &json!({"medium": "CHAT"})).await;
    let name = format!("{NUMBER}/conversations/call-77");
    assert_eq!(made["name"], name);
    for location in [ID, NUMBER] {
        let path = format!("{location}/conversations/call-77");
        assert_eq!(good(&world, "GET", &path, &Value::Null).await["name"], name);
        let listed = good(&world, "GET", &format!("{location}/conversations"), &Value::Null).await;
        assert_eq!(listed["conversations"].as_array().unwrap().len(), 1);
        assert_eq!(listed["conversations"][0]["name"], name);
        let update = format!("{path}?updateMask=agentId");
        let body = json!({"name": path, "agentId": location});
        let patched = good(&world, "PATCH", &update, &body).await;
        assert_eq!((&patched["name"], &patched["agentId"]), (&json!(name), &json!(location)));
    }
    let taken = format!("{NUMBER}/conversations?conversationId=call-77");
    assert_eq!(bad(&world, "POST", &taken, &json!({})).await.0, 409, "it is the same project");

    let started = good(&world, "POST", &format!("{NUMBER}/conversations/call-77/analyses"), &json!({})).await;
    let operation = started["name"].as_str().unwrap();
    assert!(operation.starts_with(NUMBER), "{operation}");
    let by_id = operation.replace(NUMBER, ID);
    good(&world, "GET", &by_id, &Value::Null).await;
    let done = good(&world, "GET", operation, &Value::Null).await;
    assert_eq!((&done["name"], &done["done"]), (&json!(operation), &json!(true)));
    let analysis = done["response"]["name"].as_str().unwrap();
    assert!(analysis.starts_with(&name), "{analysis}");
    assert_eq!(good(&world, "GET", analysis, &Value::Null).await["name"], analysis);
    let whole = good(&world, "GET", &format!("{ID}/conversations/call-77"), &Value::Null).await;
    assert_eq!(whole["latestAnalysis"]["name"], analysis, "its child has the number too");
    let operations = good(&world, "GET", &format!("{ID}/operations"), &Value::Null).await;
    assert_eq!(operations["operations"][0]["name"], operation);
    assert_eq!(
        good(&world, "GET", &format!("{ID}/settings"), &Value::Null).await["name"],
        format!("{NUMBER}/settings")
    );

    good(&world, "DELETE", &format!("{NUMBER}/conversations/call-77?force=true"), &Value::Null).await;
    assert_eq!(bad(&world, "GET", &format!("{ID}/conversations/call-77"), &Value::Null).await.0, 404);
}

#[tokio::test]
async fn p02_a_project_without_a_given_number_has_one_that_stays() {
    let names = async || {
        let world = World::new("polls:2").await;
        let made = good(&world, "POST", &format!("{ID}/views"), &json!({"displayName": "v"})).await;
        made["name"].as_str().unwrap().to_owned()
    };
    let name = names().await;
    assert_eq!(name, names().await);
    let number = name.split('/').nth(1).unwrap();
    assert!(number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
}

#[tokio::test]
async fn p02_seeds_and_snapshots_keep_names_and_are_reached_by_both() {
    let selector = json!({"issueModels": [format!("{ID}/issueModels/5")]});
    let seed = json!({
        "conversations": [{"name": format!("{ID}/conversations/seeded-1"), "turnCount": 3}],
        "analysisRules": [{"name": format!("{NUMBER}/analysisRules/9"), "annotatorSelector": selector}],
        "operations": [{"name": format!("{NUMBER}/operations/7"), "done": false}],
    });
    let seed = Seed::from_json(&seed.to_string()).unwrap();
    let builder =
        crate::support::builder().with_project_number("corner-shop", 900_100_200_300).with_seed(seed);
    let world = World::of(builder.start().await.unwrap());
    let snapshot = world.emulator.snapshot();
    let has = |name: &str| snapshot.windows(name.len()).any(|window| window == name.as_bytes());
    assert!(has(&format!("{ID}/conversations/seeded-1")) && has(&format!("{NUMBER}/analysisRules/9")));
    for round in 0..2 {
        for location in [ID, NUMBER] {
            for below in ["conversations/seeded-1", "analysisRules/9", "operations/7"] {
                let found = good(&world, "GET", &format!("{location}/{below}"), &Value::Null).await;
                assert_eq!(found["name"], format!("{NUMBER}/{below}"), "{round}");
            }
        }
        world.emulator.restore(&snapshot).unwrap();
    }
    let rule = good(&world, "GET", &format!("{NUMBER}/analysisRules/9"), &Value::Null).await;
    assert_eq!(rule["annotatorSelector"], selector, "what it refers to stays as it was written");

    world
        .emulator
        .put_operation(Operation { name: format!("{NUMBER}/operations/8"), ..Operation::default() })
        .unwrap();
    good(&world, "GET", &format!("{ID}/operations/8"), &Value::Null).await;
    world.emulator.reset(Some("900100200300")).unwrap();
    for below in ["conversations/seeded-1", "operations/8"] {
        assert_eq!(
            bad(&world, "GET", &format!("{ID}/{below}"), &Value::Null).await.0,
            404,
            "reset by number"
        );
    }
}

#[tokio::test]
async fn p02_names_are_echoed_if_that_is_asked_for() {
    let builder = crate::support::builder().with_project_number("corner-shop", 900_100_200_300);
    let world = World::of(builder.with_echoed_project_names().start().await.unwrap());
    let made = good(&world, "POST", &format!("{ID}/views"), &json!({})).await;
    assert!(made["name"].as_str().unwrap().starts_with(ID), "{made}");
    assert_eq!(
        good(&world, "GET", &format!("{NUMBER}/views"), &Value::Null).await,
        json!({}),
        "another project"
    );
}

#[tokio::test]
async fn p02_two_projects_have_two_numbers() {
    let builder = crate::support::builder().with_project_number("a", 5).with_project_number("b", 5);
    let error = builder.start().await.unwrap_err();
    assert!(matches!(error, StartError::Project(_)) && error.to_string().contains("`a` and `b`"), "{error}");
}

#[tokio::test]
async fn p03_what_is_not_there_is_told_in_the_words_of_the_service() {
    let world = world().await;
    let number = "900100200300";
    // Conversations have no `displayName`.
    let patched = json!({"displayName": "x"});
    for location in [ID, NUMBER] {
        for (below, code, message) in [
            (
                "conversations/lost-1",
                404,
                format!("No conversation found for project {number} and conversation ID lost-1."),
            ),
            (
                "issueModels/lost-1",
                404,
                format!("No issue model found for project {number} and issue model ID lost-1."),
            ),
            (
                "analysisRules/lost-1",
                404,
                format!("No AnalysisRule found for project: `{number}` and AnalysisRule Id: `lost-1`."),
            ),
            ("views/lost-1", 404, format!("No view found for project: `{number}` and view Id: `lost-1`.")),
            (
                "qaScorecards/lost-1",
                404,
                format!(
                    "No QaScorecardRevision found for (project {number}, qa_scorecard_id lost-1, revision_id latest)."
                ),
            ),
            ("phraseMatchers/lost1", 400, "Invalid phrase matcher ID: lost1".to_owned()),
        ] {
            let path = format!("{location}/{below}");
            let wanted = (code, message);
            assert_eq!(bad(&world, "GET", &path, &Value::Null).await, wanted);
            let (code, message) = &wanted;
            let mask = format!("{path}?updateMask=displayName");
            // A matcher needs a type, which is looked at before its id is.
            let is_matcher = below.starts_with("phraseMatchers");
            let body =
                if is_matcher { json!({"displayName": "x", "type": "ANY_OF"}) } else { patched.clone() };
            if !below.starts_with("conversations") {
                assert_eq!(bad(&world, "PATCH", &mask, &body).await, (*code, message.clone()));
            }
            if !below.starts_with("issueModels") {
                assert_eq!(bad(&world, "DELETE", &path, &Value::Null).await, wanted);
            }
        }
        let numeric = format!("{location}/phraseMatchers/12345");
        assert_eq!(bad(&world, "GET", &numeric, &Value::Null).await.0, 404);
    }
}

/// Emulators in which the id and the number are two projects, and one.
fn builders() -> [EmulatorBuilder; 2] {
    let builder = || {
        let builder = crate::support::builder().with_project_number("corner-shop", 900_100_200_300);
        builder.with_profile("polls:9".parse().unwrap()).with_clock(ManualClock::default())
    };
    [builder().with_echoed_project_names(), builder()]
}

/// What an error says, with all that is behind it.
fn words(error: &dyn std::error::Error) -> String {
    let next = error.source().map(words).unwrap_or_default();
    format!("{error} {next}")
}

#[tokio::test]
async fn what_two_spellings_name_is_refused_where_they_are_one_project() {
    for (below, collection) in [("views/1", "views"), ("operations/1", "operations")] {
        let [echo, one] = builders();
        let (by_id, by_number) = (format!("{ID}/{below}"), format!("{NUMBER}/{below}"));
        let text = json!({ collection: [{"name": by_id}, {"name": by_number}] }).to_string();
        let seed = Seed::from_json(&text).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let two = echo.with_data_dir(directory.path()).with_seed(seed.clone()).start().await.unwrap();
        let snapshot = two.snapshot();
        two.stop().await;

        let wanted = format!(
            "{collection}[1] (`{by_number}`): an earlier entry has the same name: it is `{by_id}`, and both projects are one"
        );
        let world = World::of(one.clone().start().await.unwrap());
        good(&world, "POST", &format!("{ID}/views"), &json!({"displayName": "was there"})).await;
        let before = world.emulator.snapshot();
        let refused = world.emulator.apply_seed(seed.clone()).unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, wanted.as_str()));
        let error = one.clone().with_seed(seed).start().await.unwrap_err();
        assert!(matches!(error, StartError::Seed(_)) && words(&error).contains(&wanted), "{error:?}");

        // Whichever is first in the snapshot.
        let named = |text: &str| {
            [(&by_id, &by_number), (&by_number, &by_id)].iter().any(|(name, other)| {
                text.contains(&format!("`{name}`: an earlier one, `{other}`, has the same name"))
            })
        };
        let refused = world.emulator.restore(&snapshot).unwrap_err();
        assert!(refused.code() == Code::InvalidArgument && named(refused.message()), "{refused}");
        assert!(world.emulator.snapshot() == before, "nothing has changed");
        let error = one.with_data_dir(directory.path()).start().await.unwrap_err();
        assert!(matches!(error, StartError::DataDir { .. }) && named(&words(&error)), "{error:?}");
        assert!(words(&error).contains("--project-names") && !words(&error).contains("damaged"), "{error:?}");
    }
}

#[tokio::test]
async fn operations_of_two_spellings_are_reached_where_they_are_one_project_and_run_on() {
    let [echo, one] = builders();
    let two = World::of(echo.start().await.unwrap());
    let mut operations = Vec::new();
    for location in [ID, NUMBER] {
        let id = format!("conv-{}", location.len());
        good(&two, "POST", &format!("{location}/conversations?conversationId={id}"), &json!({})).await;
        let path = format!("{location}/conversations/{id}/analyses");
        let started = good(&two, "POST", &path, &json!({})).await;
        operations.push(started["name"].as_str().unwrap().to_owned());
    }
    let restored = World::of(one.clone().start().await.unwrap());
    restored.emulator.restore(&two.emulator.snapshot()).unwrap();
    let seeded = World::of(one.start().await.unwrap());
    // Not the first there: what is there has its project by the id.
    good(&seeded, "POST", &format!("{ID}/views"), &json!({})).await;
    seeded.emulator.apply_seed(Seed::from_json(&two.emulator.export()).unwrap()).unwrap();
    for world in [restored, seeded] {
        let listed = good(&world, "GET", &format!("{ID}/operations"), &Value::Null).await;
        assert_eq!(listed["operations"].as_array().unwrap().len(), 2, "{listed}");
        for operation in &operations {
            let mut done = Value::Null;
            for _ in 0..9 {
                done = good(&world, "GET", operation, &Value::Null).await;
            }
            assert!(done["response"]["name"].is_string(), "{done}");
        }
        good(&world, "POST", &format!("{NUMBER}/views"), &json!({})).await;
    }
}
