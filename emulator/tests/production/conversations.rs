//! What a conversation has that is made from a transcript in Cloud Storage: P4 to P10, and P15.

use std::fs;
use std::path::Path;

use contact_center_insights_emulator::Emulator;
use serde_json::{Value, json};

use super::{ID, NUMBER, good};
use crate::support::World;

/// A chat of four messages; the agent speaks first.
const CHAT: [(&str, &str, u64, &str); 4] = [
    ("AGENT", "a-17", 3, "Good morning, how can I help you?"),
    ("CUSTOMER", "c-4", 8, "My  parcel is lost. I hate this -- terrible, really!"),
    ("CUSTOMER", "c-4", 9, "Order 5501 of Acme Shipping"),
    ("AGENT", "a-17", 21, "I am so happy to help."),
];

async fn world(root: &Path) -> World {
    let entries: Vec<Value> = CHAT
        .iter()
        .map(|(role, user, second, text)| {
            json!({"role": role, "user_id": user, "start_timestamp_usec": second * 1_000_000, "text": text})
        })
        .collect();
    fs::create_dir(root.join("calls")).unwrap();
    fs::write(root.join("calls/1.json"), json!({ "entries": entries }).to_string()).unwrap();
    let builder = Emulator::builder().with_profile("immediate".parse().unwrap()).with_gcs_root(root);
    World::of(builder.with_project_number("corner-shop", 900_100_200_300).start().await.unwrap())
}

fn source() -> Value {
    json!({"gcsSource": {"transcriptUri": "gs://calls/1.json"}})
}

#[tokio::test]
async fn p04_to_p08_and_p10_a_chat_is_read_as_the_service_reads_it() {
    let root = tempfile::tempdir().unwrap();
    let world = world(root.path()).await;
    for (id, medium) in [("chat-1", "CHAT"), ("call-1", "PHONE_CALL")] {
        let path = format!("{ID}/conversations?conversationId={id}");
        let made = good(&world, "POST", &path, &json!({"dataSource": source(), "medium": medium})).await;
        let segments = made["transcript"]["transcriptSegments"].as_array().unwrap();
        let of = |key: &str| segments.iter().map(|segment| segment[key].clone()).collect::<Vec<_>>();
        assert_eq!(of("channelTag"), [2, 1, 1, 2], "p04");
        assert_eq!(made.get("callMetadata"), None, "p04");
        let words: Vec<Value> =
            ["My", "parcel", "is", "lost.", "I", "hate", "this", "--", "terrible,", "really!"]
                .iter()
                .map(|word| json!({ "word": word }))
                .collect();
        assert_eq!(segments[1]["words"], json!(words), "p05");
        assert_eq!((&made["duration"], &made["turnCount"]), (&json!("18s"), &json!(4)), "p06");
        assert_eq!(of("messageTime")[0], "1970-01-01T00:00:03Z", "p07");
        assert!(made["createTime"].as_str().unwrap().len() <= "2026-01-01T00:00:00.123456Z".len(), "p07");
        assert_eq!(made["agentId"], "a-17", "p08");
        let agents = json!([{"agentId": "a-17", "agentType": "HUMAN_AGENT"}]);
        assert_eq!(made["qualityMetadata"]["agentInfo"], agents, "p08");
        assert_eq!(
            (&made["languageCode"], of("languageCode")),
            (&json!("en-US"), vec![json!("en-US"); 4]),
            "p10"
        );
        let name = format!("{NUMBER}/conversations/{id}");
        assert_eq!(good(&world, "GET", &name, &Value::Null).await, made, "the answer is what a get gives");

        let update = format!("{name}?updateMask=languageCode");
        let patched = good(&world, "PATCH", &update, &json!({"languageCode": "en-AU"})).await;
        assert_eq!(patched["languageCode"], "en-AU", "p10");
        assert_eq!(patched["transcript"], made["transcript"], "p10: the segments keep theirs");
    }
}

#[tokio::test]
async fn p08_an_agent_that_was_named_stays() {
    let root = tempfile::tempdir().unwrap();
    let world = world(root.path()).await;
    let body = json!({"dataSource": source(), "medium": "CHAT", "agentId": "chosen"});
    let made = good(&world, "POST", &format!("{ID}/conversations"), &body).await;
    assert_eq!(made["agentId"], "chosen");
    let given = json!([{"agentId": "x", "displayName": "Xenia"}]);
    let body = json!({"dataSource": source(), "qualityMetadata": {"agentInfo": given}});
    let made = good(&world, "POST", &format!("{ID}/conversations"), &body).await;
    assert_eq!((&made["agentId"], &made["qualityMetadata"]["agentInfo"]), (&json!("a-17"), &given));
    let found =
        good(&world, "GET", &format!("{ID}/conversations?filter=agent_id%3D%22a-17%22"), &Value::Null).await;
    assert_eq!(found["conversations"].as_array().unwrap().len(), 1, "the documented filter finds it");
}

#[tokio::test]
async fn p09_a_team_is_shown_among_teams_and_the_obfuscated_user_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let world = world(root.path()).await;
    let path = format!("{ID}/conversations?conversationId=team-1");
    let body = json!({"obfuscatedUserId": "u-0", "qualityMetadata": {"agentInfo": [{"agentId": "7", "team": "Night"}]}});
    let made = good(&world, "POST", &path, &body).await;
    assert_eq!(made["qualityMetadata"]["agentInfo"], json!([{"agentId": "7", "teams": ["Night"]}]));
    assert_eq!(made.get("obfuscatedUserId"), None);
    let update = format!("{ID}/conversations/team-1?updateMask=qualityMetadata.agentInfo,obfuscatedUserId");
    let body = json!({"obfuscatedUserId": "u-0", "qualityMetadata": {"agentInfo": [{"agentId": "8", "team": "Day"}]}});
    let patched = good(&world, "PATCH", &update, &body).await;
    assert_eq!(patched["qualityMetadata"]["agentInfo"], json!([{"agentId": "8", "teams": ["Day"]}]));
    assert_eq!(patched.get("obfuscatedUserId"), None);
}

#[tokio::test]
async fn p10_segments_of_what_is_ingested_have_the_language_too() {
    let root = tempfile::tempdir().unwrap();
    let world = world(root.path()).await;
    let body = json!({
        "gcsSource": {"bucketUri": "gs://calls", "bucketObjectType": "TRANSCRIPT"},
        "transcriptObjectConfig": {"medium": "CHAT"},
    });
    good(&world, "POST", &format!("{ID}/conversations:ingest"), &body).await;
    let listed = good(&world, "GET", &format!("{ID}/conversations?view=FULL"), &Value::Null).await;
    let made = &listed["conversations"][0];
    assert_eq!(made["transcript"]["transcriptSegments"][2]["languageCode"], "en-US");
    assert_eq!((&made["agentId"], &made["duration"]), (&json!("a-17"), &json!("18s")));
}

#[tokio::test]
async fn p15_only_the_customer_has_a_sentiment() {
    let root = tempfile::tempdir().unwrap();
    let world = world(root.path()).await;
    let path = format!("{ID}/conversations?conversationId=mood-1");
    good(&world, "POST", &path, &json!({"dataSource": source(), "medium": "CHAT"})).await;
    let body = json!({"annotatorSelector": {"runSentimentAnnotator": true, "runEntityAnnotator": true}});
    let done = good(&world, "POST", &format!("{ID}/conversations/mood-1/analyses"), &body).await;
    let analysis = &done["response"];
    let id = analysis["name"].as_str().unwrap().rsplit('/').next().unwrap();
    assert!((19..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    let result = &analysis["analysisResult"]["callAnalysisMetadata"];
    let sentiments = result["sentiments"].as_array().unwrap();
    assert_eq!((sentiments.len(), &sentiments[0]["channelTag"]), (1, &json!(1)));
    let annotations = result["annotations"].as_array().unwrap();
    let felt: Vec<&Value> = annotations.iter().filter(|found| found.get("sentimentData").is_some()).collect();
    assert!(!felt.is_empty());
    for annotation in felt {
        assert_eq!(annotation["channelTag"], 1);
        assert_eq!(annotation["annotationStartBoundary"], annotation["annotationEndBoundary"]);
        assert_eq!(annotation["annotationStartBoundary"].get("wordIndex"), None);
    }
    let made = good(&world, "GET", &format!("{ID}/conversations/mood-1"), &Value::Null).await;
    let segments = made["transcript"]["transcriptSegments"].as_array().unwrap();
    let has: Vec<bool> = segments.iter().map(|segment| segment.get("sentiment").is_some()).collect();
    assert_eq!(has, [false, true, true, false]);

    // What has a place among words has it among those that the segment lists.
    let mention = annotations.iter().find(|found| {
        found.get("entityMentionData").is_some() && found["annotationStartBoundary"]["wordIndex"] == json!(3)
    });
    let words = segments[2]["words"].as_array().unwrap();
    assert_eq!((words[3]["word"].as_str(), words[4]["word"].as_str()), (Some("Acme"), Some("Shipping")));
    assert_eq!(mention.unwrap()["annotationEndBoundary"]["wordIndex"], 5);
}
