//! A deadline that a stub sets is kept here, whatever the server does.

use std::time::Duration;

use bytes::Bytes;
use contact_center_insights::error::{Fault, ServerEffect};
use contact_center_insights::{Code, Transport};
use h2::Reason;
use h2::server::SendResponse;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Request, Status};

use crate::pipe::{Count, begin, end, framed, message, served, stream, unary};

const TIMEOUT: Duration = Duration::from_millis(500);
const HANG: Duration = Duration::from_hours(1);

fn request() -> Request<contact_center_insights::proto::longrunning::Operation> {
    let mut request = Request::new(message(1));
    request.set_timeout(TIMEOUT);
    request
}

/// Ended in time, by a deadline of which nobody knows what the server did.
fn check(status: &Status, since: Instant) {
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    let fault = Fault::of(status).unwrap();
    assert!(fault.is_transient && fault.effect == ServerEffect::Unknown, "{status:?}");
    assert_eq!(since.elapsed().as_millis() / 10, TIMEOUT.as_millis() / 10, "{status:?}");
}

async fn wait_for_reset(mut stream: h2::SendStream<Bytes>) -> Reason {
    std::future::poll_fn(|cx| stream.poll_reset(cx)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_silent_server() {
    let resets = Count::default();
    let seen = resets.clone();
    let transport = served(move |_, mut reply: SendResponse<Bytes>| {
        let seen = seen.clone();
        async move {
            let reason = std::future::poll_fn(|cx| reply.poll_reset(cx)).await.unwrap();
            assert_eq!(reason, Reason::CANCEL);
            seen.add();
        }
    });
    let transport = transport.build().unwrap();
    let started = Instant::now();
    check(&timeout(HANG, unary(&transport, request())).await.unwrap().unwrap_err(), started);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(resets.get(), 1, "the server is told at once");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_within_the_reply() {
    for messages in [0, 3] {
        let transport = served(move |_, mut reply| async move {
            let mut stream = begin(&mut reply);
            for _ in 0..messages {
                stream.send_data(framed(1), false).unwrap();
            }
            assert_eq!(wait_for_reset(stream).await, Reason::CANCEL);
        });
        let transport = transport.build().unwrap();
        let started = Instant::now();
        let mut reply = stream(&transport, request().map(tokio_stream::once)).await.unwrap();
        for _ in 0..messages {
            assert!(reply.message().await.unwrap().is_some());
        }
        check(&timeout(HANG, reply.message()).await.unwrap().unwrap_err(), started);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_stops_talking() {
    let transport = served(|_, mut reply| async move {
        let mut stream = begin(&mut reply);
        while stream.send_data(framed(1), false).is_ok() {
            sleep(Duration::from_millis(7)).await;
        }
    });
    let transport = transport.build().unwrap();
    let started = Instant::now();
    let mut reply = stream(&transport, request().map(tokio_stream::once)).await.unwrap();
    let status = loop {
        match timeout(HANG, reply.message()).await.unwrap() {
            Ok(message) => {
                assert!(message.is_some() && started.elapsed() <= TIMEOUT + Duration::from_millis(10));
            }
            Err(status) => break status,
        }
    };
    check(&status, started);
}

/// Messages that are there already do not outlast it either, for a reader that is slow.
#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_late() {
    let transport = served(|_, mut reply| async move {
        let mut stream = begin(&mut reply);
        for _ in 0..50 {
            stream.send_data(framed(1), false).unwrap();
        }
        wait_for_reset(stream).await;
    });
    let transport = transport.build().unwrap();
    let mut reply = stream(&transport, request().map(tokio_stream::once)).await.unwrap();
    sleep(TIMEOUT).await;
    assert_eq!(reply.message().await.unwrap_err().code(), Code::DeadlineExceeded);
}

/// grpc-go does so, a moment before our own timer fires.
#[tokio::test(start_paused = true)]
async fn a_server_that_cancels_when_the_time_is_over() {
    for early in [0, 1, 2] {
        let transport = served(move |_, mut reply: SendResponse<Bytes>| async move {
            sleep(TIMEOUT.saturating_sub(Duration::from_millis(early))).await;
            reply.send_reset(Reason::CANCEL);
        });
        let status = unary(&transport.build().unwrap(), request()).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{early} ms early: {status:?}");
    }
    let transport = served(|_, mut reply: SendResponse<Bytes>| async move {
        sleep(TIMEOUT / 2).await;
        reply.send_reset(Reason::CANCEL);
    });
    let status = unary(&transport.build().unwrap(), request()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "half way it is something else: {status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_place_in_our_own_queue() {
    let transport = served(|_, reply: SendResponse<Bytes>| async move {
        sleep(HANG).await;
        drop(reply);
    });
    let transport = transport.with_max_connections(1).with_max_streams(1).build().unwrap();
    let held = {
        let transport: Transport = transport.clone();
        tokio::spawn(async move { unary(&transport, Request::new(message(1))).await })
    };
    sleep(Duration::from_secs(1)).await;
    let status = unary(&transport, request()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.message().contains("in the client's own queue, and nothing was sent"), "{status:?}");
    assert_eq!(Fault::of(&status).unwrap().effect, ServerEffect::NotSent);
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn a_reply_in_time_is_as_it_was() {
    let transport = served(|_, mut reply| async move {
        sleep(TIMEOUT / 2).await;
        let mut stream = begin(&mut reply);
        stream.send_data(framed(5), false).unwrap();
        end(&mut stream);
    });
    let reply = unary(&transport.build().unwrap(), request()).await.unwrap();
    assert_eq!(reply, message(5));
}
