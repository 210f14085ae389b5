//! The day of an analyst: chats are ingested, analysed by a rule, and exported to a table that dashboards read. P16, P18
//! and P19.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use contact_center_insights_emulator::{Emulator, ManualClock};
use serde_json::{Value, json};

use super::{ID, good};
use crate::support::World;

/// One of a hundred chats: of two to six messages, three to forty seconds apart; every third customer is angry.
fn chat(number: u64) -> Value {
    let said = [
        "Good morning, how can I help you?",
        if number.is_multiple_of(3) {
            "I hate this, my parcel is lost, terrible!"
        } else {
            "Where is my parcel, please?"
        },
        "Let me look into that for you right away, this may take a moment",
        "OK",
        "It was returned to the depot, I am sending it out again today",
        "Thank you so much, that is wonderful",
    ];
    let count = 2 + usize::try_from(number % 5).unwrap();
    let entries = said.iter().take(count).enumerate().map(|(index, text)| {
        let role = if index % 2 == 0 { "AGENT" } else { "CUSTOMER" };
        let user = if index % 2 == 0 { number % 7 } else { 1000 + number };
        let second = 1_750_000_000 + 3600 * number + index as u64 * (3 + number % 38);
        json!({"text": text, "role": role, "user_id": user, "start_timestamp_usec": second * 1_000_000})
    });
    json!({"entries": entries.collect::<Vec<_>>()})
}

fn rows(root: &Path) -> Vec<Value> {
    let text = fs::read_to_string(root.join("bigquery/corner-shop/calls/all.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn put(root: &Path, numbers: std::ops::Range<u64>) {
    fs::create_dir_all(root.join("chats")).unwrap();
    for number in numbers {
        fs::write(root.join(format!("chats/{number:03}.json")), chat(number).to_string()).unwrap();
    }
}

async fn ingest(world: &World) -> Value {
    let body =
        json!({"gcsSource": {"bucketUri": "gs://chats"}, "transcriptObjectConfig": {"medium": "CHAT"}});
    good(world, "POST", &format!("{ID}/conversations:ingest"), &body).await["metadata"]["ingestConversationsStats"]
        .clone()
}

/// A share, as a dashboard formats it.
fn percent(row: &Value, column: &str) -> f64 {
    let share = row[column].as_f64().unwrap_or_else(|| panic!("{column}: {row}"));
    let formatted = format!("{:.2}", share * 100.0);
    let shown: f64 = formatted.parse().unwrap();
    assert!((0.0..=100.0).contains(&shown), "{column}: {formatted}%");
    share
}

#[tokio::test]
async fn p16_p18_p19_chats_are_ingested_analysed_by_a_rule_and_exported() {
    let root = tempfile::tempdir().unwrap();
    let clock: ManualClock = "2026-03-31T23:30:00Z".parse().unwrap();
    let builder = Emulator::builder().with_profile("immediate".parse().unwrap()).with_clock(clock.clone());
    let world = World::of(builder.with_gcs_root(root.path()).start().await.unwrap());
    let group = json!({"type": "ALL_OF", "phraseMatchRules": [{"query": "parcel", "config": {"exactMatchConfig": {}}}]});
    let matcher =
        json!({"type": "ANY_OF", "active": true, "displayName": "Parcels", "phraseMatchRuleGroups": [group]});
    let matcher = good(&world, "POST", &format!("{ID}/phraseMatchers"), &matcher).await;
    let rule = json!({"active": true, "conversationFilter": "medium=\"CHAT\"", "analysisPercentage": 1.0});
    good(&world, "POST", &format!("{ID}/analysisRules"), &rule).await;
    // What the settings say is about uploads, and does not matter here.
    let settings = json!({"analysisConfig": {"uploadConversationAnalysisPercentage": 100.0}});
    good(&world, "PATCH", &format!("{ID}/settings?updateMask=analysisConfig"), &settings).await;

    put(root.path(), 0..60);
    assert_eq!(ingest(&world).await["successfulIngestCount"], 60);
    clock.advance(std::time::Duration::from_hours(1));
    put(root.path(), 60..100);
    let stats = ingest(&world).await;
    assert_eq!((&stats["successfulIngestCount"], &stats["duplicatesSkippedCount"]), (&json!(40), &json!(60)));

    let body =
        json!({"bigQueryDestination": {"projectId": "corner-shop", "dataset": "calls", "table": "all"}});
    good(&world, "POST", &format!("{ID}/insightsdata:export"), &body).await;
    let rows = rows(root.path());
    assert_eq!(rows.len(), 100);
    let mut by_date: BTreeMap<(u64, u64, u64), usize> = BTreeMap::new();
    for row in &rows {
        // Analysed by the rule, without anyone having asked.
        assert!(row["analysisTimestampUtc"].is_i64(), "{row}");
        let duration = row["durationNanos"].as_f64().unwrap();
        let shares = ["agentSpeakingPercentage", "clientSpeakingPercentage", "silencePercentage"]
            .map(|column| percent(row, column));
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{shares:?}");
        // What dashboards compute: a percentage times the duration.
        let silence = shares[2] * duration;
        assert!((silence - row["silenceNanos"].as_f64().unwrap()).abs() <= duration * 1e-6, "{row}");
        assert!(row["clientSentimentScore"].is_number() && row["agentSentimentScore"].is_null());
        let agents = row["agents"].as_array().unwrap();
        assert_eq!((agents.len(), &agents[0]["agentId"]), (1, &row["agentId"]));
        let sentence = &row["sentences"][1];
        let found = &sentence["phraseMatchData"][0];
        assert_eq!(
            (&found["displayName"], &found["revisionId"]),
            (&json!("Parcels"), &matcher["revisionId"])
        );
        assert_eq!(sentence["participantRole"], "END_USER");
        assert!(row["latestSummary"]["textSections"].as_array().unwrap().len() >= 2, "{row}");
        let number = |column: &str| row[column].as_u64().unwrap();
        *by_date.entry((number("year"), number("month"), number("day"))).or_default() += 1;
    }
    assert_eq!(by_date, [((2026, 3, 31), 60), ((2026, 4, 1), 40)].into(), "by the date of loading, in UTC");
}

#[tokio::test]
async fn p16_settings_alone_do_not_analyse_what_is_ingested() {
    let root = tempfile::tempdir().unwrap();
    let builder = Emulator::builder().with_profile("immediate".parse().unwrap()).with_gcs_root(root.path());
    let world = World::of(builder.start().await.unwrap());
    let settings = json!({"analysisConfig": {"uploadConversationAnalysisPercentage": 100.0}});
    good(&world, "PATCH", &format!("{ID}/settings?updateMask=analysisConfig"), &settings).await;
    put(root.path(), 0..3);
    assert_eq!(ingest(&world).await["successfulIngestCount"], 3);
    let listed = good(&world, "GET", &format!("{ID}/conversations"), &Value::Null).await;
    assert!(
        listed["conversations"].as_array().unwrap().iter().all(|found| found.get("latestAnalysis").is_none())
    );
}
