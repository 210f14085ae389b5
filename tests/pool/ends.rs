//! Connections that end, or never begin.

use std::future::{Future as _, poll_fn};
use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::server::Server;
use crate::{client, crowd, get};

/// Google's front ends say GOAWAY every hour or so. Calls in flight go on, and later ones go elsewhere.
#[tokio::test(start_paused = true)]
async fn a_goaway_fails_no_call() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    get(client.clone()).await.unwrap();
    server.hold();
    let in_flight = tokio::spawn({
        let client = client.clone();
        async move { crowd(&client, 10).await }
    });
    sleep(Duration::from_secs(1)).await;
    server.go_away();
    sleep(Duration::from_secs(1)).await;
    let later = tokio::spawn({
        let client = client.clone();
        async move { crowd(&client, 10).await }
    });
    sleep(Duration::from_secs(1)).await;
    assert_eq!((server.opened(), server.in_flight()), (2, 20));
    server.release();
    in_flight.await.unwrap();
    later.await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.closed(), 1, "the one that said GOAWAY");
}

/// A call that comes upon the closing connection is sent over another, whether or not the client has heard of it yet.
#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_while_idle_costs_nothing() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    for round in 1..=100 {
        get(client.clone()).await.unwrap();
        server.go_away();
        if round % 2 == 0 {
            sleep(Duration::from_secs(1)).await;
        }
    }
    // Where the server was not quicker, the call was still served by the old one.
    assert!((50..=100).contains(&server.opened()), "{}", server.opened());
}

#[tokio::test(start_paused = true)]
async fn a_dead_connection_fails_the_calls_on_it_and_no_other() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_streams(5));
    server.hold();
    let mut calls: JoinSet<_> = (0..5).map(|_| get(client.clone())).collect();
    sleep(Duration::from_secs(1)).await;
    server.kill();
    while let Some(result) = calls.join_next().await {
        let error = result.unwrap().unwrap_err();
        assert!(error.is_transient() && error.may_have_been_applied(), "{error:?}");
    }
    server.release();
    crowd(&client, 5).await;
    assert_eq!(server.opened(), 2);
}

/// Whoever waits hears of a failed connection at once; one attempt serves them all.
#[tokio::test(start_paused = true)]
async fn calls_that_wait_share_the_failure_to_connect() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    server.refuse(1);
    let mut calls: JoinSet<_> = (0..50).map(|_| get(client.clone())).collect();
    while let Some(result) = calls.join_next().await {
        let error = result.unwrap().unwrap_err();
        assert!(error.is_unreachable() && error.is_transient(), "{error:?}");
    }
    assert_eq!(server.dials(), 1);
    get(client).await.unwrap();
    assert_eq!(server.dials(), 2);
}

/// While a server is away, it is dialled once a second at the most, however many ask.
#[tokio::test(start_paused = true)]
async fn failed_attempts_are_spread_out() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    server.refuse(usize::MAX);
    let started = Instant::now();
    while started.elapsed() < Duration::from_mins(1) {
        let error = get(client.clone()).await.unwrap_err();
        assert!(error.is_unreachable(), "{error:?}");
    }
    assert!((60..=66).contains(&server.dials()), "{}", server.dials());
    server.refuse(0);
    get(client).await.unwrap();
}

/// The pool would open a second connection and cannot: calls wait for a place on the first.
#[tokio::test(start_paused = true)]
async fn where_no_more_can_be_opened_calls_wait() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_streams(1));
    get(client.clone()).await.unwrap();
    server.refuse(usize::MAX);
    server.set_delay(Duration::from_millis(50));
    crowd(&client, 20).await;
    assert_eq!((server.opened(), server.most_in_flight()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_used_is_closed_but_for_the_last() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder.with_max_streams(1).with_max_connections(4));
    server.set_delay(Duration::from_millis(1));
    crowd(&client, 40).await;
    assert_eq!((server.opened(), server.closed()), (4, 0));
    sleep(Duration::from_mins(15)).await;
    assert_eq!((server.opened(), server.closed()), (4, 3));
    get(client).await.unwrap();
    assert_eq!(server.opened(), 4);
}

/// Dropping the client takes nothing from a call that is under way; then the connections close.
#[tokio::test(start_paused = true)]
async fn a_dropped_client_drains() {
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    server.hold();
    let call = client.get_operation(crate::server::NAME);
    drop(client);
    let call = tokio::spawn(async move { call.await.map(drop) });
    sleep(Duration::from_secs(1)).await;
    assert_eq!((server.in_flight(), server.closed()), (1, 0));
    server.release();
    call.await.unwrap().unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!((server.opened(), server.closed()), (1, 1));
}

/// The runtime that drove the connection stops while calls of another wait for a place on it: they do not hang, and the
/// next call opens a connection where it is.
#[test]
fn a_runtime_that_stops_takes_only_its_own_calls_along() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let server = Server::start(100);
    let client = {
        let _in_first = first.enter();
        client(&server, |builder| builder.with_max_connections(1).with_max_streams(1))
    };
    first.block_on(get(client.clone())).unwrap();
    server.hold();
    first.spawn(get(client.clone()));
    first.block_on(async {
        while server.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
    });
    let mut waiting = Box::pin(get(client.clone()));
    let is_waiting = second.block_on(poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())));
    assert!(is_waiting);
    drop(first);
    server.release();
    // Which of its tasks a runtime drops first is its own business: the call is served anew, or was never sent.
    if let Err(error) = second.block_on(waiting) {
        assert!(error.is_unreachable() && error.is_transient(), "{error:?}");
    }
    second.block_on(get(client)).unwrap();
}
