//! Lists: order, filters and pages together.

use contact_center_insights_emulator::Emulator;
use serde_json::{Value, json};

use crate::support::{L, World, seed};

async fn world() -> World {
    let conversation = |n: u32| {
        json!({
            "name": format!("{L}/conversations/call-{n:04}"),
            "createTime": format!("2026-01-01T00:00:{:02}Z", n % 7),
            "startTime": format!("2026-01-02T00:00:{:02}Z", (n * 5) % 9),
            "duration": format!("{}s", (n * 7) % 11),
            "turnCount": n % 4,
            "agentId": format!("{}", n % 3),
            "qualityMetadata": {"customerSatisfactionRating": n % 5},
            "latestAnalysis": {"createTime": format!("2026-01-03T00:00:{:02}Z", (n * 3) % 13)},
        })
    };
    let all: Vec<Value> = (0..23).map(conversation).collect();
    World::of(
        Emulator::builder()
            .with_seed(seed(&json!({"conversations": all}).to_string()))
            .start()
            .await
            .unwrap(),
    )
}

async fn walk(world: &World, query: &str) -> Vec<Value> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (code, page) =
            world.rest("GET", &format!("{L}/conversations?{query}&pageSize=4&pageToken={token}"), "").await;
        assert_eq!(code, 200, "{page}");
        all.extend(page["conversations"].as_array().cloned().unwrap_or_default());
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return all,
        }
    }
}

#[tokio::test]
async fn r20_the_six_orders_go_both_ways_and_every_page_goes_on() {
    let world = world().await;
    let keys = [
        ("create_time", "/createTime"),
        ("start_time", "/startTime"),
        ("customer_satisfaction_rating", "/qualityMetadata/customerSatisfactionRating"),
        ("duration", "/duration"),
        ("turn_count", "/turnCount"),
        ("latest_analysis", "/latestAnalysis/createTime"),
    ];
    let number = |value: &Value| match value {
        Value::String(text) if text.ends_with('s') => text.trim_end_matches('s').parse().unwrap(),
        Value::String(time) => {
            time.bytes().filter(u8::is_ascii_digit).fold(0.0, |n, d| n * 10.0 + f64::from(d - b'0'))
        }
        other => other.as_f64().unwrap_or(0.0),
    };
    for (order, key) in keys {
        for (text, sign) in [("", 1.0), ("%20asc", 1.0), ("%20desc", -1.0)] {
            let found = walk(&world, &format!("orderBy={order}{text}")).await;
            let values: Vec<f64> =
                found.iter().map(|c| sign * number(c.pointer(key).unwrap_or(&Value::Null))).collect();
            assert!(found.len() == 23 && values.is_sorted(), "{order}{text}: {values:?}");
        }
    }
    let newest: Vec<Value> = walk(&world, "").await.iter().map(|c| c["createTime"].clone()).collect();
    assert!(newest.iter().rev().is_sorted_by(|a, b| a.as_str() <= b.as_str()), "{newest:?}");
    for bad in ["colour", "turn_count%20up", "turn_count%20desc%20desc"] {
        assert_eq!(world.rest("GET", &format!("{L}/conversations?orderBy={bad}"), "").await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn r17_a_token_holds_for_its_filter_and_order_alone() {
    let world = world().await;
    let list = |query: String| {
        let world = &world;
        async move { world.rest("GET", &format!("{L}/conversations?{query}"), "").await }
    };
    let (_, page) = list("filter=agent_id%3D%221%22&orderBy=duration&pageSize=2".into()).await;
    let token = page["nextPageToken"].as_str().unwrap().to_owned();
    let same = "filter=agent_id%3D%221%22&orderBy=duration";
    assert_eq!(list(format!("{same}&pageSize=9&pageToken={token}")).await.0, 200, "r16");
    for other in
        ["filter=agent_id%3D%222%22&orderBy=duration", "filter=agent_id%3D%221%22", "orderBy=duration"]
    {
        let (code, refused) = list(format!("{other}&pageToken={token}")).await;
        assert_eq!((code, &refused["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{other}");
    }
}

#[tokio::test]
async fn r22_a_bad_filter_is_refused_and_a_good_one_selects() {
    let world = world().await;
    let found = walk(&world, "filter=agent_id%3D%221%22%20turn_count%3E%3D%222%22").await;
    assert!(
        !found.is_empty()
            && found.iter().all(|c| c["agentId"] == "1" && c["turnCount"].as_i64().unwrap() >= 2)
    );
    for bad in [
        "colour%3D1",
        "turn_count%3D%22many%22",
        "create_time%3E%22yesterday%22",
        "medium%3D%22LETTER%22",
        "%28",
    ] {
        let (code, refused) = world.rest("GET", &format!("{L}/conversations?filter={bad}"), "").await;
        assert_eq!((code, &refused["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{bad}");
    }
}

/// The ids of the conversations that a filter asks for, told by their numbers.
async fn numbers(world: &World, filter: &str) -> Vec<u32> {
    let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
    let found = walk(world, &format!("filter={encoded}")).await;
    let number = |c: &Value| c["name"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
    let mut numbers: Vec<u32> = found.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn r21_or_binds_tighter_than_and_and_not_negates() {
    let world = world().await;
    let wanted = |test: fn(u32) -> bool| (0..23).filter(|n| test(*n)).collect::<Vec<u32>>();
    for (filter, test) in [
        (
            r#"agent_id="1" OR agent_id="2" AND turn_count="3""#,
            (|n| n % 3 != 0 && n % 4 == 3) as fn(u32) -> bool,
        ),
        (r#"turn_count="3" AND agent_id="1" OR agent_id="2""#, |n| n % 3 != 0 && n % 4 == 3),
        (r#"NOT agent_id="1""#, |n| n % 3 != 1),
        (r#"-agent_id="1" turn_count="2""#, |n| n % 3 != 1 && n % 4 == 2),
        (r#"-(agent_id="1" OR turn_count="2")"#, |n| n % 3 != 1 && n % 4 != 2),
        (r#"quality_metadata:"customer_satisfaction_rating""#, |n| n % 5 != 0),
    ] {
        assert_eq!(numbers(&world, filter).await, wanted(test), "{filter}");
    }
}

#[tokio::test]
async fn r23_a_message_that_is_unset_matches_nothing() {
    let bare = json!({"name": format!("{L}/conversations/call-0001")});
    let analysed = json!({
        "name": format!("{L}/conversations/call-0002"),
        "latestAnalysis": {"name": "y"},
        "qualityMetadata": {"customerSatisfactionRating": 4},
    });
    let text = json!({"conversations": [bare, analysed]}).to_string();
    let world = World::of(Emulator::builder().with_seed(seed(&text)).start().await.unwrap());
    for field in ["latest_analysis.name", "quality_metadata.menu_path"] {
        assert_eq!(numbers(&world, &format!(r#"{field}!="x""#)).await, [2], "{field}");
        assert_eq!(numbers(&world, &format!(r#"{field}="x""#)).await, [0; 0], "{field}");
    }
    assert_eq!(numbers(&world, r#"NOT latest_analysis.name="y""#).await, [1]);
}

#[tokio::test]
async fn r24_lists_are_looked_into_by_has_alone() {
    let conversation = json!({
        "name": format!("{L}/conversations/call-0001"),
        "qualityMetadata": {"agentInfo": [{"agentId": "a"}, {"agentId": "b", "teams": ["red"]}]},
    });
    let text = json!({"conversations": [conversation]}).to_string();
    let world = World::of(Emulator::builder().with_seed(seed(&text)).start().await.unwrap());
    assert_eq!(numbers(&world, r#"quality_metadata.agent_info.agent_id:"b""#).await, [1]);
    assert_eq!(numbers(&world, r#"quality_metadata.agent_info.teams:"blue""#).await, [0; 0]);
    for bad in ["agent_info.agent_id=b", "agent_info.teams=red", "agent_info.0.agent_id:a"] {
        let path = format!("{L}/conversations?filter=quality_metadata.{}", bad.replace('=', "%3D"));
        let (code, refused) = world.rest("GET", &path, "").await;
        assert_eq!((code, &refused["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{bad}");
    }
}
