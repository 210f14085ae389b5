//! The pool of connections: how many there are, who waits for a place, and what becomes of a connection that ends. Over
//! pipes in memory, so that time is paused and nothing depends on the machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]
#![allow(unreachable_pub, reason = "modules of a test")]

mod ends;
mod pings;
mod runtimes;
mod server;
mod streams;
#[path = "../support/mod.rs"]
mod support;
#[path = "../faults/wire.rs"]
#[allow(dead_code, reason = "a module of two tests, each of which uses its part")]
mod wire;

use std::time::Duration;

use contact_center_insights::call::RetryPolicy;
use contact_center_insights::transport::TransportBuilder;
use contact_center_insights::{Client, Error};
use server::{NAME, Server};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A client without retries: what the pool does not mend is an error.
fn client(server: &Server, settings: impl FnOnce(TransportBuilder) -> TransportBuilder) -> Client {
    let transport = settings(server.transport()).build().unwrap();
    Client::builder().with_transport(transport).with_retry(RetryPolicy::never()).build().unwrap()
}

async fn get(client: Client) -> Result<(), Error> {
    client.get_operation(NAME).await.map(|operation| assert!(operation.is_done()))
}

/// So many calls at once; all must succeed.
async fn crowd(client: &Client, calls: usize) {
    let running: JoinSet<_> = (0..calls).map(|_| get(client.clone())).collect();
    for result in running.join_all().await {
        result.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_call_after_another_needs_one_connection() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    assert_eq!(server.opened(), 0, "nothing is opened before the first call");
    for _ in 0..100 {
        get(client.clone()).await.unwrap();
    }
    assert_eq!(server.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn connections_are_opened_as_calls_in_flight_need_them() {
    for (calls, connections) in [(1, 1), (100, 1), (101, 2), (250, 3), (790, 8)] {
        let server = Server::start(100);
        let client = client(&server, |builder| builder);
        server.hold();
        let crowd = tokio::spawn(async move { crowd(&client, calls).await });
        sleep(Duration::from_secs(1)).await;
        assert_eq!((server.opened(), server.in_flight()), (connections, calls));
        server.release();
        crowd.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_most_connections_and_the_most_calls_on_each_are_kept_to() {
    // The server allows 10 at once, less than the client would send.
    let server = Server::start(10);
    let client = client(&server, |builder| builder.with_max_connections(3));
    server.hold();
    let crowd = tokio::spawn(async move { crowd(&client, 100).await });
    sleep(Duration::from_secs(1)).await;
    assert_eq!((server.opened(), server.in_flight()), (3, 30));
    server.release();
    crowd.await.unwrap();
    assert_eq!((server.opened(), server.served()), (3, 100));
}

#[tokio::test(start_paused = true)]
async fn settings_of_zero_count_as_one() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_connections(0).with_max_streams(0));
    crowd(&client, 5).await;
    assert_eq!((server.opened(), server.most_in_flight()), (1, 1));
}

/// Those who wait are served in order, and those who gave up cost the others nothing.
#[tokio::test(start_paused = true)]
async fn the_line_is_first_come_first_served() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_connections(1).with_max_streams(1));
    server.hold();
    let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
    let mut calls = Vec::new();
    for number in 0..10 {
        let (client, done) = (client.clone(), done.clone());
        calls.push(tokio::spawn(async move {
            get(client).await.unwrap();
            done.send(number).unwrap();
        }));
        // One after the other: the order of spawned tasks is not promised.
        sleep(Duration::from_millis(1)).await;
    }
    for number in [0, 3, 4, 9] {
        calls.get(number).unwrap().abort();
    }
    server.release();
    drop(done);
    let mut finished = Vec::new();
    while let Some(number) = order.recv().await {
        finished.push(number);
    }
    assert_eq!(finished, [1, 2, 5, 6, 7, 8]);
    assert_eq!(server.most_in_flight(), 1);
    get(client).await.unwrap();
}

/// An attempt that never got a place says so: nothing was sent, and what to do.
#[tokio::test(start_paused = true)]
async fn a_call_whose_time_passes_in_the_queue_says_so() {
    let server = Server::start(100);
    let transport = server.transport().with_max_connections(2).with_max_streams(3).build().unwrap();
    let with_timeout = |timeout| {
        let policy = RetryPolicy::never().with_attempt_timeout(timeout);
        Client::builder().with_transport(transport.clone()).with_retry(policy).build().unwrap()
    };
    server.hold();
    let long = with_timeout(Duration::from_hours(1));
    let held: JoinSet<_> = (0..6).map(|_| get(long.clone())).collect();
    sleep(Duration::from_secs(1)).await;
    let error = get(with_timeout(Duration::from_secs(30))).await.unwrap_err();
    assert!(error.is_transient() && !error.may_have_been_applied(), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("waited 30.0s in the client's own queue, and nothing was sent"), "{text}");
    assert!(text.contains("all 2 connections carry as many calls as allowed"), "{text}");
    assert!(text.contains("with_max_connections"), "{text}");
    drop(held);
}

/// The time that a call spent in the queue before it was sent is part of what its error says.
#[tokio::test(start_paused = true)]
async fn a_call_whose_time_passes_mostly_in_the_queue_says_so() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_connections(1).with_max_streams(1));
    server.hold();
    let first = tokio::spawn(get(client.clone()));
    sleep(Duration::from_secs(1)).await;
    let second = tokio::spawn(get(client.clone()));
    sleep(Duration::from_secs(50)).await;
    first.abort();
    let error = second.await.unwrap().unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("no whole reply within 60.0s, of which 50.0s passed before the request had a place"),
        "{text}"
    );
}

/// Many more than there are places: each is served, and those that give up cost the others nothing.
#[tokio::test(start_paused = true)]
async fn a_large_crowd_is_served() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_connections(2));
    server.hold();
    let dropped: JoinSet<_> = (0..2000).map(|_| get(client.clone())).collect();
    sleep(Duration::from_secs(1)).await;
    assert_eq!((server.opened(), server.in_flight()), (2, 200));
    drop(dropped);
    server.release();
    crowd(&client, 2000).await;
    assert_eq!(server.opened(), 2);
}

/// A thousand calls that are dropped at every stage leave no place taken.
#[tokio::test(start_paused = true)]
async fn dropped_calls_leave_their_places() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_connections(2).with_max_streams(2));
    server.set_delay(Duration::from_millis(7));
    for round in 0..200_u64 {
        let crowd: JoinSet<_> = (0..5).map(|_| get(client.clone())).collect();
        tokio::select! {
            biased;
            () = async { crowd.join_all().await.into_iter().for_each(Result::unwrap) } => {}
            () = sleep(Duration::from_millis(round % 11)) => {}
        }
    }
    server.set_delay(Duration::ZERO);
    crowd(&client, 10).await;
    assert!(server.opened() <= 2, "{}", server.opened());
}
