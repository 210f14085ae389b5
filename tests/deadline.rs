//! Whose end it is: a server that keeps the time of `grpc-timeout` itself, and resets the stream just before our own timer
//! fires, as grpc-go does. Time is paused, and the connection is a pipe.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::io;
use std::time::Duration;

use contact_center_insights::call::RetryPolicy;
use contact_center_insights::{Client, Code, Credentials, Error, Transport};
use h2::Reason;
use support::NAME;
use tokio::time::sleep;

const TIMEOUT: Duration = Duration::from_millis(500);

/// A client of a server that resets every stream with `reason`, `after` the request has come.
fn resets(reason: Reason, after: Duration) -> Client {
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(theirs).await.unwrap();
            while let Some(Ok((_request, mut reply))) = connection.accept().await {
                tokio::spawn(async move {
                    sleep(after).await;
                    reply.send_reset(reason);
                });
            }
        });
        async move { Ok::<_, io::Error>(ours) }
    };
    let transport = Transport::builder("http://localhost:1".parse().unwrap())
        .with_credentials(Credentials::anonymous())
        .with_connector(dial)
        .build()
        .unwrap();
    let retry = RetryPolicy::never().with_attempt_timeout(TIMEOUT);
    Client::builder().with_transport(transport).with_retry(retry).build().unwrap()
}

async fn fails(client: &Client) -> Error {
    client.get_operation(NAME).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_cancelled_when_the_time_is_over_is_a_deadline() {
    for early in [0, 1, 2] {
        let client = resets(Reason::CANCEL, TIMEOUT.saturating_sub(Duration::from_millis(early)));
        let error = fails(&client).await;
        assert_eq!(error.code(), Some(Code::DeadlineExceeded), "{early} ms early: {error}");
        assert!(error.is_deadline_exceeded() && error.may_have_been_applied());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_cancelled_before_or_reset_otherwise_is_not() {
    let earlier = resets(Reason::CANCEL, TIMEOUT / 2);
    assert_eq!(fails(&earlier).await.code(), Some(Code::Unavailable));
    let otherwise = resets(Reason::INTERNAL_ERROR, TIMEOUT.saturating_sub(Duration::from_millis(1)));
    assert_eq!(fails(&otherwise).await.code(), Some(Code::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_whole_call_counts_as_well() {
    let client = resets(Reason::CANCEL, Duration::from_millis(199));
    let error = client.get_operation(NAME).with_timeout(Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::DeadlineExceeded), "{error}");
}
