//! The cases of gRPC's public list that need neither compression nor Google's credentials.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request};

use crate::case::{Case, Given, Problem, ends_with, ensure};
use crate::proto::unimplemented_service_client::UnimplementedServiceClient;
use crate::proto::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, StreamingInputCallRequest,
    StreamingOutputCallRequest,
};

const LARGE_REQUEST: usize = 271_828;
const LARGE_REPLY: i32 = 314_159;
const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
const REPLIES: [i32; 4] = [31_415, 9, 2_653, 58_979];
const INITIAL: (&str, &str) = ("x-grpc-test-echo-initial", "test_initial_metadata_value");
const TRAILING: (&str, &[u8]) = ("x-grpc-test-echo-trailing-bin", &[0xab, 0xab, 0xab]);

pub(crate) fn all() -> Vec<Case> {
    vec![
        Case::of_grpc("empty_unary", |given| Box::pin(empty_unary(given))),
        Case::of_grpc("large_unary", |given| Box::pin(large_unary(given))),
        Case::of_grpc("client_streaming", |given| Box::pin(client_streaming(given))),
        Case::of_grpc("server_streaming", |given| Box::pin(server_streaming(given))),
        Case::of_grpc("ping_pong", |given| Box::pin(ping_pong(given))),
        Case::of_grpc("half_duplex", |given| Box::pin(half_duplex(given))),
        Case::of_grpc("empty_stream", |given| Box::pin(empty_stream(given))),
        Case::of_grpc("custom_metadata", |given| Box::pin(custom_metadata(given))),
        Case::of_grpc("status_code_and_message", |given| Box::pin(status_code_and_message(given))),
        Case::of_grpc("special_status_message", |given| Box::pin(special_status_message(given))),
        Case::of_grpc("unimplemented_method", |given| Box::pin(unimplemented_method(given))),
        Case::of_grpc("unimplemented_service", |given| Box::pin(unimplemented_service(given))),
        Case::of_grpc("cancel_after_begin", |given| Box::pin(cancel_after_begin(given))),
        Case::of_grpc("cancel_after_first_response", |given| Box::pin(cancel_after_first_response(given))),
        Case::of_grpc("timeout_on_sleeping_server", |given| Box::pin(timeout_on_sleeping_server(given))),
        Case::of_grpc("rpc_soak", |given| Box::pin(rpc_soak(given))),
        Case::of_grpc("channel_soak", |given| Box::pin(channel_soak(given))),
    ]
}

pub(crate) fn payload(size: usize) -> Payload {
    Payload { body: vec![0; size] }
}

pub(crate) fn wanted(size: i32, interval_us: i32) -> ResponseParameters {
    ResponseParameters { size, interval_us, compressed: None }
}

/// A request for one message, with one.
pub(crate) fn ping(request: usize, reply: i32) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: vec![wanted(reply, 0)],
        payload: Some(payload(request)),
        response_status: None,
    }
}

pub(crate) fn large() -> SimpleRequest {
    SimpleRequest { response_size: LARGE_REPLY, payload: Some(payload(LARGE_REQUEST)), ..Default::default() }
}

fn size(payload: Option<Payload>) -> usize {
    payload.map_or(0, |payload| payload.body.len())
}

fn is_size(payload: Option<Payload>, wanted: i32) -> Result<(), Problem> {
    ensure(usize::try_from(wanted) == Ok(size(payload)), "a reply of the wrong size")
}

async fn empty_unary(given: Given) -> Result<(), Problem> {
    given.stub().empty_call(Empty {}).await?;
    Ok(())
}

pub(crate) async fn large_unary(given: Given) -> Result<(), Problem> {
    let reply = given.stub().unary_call(large()).await?.into_inner();
    is_size(reply.payload, LARGE_REPLY)
}

async fn client_streaming(given: Given) -> Result<(), Problem> {
    let requests = REQUESTS.map(|size| StreamingInputCallRequest { payload: Some(payload(size)) });
    let reply = given.stub().streaming_input_call(tokio_stream::iter(requests)).await?.into_inner();
    ensure(reply.aggregated_payload_size == 74_922, "the wrong sum")
}

async fn server_streaming(given: Given) -> Result<(), Problem> {
    let request = StreamingOutputCallRequest {
        response_parameters: REPLIES.map(|size| wanted(size, 0)).into(),
        ..Default::default()
    };
    let mut reply = given.stub().streaming_output_call(request).await?.into_inner();
    for size in REPLIES {
        is_size(reply.message().await?.ok_or("too few messages")?.payload, size)?;
    }
    ensure(reply.message().await?.is_none(), "too many messages")
}

async fn ping_pong(given: Given) -> Result<(), Problem> {
    let (send, receive) = mpsc::channel(1);
    // The first message goes before the call: a server need not answer before.
    let mut requests =
        REQUESTS.into_iter().zip(REPLIES).map(|(request, reply)| (ping(request, reply), reply));
    let (first, mut size) = requests.next().ok_or("no requests")?;
    let _ = send.send(first).await;
    let mut reply = given.stub().full_duplex_call(ReceiverStream::new(receive)).await?.into_inner();
    loop {
        is_size(reply.message().await?.ok_or("too few messages")?.payload, size)?;
        let Some((next, its_size)) = requests.next() else { break };
        send.send(next).await.map_err(|_| "the stream of requests ended")?;
        size = its_size;
    }
    drop(send);
    ensure(reply.message().await?.is_none(), "too many messages")
}

/// All requests first, then all replies.
async fn half_duplex(given: Given) -> Result<(), Problem> {
    let requests: Vec<_> =
        REQUESTS.into_iter().zip(REPLIES).map(|(request, reply)| ping(request, reply)).collect();
    let mut reply = given.stub().half_duplex_call(tokio_stream::iter(requests)).await?.into_inner();
    for size in REPLIES {
        is_size(reply.message().await?.ok_or("too few messages")?.payload, size)?;
    }
    ensure(reply.message().await?.is_none(), "too many messages")
}

async fn empty_stream(given: Given) -> Result<(), Problem> {
    let mut reply = given.stub().full_duplex_call(tokio_stream::empty()).await?.into_inner();
    ensure(reply.message().await?.is_none(), "a message to no request")
}

fn with_metadata<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(INITIAL.0, MetadataValue::from_static(INITIAL.1));
    request.metadata_mut().insert_bin(TRAILING.0, MetadataValue::from_bytes(TRAILING.1));
    request
}

fn is_echoed(head: &MetadataMap, trailers: &MetadataMap) -> Result<(), Problem> {
    ensure(head.get(INITIAL.0).is_some_and(|value| value == INITIAL.1), "no initial metadata")?;
    let trailing = trailers.get_bin(TRAILING.0).and_then(|value| value.to_bytes().ok());
    ensure(trailing.is_some_and(|value| value == TRAILING.1), "no trailing metadata")
}

async fn custom_metadata(given: Given) -> Result<(), Problem> {
    let reply = given.stub().unary_call(with_metadata(large())).await?;
    // tonic puts both together for a unary call.
    is_echoed(reply.metadata(), reply.metadata())?;
    let requests = tokio_stream::once(ping(LARGE_REQUEST, LARGE_REPLY));
    let reply = given.stub().full_duplex_call(with_metadata(requests)).await?;
    let (head, mut messages, _) = reply.into_parts();
    while messages.message().await?.is_some() {}
    let trailers = messages.trailers().await?.unwrap_or_default();
    is_echoed(&head, &trailers)
}

async fn status_code_and_message(given: Given) -> Result<(), Problem> {
    let status = EchoStatus { code: 2, message: "test status message".to_owned() };
    let request = SimpleRequest { response_status: Some(status.clone()), ..Default::default() };
    let unary = ends_with(given.stub().unary_call(request).await, Code::Unknown)?;
    ensure(unary.message() == status.message, "another message")?;
    let request = StreamingOutputCallRequest { response_status: Some(status.clone()), ..Default::default() };
    let streamed = match given.stub().full_duplex_call(tokio_stream::once(request)).await {
        Err(status) => status,
        Ok(reply) => ends_with(reply.into_inner().message().await, Code::Unknown)?,
    };
    ensure(streamed.code() == Code::Unknown && streamed.message() == status.message, "another message")
}

async fn special_status_message(given: Given) -> Result<(), Problem> {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n".to_owned();
    let status = EchoStatus { code: 2, message: message.clone() };
    let request = SimpleRequest { response_status: Some(status), ..Default::default() };
    let status = ends_with(given.stub().unary_call(request).await, Code::Unknown)?;
    ensure(status.message() == message, "another message")
}

async fn unimplemented_method(given: Given) -> Result<(), Problem> {
    ends_with(given.stub().unimplemented_call(Empty {}).await, Code::Unimplemented).map(drop)
}

async fn unimplemented_service(given: Given) -> Result<(), Problem> {
    let mut stub = UnimplementedServiceClient::new(given.channel.clone());
    ends_with(stub.unimplemented_call(Empty {}).await, Code::Unimplemented).map(drop)
}

/// To cancel is to drop: the call is gone, and so is its stream of requests.
async fn cancel_after_begin(given: Given) -> Result<(), Problem> {
    let (send, receive) = mpsc::channel(1);
    {
        let mut stub = given.stub();
        let mut call = std::pin::pin!(stub.streaming_input_call(ReceiverStream::new(receive)));
        let begun = tokio::time::timeout(Duration::from_millis(100), call.as_mut()).await;
        ensure(begun.is_err(), "the call ended before its requests")?;
    }
    send.closed().await;
    empty_unary(given).await
}

async fn cancel_after_first_response(given: Given) -> Result<(), Problem> {
    let (send, receive) = mpsc::channel(1);
    let _ = send.send(ping(27_182, 31_415)).await;
    let mut reply = given.stub().full_duplex_call(ReceiverStream::new(receive)).await?.into_inner();
    is_size(reply.message().await?.ok_or("no message")?.payload, 31_415)?;
    drop(reply);
    send.closed().await;
    empty_unary(given).await
}

/// Many times, for a server keeps the deadline too: a client that leaves it to others hears of it in time now and then.
async fn timeout_on_sleeping_server(given: Given) -> Result<(), Problem> {
    for _ in 0..50 {
        let (send, receive) = mpsc::channel(1);
        let message = StreamingOutputCallRequest { payload: Some(payload(27_182)), ..Default::default() };
        let _ = send.send(message).await;
        let mut request = Request::new(ReceiverStream::new(receive));
        request.set_timeout(Duration::from_millis(1));
        let status = match given.stub().full_duplex_call(request).await {
            Err(status) => Err::<(), _>(status),
            Ok(reply) => reply.into_inner().message().await.map(drop),
        };
        ends_with(status, Code::DeadlineExceeded)?;
    }
    Ok(())
}

/// Many calls one after the other.
async fn rpc_soak(given: Given) -> Result<(), Problem> {
    for _ in 0..10 {
        large_unary(given.clone()).await?;
    }
    Ok(())
}

/// The same, each over a connection of its own.
async fn channel_soak(given: Given) -> Result<(), Problem> {
    for _ in 0..10 {
        let channel = given.kind.connect(&given.server.address)?;
        large_unary(Given { channel, ..given.clone() }).await?;
    }
    Ok(())
}
