//! Streams of requests go on by themselves, and end with the reply.

use std::time::Duration;

use contact_center_insights::error::Fault;
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Code, Transport};
use h2::{Reason, RecvStream};
use http::uri::PathAndQuery;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Request;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;

use crate::pipe::{Count, begin, end, framed, message, served, stream, unary};

const HANG: Duration = Duration::from_hours(1);

fn channel(size: usize) -> (mpsc::Sender<Operation>, Request<ReceiverStream<Operation>>) {
    let (send, receive) = mpsc::channel(size);
    (send, Request::new(ReceiverStream::new(receive)))
}

/// Reads a request to its end.
async fn read(mut body: RecvStream) -> Result<usize, h2::Error> {
    let mut size = 0;
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        size += data.len();
    }
    Ok(size)
}

#[tokio::test(start_paused = true)]
async fn fifty_are_sent_before_the_reply_is_read() {
    let transport = served(|request, mut reply| async move {
        let mut stream = begin(&mut reply);
        let size = read(request.into_body()).await.unwrap();
        assert_eq!(size, 50 * framed(9).len());
        stream.send_data(framed(1), false).unwrap();
        end(&mut stream);
    });
    let transport = transport.build().unwrap();
    let (send, request) = channel(4);
    let mut reply = stream(&transport, request).await.unwrap();
    for number in 0..50 {
        let outcome = timeout(HANG, send.send(message(9))).await;
        assert!(matches!(outcome, Ok(Ok(()))), "hangs at {number}");
    }
    drop(send);
    assert_eq!(reply.message().await.unwrap(), Some(message(1)));
    assert_eq!(reply.message().await.unwrap(), None);
}

/// More than any window, to a server that has answered nothing yet.
#[tokio::test(start_paused = true)]
async fn large_streams_pass_while_nobody_polls() {
    let done = Count::default();
    let counted = done.clone();
    let transport = served(move |request, mut reply| {
        let done = counted.clone();
        async move {
            let mut stream = begin(&mut reply);
            assert!(read(request.into_body()).await.unwrap() > 100 * 100_000);
            done.add();
            end(&mut stream);
        }
    });
    let transport = transport.build().unwrap();
    let messages = tokio_stream::iter((0..100).map(|_| message(100_000)));
    let reply = stream(&transport, Request::new(messages)).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(done.get(), 1);
    drop(reply);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_reply_ends_the_upload_at_once() {
    let (tell, mut told) = watch::channel(None);
    let transport = served(move |request, mut reply| {
        let tell = tell.clone();
        async move {
            let _stream = begin(&mut reply);
            let error = read(request.into_body()).await.unwrap_err();
            tell.send_replace(error.reason());
        }
    });
    let transport = transport.build().unwrap();
    let (send, request) = channel(4);
    let reply = stream(&transport, request).await.unwrap();
    send.send(message(1)).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(!send.is_closed());
    drop(reply);
    assert!(send.is_closed(), "without a wait");
    let reason = *told.wait_for(Option::is_some).await.unwrap();
    assert_eq!(reason, Some(Reason::CANCEL));
}

/// The same, before there is a reply.
#[tokio::test(start_paused = true)]
async fn a_dropped_call_ends_the_upload_at_once() {
    let transport = served(|request, _reply| async move {
        read(request.into_body()).await.unwrap_err();
    });
    let transport = transport.build().unwrap();
    let (send, request) = channel(4);
    {
        let mut call = std::pin::pin!(stream(&transport, request));
        assert!(timeout(Duration::from_secs(1), call.as_mut()).await.is_err());
        assert!(!send.is_closed());
    }
    assert!(send.is_closed());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_reply_ends_the_upload() {
    let transport = served(|request, mut reply| async move {
        let mut stream = begin(&mut reply);
        end(&mut stream);
        let _ = read(request.into_body()).await;
    });
    let transport = transport.build().unwrap();
    let (send, request) = channel(4);
    let mut reply = stream(&transport, request).await.unwrap();
    assert_eq!(reply.message().await.unwrap(), None);
    assert!(send.is_closed());
    drop(reply);
}

/// A task for each stream of requests, and none for what is no stream.
#[tokio::test(start_paused = true)]
async fn unary_calls_spawn_nothing() {
    let (hold, holding) = watch::channel(true);
    let transport = served(move |request, mut reply| {
        let mut holding = holding.clone();
        async move {
            holding.wait_for(|is_held| !is_held).await.unwrap();
            let mut stream = begin(&mut reply);
            read(request.into_body()).await.unwrap();
            stream.send_data(framed(1), false).unwrap();
            end(&mut stream);
        }
    });
    let transport = transport.build().unwrap();
    hold.send_replace(false);
    unary(&transport, Request::new(message(1))).await.unwrap();
    hold.send_replace(true);
    sleep(Duration::from_secs(1)).await;
    let before = Handle::current().metrics().num_alive_tasks();
    for size in [1, 1 << 20] {
        let mut call = std::pin::pin!(unary(&transport, Request::new(message(size))));
        assert!(timeout(Duration::from_secs(1), call.as_mut()).await.is_err());
        assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 1, "that of the server");
        hold.send_replace(false);
        call.await.unwrap();
        hold.send_replace(true);
        sleep(Duration::from_secs(1)).await;
    }
    let (send, request) = channel(1);
    let mut call = std::pin::pin!(stream(&transport, request));
    assert!(timeout(Duration::from_secs(1), call.as_mut()).await.is_err());
    assert_eq!(
        Handle::current().metrics().num_alive_tasks(),
        before + 2,
        "the server's, and that which sends"
    );
    drop(send);
}

async fn with_limit(
    transport: &Transport,
    messages: impl Stream<Item = Operation> + Send + 'static,
) -> tonic::Status {
    let mut grpc = Grpc::new(transport.clone()).max_encoding_message_size(100);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/test.Streams/Both");
    let codec = ProstCodec::<Operation, Operation>::default();
    match grpc.streaming(Request::new(messages), path, codec).await {
        Err(status) => status,
        Ok(reply) => timeout(HANG, reply.into_inner().message()).await.unwrap().unwrap_err(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_encoded_fails_the_call_with_its_own_code() {
    let transport = served(|request, mut reply| async move {
        let _stream = begin(&mut reply);
        let _ = read(request.into_body()).await;
    });
    let transport = transport.build().unwrap();
    let at_once = with_limit(&transport, tokio_stream::once(message(1_000))).await;
    let (send, receive) = mpsc::channel(2);
    send.send(message(1)).await.unwrap();
    tokio::spawn(async move {
        sleep(Duration::from_secs(1)).await;
        send.send(message(1_000)).await.unwrap();
        send.closed().await;
    });
    let later = with_limit(&transport, ReceiverStream::new(receive)).await;
    for status in [at_once, later] {
        assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
        assert!(status.message().contains("could not be sent whole"), "{status:?}");
        assert!(!Fault::of(&status).unwrap().is_transient);
    }
}

/// The panic stays in the task; the call fails, and does not hang.
#[tokio::test(start_paused = true)]
async fn a_stream_that_panics_fails_the_call() {
    let transport = served(|request, mut reply| async move {
        let _stream = begin(&mut reply);
        let _ = read(request.into_body()).await;
    });
    let transport = transport.build().unwrap();
    let (send, receive) = mpsc::channel::<Operation>(1);
    let messages = ReceiverStream::new(receive).map(|message| {
        assert!(message.name.is_empty(), "on purpose");
        message
    });
    let mut reply = stream(&transport, Request::new(messages)).await.unwrap();
    send.send(message(1)).await.unwrap();
    let status = timeout(HANG, reply.message()).await.unwrap().unwrap_err();
    assert!(status.message().contains("the stream of messages panicked"), "{status:?}");
}
