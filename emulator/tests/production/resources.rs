//! Scorecards, phrase matchers, masks and errors: P11 to P14.

use serde_json::{Value, json};

use super::{ID, NUMBER, bad, good, immediate, world};

#[tokio::test]
async fn p11_a_scorecard_has_a_revision_from_the_start() {
    let world = immediate().await;
    let card = format!("{ID}/qaScorecards/night-shift");
    let create = format!("{ID}/qaScorecards?qaScorecardId=night-shift");
    let made = good(&world, "POST", &create, &json!({"description": "d"})).await;
    assert_eq!(made["name"], format!("{NUMBER}/qaScorecards/night-shift"));
    assert_eq!(made.get("displayName"), None, "it is not filled in");
    assert!(made["createTime"].is_string() && made["updateTime"].is_string());
    let revisions = async || {
        let listed = good(&world, "GET", &format!("{card}/revisions"), &Value::Null).await;
        listed["qaScorecardRevisions"].as_array().unwrap().clone()
    };
    let [first] = &revisions().await[..] else { panic!("one revision") };
    let first = first["name"].as_str().unwrap().to_owned();
    let latest = good(&world, "GET", &format!("{card}/revisions/latest"), &Value::Null).await;
    assert_eq!(latest["name"], first);
    let (code, message) = bad(&world, "DELETE", &first, &Value::Null).await;
    assert!(code == 400 && message.contains("only revision"), "{message}");

    world.tune(&card).await;
    good(&world, "POST", &format!("{card}/revisions?qaScorecardRevisionId=second"), &json!({})).await;
    let names: Vec<Value> = revisions().await.iter().map(|revision| revision["name"].clone()).collect();
    assert_eq!(
        names,
        [format!("{NUMBER}/qaScorecards/night-shift/revisions/second"), first.clone()],
        "newest first"
    );
    assert_eq!(bad(&world, "DELETE", &card, &Value::Null).await.0, 400, "two need `force`");
    good(&world, "DELETE", &first, &Value::Null).await;
    good(&world, "DELETE", &card, &Value::Null).await;
    assert_eq!(bad(&world, "GET", &card, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn p12_a_phrase_matcher_is_whole_from_creation() {
    let world = world().await;
    let group = json!({
        "type": "ALL_OF",
        "phraseMatchRules": [{"query": "refund", "config": {"exactMatchConfig": {}}}],
    });
    let body = json!({"type": "ANY_OF", "phraseMatchRuleGroups": [group]});
    let path = format!("{ID}/phraseMatchers");
    let made = good(&world, "POST", &path, &body).await;
    let name = made["name"].as_str().unwrap();
    let id = name.strip_prefix(&format!("{NUMBER}/phraseMatchers/")).unwrap();
    assert!(id.len() == 19 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    assert_eq!(made["displayName"], id, "a name that was not sent is the id");
    for key in ["activationUpdateTime", "revisionCreateTime", "revisionId"] {
        assert!(made[key].is_string(), "{key}");
    }
    assert_eq!((made.get("updateTime"), made.get("active")), (None, None));
    assert_eq!(made["phraseMatchRuleGroups"], json!([group]), "what is set and empty stays");
    assert_eq!(good(&world, "GET", name, &Value::Null).await, made);

    let mask = "type,roleMatch,versionTag,active";
    let body = json!({"type": "ALL_OF", "roleMatch": "END_USER", "versionTag": "v2", "active": true, "displayName": "no"});
    let patched = good(&world, "PATCH", &format!("{name}?updateMask={mask}"), &body).await;
    for (key, value) in [
        ("type", json!("ALL_OF")),
        ("roleMatch", json!("END_USER")),
        ("versionTag", json!("v2")),
        ("active", json!(true)),
    ] {
        assert_eq!(patched[key], value, "{key}");
    }
    assert!(patched["updateTime"].is_string());
    assert_eq!(patched["displayName"], id, "it is not in the mask");

    // Guesses: no recorded matcher is without.
    for body in [
        json!({"type": "ANY_OF"}),
        json!({"type": "ANY_OF", "phraseMatchRuleGroups": [{"type": "ALL_OF", "phraseMatchRules": [{"query": "x"}]}]}),
    ] {
        assert_eq!(bad(&world, "POST", &path, &body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn p13_masks_clear_replace_and_ignore_the_rest() {
    let world = world().await;
    let path = format!("{ID}/conversations?conversationId=mask-1");
    let body = json!({"agentId": "5", "labels": {"a": "1", "b": "2"}, "medium": "CHAT"});
    good(&world, "POST", &path, &body).await;
    let update = format!("{NUMBER}/conversations/mask-1?updateMask=agentId,labels");
    let patched =
        good(&world, "PATCH", &update, &json!({"labels": {"c": "3"}, "medium": "PHONE_CALL"})).await;
    assert_eq!((patched.get("agentId"), &patched["labels"]), (None, &json!({"c": "3"})));
    assert_eq!(patched["medium"], "CHAT");
}

#[tokio::test]
async fn p14_errors_have_a_code_a_message_and_a_status() {
    let world = world().await;
    for (path, status) in [("conversations/none", 404), ("conversations?pageSize=-1", 400)] {
        assert_eq!(bad(&world, "GET", &format!("{ID}/{path}"), &Value::Null).await.0, status);
    }
}
