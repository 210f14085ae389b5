//! Scripted faults and quotas, as clients of both kinds meet them, and what the journal says of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use contact_center_insights::proto::longrunning::{GetOperationRequest, Operation};
use contact_center_insights::proto::rpc::{ErrorInfo, RetryInfo};
use contact_center_insights::{Code, Status};
use contact_center_insights_emulator::{
    Break, Emulator, EmulatorBuilder, Fault, ManualClock, Quotas, Transport,
};
use support::{L, World, refused};
use tonic::Request;

/// An emulator with one operation, named `1`, and these faults.
async fn world(faults: impl IntoIterator<Item = Fault>) -> World {
    let emulator = faults.into_iter().fold(Emulator::builder(), EmulatorBuilder::with_fault);
    let emulator = emulator.start().await.unwrap();
    emulator.put_operation(Operation { name: name(), ..Operation::default() }).unwrap();
    World::of(emulator)
}

fn name() -> String {
    format!("{L}/operations/1")
}

/// The status of a `GetOperation` that must not hang.
async fn grpc(world: &World) -> Result<Operation, tonic::Status> {
    let mut operations = world.operations.clone();
    let call = operations.get_operation(GetOperationRequest { name: name() });
    let bounded = tokio::time::timeout(Duration::from_secs(20), call).await;
    bounded.expect("it hangs").map(tonic::Response::into_inner)
}

async fn rest(world: &World) -> Result<(u16, String), reqwest::Error> {
    let url = format!("{}/v1/{}", world.emulator.endpoint(), name());
    let response = world.http.get(url).timeout(Duration::from_secs(20)).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

/// The HTTP/2 error code that a failed call was reset with.
fn reset_code(status: &tonic::Status) -> Option<u32> {
    let mut error: Option<&(dyn std::error::Error + 'static)> = Some(status);
    while let Some(inner) = error {
        if let Some(h2) = inner.downcast_ref::<h2::Error>() {
            return h2.reason().map(u32::from);
        }
        error = inner.source();
    }
    None
}

#[tokio::test]
async fn r53_two_unavailable_then_a_pass_on_both_transports() {
    let fault = || Fault::code(Code::Unavailable, "try later").with_method("GetOperation").times(2);
    let world = world([fault(), fault()]).await;
    for _ in 0..2 {
        assert_eq!(Status::from(&grpc(&world).await.unwrap_err()).code(), Code::Unavailable);
    }
    for _ in 0..2 {
        let (http, body) = rest(&world).await.unwrap();
        assert!(http == 503 && body.contains("SCRIPTED_FAULT"), "{http} {body}");
    }
    assert_eq!(grpc(&world).await.unwrap().name, name());
    assert_eq!(rest(&world).await.unwrap().0, 200);

    let calls = world.emulator.journal().calls("GetOperation");
    let codes: Vec<_> = calls.iter().map(|call| call.code.unwrap()).collect();
    assert_eq!(codes, [&[Code::Unavailable; 4][..], &[Code::Ok; 2][..]].concat());
    let attempts: Vec<_> = calls.iter().map(|call| call.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6], "the transports carry the same request");
    assert_eq!(calls[0].fault.as_deref(), Some("UNAVAILABLE"));
    assert_eq!((calls[5].transport, calls[5].fault.as_deref()), (Transport::Rest, None));
}

#[tokio::test]
async fn r52_details_of_a_scripted_status_arrive_as_they_are() {
    let status = Status::new(Code::Aborted, "no")
        .with_detail(&ErrorInfo { reason: "MINE".into(), ..ErrorInfo::default() })
        .with_detail(&RetryInfo { retry_delay: Some(prost_types::Duration { seconds: 3, nanos: 0 }) });
    let world = world([Fault::status(status.clone()).always()]).await;
    assert_eq!(Status::from(&grpc(&world).await.unwrap_err()), status);
    let (http, body) = rest(&world).await.unwrap();
    assert!(http == 409 && body.contains("\"MINE\"") && body.contains("\"3s\""), "{body}");
}

#[tokio::test]
async fn resets_carry_their_code() {
    for code in [2, 7, 8, 11] {
        let world = world([Fault::transport(Break::Reset(code)).always()]).await;
        let error = grpc(&world).await.unwrap_err();
        assert_eq!(reset_code(&error), Some(code), "{error:?}");
        assert!(rest(&world).await.is_err());
        assert_eq!(world.emulator.journal().calls("GetOperation")[0].code, None);
    }
}

#[tokio::test]
async fn a_connection_is_ended_by_go_away_close_and_abort_and_the_next_one_works() {
    let go_away = |code, refused| Break::GoAway { code, refused, text: "max_age".into() };
    for how in [go_away(0, true), go_away(0, false), go_away(11, false), Break::Close, Break::Abort] {
        let world = world([Fault::transport(how.clone()).times(1)]).await;
        assert!(grpc(&world).await.is_err(), "{how:?}");
        assert_eq!(grpc(&world).await.unwrap().name, name(), "{how:?}");
        world.emulator.add_fault(Fault::transport(how.clone())).unwrap();
        // A client that closes by itself may send it again, once it has seen that nothing came.
        let _ = rest(&world).await;
        assert_eq!(rest(&world).await.unwrap().0, 200, "{how:?}");
    }
}

#[tokio::test]
async fn a_go_away_says_what_was_scripted() {
    let how = Break::GoAway { code: 11, refused: false, text: "too_many_pings".into() };
    let world = world([Fault::transport(how)]).await;
    let stream = tokio::net::TcpStream::connect(world.emulator.address()).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let request = http::Request::post(format!(
        "{}/google.longrunning.Operations/GetOperation",
        world.emulator.endpoint()
    ))
    .header("content-type", "application/grpc")
    .body(())
    .unwrap();
    let (response, mut body) = client.send_request(request, false).unwrap();
    body.send_data(vec![0; 5].into(), true).unwrap();
    let (ended, _) = tokio::join!(connection, response);
    let error = ended.unwrap_err();
    assert!(error.is_go_away() && error.is_remote(), "{error:?}");
    assert_eq!(error.reason(), Some(h2::Reason::ENHANCE_YOUR_CALM));
    assert!(error.to_string().contains("too_many_pings"), "{error}");
}

#[tokio::test]
async fn a_retired_connection_answers_what_it_has() {
    let world = world([Fault::transport(Break::Retire).always()]).await;
    for _ in 0..3 {
        assert_eq!(grpc(&world).await.unwrap().name, name());
        assert_eq!(rest(&world).await.unwrap().0, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_as_long_as_the_client_does() {
    for how in [Break::Stall, Break::StallBody, Break::Freeze] {
        let world = world([Fault::transport(how.clone()).with_method("GetOperation").always()]).await;
        let mut operations = world.operations.clone();
        let mut request = Request::new(GetOperationRequest { name: name() });
        request.metadata_mut().insert("x-a", "b".parse().unwrap());
        let call = tokio::time::timeout(Duration::from_hours(1), operations.get_operation(request));
        assert!(call.await.is_err(), "{how:?}");
        let entry = &world.emulator.journal().calls("GetOperation")[0];
        assert_eq!((entry.header("x-a"), entry.fault.as_deref()), (Some("b"), Some(&*format!("{how:?}"))));
        assert!(rest(&world).await.unwrap_err().is_timeout(), "{how:?}");
    }
}

#[tokio::test]
async fn half_a_reply_is_half_a_reply() {
    for how in [Break::Half(None), Break::Half(Some(2)), Break::NoStatus] {
        let world = world([Fault::transport(how.clone()).always()]).await;
        let error = grpc(&world).await.unwrap_err();
        assert!(![tonic::Code::Ok, tonic::Code::NotFound].contains(&error.code()), "{how:?} {error:?}");
        if let Break::Half(Some(code)) = how {
            assert_eq!(reset_code(&error), Some(code), "{error:?}");
        }
        assert!(rest(&world).await.is_err(), "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reply_comes_whole_in_the_end() {
    let slow = Break::Slow { bytes: 1, every: Duration::from_millis(100) };
    let world = world([Fault::transport(slow).always()]).await;
    let begin = tokio::time::Instant::now();
    assert_eq!(grpc(&world).await.unwrap().name, name());
    assert!(begin.elapsed() >= Duration::from_secs(5), "{:?}", begin.elapsed());
    let (http, body) = rest(&world).await.unwrap();
    assert!(http == 200 && body.contains(&name()), "{body}");
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_waited_out_before_the_call_is_answered() {
    let world = world([Fault::delay(Duration::from_secs(7)), Fault::code(Code::Aborted, "x").times(1)]).await;
    let begin = tokio::time::Instant::now();
    assert_eq!(grpc(&world).await.unwrap().name, name());
    assert!(begin.elapsed() >= Duration::from_secs(7));
    assert_eq!(grpc(&world).await.unwrap_err().code(), tonic::Code::Aborted);
}

#[tokio::test]
async fn another_server_s_answer_is_passed_on() {
    let html = Break::Http { status: 502, content_type: "text/html".into(), body: "<h1>Bad</h1>".into() };
    let world = world([Fault::transport(html).always()]).await;
    assert_eq!(rest(&world).await.unwrap(), (502, "<h1>Bad</h1>".to_owned()));
    assert!(grpc(&world).await.is_err());
}

#[tokio::test]
async fn a_lost_reply_leaves_what_was_made() {
    for how in [Fault::transport(Break::Abort), Fault::code(Code::Unavailable, "x")] {
        let mut world = world([how.with_method("CreateConversation").after_execution()]).await;
        let create = |world: &World| {
            let mut insights = world.insights.clone();
            async move {
                insights
                    .create_conversation(
                        contact_center_insights::proto::insights::CreateConversationRequest {
                            parent: L.into(),
                            conversation: Some(
                                contact_center_insights::proto::insights::Conversation::default(),
                            ),
                            conversation_id: "call-0001".into(),
                        },
                    )
                    .await
            }
        };
        assert!(create(&world).await.is_err());
        assert_eq!(refused(create(&world).await).code(), Code::AlreadyExists);
        world.conversation("call-0002").await;
    }
}

#[tokio::test]
async fn quotas_run_on_the_emulators_clock() {
    let clock = ManualClock::default();
    let quotas = Quotas::default().with_method("GetOperation", 2);
    let emulator = Emulator::builder().with_clock(clock.clone()).with_quotas(quotas).start().await.unwrap();
    emulator.put_operation(Operation { name: name(), ..Operation::default() }).unwrap();
    let world = World::of(emulator);
    grpc(&world).await.unwrap();
    grpc(&world).await.unwrap();
    let error = Status::from(&grpc(&world).await.unwrap_err());
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(error.detail::<RetryInfo>().unwrap().retry_delay.unwrap().seconds, 60);
    let (http, body) = rest(&world).await.unwrap();
    assert!(http == 429 && body.contains("QuotaFailure"), "{body}");
    clock.advance(Duration::from_mins(1));
    grpc(&world).await.unwrap();
    assert!(Emulator::builder().with_quotas(Quotas::default().with_method("X", 1)).start().await.is_err());
    assert!(
        Emulator::builder().with_fault(Fault::delay(Duration::ZERO).with_method("X")).start().await.is_err()
    );
}

#[tokio::test]
async fn the_journal_has_deadlines_and_paths_and_no_secrets() {
    let world = world([]).await;
    let mut request = Request::new(GetOperationRequest { name: name() });
    request.set_timeout(Duration::from_secs(9));
    request.metadata_mut().insert("authorization", "Bearer ya29.secret".parse().unwrap());
    world.operations.clone().get_operation(request).await.unwrap();
    let url = format!("{}/v1/nothing?access_token=secret", world.emulator.endpoint());
    world.http.get(url).header("x-server-timeout", "1.5").send().await.unwrap();
    let entries = world.emulator.journal().entries();
    assert_eq!(entries[0].deadline, Some(Duration::from_secs(9)));
    assert_eq!(entries[0].path, "/google.longrunning.Operations/GetOperation");
    assert_eq!((entries[1].path.as_str(), entries[1].method.as_str()), ("/v1/nothing", ""));
    assert_eq!(
        (entries[1].code, entries[1].deadline),
        (Some(Code::NotFound), Some(Duration::from_millis(1500)))
    );
    assert!(!format!("{entries:?}").contains("secret"), "{entries:?}");
    world.emulator.journal().clear();
    assert!(world.emulator.journal().entries().is_empty());
}

#[tokio::test]
async fn packed_bodies_are_unpacked_and_bounded() {
    let world = world([]).await;
    let url = format!("{}/v1/{L}/conversations", world.emulator.endpoint());
    let post = |coding: &str, body: Vec<u8>| {
        world.http.post(&url).header("content-encoding", coding).body(body).send()
    };
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let created = post("gzip", gzip(r#"{"agentId": "ada"}"#)).await.unwrap();
    assert_eq!(created.status().as_u16(), 200);
    assert!(created.text().await.unwrap().contains("ada"));
    let bomb = format!(r#"{{"agentId": "{}"}}"#, "a".repeat(4 << 20));
    for (coding, body, status, reason) in [
        ("gzip", gzip(&bomb), 413, "UNPACKED_TOO_LARGE"),
        ("gzip", b"x".to_vec(), 400, "NOT_GZIP"),
        ("br", b"x".to_vec(), 415, "CONTENT_ENCODING"),
    ] {
        let response = post(coding, body).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert!(response.text().await.unwrap().contains(reason), "{reason}");
    }
}
