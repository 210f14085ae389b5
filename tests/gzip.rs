//! Compression: offered, used, and read back, between the client and a generated server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::convert::Infallible;

use bytes::Bytes;
use contact_center_insights::call::{Gzip, RetryPolicy};
use contact_center_insights::proto::insights::{Conversation, CreateConversationRequest};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::proto::longrunning::operations_server::OperationsServer;
use contact_center_insights::{Client, Code, Credentials, Transport};
use http::HeaderMap;
use http_body_util::{BodyExt as _, Full};
use support::{NAME, Script, answer, dial, succeeded};
use tonic::body::Body;
use tonic::codec::CompressionEncoding;

fn client(script: &Script, gzip: Gzip, reads_gzip: bool) -> Client {
    let mut server = OperationsServer::new(script.clone()).send_compressed(CompressionEncoding::Gzip);
    if reads_gzip {
        server = server.accept_compressed(CompressionEncoding::Gzip);
    }
    let transport = dial(server, Credentials::anonymous());
    Client::builder().with_transport(transport).with_gzip(gzip).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_offered_is_used() {
    for (gzip, accepted, encoding) in
        [(Gzip::Off, false, false), (Gzip::Replies, true, false), (Gzip::RepliesAndRequests, true, true)]
    {
        let script = Script::new([answer(succeeded())]);
        let operation = client(&script, gzip, true).get_operation(NAME).await.unwrap();
        assert_eq!(operation.raw(), &succeeded());
        let seen = script.seen();
        let headers = &seen.first().unwrap().headers;
        let says_gzip =
            |name| headers.get(name).is_some_and(|value| value.to_str().unwrap().contains("gzip"));
        assert_eq!(
            (says_gzip("grpc-accept-encoding"), says_gzip("grpc-encoding")),
            (accepted, encoding),
            "{gzip:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_read_it_says_so() {
    let script = Script::new([answer(succeeded())]);
    let client = client(&script, Gzip::RepliesAndRequests, false);
    let error = client.get_operation(NAME).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented), "{error:?}");
    assert!(!error.is_transient());
}

/// A reply of a few kilobytes that unpacks to megabytes: no more is unpacked than the client would read.
#[tokio::test(start_paused = true)]
async fn a_reply_that_unpacks_too_large_is_refused() {
    const LIMIT: usize = 1 << 20;
    let reply = |size| {
        let script = Script::new([answer(Operation { name: "0".repeat(size), ..succeeded() })]);
        let server = OperationsServer::new(script).send_compressed(CompressionEncoding::Gzip);
        let transport = dial(server, Credentials::anonymous());
        let client = Client::builder().with_transport(transport).with_gzip(Gzip::Replies);
        let client = client.with_retry(RetryPolicy::never()).with_max_reply_size(LIMIT).build().unwrap();
        async move { client.get_operation(NAME).await }
    };
    assert_eq!(reply(LIMIT / 2).await.unwrap().name().len(), LIMIT / 2);
    let error = reply(16 * LIMIT).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::ResourceExhausted), "{error:?}");
    assert!(error.to_string().contains("1048576 bytes"), "{error}");
    // It is our own limit, and not the server's overload.
    let fault = error.call().unwrap().fault();
    assert!(!fault.is_overload && !fault.is_transient && error.may_have_been_applied(), "{fault:?}");
}

/// As of calls that compress nothing: one message is the reply, and more are an error.
#[tokio::test(start_paused = true)]
async fn a_second_message_is_refused_whatever_is_compressed() {
    for gzip in [Gzip::Off, Gzip::Replies, Gzip::RepliesAndRequests] {
        let answer = async |_: http::Request<Body>| {
            let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
            let frames = Full::new(Bytes::from_static(&[0; 10])).with_trailers(async { Some(Ok(trailers)) });
            let reply = http::Response::builder().header("content-type", "application/grpc");
            Ok::<_, Infallible>(reply.body(frames).unwrap())
        };
        let transport = Transport::builder("http://localhost".parse().unwrap())
            .with_credentials(Credentials::anonymous())
            .with_service(tower::service_fn(answer))
            .build()
            .unwrap();
        let client = Client::builder().with_transport(transport).with_gzip(gzip);
        let client = client.with_retry(RetryPolicy::never()).build().unwrap();
        let error = client.get_operation(NAME).await.unwrap_err();
        assert_eq!(error.code(), Some(Code::Internal), "{gzip:?}");
        assert!(error.to_string().contains("more than one message"), "{gzip:?}: {error}");
    }
}

/// Against the emulator, which unpacks requests.
#[tokio::test]
async fn the_emulator_takes_packed_requests() {
    let emulator = contact_center_insights_emulator::Emulator::builder().start().await.unwrap();
    let client = Client::builder()
        .with_endpoint(emulator.endpoint())
        .with_credentials(Credentials::anonymous())
        .with_gzip(Gzip::RepliesAndRequests)
        .build()
        .unwrap();
    let conversation = |size: usize| {
        let agent_id = "a".repeat(size);
        let conversation = Some(Conversation { agent_id, ..Default::default() });
        let parent = "projects/p/locations/us-central1".to_owned();
        CreateConversationRequest { parent, conversation, ..Default::default() }
    };
    for size in [1, 10_000] {
        assert_eq!(client.create_conversation(conversation(size)).await.unwrap().agent_id.len(), size);
    }
    let error = client.create_conversation(conversation(8 << 20)).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::ResourceExhausted), "{error:?}");
    assert!(error.to_string().contains("100 times its size"), "{error}");
}
