//! What of a body may be written, and what not.

use serde_json::json;

use super::*;

fn neutral(keeps_text: bool, path: &str, body: Value) -> Value {
    let mut neutral = Neutral::new(Contract::new(), keeps_text);
    let of = neutral.contract.method("GET", path).map(|method| method.output.clone());
    neutral.body(of.as_ref(), body)
}

#[test]
fn a_body_keeps_what_is_the_apis_own() {
    let path = "/v1/projects/p/locations/l/conversations/7";
    let body = json!({
        "name": "projects/p/locations/l/conversations/7", "languageCode": "en-AU", "medium": "CHAT", "turnCount": 2,
        "duration": "4.5s", "createTime": "2026-01-01T00:00:00Z", "agentId": "dora", "labels": {"vip": "yes"},
        "qualityMetadata": {"agentInfo": [{"agentId": "dora", "agentType": "HUMAN_AGENT", "displayName": "Dora"}]},
        "correlationInfo": {"correlationTypes": [1], "secretName": "dora", "agentId": 5},
        "transcript": {"transcriptSegments": [{"text": "Hi Dora", "messageTime": "not a time",
            "dialogflowSegmentMetadata": {}, "words": [{"word": "Dora", "confidence": 0.5}]}]},
    });
    let wanted = json!({
        "name": "projects/PROJECT_ID/locations/l/conversations/ID_1", "languageCode": "en-AU", "medium": "CHAT", "turnCount": 2,
        "duration": "4.5s", "createTime": "2026-01-01T00:00:00Z", "agentId": "baba", "labels": {"bab": "bad"},
        "qualityMetadata": {"agentInfo": [{"agentId": "baba", "agentType": "HUMAN_AGENT", "displayName": "Baba"}]},
        "correlationInfo": {"babababababababa": [1], "bababaBaba": "baba", "agentId": 5},
        "transcript": {"transcriptSegments": [{"text": "Ba Baba", "messageTime": "baf b babe",
            "dialogflowSegmentMetadata": {}, "words": [{"word": "Baba", "confidence": 0.5}]}]},
    });
    let made = neutral(false, path, body.clone());
    for same in [
        "name",
        "languageCode",
        "medium",
        "turnCount",
        "duration",
        "createTime",
        "agentId",
        "labels",
        "qualityMetadata",
    ] {
        assert_eq!(made[same], wanted[same], "{same}");
    }
    assert!(!made.to_string().to_lowercase().contains("dora"), "{made}");
    assert_eq!(
        (
            &made["correlationInfo"]["agentId"],
            &made["transcript"]["transcriptSegments"][0]["words"][0]["word"]
        ),
        (&json!(5), &json!("Baba"))
    );
    let kept = neutral(true, path, body.clone());
    assert_eq!(kept["transcript"], body["transcript"]);
    assert_eq!(kept["name"], wanted["name"]);
}

#[test]
fn operations_and_errors_are_walked_by_their_types() {
    let url = "type.googleapis.com/google.cloud.contactcenterinsights.v1.View";
    let operation = json!({"name": "projects/p/locations/l/operations/9", "done": true,
        "response": {"@type": url, "displayName": "Dora", "value": "agent_id=\"Dora\""},
        "metadata": {"@type": "type.googleapis.com/a.B", "who": "Dora"}});
    let made = neutral(false, "/v1/projects/p/locations/l/operations/9", operation);
    assert_eq!(made["response"], json!({"@type": url, "displayName": "Baba", "value": "agent_id=\"Baba\""}));
    assert_eq!(
        (&made["metadata"]["@type"], made["metadata"].to_string().contains("Dora")),
        (&json!("type.googleapis.com/a.B"), false)
    );
    let mut neutral = Neutral::new(Contract::new(), false);
    let info = "type.googleapis.com/google.rpc.ErrorInfo";
    let made = neutral.error(json!({"error": {"code": 403, "message": "`Dora` of project 123456789012 may not", "status": "PERMISSION_DENIED",
        "details": [{"@type": info, "reason": "NO", "domain": "googleapis.com", "metadata": {"consumer": "projects/123456789012"}}]}}));
    let error = &made["error"];
    assert_eq!((&error["code"], &error["status"]), (&json!(403), &json!("PERMISSION_DENIED")));
    assert_eq!(
        error["message"], "`Dora` of project PROJECT_NUMBER may not",
        "nobody had said so in the request"
    );
    assert_eq!((&error["details"][0]["reason"], &error["details"][0]["@type"]), (&json!("NO"), &json!(info)));
    assert!(!made.to_string().contains("123456789012"), "{made}");
}

#[test]
fn masks_keep_the_names_of_fields() {
    let mut neutral = Neutral::new(Contract::new(), false);
    for (mask, wanted) in [
        ("agentId,labels.vip,qualityMetadata.agentInfo", "agentId,labels.bab,qualityMetadata.agentInfo"),
        ("conversations(name,agent_id),nextPageToken", "conversations(name,agent_id),nextPageToken"),
        ("*", "*"),
    ] {
        assert_eq!(neutral.mask(mask), wanted);
    }
}
