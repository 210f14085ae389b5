//! The standard methods, the same for every resource that has them.

use serde_json::{Value, json};

use crate::support::{L, World};

/// A resource as its own path below a location, the least that makes one, and an update of it.
struct Resource {
    /// Where it is created and listed.
    path: &'static str,
    body: &'static str,
    /// The query parameter for an id of the caller's choice.
    id: Option<&'static str>,
    /// A mask, and a body with what it names.
    update: Option<(&'static str, &'static str)>,
    /// Whether an update needs a mask.
    needs_mask: bool,
}

const RESOURCES: [Resource; 8] = [
    Resource {
        path: "conversations",
        body: r#"{"agentId": "7"}"#,
        id: Some("conversationId"),
        update: Some(("agentId", r#"{"agentId": "8"}"#)),
        needs_mask: false,
    },
    Resource {
        path: "conversations/call-0001/feedbackLabels",
        body: r#"{"label": "x"}"#,
        id: Some("feedbackLabelId"),
        update: Some(("label", r#"{"label": "y"}"#)),
        needs_mask: true,
    },
    Resource {
        path: "phraseMatchers",
        body: r#"{"type": "ANY_OF", "phraseMatchRuleGroups": [{"type": "ALL_OF", "phraseMatchRules":
            [{"query": "x", "config": {"exactMatchConfig": {}}}]}]}"#,
        id: None,
        update: Some((
            "displayName",
            r#"{"displayName": "y", "type": "ANY_OF", "phraseMatchRuleGroups": [{"type": "ALL_OF"}]}"#,
        )),
        needs_mask: false,
    },
    Resource {
        path: "analysisRules",
        body: r#"{"conversationFilter": "agent_id=\"7\""}"#,
        id: None,
        update: Some(("displayName", r#"{"displayName": "y"}"#)),
        needs_mask: false,
    },
    Resource {
        path: "views",
        body: r#"{"displayName": "x"}"#,
        id: None,
        update: Some(("displayName", r#"{"displayName": "y"}"#)),
        needs_mask: false,
    },
    Resource {
        path: "qaScorecards",
        body: r#"{"displayName": "x"}"#,
        id: Some("qaScorecardId"),
        update: Some(("displayName", r#"{"displayName": "y"}"#)),
        needs_mask: true,
    },
    Resource {
        path: "qaScorecards/card-0002/revisions",
        body: "{}",
        id: Some("qaScorecardRevisionId"),
        update: None,
        needs_mask: false,
    },
    Resource {
        path: "qaScorecards/card-0001/revisions/rev-0001/qaQuestions",
        body: r#"{"questionBody": "x"}"#,
        id: Some("qaQuestionId"),
        update: Some(("questionBody", r#"{"questionBody": "y"}"#)),
        needs_mask: true,
    },
];

impl Resource {
    fn collection(&self) -> String {
        format!("{L}/{}", self.path)
    }

    /// The answer to a request that creates one. A scorecard has one revision that can be edited, so that the one before
    /// is tuned first.
    async fn create(&self, world: &World, path: &str, body: &str) -> (u16, Value) {
        if let Some(card) = self.path.strip_suffix("/revisions") {
            world.tune(&format!("{L}/{card}")).await;
        }
        world.rest("POST", path, body).await
    }

    /// What the list's field is called.
    fn items(&self) -> &str {
        match self.path.rsplit('/').next().unwrap() {
            "revisions" => "qaScorecardRevisions",
            other => other,
        }
    }
}

/// An emulator with what the resources lie below.
async fn world() -> World {
    let world = World::new("immediate").await;
    for (path, body) in [
        ("conversations?conversationId=call-0001", "{}"),
        ("qaScorecards?qaScorecardId=card-0001", "{}"),
        ("qaScorecards?qaScorecardId=card-0002", "{}"),
    ] {
        let (status, answer) = world.rest("POST", &format!("{L}/{path}"), body).await;
        assert_eq!(status, 200, "{answer}");
    }
    world.tune(&format!("{L}/qaScorecards/card-0001")).await;
    let revision = "qaScorecards/card-0001/revisions?qaScorecardRevisionId=rev-0001";
    assert_eq!(world.rest("POST", &format!("{L}/{revision}"), "{}").await.0, 200);
    world
}

fn status(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["status"].as_str().unwrap_or(""))
}

fn name(answer: &(u16, Value)) -> String {
    assert_eq!(answer.0, 200, "{}", answer.1);
    answer.1["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn r25_r27_r29_what_is_created_is_got_and_listed_as_it_is() {
    let world = world().await;
    for resource in &RESOURCES {
        let mut body: Value = serde_json::from_str(resource.body).unwrap();
        body["name"] = json!("ignored");
        let made = resource.create(&world, &resource.collection(), &body.to_string()).await;
        let name = name(&made);
        assert!(name.starts_with(&format!("{}/", resource.collection())), "{name}");
        assert_eq!(world.rest("GET", &name, "").await, (200, made.1.clone()), "r25");
        let (_, list) = world.rest("GET", &resource.collection(), "").await;
        let listed = list[resource.items()].as_array().unwrap();
        assert!(listed.contains(&made.1), "r29: {} {list}", resource.path);
        let times = ["createTime", "revisionCreateTime"];
        assert!(times.iter().any(|time| made.1[time].is_string()), "r36: {}", made.1);
    }
}

#[tokio::test]
async fn r28_r30_ids_are_taken_once_and_have_a_form() {
    let world = world().await;
    for (resource, id) in RESOURCES.iter().filter_map(|resource| Some((resource, resource.id?))) {
        let with = |value: &str| format!("{}?{id}={value}", resource.collection());
        let made = resource.create(&world, &with("my-own-id"), resource.body).await;
        assert!(name(&made).ends_with("/my-own-id"));
        let again = resource.create(&world, &with("my-own-id"), resource.body).await;
        assert_eq!(status(&again), (409, "ALREADY_EXISTS"), "r28: {}", resource.path);
        for bad in ["abc", "UPPER", "with.dot", "a%2Fbcd"] {
            let refused = resource.create(&world, &with(bad), resource.body).await;
            assert_eq!(status(&refused), (400, "INVALID_ARGUMENT"), "r30: {} {bad}", resource.path);
        }
    }
}

#[tokio::test]
async fn r31_r34_r43_updates_set_what_the_mask_names() {
    let world = world().await;
    for resource in &RESOURCES {
        let Some((mask, body)) = resource.update else { continue };
        let made = resource.create(&world, &resource.collection(), resource.body).await;
        let name = name(&made);
        let (code, updated) = world.rest("PATCH", &format!("{name}?updateMask={mask}"), body).await;
        let wanted: Value = serde_json::from_str(body).unwrap();
        assert_eq!((code, &updated[mask]), (200, &wanted[mask]), "r31: {updated}");
        let populated = made.1.as_object().unwrap().keys().all(|key| updated.get(key).is_some());
        assert!(populated, "r31, the response is whole: {updated}");
        assert_eq!(world.rest("GET", &name, "").await, (200, updated.clone()), "r37");
        let unknown = world.rest("PATCH", &format!("{name}?updateMask={mask},colour"), body).await;
        assert_eq!(status(&unknown), (400, "INVALID_ARGUMENT"), "r34: {}", resource.path);
        // The ids of phrase matchers are numbers, and others are refused as such.
        let gone = if resource.path == "phraseMatchers" { "1" } else { "gone-0001" };
        let missing = format!("{}/{gone}?updateMask={mask}", resource.collection());
        assert_eq!(
            status(&world.rest("PATCH", &missing, body).await),
            (404, "NOT_FOUND"),
            "r43: {}",
            resource.path
        );
        let bare = world.rest("PATCH", &name, body).await;
        assert_eq!(
            bare.0,
            if resource.needs_mask { 400 } else { 200 },
            "r32, r38: {} {}",
            resource.path,
            bare.1
        );
        let star = world.rest("PATCH", &format!("{name}?updateMask=*"), body).await;
        assert_eq!((star.0, &star.1[mask]), (200, &wanted[mask]), "r33: {}", star.1);
    }
}

#[tokio::test]
async fn r41_what_is_deleted_is_gone() {
    let world = world().await;
    for resource in &RESOURCES {
        let made = resource.create(&world, &resource.collection(), resource.body).await;
        let name = name(&made);
        assert_eq!(world.rest("DELETE", &name, "").await, (200, json!({})), "{}", resource.path);
        assert_eq!(status(&world.rest("DELETE", &name, "").await), (404, "NOT_FOUND"), "{}", resource.path);
        assert_eq!(status(&world.rest("GET", &name, "").await), (404, "NOT_FOUND"), "{}", resource.path);
    }
}

#[tokio::test]
async fn r12_to_r18_every_list_pages_alike() {
    let world = world().await;
    for resource in &RESOURCES {
        let mut names = Vec::new();
        for _ in 0..5 {
            names.push(name(&resource.create(&world, &resource.collection(), resource.body).await));
        }
        let list = |query: String| {
            let (world, path) = (&world, format!("{}?{query}", resource.collection()));
            async move { world.rest("GET", &path, "").await }
        };
        let (mut seen, mut token, mut first) = (Vec::new(), String::new(), String::new());
        for size in [1, 2, 3].iter().cycle() {
            let (code, page) = list(format!("pageSize={size}&pageToken={token}")).await;
            assert_eq!(code, 200, "{page}");
            let items = page[resource.items()].as_array().unwrap();
            assert!(items.len() <= *size, "r16");
            seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            token = page["nextPageToken"].as_str().unwrap_or("").to_owned();
            first = if first.is_empty() { token.clone() } else { first };
            if token.is_empty() {
                break;
            }
        }
        assert!(
            names.iter().all(|name| seen.iter().filter(|found| *found == name).count() == 1),
            "r15: {seen:?}"
        );
        let (_, whole) = list("pageSize=0".into()).await;
        assert_eq!(whole[resource.items()].as_array().unwrap().len(), seen.len(), "r12");
        assert_eq!(
            list("pageSize=2000000000".into()).await.1[resource.items()],
            whole[resource.items()],
            "r13"
        );
        for query in ["pageSize=-1", "pageToken=garbage", "pageToken=%21"] {
            assert_eq!(status(&list(query.into()).await), (400, "INVALID_ARGUMENT"), "r14, r18: {query}");
        }
        let elsewhere = format!("projects/other/locations/us/{}?pageToken={first}", resource.path);
        let (code, refused) = world.rest("GET", &elsewhere, "").await;
        // A parent that is not there is told first.
        assert!(code == 400 || (code == 404 && resource.path.contains('/')), "r17: {refused}");
    }
}

#[tokio::test]
async fn parents_must_be_there() {
    let world = world().await;
    for resource in RESOURCES.iter().filter(|resource| resource.path.contains('/')) {
        let path = format!("{L}/{}", resource.path.replacen("0001", "9999", 1).replacen("0002", "9999", 1));
        assert_eq!(status(&world.rest("POST", &path, resource.body).await), (404, "NOT_FOUND"), "{path}");
        assert_eq!(status(&world.rest("GET", &path, "").await), (404, "NOT_FOUND"), "{path}");
    }
}
