//! What a fault leaves behind: calls that are executed before a delay, replies of other servers, connections that retire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use contact_center_insights::Code;
use contact_center_insights::proto::insights::{Conversation, CreateConversationRequest};
use contact_center_insights_emulator::{Break, Emulator, Fault};
use support::{L, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Nothing here takes so long.
const LONG: Duration = Duration::from_secs(20);

/// An emulator with this fault for creations.
async fn world(fault: Fault) -> World {
    let fault = fault.with_method("CreateConversation");
    World::of(Emulator::builder().with_fault(fault).start().await.unwrap())
}

fn request() -> CreateConversationRequest {
    let conversation = Some(Conversation::default());
    CreateConversationRequest { parent: L.into(), conversation, conversation_id: "call-0001".into() }
}

async fn is_there(world: &World) -> bool {
    world.rest("GET", &format!("{L}/conversations/call-0001"), "").await.0 == 200
}

/// What can be done to a call that is executed all the same.
fn faults() -> [Fault; 4] {
    [
        Fault::code(Code::Unavailable, "x"),
        Fault::transport(Break::Abort),
        Fault::transport(Break::Half(None)),
        Fault::delay(Duration::ZERO),
    ]
}

#[tokio::test]
async fn a_call_is_executed_before_the_delay_and_stays_so_when_its_caller_leaves() {
    for fault in faults() {
        let world = world(fault.with_delay(Duration::from_hours(1)).after_execution()).await;
        let mut insights = world.insights.clone();
        let call = tokio::spawn(async move { insights.create_conversation(request()).await });
        let made = async {
            while !is_there(&world).await {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, made).await.expect("it is made while the caller waits");
        assert!(!call.is_finished());
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        assert!(is_there(&world).await);
        // The journal tells when a call has ended, and not how, if its caller left.
        let left = async {
            while world.emulator.journal().calls("CreateConversation")[0].duration.is_none() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, left).await.expect("the caller has left");
        assert_eq!(world.emulator.journal().calls("CreateConversation")[0].code, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_lost_after_the_delay() {
    let delay = Duration::from_secs(7);
    for (at, fault) in faults().into_iter().enumerate() {
        let world = world(fault.with_delay(delay).after_execution()).await;
        let begin = Instant::now();
        let made = world.insights.clone().create_conversation(request()).await;
        assert!(begin.elapsed() >= delay, "{:?}", begin.elapsed());
        assert_eq!(made.is_ok(), at == 3, "{made:?}: a delay alone loses nothing");
        assert!(is_there(&world).await);
    }
}

#[tokio::test]
async fn replies_without_a_body_are_carried_by_both_protocols() {
    let url = |world: &World| format!("{}/v1/{L}/conversations", world.emulator.endpoint());
    for status in [204, 304, 502] {
        let body = if status == 502 { "bad" } else { "" };
        let reply = Break::Http { status, content_type: "text/html".into(), body: body.into() };
        let world = world(Fault::transport(reply).always()).await;
        let two = support::http().http2_prior_knowledge().build().unwrap();
        for client in [&world.http, &two] {
            let answer = client.post(url(&world)).body("{}").send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status);
            assert_eq!(answer.headers()["content-type"], "text/html");
            assert_eq!(answer.text().await.unwrap(), body);
        }
    }
}

#[tokio::test]
async fn a_connection_that_retires_says_so_over_http_1_too() {
    let retire = Fault::transport(Break::Retire).with_method("ListConversations").always();
    let emulator = Emulator::builder().with_fault(retire).start().await.unwrap();
    for path in [format!("/v1/{L}/conversations"), format!("/v1/{L}/conversations?pageSize=-1")] {
        let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(LONG, stream.read_to_string(&mut answer)).await.expect("it is closed").unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let closes = head.lines().filter(|line| line.eq_ignore_ascii_case("connection: close")).count();
        assert_eq!(closes, 1, "{head}");
        assert!(body.trim_end().ends_with('}'), "{body}");
    }
}
