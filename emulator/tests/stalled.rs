//! A reader who takes no answers is given a bounded amount of them, and no others until it does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use contact_center_insights::proto::longrunning::Operation;
use h2::client;
use http::Request;
use serde_json::json;
use support::{L, World, builder, seed};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const ANSWER: usize = 1024 * 1024;
const CALLS: usize = 100;
/// What a connection may leave unread, in answers.
const UNREAD: usize = 64;

#[tokio::test]
async fn answers_that_nobody_reads_are_bounded() {
    let name = format!("{L}/conversations/large");
    let segment = json!({"text": "x".repeat(ANSWER)});
    let large = json!({"name": name, "transcript": {"transcriptSegments": [segment]}});
    let seed = seed(&json!({ "conversations": [large] }).to_string());
    let world = World::of(builder().with_seed(seed).start().await.unwrap());
    let operation = Operation { name: format!("{L}/operations/1"), ..Operation::default() };
    world.emulator.put_operation(operation).unwrap();

    let stream = TcpStream::connect(world.emulator.address()).await.unwrap();
    let builder = client::Builder::new().initial_window_size(0).initial_max_send_streams(CALLS).clone();
    let (mut requests, connection) = builder.handshake::<_, bytes::Bytes>(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let (tell, mut told) = mpsc::unbounded_channel();
    for _ in 0..CALLS {
        let uri = format!("{}/v1/{name}", world.emulator.endpoint());
        let (answer, _) = requests.send_request(Request::get(uri).body(()).unwrap(), true).unwrap();
        let tell = tell.clone();
        tokio::spawn(async move {
            // The head comes whether there is a window or not.
            let _ = tell.send(answer.await.unwrap());
        });
    }
    let mut unread = Vec::new();
    while unread.len() < UNREAD {
        unread.push(told.recv().await.unwrap());
    }
    // All have come, and others are answered meanwhile.
    while world.emulator.journal().entries().len() < CALLS {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        let (code, _) = world.rest("GET", &format!("{L}/operations/1"), "").await;
        assert_eq!(code, 200);
    }
    // Each that is let in has its method in the journal; as many as there are processors may be let in too early.
    let begun = world.emulator.journal().calls("GetConversation").len();
    assert!((UNREAD..CALLS - 10).contains(&begun), "{begun}");

    // Whoever lets go of what was not read is answered again.
    unread.clear();
    for _ in UNREAD..CALLS {
        let answer = told.recv().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    drop(requests);
    connection.abort();
}
