//! One client's dear calls do not keep another waiting, in a runtime of one thread too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use contact_center_insights::proto::longrunning::GetOperationRequest;
use contact_center_insights::proto::longrunning::Operation;
use serde_json::{Value, json};
use support::{L, World, builder, http, seed};
use tokio::sync::oneshot;

/// Conversations with many labels, and an operation to ask for.
async fn world(conversations: usize) -> World {
    let labels: serde_json::Map<String, Value> =
        (0..60).map(|key| (format!("key{key}"), json!("value"))).collect();
    let conversation =
        |number: usize| json!({"name": format!("{L}/conversations/call-{number:05}"), "labels": labels});
    let all: Vec<Value> = (0..conversations).map(conversation).collect();
    let seed = seed(&json!({ "conversations": all }).to_string());
    let emulator = builder().with_seed(seed).start().await.unwrap();
    emulator.put_operation(Operation { name: format!("{L}/operations/1"), ..Operation::default() }).unwrap();
    World::of(emulator)
}

/// Sends a dear call on a connection of its own, and then asks for operations until it is answered; gives how often they
/// were answered before it, and its status.
async fn answered_meanwhile(world: &World, verb: &str, path: &str, body: String) -> (usize, u16) {
    let url = format!("{}/v1/{path}", world.emulator.endpoint());
    let request = http().build().unwrap().request(verb.parse().unwrap(), url).body(body);
    let (tell, mut told) = oneshot::channel();
    let dear = tokio::spawn(async move {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let _ = tell.send(());
        let _ = answer.bytes().await.unwrap();
        status
    });
    let mut operations = world.operations.clone();
    let mut answered = 0;
    while told.try_recv().is_err() {
        let request = GetOperationRequest { name: format!("{L}/operations/1") };
        operations.get_operation(request).await.unwrap();
        answered += 1;
    }
    (answered, dear.await.unwrap())
}

#[tokio::test]
async fn a_filter_that_looks_at_much_keeps_nobody_waiting() {
    let world = world(30).await;
    let comparisons: Vec<String> =
        (0..1000).map(|number| format!("labels.key{}%3D%22{number}%22", number % 60)).collect();
    let path = format!("{L}/conversations?filter={}", comparisons.join("%20OR%20"));
    let (answered, status) = answered_meanwhile(&world, "GET", &path, String::new()).await;
    assert_eq!(status, 200);
    // Inline, one or two would be answered: before the call has come, and after it.
    assert!(answered > 4, "{answered}");
}

#[tokio::test]
async fn an_analysis_keeps_nobody_waiting() {
    let world = world(1).await;
    let said = "I called about order 4711 of Acme Shipping, and paid $20.50 for a refund that is terrible. ";
    let segment = json!({"text": said, "segmentParticipant": {"role": "END_USER"}});
    let conversation = json!({
        "name": format!("{L}/conversations/large"),
        "transcript": {"transcriptSegments": vec![segment; 4000]},
    });
    world.emulator.apply_seed(seed(&json!({ "conversations": [conversation] }).to_string())).unwrap();
    let (_, started) = world.rest("POST", &format!("{L}/conversations/large/analyses"), "{}").await;
    let name = started["name"].as_str().unwrap().to_owned();
    // Of two polls the second ends it.
    assert_eq!(world.rest("GET", &name, "").await.1["done"], Value::Null);
    let (answered, status) = answered_meanwhile(&world, "GET", &name, String::new()).await;
    assert_eq!(status, 200);
    assert!(answered > 4, "{answered}");
    let (_, conversation) = world.rest("GET", &format!("{L}/conversations/large?view=BASIC"), "").await;
    let analysis = &conversation["latestAnalysis"]["analysisResult"]["callAnalysisMetadata"];
    assert!(!analysis["annotations"].as_array().unwrap().is_empty(), "{analysis}");
    assert!(conversation.to_string().len() < 3_000_000);
}

#[tokio::test]
async fn a_long_list_is_whole_and_in_pages() {
    const COUNT: usize = 3000;
    let world = world(COUNT).await;
    let (code, whole) = world.rest("GET", &format!("{L}/conversations?pageSize=100000"), "").await;
    assert_eq!((code, whole["conversations"].as_array().unwrap().len()), (200, COUNT));
    assert_eq!(whole["nextPageToken"], Value::Null);
    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("{L}/conversations?pageSize=700&pageToken={token}");
        let (_, page) = world.rest("GET", &path, "").await;
        paged.extend(page["conversations"].as_array().unwrap().clone());
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(Value::Array(paged), whole["conversations"]);
    for terms in [1, 10, 11, 1000] {
        let order = vec!["turn_count"; terms].join(",");
        let (code, refused) =
            world.rest("GET", &format!("{L}/conversations?orderBy={order}&pageSize=1"), "").await;
        assert_eq!(code, if terms > 10 { 400 } else { 200 }, "{refused}");
    }
}
