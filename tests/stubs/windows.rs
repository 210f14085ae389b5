//! Replies that nobody reads hold up nothing but themselves.

use std::time::Duration;

use h2::SendStream;
use tokio::time::timeout;
use tonic::Request;

use crate::pipe::{Count, begin, end, framed, message, served, stream, unary};

/// Sends as much as there is room for.
async fn send(stream: &mut SendStream<bytes::Bytes>, mut data: bytes::Bytes) {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let Some(Ok(room)) = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
        if stream.send_data(data.split_to(room.min(data.len())), false).is_err() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unread_streams_stall_only_themselves() {
    const STREAMS: usize = 12;
    const SIZE: usize = 3 << 20;
    let opened = Count::default();
    let counted = opened.clone();
    let transport = served(move |request, mut reply| {
        let opened = counted.clone();
        async move {
            let is_stream = request.uri().path().ends_with("Both");
            let mut stream = begin(&mut reply);
            if is_stream {
                opened.add();
            }
            send(&mut stream, framed(SIZE)).await;
            end(&mut stream);
        }
    });
    let transport = transport.with_max_connections(1).build().unwrap();
    let mut unread = Vec::new();
    for _ in 0..STREAMS {
        unread.push(stream(&transport, Request::new(tokio_stream::once(message(1)))).await.unwrap());
    }
    // The server sends what it may.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..3 {
        let call = unary(&transport, Request::new(message(1)));
        let reply = timeout(Duration::from_hours(1), call).await.expect("no hang").unwrap();
        assert_eq!(reply.name.len(), SIZE);
    }
    assert_eq!(opened.get(), STREAMS);
    // They go on where they stopped.
    for mut reply in unread {
        let message = async { reply.message().await.unwrap().unwrap().name.len() };
        assert_eq!(timeout(Duration::from_hours(1), message).await.expect("no hang"), SIZE);
    }
}
