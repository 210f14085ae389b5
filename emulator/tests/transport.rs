//! What is on the port beside the API: TLS, health and reflection, and how they end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::proto::longrunning::operations_client::OperationsClient;
use contact_center_insights_emulator::Emulator;
use prost::Message as _;
use support::L;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_stream::StreamExt as _;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::{v1, v1alpha};

const INSIGHTS: &str = "google.cloud.contactcenterinsights.v1.ContactCenterInsights";

async fn plain(emulator: &Emulator) -> Channel {
    Endpoint::new(emulator.endpoint()).unwrap().connect().await.unwrap()
}

/// Trusts the emulator's authority, and takes it for `host`.
async fn secure(emulator: &Emulator, ca: &str, host: &str) -> Result<Channel, tonic::transport::Error> {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)).domain_name(host);
    Endpoint::new(emulator.endpoint()).unwrap().tls_config(tls).unwrap().connect().await
}

#[tokio::test]
async fn its_certificate_is_good_for_this_machine_and_for_the_real_host() {
    let emulator = Emulator::builder().with_tls().with_allowed_host("emulator.test").start().await.unwrap();
    let ca = emulator.ca_pem().unwrap();
    assert!(emulator.endpoint().starts_with("https://127.0.0.1:"));
    for host in [
        "localhost",
        "127.0.0.1",
        "::1",
        "host.docker.internal",
        "contactcenterinsights.googleapis.com",
        "contactcenterinsights.mtls.googleapis.com",
        "us-central1-contactcenterinsights.googleapis.com",
        "europe-west1-contactcenterinsights.googleapis.com",
        "eu-contactcenterinsights.googleapis.com",
        "emulator.test",
    ] {
        let channel = secure(&emulator, ca, host).await.unwrap_or_else(|error| panic!("{host}: {error:?}"));
        let request = ListOperationsRequest { name: L.into(), ..ListOperationsRequest::default() };
        OperationsClient::new(channel).list_operations(request).await.unwrap();
    }
    for host in ["example.com", "mars-contactcenterinsights.googleapis.com", "storage.googleapis.com"] {
        assert!(secure(&emulator, ca, host).await.is_err(), "{host}");
    }
    let other = Emulator::builder().with_tls().start().await.unwrap();
    assert!(secure(&emulator, other.ca_pem().unwrap(), "localhost").await.is_err(), "another authority");
    assert!(Emulator::builder().start().await.unwrap().ca_pem().is_none());
}

#[tokio::test]
async fn plaintext_on_the_tls_port_is_answered_in_its_own_protocol() {
    let emulator = Emulator::builder().with_tls().start().await.unwrap();
    let mut one = TcpStream::connect(emulator.address()).await.unwrap();
    one.write_all(b"GET /v1/x HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    one.shutdown().await.unwrap();
    let mut answer = String::new();
    one.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("use https://"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["error"]["code"], 400);

    let two = TcpStream::connect(emulator.address()).await.unwrap();
    let (client, connection) = h2::client::handshake(two).await.unwrap();
    let error = connection.await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::INADEQUATE_SECURITY));
    assert!(error.to_string().contains("this port speaks TLS"), "{error}");
    drop(client);
}

#[tokio::test]
async fn tls_on_the_plaintext_port_is_closed_and_the_port_lives() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    stream.write_all(&[22, 3, 1, 0, 5]).await.unwrap();
    let mut answer = Vec::new();
    // Closed or reset: there is nothing to read either way.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
    plain(&emulator).await;
}

#[tokio::test]
async fn health_is_told_once_and_as_it_changes() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut client = HealthClient::new(plain(&emulator).await);
    let ask = |service: &str| HealthCheckRequest { service: service.into() };
    for service in ["", INSIGHTS, "google.longrunning.Operations"] {
        let answer = client.check(ask(service)).await.unwrap().into_inner();
        assert_eq!(answer.status, ServingStatus::Serving as i32);
    }
    assert_eq!(client.check(ask("x")).await.unwrap_err().code(), tonic::Code::NotFound);
    let mut watch = client.watch(ask(INSIGHTS)).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, ServingStatus::Serving as i32);
    let (next, ()) = tokio::join!(watch.message(), emulator.stop());
    assert_eq!(next.unwrap().unwrap().status, ServingStatus::NotServing as i32);
}

#[tokio::test(start_paused = true)]
async fn stop_takes_half_a_second_with_streams_open() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut client = HealthClient::new(plain(&emulator).await);
    let watch = client.watch(HealthCheckRequest::default()).await.unwrap();
    let begin = tokio::time::Instant::now();
    emulator.stop().await;
    assert!(begin.elapsed() <= Duration::from_millis(510), "{:?}", begin.elapsed());
    drop(watch);
}

fn question(message: MessageRequest) -> v1::ServerReflectionRequest {
    v1::ServerReflectionRequest { host: "h".into(), message_request: Some(message) }
}

#[tokio::test]
async fn reflection_gives_the_descriptors_byte_for_byte() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(plain(&emulator).await);
    let questions = vec![
        question(MessageRequest::ListServices(String::new())),
        question(MessageRequest::FileContainingSymbol(format!("{INSIGHTS}.GetConversation"))),
        question(MessageRequest::FileByFilename("nothing.proto".into())),
    ];
    let answers = client.server_reflection_info(tokio_stream::iter(questions)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap().message_response.unwrap()).collect().await;
    let MessageResponse::ListServicesResponse(services) = &answers[0] else { panic!("{:?}", answers[0]) };
    let names: Vec<_> = services.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&INSIGHTS) && names.contains(&"grpc.health.v1.Health"), "{names:?}");
    let MessageResponse::FileDescriptorResponse(files) = &answers[1] else { panic!("{:?}", answers[1]) };
    let file = files.file_descriptor_proto[0].as_slice();
    let found = FILE_DESCRIPTOR_SET.windows(file.len()).any(|window| window == file);
    assert!(found && file.len() > 10_000, "the service's file, with its options");
    let MessageResponse::ErrorResponse(error) = &answers[2] else { panic!("{:?}", answers[2]) };
    assert_eq!(error.error_code, 5);

    let mut alpha = v1alpha::server_reflection_client::ServerReflectionClient::new(plain(&emulator).await);
    let old = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
            INSIGHTS.into(),
        )),
    };
    let mut answers = alpha.server_reflection_info(tokio_stream::iter([old])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().encode_to_vec();
    let same = v1::ServerReflectionResponse::decode(answer.as_slice()).unwrap().message_response.unwrap();
    let MessageResponse::FileDescriptorResponse(same) = same else { panic!("{same:?}") };
    assert_eq!(same.file_descriptor_proto, files.file_descriptor_proto);
}
