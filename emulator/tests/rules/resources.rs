//! What resources have of their own: children, expiry, revisions, settings.

use std::time::Duration;

use contact_center_insights_emulator::{Emulator, ManualClock};
use serde_json::json;

use crate::support::{L, World};

#[tokio::test]
async fn r42_children_keep_a_parent_unless_it_is_forced() {
    let world = World::new("immediate").await;
    let (card, revision) = (format!("{L}/qaScorecards/card-0001"), "revisions/rev-0001");
    assert_eq!(world.rest("POST", &format!("{L}/qaScorecards?qaScorecardId=card-0001"), "{}").await.0, 200);
    world.tune(&card).await;
    for path in [
        "qaScorecards/card-0001/revisions?qaScorecardRevisionId=rev-0001",
        "qaScorecards/card-0001/revisions/rev-0001/qaQuestions?qaQuestionId=question-1",
    ] {
        assert_eq!(world.rest("POST", &format!("{L}/{path}"), "{}").await.0, 200);
    }
    for name in [card.clone(), format!("{card}/{revision}")] {
        let (code, refused) = world.rest("DELETE", &name, "").await;
        assert_eq!((code, &refused["error"]["status"]), (400, &json!("FAILED_PRECONDITION")), "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains("`force`"));
    }
    assert_eq!(world.rest("DELETE", &format!("{card}?force=true"), "").await, (200, json!({})));
    assert_eq!(world.rest("GET", &format!("{card}/{revision}/qaQuestions/question-1"), "").await.0, 404);
}

#[tokio::test]
async fn r40_what_is_input_only_is_never_shown() {
    let world = World::new("immediate").await;
    let body = r#"{"ttl": "60s", "metadataJson": "{}", "agentId": "7"}"#;
    let (code, made) = world.rest("POST", &format!("{L}/conversations"), body).await;
    assert!(code == 200 && made["expireTime"].is_string(), "it is used: {made}");
    let name = made["name"].as_str().unwrap();
    let patch = format!("{name}?updateMask=ttl,agentId");
    let (code, updated) = world.rest("PATCH", &patch, r#"{"ttl": "90s", "agentId": "8"}"#).await;
    assert_eq!(code, 200, "{updated}");
    let (_, got) = world.rest("GET", name, "").await;
    let (_, list) = world.rest("GET", &format!("{L}/conversations?view=FULL"), "").await;
    for shown in [&made, &updated, &got, &list["conversations"][0]] {
        assert_eq!((shown.get("ttl"), shown.get("metadataJson")), (None, None), "{shown}");
    }
}

#[tokio::test]
async fn conversations_expire_on_the_emulators_clock() {
    let clock = ManualClock::default();
    let world = World::of(Emulator::builder().with_clock(clock.clone()).start().await.unwrap());
    let create = |id: &str, body: &str| {
        let (path, body) = (format!("{L}/conversations?conversationId={id}"), body.to_owned());
        let world = &world;
        async move { world.rest("POST", &path, &body).await }
    };
    assert_eq!(create("call-0001", r#"{"ttl": "60s"}"#).await.0, 200);
    assert_eq!(create("call-0002", "{}").await.1.get("expireTime"), None);
    let settings = format!("{L}/settings?updateMask=conversationTtl");
    assert_eq!(world.rest("PATCH", &settings, r#"{"conversationTtl": "3600s"}"#).await.0, 200);
    assert!(create("call-0003", "{}").await.1["expireTime"].is_string(), "the settings' time to live");
    let ids = || async {
        let (_, list) = world.rest("GET", &format!("{L}/conversations"), "").await;
        let list = list["conversations"].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|c| c["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids().await, ["call-0003", "call-0002", "call-0001"]);
    clock.advance(Duration::from_mins(1));
    assert_eq!(ids().await, ["call-0003", "call-0002"]);
    assert_eq!(world.rest("GET", &format!("{L}/conversations/call-0001"), "").await.0, 404);
    clock.advance(Duration::from_hours(1));
    assert_eq!(ids().await, ["call-0002"]);
    for ttl in ["0s", "-5s", "315576000000s"] {
        let (code, refused) = create("call-0009", &json!({ "ttl": ttl }).to_string()).await;
        assert_eq!(code, 400, "{ttl}: {refused}");
    }
}

#[tokio::test]
async fn settings_are_there_from_the_start() {
    let world = World::new("immediate").await;
    let name = format!("{L}/settings");
    assert_eq!(world.rest("GET", &name, "").await, (200, json!({ "name": name })));
    let body =
        r#"{"pubsubNotificationSettings": {"create-analysis": "projects/p/topics/t"}, "languageCode": "de"}"#;
    let mask = "updateMask=pubsubNotificationSettings";
    let (code, set) = world.rest("PATCH", &format!("{name}?{mask}"), body).await;
    assert_eq!(
        (code, &set["pubsubNotificationSettings"]["create-analysis"]),
        (200, &json!("projects/p/topics/t"))
    );
    assert_eq!((set.get("languageCode"), set["createTime"].is_string()), (None, true), "{set}");
    assert_eq!(world.rest("GET", &name, "").await.1, set);
    let body = r#"{"analysisConfig": {"uploadConversationAnalysisPercentage": 101}}"#;
    let (code, refused) = world.rest("PATCH", &format!("{name}?updateMask=analysisConfig"), body).await;
    assert!(code == 400 && refused["error"]["message"].as_str().unwrap().contains("101"), "{refused}");
}

#[tokio::test]
async fn each_change_of_a_phrase_matcher_makes_a_revision_but_that_of_being_active() {
    let clock = ManualClock::default();
    let world = World::of(Emulator::builder().with_clock(clock.clone()).start().await.unwrap());
    let rule = json!({"query": "x", "config": {"exactMatchConfig": {}}});
    let group = json!({"type": "ALL_OF", "phraseMatchRules": [rule]});
    let body = json!({"type": "ALL_OF", "phraseMatchRuleGroups": [group]}).to_string();
    let (_, made) = world.rest("POST", &format!("{L}/phraseMatchers"), &body).await;
    let name = made["name"].as_str().unwrap();
    let patch = |mask: &'static str, body: &'static str| {
        let (world, clock, path) = (&world, &clock, format!("{name}?updateMask={mask}"));
        async move {
            clock.advance(Duration::from_secs(1));
            world.rest("PATCH", &path, body).await.1
        }
    };
    let active = patch("active", r#"{"active": true, "type": "ALL_OF"}"#).await;
    assert_eq!(active["revisionId"], made["revisionId"]);
    assert_ne!(active["activationUpdateTime"], made["activationUpdateTime"]);
    let renamed = patch("displayName", r#"{"displayName": "x", "type": "ALL_OF"}"#).await;
    assert_ne!(renamed["revisionId"], made["revisionId"]);
    assert_eq!(renamed["activationUpdateTime"], active["activationUpdateTime"]);
    let same = patch("displayName", r#"{"displayName": "x", "type": "ALL_OF"}"#).await;
    assert_eq!(same["revisionId"], renamed["revisionId"]);
}

#[tokio::test]
async fn one_revision_of_a_scorecard_is_in_use_at_a_time() {
    let world = World::new("immediate").await;
    let card = format!("{L}/qaScorecards/card-0001");
    assert_eq!(world.rest("POST", &format!("{L}/qaScorecards?qaScorecardId=card-0001"), "{}").await.0, 200);
    for id in ["rev-0001", "rev-0002"] {
        world.tune(&card).await;
        let path = format!("{card}/revisions?qaScorecardRevisionId={id}");
        let (_, made) = world.rest("POST", &path, "{}").await;
        assert_eq!((&made["state"], &made["snapshot"]["name"]), (&json!("EDITABLE"), &json!(card)));
        let verb = format!("{card}/revisions/{id}:deploy");
        world.tune(&card).await;
        let (_, deployed) = world.rest("POST", &verb, "{}").await;
        assert_eq!(deployed["alternateIds"], json!(["latest", "default"]));
        assert_eq!(deployed["state"], "READY");
    }
    let question = format!("{card}/revisions/rev-0002/qaQuestions");
    assert_eq!(world.rest("POST", &question, "{}").await.0, 400, "no longer editable");
    let first = world.rest("GET", &format!("{card}/revisions/rev-0001"), "").await.1;
    assert_eq!(first.get("alternateIds"), None, "{first}");
    for id in ["latest", "default"] {
        let (_, found) = world.rest("GET", &format!("{card}/revisions/{id}"), "").await;
        assert_eq!(found["name"], format!("{card}/revisions/rev-0002"));
    }
    let undeploy = format!("{card}/revisions/rev-0002:undeploy");
    assert_eq!(world.rest("POST", &undeploy, "{}").await.1["alternateIds"], json!(["latest"]));
    let (code, refused) = world.rest("POST", &undeploy, "{}").await;
    assert_eq!((code, &refused["error"]["status"]), (400, &json!("FAILED_PRECONDITION")));
    assert_eq!(
        world.rest("GET", &format!("{L}/qaScorecards/-/revisions"), "").await.1["qaScorecardRevisions"]
            .as_array()
            .unwrap()
            .len(),
        3,
        "with the one that a scorecard begins with"
    );
}

#[tokio::test]
async fn labels_of_all_conversations_are_listed_together() {
    let world = World::new("immediate").await;
    for id in ["call-0001", "call-0002"] {
        world.rest("POST", &format!("{L}/conversations?conversationId={id}"), "{}").await;
        let labels = format!("{L}/conversations/{id}/feedbackLabels");
        assert_eq!(world.rest("POST", &labels, r#"{"label": "x"}"#).await.0, 200);
    }
    let (_, all) = world.rest("GET", &format!("{L}:listAllFeedbackLabels?pageSize=1"), "").await;
    assert_eq!(all["feedbackLabels"].as_array().unwrap().len(), 1);
    let token = all["nextPageToken"].as_str().unwrap();
    let (_, rest) = world.rest("GET", &format!("{L}:listAllFeedbackLabels?pageToken={token}"), "").await;
    assert_eq!((rest["feedbackLabels"].as_array().unwrap().len(), rest.get("nextPageToken")), (1, None));
}
