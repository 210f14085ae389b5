//! What only the REST API has: P30, and P20 of exports.

use std::fs;

use contact_center_insights_emulator::Emulator;
use serde_json::{Value, json};

use super::{ID, bad, good, immediate};
use crate::support::World;

#[tokio::test]
async fn p30_methods_that_no_proto_has_are_told_from_paths_that_are_misspelt() {
    let world = immediate().await;
    for (verb, path, method) in [
        ("GET", format!("{ID}/dashboards"), "dashboards.list"),
        ("POST", format!("{ID}:generativeInsights"), "generativeInsights"),
        ("PATCH", format!("{ID}/correlationConfig"), "updateCorrelationConfig"),
        ("POST", format!("{ID}/issueModels/1/issues"), "issueModels.issues.create"),
        (
            "GET",
            format!("{ID}/conversations/call-1:generateSignedAudio"),
            "conversations.generateSignedAudio",
        ),
        ("DELETE", format!("{ID}/datasets/d/conversations/c"), "datasets.conversations.delete"),
    ] {
        let (status, answer) = world.rest(verb, &path, "{}").await;
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!((status, &answer["error"]["status"]), (501, &json!("UNIMPLEMENTED")), "{verb} {path}");
        assert!(message.contains(method) && message.contains("no published proto"), "{message}");
    }
    for (verb, path) in
        [("DELETE", format!("{ID}/operations/1")), ("POST", format!("{ID}/operations/1:wait"))]
    {
        let (code, message) = bad(&world, verb, &path, &json!({})).await;
        assert!(code == 501 && message.contains("CancelOperation"), "{message}");
    }
    assert_eq!(bad(&world, "GET", &format!("{ID}/dashboardz"), &Value::Null).await.0, 404);
    assert_eq!(bad(&world, "PUT", &format!("{ID}/conversations"), &Value::Null).await.0, 405);
}

#[tokio::test]
async fn p30_fields_that_no_proto_has_are_ignored_with_a_warning_or_refused() {
    let requests = [
        (
            "POST",
            format!("{ID}/conversations?conversationId=call-1"),
            json!({"satisfiesPzs": true}),
            "satisfiesPzs",
        ),
        ("POST", format!("{ID}/qaScorecards?qaScorecardId=card-1"), json!({"isDefault": true}), "isDefault"),
        ("GET", format!("{ID}/qaScorecards?qaScorecardSources=x"), Value::Null, "qaScorecardSources"),
        (
            "PATCH",
            format!("{ID}/settings?updateMask=languageCode&allowMissing=true"),
            json!({"languageCode": "de"}),
            "allowMissing",
        ),
    ];
    let world = immediate().await;
    for (verb, path, body, name) in &requests {
        good(&world, verb, path, body).await;
        let entry = world.emulator.journal().entries().pop().unwrap();
        let [warning] = &entry.warnings[..] else { panic!("{:?}", entry.warnings) };
        assert!(warning.contains(name) && warning.ends_with("it is ignored"), "{warning}");
    }
    let (_, journal) = {
        let url = format!("{}/_emulator/v1/journal", world.emulator.endpoint());
        let journal = world.http.get(url).send().await.unwrap();
        (journal.status(), journal.json::<Value>().await.unwrap())
    };
    assert!(journal["calls"][0]["warnings"][0].as_str().unwrap().contains("satisfiesPzs"), "{journal}");

    let builder = crate::support::builder().with_strict_fields();
    let strict = World::of(builder.start().await.unwrap());
    for (verb, path, body, name) in &requests {
        let (code, message) = bad(&strict, verb, path, body).await;
        let explains = message.contains(name) && message.contains("REST API");
        assert!(
            code == 400 && explains && message.ends_with("this emulator is told to refuse it"),
            "{message}"
        );
    }
    // What nobody has is refused in any case.
    for world in [&world, &strict] {
        let (code, message) =
            bad(world, "POST", &format!("{ID}/conversations"), &json!({"satisfiesPz": true})).await;
        assert!(code == 400 && message.contains("no such field") && !message.contains("REST"), "{message}");
        let path = format!("{ID}/conversations?allowMissing=true");
        assert_eq!(bad(world, "GET", &path, &Value::Null).await.0, 400);
    }
}

#[tokio::test]
async fn p20_an_export_chooses_its_schema() {
    let root = tempfile::tempdir().unwrap();
    let builder = Emulator::builder().with_profile("immediate".parse().unwrap()).with_gcs_root(root.path());
    let world = World::of(builder.start().await.unwrap());
    good(&world, "POST", &format!("{ID}/conversations"), &json!({})).await;
    let export = |version: Value| {
        let destination = json!({"projectId": "p", "dataset": "d", "table": "t"});
        json!({"bigQueryDestination": destination, "exportSchemaVersion": version})
    };
    let path = format!("{ID}/insightsdata:export");
    for (version, has) in [("EXPORT_V1", false), ("EXPORT_VERSION_LATEST_AVAILABLE", true)] {
        good(&world, "POST", &path, &export(json!(version))).await;
        let row = fs::read_to_string(root.path().join("bigquery/p/d/t.ndjson")).unwrap();
        let row: Value = serde_json::from_str(row.trim()).unwrap();
        assert_eq!(row.get("startTimestamp").is_some(), has, "{version}: {row}");
    }
    for (version, words) in [
        ("EXPORT_V9", "not known to the emulator"),
        ("EXPORT_V99", "not a version"),
        ("LATEST", "not a version"),
    ] {
        let (code, message) = bad(&world, "POST", &path, &export(json!(version))).await;
        assert!(code == 400 && message.contains(words), "{message}");
    }
    assert_eq!(bad(&world, "POST", &path, &export(json!(7))).await.0, 400);
    good(&world, "POST", &path, &export(Value::Null)).await;
}
