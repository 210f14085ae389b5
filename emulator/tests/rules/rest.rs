//! JSON over HTTP, as official clients send it.

use serde_json::json;

use crate::support::{L, World};

#[tokio::test]
async fn r46_both_additional_bindings_lead_to_their_methods() {
    let world = World::new("immediate").await;
    let view = format!("{L}/authorizedViewSet/s/authorizedView/v");
    for (verb, path) in [("GET", format!("{view}:calculateStats")), ("POST", format!("{view}:queryMetrics"))]
    {
        let (code, answer) = world.rest(verb, &path, "{}").await;
        assert_ne!((code, &answer["error"]["details"][0]["reason"]), (404, &json!("UNKNOWN_PATH")), "{path}");
    }
}

#[tokio::test]
async fn r47_masks_come_in_both_cases_and_lists_take_clients_empty_fields() {
    let world = World::new("immediate").await;
    let path = format!("{L}/conversations?conversationId=call-0001&$alt=json;enum-encoding=int");
    let (_, made) = world.rest("POST", &path, r#"{"medium": 2, "labels": {}, "agentId": "7"}"#).await;
    assert_eq!(made["medium"], 2);
    let name = made["name"].as_str().unwrap();
    for mask in ["agentId%2ClanguageCode", "agent_id,language_code", "agentId&updateMask=languageCode"] {
        let (code, set) =
            world.rest("PATCH", &format!("{name}?updateMask={mask}"), r#"{"agentId": "8"}"#).await;
        if mask.contains('&') {
            assert_eq!(code, 400, "a mask is one parameter: {set}");
        } else {
            assert_eq!((code, &set["agentId"], set.get("languageCode")), (200, &json!("8"), None), "{mask}");
        }
    }
    let empty = "conversations?filter=&orderBy=&pageToken=&pageSize=0&view=0";
    assert_eq!(world.rest("GET", &format!("{L}/{empty}"), "").await.0, 200);
    let spaced = "conversations?filter=agent_id%3D%228%22+medium%3D%22CHAT%22";
    let (_, found) = world.rest("GET", &format!("{L}/{spaced}"), "").await;
    assert_eq!(found["conversations"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn r48_what_the_path_or_the_body_binds_is_no_query_parameter() {
    let world = World::new("immediate").await;
    for (verb, path) in [
        ("GET", format!("{L}/views/1?name=x")),
        ("PATCH", format!("{L}/settings?settings.languageCode=de&updateMask=languageCode")),
        ("POST", format!("{L}/conversations:upload?conversationId=call-0001")),
        ("GET", format!("{L}/views?parent=projects/p/locations/us")),
    ] {
        let (code, refused) = world.rest(verb, &path, "{}").await;
        assert_eq!(
            (code, &refused["error"]["details"][0]["reason"]),
            (400, &json!("INVALID_QUERY_PARAMETER")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn r55_bodies_are_strict_and_long_numbers_are_strings() {
    let world = World::new("immediate").await;
    let (code, refused) =
        world.rest("POST", &format!("{L}/views"), r#"{"displayName": "x", "colour": "red"}"#).await;
    assert!(code == 400 && refused["error"]["message"].as_str().unwrap().contains("colour"), "{refused}");
    for agent in ["1", "2"] {
        world.rest("POST", &format!("{L}/conversations"), &json!({ "agentId": agent }).to_string()).await;
    }
    let (_, done) = world.rest("POST", &format!("{L}/issueModels"), r#"{"modelType": "TYPE_V2"}"#).await;
    assert!(done["response"]["@type"].as_str().unwrap().ends_with("v1.IssueModel"), "{done}");
    assert!(done["response"]["inputDataConfig"]["trainingConversationsCount"].is_string());
}
