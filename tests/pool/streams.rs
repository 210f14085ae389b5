//! Bodies: large ones, and streams of messages both ways, for stubs that have such methods.

use std::time::Duration;

use bytes::Bytes;
use contact_center_insights::Transport;
use contact_center_insights::error::BoxError;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tower::{Service as _, ServiceExt as _};

use crate::server::Server;

type Chunk = Result<Frame<Bytes>, tonic::Status>;

/// Sends what comes through the channel to the server, which sends it back.
async fn echo(
    transport: &Transport,
    chunks: mpsc::Receiver<Chunk>,
) -> impl http_body::Body<Data = Bytes, Error = BoxError> + Unpin {
    let body = Body::new(StreamBody::new(ReceiverStream::new(chunks)));
    let request = Request::post("/echo").header("content-type", "application/grpc").body(body).unwrap();
    let mut transport = transport.clone();
    transport.ready().await.unwrap().call(request).await.unwrap().into_body()
}

fn chunk(size: usize) -> Frame<Bytes> {
    Frame::data(Bytes::from(vec![7; size]))
}

#[tokio::test(start_paused = true)]
async fn messages_go_both_ways_at_once() {
    let server = Server::start(100);
    let transport = server.transport().build().unwrap();
    let (send, receive) = mpsc::channel(1);
    // The head of the reply is there before the request has a body.
    let mut reply = echo(&transport, receive).await;
    for size in [1, 10, 100] {
        send.send(Ok(chunk(size))).await.unwrap();
        let frame = reply.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap().len(), size);
    }
    drop(send);
    assert!(reply.collect().await.unwrap().to_bytes().is_empty());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.in_flight(), 0);
}

/// Much larger than any window: both sides wait for each other's, and nothing is lost.
#[tokio::test(start_paused = true)]
async fn large_bodies_pass_whole() {
    const CHUNKS: usize = 200;
    const SIZE: usize = 100_000;
    let server = Server::start(100);
    let transport = server.transport().build().unwrap();
    let (send, receive) = mpsc::channel(1);
    let sender = tokio::spawn(async move {
        for _ in 0..CHUNKS {
            send.send(Ok(chunk(SIZE))).await.unwrap();
        }
    });
    let reply = echo(&transport, receive).await;
    let whole = reply.collect().await.unwrap().to_bytes();
    assert_eq!(whole.len(), CHUNKS * SIZE);
    sender.await.unwrap();
}

/// A server that does not read holds the sender back: no more is taken than the windows hold.
#[tokio::test(start_paused = true)]
async fn a_sender_is_held_back() {
    let server = Server::start(100);
    let transport = server.transport().build().unwrap();
    let (send, receive) = mpsc::channel(1);
    let reply = echo(&transport, receive).await;
    let mut taken = 0_usize;
    // Nobody reads the reply, so the server cannot send back, and stops reading.
    while let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(1), send.send(Ok(chunk(1 << 20)))).await {
        taken += 1;
        assert!(taken < 64, "the sender is not held back");
    }
    drop(reply);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_fails_the_call() {
    let server = Server::start(100);
    let transport = server.transport().build().unwrap();
    let (send, receive) = mpsc::channel(1);
    let mut reply = echo(&transport, receive).await;
    send.send(Err(tonic::Status::cancelled("the caller changed its mind"))).await.unwrap();
    let error = reply.frame().await.unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("changed its mind"), "{error:?}");
    drop(reply);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.in_flight(), 0);
}
