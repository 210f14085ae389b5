//! What the admin API gives out it takes back, though it is larger than any request of the API itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use contact_center_insights::proto::insights::{CreateViewRequest, View};
use serde_json::{Value, json};
use support::{L, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Of a request of the API, in bytes.
const USUAL: usize = 64 * 1024 * 1024;
/// What is there: more than that, of which each part is less.
const VIEWS: usize = 5;
const VALUE: usize = 13 << 20;
const LONG: Duration = Duration::from_mins(1);

fn url(world: &World, path: &str) -> String {
    format!("{}/_emulator/v1/{path}", world.emulator.endpoint())
}

async fn text(world: &World, path: &str) -> String {
    world.http.get(url(world, path)).send().await.unwrap().text().await.unwrap()
}

/// Status and JSON of what is posted.
async fn post(world: &World, url: String, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let answer = world.http.post(url).body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A message of gRPC as it is sent.
fn framed(message: &[u8]) -> Vec<u8> {
    [&[0], &u32::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// The code and the message of an answer of the admin API over gRPC.
async fn grpc(world: &World, method: &str, request: Vec<u8>) -> (String, Bytes) {
    let client = support::http().http2_prior_knowledge().build().unwrap();
    let url =
        format!("{}/contactcenterinsights.emulator.v1.EmulatorAdmin/{method}", world.emulator.endpoint());
    let call = client.post(url).header("content-type", "application/grpc").header("te", "trailers");
    let answer = call.body(framed(&request)).send().await.unwrap();
    let code = answer.headers().get("grpc-status").map_or("0", |code| code.to_str().unwrap()).to_owned();
    let body = answer.bytes().await.unwrap();
    (code, if body.is_empty() { body } else { body.slice(5..) })
}

/// Asserts that an emulator has the views of the other, and then has nothing.
async fn has_all(world: &World) {
    let status: Value = serde_json::from_str(&text(world, "status").await).unwrap();
    assert_eq!(status["resources"], VIEWS.to_string());
    // Of so many bytes, a page has some.
    let (_, listed) = world.rest("GET", &format!("{L}/views?fields=views.name"), "").await;
    let (_, view) = world.rest("GET", listed["views"][0]["name"].as_str().unwrap(), "").await;
    assert_eq!(view["value"].as_str().map(str::len), Some(VALUE));
    world.emulator.reset(None).unwrap();
}

#[tokio::test]
async fn what_is_given_out_is_taken_back_however_large() {
    let (first, second) = (World::new("immediate").await, World::new("immediate").await);
    let mut insights = first.insights.clone().max_decoding_message_size(USUAL);
    let value = "v".repeat(VALUE);
    for _ in 0..VIEWS {
        let view = Some(View { value: value.clone(), ..View::default() });
        insights.create_view(CreateViewRequest { parent: L.into(), view }).await.unwrap();
    }
    let snapshot = text(&first, "snapshot").await;
    assert!(snapshot.len() > USUAL, "{}", snapshot.len());
    assert_eq!(post(&second, url(&second, "restore"), snapshot).await, (200, json!({})));
    has_all(&second).await;

    let export = text(&first, "export").await;
    assert!(export.len() > USUAL, "{}", export.len());
    assert_eq!(post(&second, url(&second, "seed"), export).await, (200, json!({})));
    has_all(&second).await;

    let (code, state) = grpc(&first, "TakeSnapshot", Vec::new()).await;
    assert!(code == "0" && state.len() > USUAL, "{code} {}", state.len());
    assert_eq!(grpc(&second, "RestoreSnapshot", state.to_vec()).await, ("0".to_owned(), Bytes::new()));
    has_all(&second).await;
}

#[tokio::test]
async fn what_is_taken_back_has_a_bound_and_nothing_else_grows() {
    let world = World::new("immediate").await;
    let padded = |text: &str| format!("{text}{}", " ".repeat(USUAL));
    // Of no use, but read to its end.
    let (status, answer) = post(&world, url(&world, "restore"), padded(r#"{"state": "AAAA"}"#)).await;
    assert_eq!((status, &answer["error"]["details"][0]["reason"]), (400, &json!("BAD_SNAPSHOT")));
    assert_eq!(post(&world, url(&world, "seed"), padded("{}")).await, (200, json!({})));
    let conversations = format!("{}/v1/{L}/conversations", world.emulator.endpoint());
    for url in [conversations, url(&world, "faults")] {
        let (status, answer) = post(&world, url, padded("{}")).await;
        assert_eq!((status, &answer["error"]["details"][0]["reason"]), (413, &json!("BODY_TOO_LARGE")));
    }
    let (code, _) = grpc(&world, "AddFaults", vec![0; USUAL + 1]).await;
    assert_eq!(code, "11", "OUT_OF_RANGE");

    // Whoever asks first, as curl does, is refused before anything is sent.
    let mut stream = TcpStream::connect(world.emulator.address()).await.unwrap();
    let length = (1_u64 << 30) + 1;
    let head = "POST /_emulator/v1/restore HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue";
    let head = format!("{head}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    timeout(LONG, stream.read_exact(&mut answer)).await.expect("it is answered").unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}
