//! Connections that do nothing: how long each kind is kept. Time is paused, and passes by itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use contact_center_insights_emulator::{Break, Emulator, EmulatorBuilder, Fault};
use h2::client::SendRequest;
use support::L;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Longer than anything that is timed here.
const LONG: Duration = Duration::from_hours(24);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Of HTTP/2: empty settings.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// What comes until the connection is closed; it must be, whatever comes.
async fn closed(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // It may be closed by a reset, too.
    let _ = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("it should be closed");
    answer
}

async fn connect(emulator: &Emulator) -> TcpStream {
    TcpStream::connect(emulator.address()).await.unwrap()
}

/// A connection of HTTP/2 that is driven, so that pings are answered.
async fn driven(emulator: &Emulator) -> (SendRequest<bytes::Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let (client, connection) = h2::client::handshake(connect(emulator).await).await.unwrap();
    (client, tokio::spawn(connection))
}

async fn get(client: &SendRequest<bytes::Bytes>, path: &str) -> Result<http::StatusCode, h2::Error> {
    let mut client = client.clone().ready().await?;
    let request = http::Request::get(format!("http://localhost{path}")).body(()).unwrap();
    let (reply, _) = client.send_request(request, true)?;
    let mut reply = reply.await?;
    while let Some(part) = reply.body_mut().data().await {
        part?;
    }
    Ok(reply.status())
}

fn builders() -> [EmulatorBuilder; 2] {
    [Emulator::builder(), Emulator::builder().with_tls()]
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_say_what_he_wants_is_not_waited_for() {
    for builder in builders() {
        let emulator = builder.start().await.unwrap();
        for said in [
            &b""[..],
            b"P",
            b"G",
            &PREFACE[..23],
            b"GET /v1/x HTTP/1.1\r\nhost: localhost\r\nx-a: ",
            // The beginning of a TLS handshake.
            &[22, 3, 1, 0, 200, 1],
        ] {
            let mut stream = connect(&emulator).await;
            stream.write_all(said).await.unwrap();
            closed(stream).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_now_and_then_does_not_stop_the_timer() {
    let emulator = Emulator::builder().with_greeting_timeout(Duration::from_secs(5)).start().await.unwrap();
    for said in [PREFACE, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
        let (mut reader, mut writer) = connect(&emulator).await.into_split();
        let drip = tokio::spawn(async move {
            for byte in said {
                if writer.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_secs(2)).await;
            }
            sleep(LONG * 2).await;
        });
        let mut answer = Vec::new();
        let _ = timeout(LONG, reader.read_to_end(&mut answer)).await.expect("it should be closed");
        assert!(answer.is_empty(), "{answer:?}");
        drip.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_there_is_kept() {
    let emulator = Emulator::builder().with_greeting_timeout(Duration::from_secs(5)).start().await.unwrap();
    let (client, connection) = driven(&emulator).await;
    sleep(LONG).await;
    assert_eq!(
        get(&client, &format!("/v1/{L}/operations")).await.unwrap(),
        200,
        "it has only said the preface"
    );
    sleep(LONG).await;
    assert_eq!(get(&client, "/healthz").await.unwrap(), 200);
    assert!(!connection.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_is_given_up() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut stream = connect(&emulator).await;
    stream.write_all(&[PREFACE, SETTINGS].concat()).await.unwrap();
    let answer = closed(stream).await;
    // Frames: nine bytes of head, of which the fourth is the type; 6 is a ping.
    let mut rest = answer.as_slice();
    let mut kinds = Vec::new();
    while rest.len() >= 9 {
        let length = usize::from(rest[1]) << 8 | usize::from(rest[2]);
        kinds.push(rest[3]);
        rest = &rest[(9 + length).min(rest.len())..];
    }
    assert!(kinds.contains(&6), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_connection_stays_silent_whatever_is_asked_for() {
    let freeze = Fault::transport(Break::Freeze).with_method("ListOperations");
    let builder = Emulator::builder().with_fault(freeze).with_idle_timeout(Duration::from_mins(1));
    let emulator = builder.start().await.unwrap();
    let (client, connection) = driven(&emulator).await;
    let call = timeout(LONG, get(&client, &format!("/v1/{L}/operations"))).await;
    assert!(call.is_err(), "there is no answer");
    assert!(!connection.is_finished(), "nor is it closed");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_if_that_is_asked_for() {
    let limit = Duration::from_secs(10);
    let emulator = Emulator::builder().with_idle_timeout(limit).start().await.unwrap();
    let (client, connection) = driven(&emulator).await;
    for _ in 0..5 {
        assert_eq!(get(&client, "/healthz").await.unwrap(), 200);
        sleep(limit / 2).await;
    }
    timeout(LONG, connection).await.expect("it should be closed").unwrap().unwrap();

    let mut stream = connect(&emulator).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let answer = String::from_utf8(closed(stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("SERVING"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_not_idle() {
    let limit = Duration::from_secs(10);
    let slow = Fault::delay(limit * 20).with_method("ListOperations");
    let emulator = Emulator::builder().with_fault(slow).with_idle_timeout(limit).start().await.unwrap();
    let (client, _connection) = driven(&emulator).await;
    assert_eq!(get(&client, &format!("/v1/{L}/operations")).await.unwrap(), 200);
}
