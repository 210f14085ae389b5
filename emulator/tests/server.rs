//! The port: what speaks on it, who may use it, and when it closes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use contact_center_insights::proto::insights::{Conversation, CreateConversationRequest};
use contact_center_insights::proto::longrunning::GetOperationRequest;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights_emulator::{Emulator, Profile, StartError};
use support::{L, World};
use tokio::net::TcpStream;
use tonic::transport::Endpoint;

#[tokio::test]
async fn the_port_is_closed_after_a_drop() {
    let emulator = Emulator::builder().start().await.unwrap();
    let address = emulator.address();
    TcpStream::connect(address).await.unwrap();
    drop(emulator);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn stop_returns_when_the_port_is_closed_even_with_clients_connected() {
    let mut world = World::new("immediate").await;
    world.conversation("").await;
    world.rest("GET", &format!("{L}/conversations"), "").await;
    let address = world.emulator.address();
    world.emulator.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn stop_waits_half_a_second_at_most_for_a_client_that_says_nothing() {
    let emulator = Emulator::builder().start().await.unwrap();
    let silent = TcpStream::connect(emulator.address()).await.unwrap();
    let begin = tokio::time::Instant::now();
    emulator.stop().await;
    assert!(begin.elapsed() <= Duration::from_millis(500), "{:?}", begin.elapsed());
    drop(silent);
}

#[tokio::test]
async fn many_emulators_live_side_by_side() {
    let mut first = World::new("immediate").await;
    let second = World::new("immediate").await;
    assert_ne!(first.emulator.host(), second.emulator.host());
    first.conversation("").await;
    let (_, listed) = second.rest("GET", &format!("{L}/conversations"), "").await;
    assert_eq!(listed, serde_json::json!({}));
}

#[tokio::test]
async fn hundreds_live_in_one_process() {
    let mut emulators = Vec::new();
    for _ in 0..300 {
        emulators.push(Emulator::builder().start().await.unwrap());
    }
    let mut addresses: Vec<_> = emulators.iter().map(Emulator::address).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 300);
    let http = support::http().build().unwrap();
    for emulator in &emulators {
        let url = format!("{}/v1/{L}/operations", emulator.endpoint());
        assert_eq!(http.get(url).send().await.unwrap().status().as_u16(), 200);
    }
}

#[tokio::test]
async fn json_is_served_over_http_1_and_http_2() {
    let world = World::new("immediate").await;
    let url = format!("{}/v1/{L}/conversations", world.emulator.endpoint());
    let two = support::http().http2_prior_knowledge().build().unwrap();
    assert_eq!(world.http.get(&url).send().await.unwrap().version(), reqwest::Version::HTTP_11);
    let response = two.get(&url).send().await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (reqwest::Version::HTTP_2, 200));
}

/// Sends bytes as a gRPC request, and gives back the headers of the answer.
async fn grpc(
    world: &World,
    method: &str,
    content: &str,
    body: &[u8],
) -> (u16, Option<String>, Option<String>) {
    let client = support::http().http2_prior_knowledge().build().unwrap();
    let url = format!("{}/{method}", world.emulator.endpoint());
    let request =
        client.post(url).header("content-type", content).header("te", "trailers").body(body.to_vec());
    let response = request.send().await.unwrap();
    let header = |name: &str| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
    (response.status().as_u16(), header("grpc-status"), header("grpc-status-details-bin"))
}

#[tokio::test]
async fn hostile_grpc_is_answered_and_the_emulator_lives() {
    let mut world = World::new("immediate").await;
    let get = "google.longrunning.Operations/GetOperation";
    for (method, body, status) in [
        (get, &[0, 0, 0, 0, 2, 10, 200][..], "3"),
        (get, &[0, 0, 0, 0, 9, 10][..], "13"),
        (get, &[0, 255, 255, 255, 255][..], "11"),
        (get, &[1, 0, 0, 0, 0][..], "13"),
        (get, &[][..], "13"),
        ("google.longrunning.Operations/Nothing", &[0, 0, 0, 0, 0][..], "12"),
        ("grpc.health.v1.Health/Nothing", &[0, 0, 0, 0, 0][..], "12"),
        ("", &[0, 0, 0, 0, 0][..], "12"),
    ] {
        let (http, code, details) = grpc(&world, method, "application/grpc", body).await;
        assert_eq!((http, code.as_deref()), (200, Some(status)), "{method} {body:?}");
        assert!(details.is_some(), "r51 {method} {body:?}");
    }
    let (http, ..) = grpc(&world, get, "application/grpc-web+proto", &[]).await;
    assert_eq!(http, 415);
    world.conversation("").await;
}

#[tokio::test]
async fn routing_headers_and_credentials_are_not_looked_at() {
    let world = World::new("immediate").await;
    let name = format!("{L}/operations/1");
    world
        .emulator
        .put_operation(contact_center_insights::proto::longrunning::Operation {
            name: name.clone(),
            ..Default::default()
        })
        .unwrap();
    let channel = Endpoint::new(world.emulator.endpoint()).unwrap().connect_lazy();
    let mut client = OperationsClient::with_interceptor(channel, |mut request: tonic::Request<()>| {
        request.metadata_mut().insert("authorization", "Bearer eyJ".parse().unwrap());
        request.metadata_mut().insert("x-goog-request-params", "name=projects%2Fother".parse().unwrap());
        Ok(request)
    });
    let found = client.get_operation(GetOperationRequest { name: name.clone() }).await.unwrap();
    assert_eq!(found.into_inner().name, name);
}

#[tokio::test]
async fn a_wrong_set_up_is_an_error_of_start() {
    let taken = Emulator::builder().start().await.unwrap();
    let error = Emulator::builder().with_address(taken.address()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Bind { address, .. } if address == taken.address()));
    let error =
        Emulator::builder().with_method_profile("GetSettings", Profile::default()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Method(_)), "{error}");
}

#[tokio::test]
async fn nobody_is_told_to_connect_to_all_addresses() {
    for (address, host) in [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "[::1]")] {
        // A machine need not have both families.
        let Ok(emulator) = Emulator::builder().with_address(address.parse().unwrap()).start().await else {
            continue;
        };
        assert!(emulator.address().ip().is_unspecified());
        let port = emulator.address().port();
        assert_eq!(emulator.host(), format!("{host}:{port}"));
        assert_eq!(emulator.endpoint(), format!("http://{host}:{port}"));
        let url = format!("{}/healthz", emulator.endpoint());
        assert_eq!(support::http().build().unwrap().get(url).send().await.unwrap().status().as_u16(), 200);
    }
}

#[tokio::test]
async fn messages_may_be_longer_than_the_usual_four_mebibytes() {
    let world = World::new("immediate").await;
    let mut insights =
        world.insights.clone().max_decoding_message_size(64 << 20).max_encoding_message_size(64 << 20);
    let conversation = Conversation { agent_id: "7".repeat(5 << 20), ..Conversation::default() };
    let request = CreateConversationRequest {
        parent: L.into(),
        conversation: Some(conversation),
        conversation_id: "call-0001".into(),
    };
    let made = insights.create_conversation(request).await.unwrap().into_inner();
    let (_, found) = world.rest("GET", &made.name, "").await;
    assert_eq!(found["agentId"].as_str().unwrap().len(), 5 << 20);
}
