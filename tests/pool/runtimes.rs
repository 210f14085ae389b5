//! Several runtimes over one pool: those that end while connections are being opened, and those that live on but are not
//! driven. Time is that of the second runtime, and paused; the first does nothing unless it is told to.

use std::future::{pending, poll_fn};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use contact_center_insights::error::ServerEffect;
use contact_center_insights::{Client, Error};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::server::Server;
use crate::{client, get};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Drives the runtime until that is so.
fn drive(runtime: &Runtime, mut until: impl FnMut() -> bool) {
    runtime.block_on(async {
        while !until() {
            tokio::task::yield_now().await;
        }
    });
}

type Call = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A call that has been polled once, on that runtime.
fn begun(runtime: &Runtime, client: &Client) -> Call {
    let mut call: Call = Box::pin(get(client.clone()));
    let is_pending = runtime.block_on(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())));
    assert!(is_pending);
    call
}

/// How long a call took on that runtime, by its clock, and what came of it.
fn timed(runtime: &Runtime, call: impl Future<Output = Result<(), Error>>) -> (Duration, Result<(), Error>) {
    runtime.block_on(async {
        let started = Instant::now();
        let result = call.await;
        (started.elapsed(), result)
    })
}

const SOON: Duration = Duration::from_secs(5);

/// One connection is full, calls wait, another is being opened, and the runtime ends.
fn end_a_runtime(runtime: Runtime, other: Option<&Runtime>) {
    let server = Server::start(100);
    let (dials, hangs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
    let client = {
        let (server, dials, hangs) = (server.clone(), dials.clone(), hangs.clone());
        client(&server.clone(), |builder| {
            builder.with_max_streams(1).with_connector(move || {
                let is_first = dials.fetch_add(1, Ordering::SeqCst) == 0;
                let (server, waits) = (server.clone(), !is_first && hangs.load(Ordering::SeqCst));
                async move { if waits { pending().await } else { server.dial() } }
            })
        })
    };
    server.hold();
    for _ in 0..5 {
        runtime.spawn(get(client.clone()));
    }
    drive(&runtime, || server.in_flight() == 1 && dials.load(Ordering::SeqCst) == 2);
    let waiting = other.map(|other| (other, begun(other, &client)));
    drop(runtime);
    hangs.store(false, Ordering::SeqCst);
    server.release();
    if let Some((other, call)) = waiting {
        other.block_on(call).unwrap();
    }
}

#[test]
#[ignore = "run by `runtimes_that_end_...` in a process of its own"]
fn end_a_thousand_runtimes() {
    // Not a measurement: a child that hangs shall end.
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_mins(5));
        std::process::exit(3);
    });
    let other = runtime();
    for round in 0..1000 {
        let runtime = if round % 2 == 0 {
            runtime()
        } else {
            Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
        };
        end_a_runtime(runtime, (round % 4 < 2).then_some(&other));
    }
}

#[test]
fn runtimes_that_end_while_connections_are_opened_abort_nothing_and_hang_nothing() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runtimes::end_a_thousand_runtimes", "--ignored"])
        .output()
        .unwrap();
    assert!(child.status.success(), "{}: {}", child.status, String::from_utf8_lossy(&child.stderr));
    let out = String::from_utf8_lossy(&child.stdout);
    assert!(out.contains("1 passed"), "{out}");
}

/// A connector that panics does so once for those that wait, and not for ever.
#[tokio::test(start_paused = true)]
async fn a_connector_that_panics_is_a_failure_to_connect() {
    let dials = Arc::new(AtomicUsize::new(0));
    let counted = dials.clone();
    let client = client(&Server::start(100), |builder| {
        builder.with_connector(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { if true { panic!("on purpose") } else { Err::<tokio::io::DuplexStream, _>("never") } }
        })
    });
    let error = get(client.clone()).await.unwrap_err();
    assert!(error.is_unreachable() && error.is_transient(), "{error:?}");
    assert_eq!(dials.load(Ordering::SeqCst), 1);
}

/// The request has not left: it is sent over a connection of the caller's runtime, and nowhere else.
#[test]
fn a_connection_that_nobody_drives_is_left_to_its_runtime() {
    let (first, second) = (runtime(), paused());
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    first.block_on(get(client.clone())).unwrap();
    let (time, result) = timed(&second, get(client.clone()));
    result.unwrap();
    assert!(time <= SOON, "{time:?}");
    assert_eq!((server.opened(), server.served()), (2, 2));
    for _ in 0..10 {
        let (time, result) = timed(&second, get(client.clone()));
        result.unwrap();
        assert_eq!(time, Duration::ZERO, "the second has a connection of its own");
        first.block_on(get(client.clone())).unwrap();
    }
    // Driven again, the first has nothing left to send.
    drive(&first, || server.in_flight() == 0);
    assert_eq!((server.opened(), server.served()), (2, 22));
}

/// The request has left, and nobody reads the reply.
#[test]
fn a_call_that_was_sent_before_its_connection_stalled_is_of_unknown_outcome() {
    let (first, second) = (runtime(), paused());
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    first.block_on(get(client.clone())).unwrap();
    server.hold();
    let call = begun(&second, &client);
    drive(&first, || server.in_flight() == 1);
    let (time, result) = timed(&second, call);
    let Err(Error::Call(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.fault().effect, ServerEffect::Unknown, "{error:?}");
    assert!(error.fault().is_transient && time <= SOON, "{time:?}, {error:?}");
    assert!(error.to_string().contains("nobody reads the connection"), "{error}");
}

/// Whose opening nobody drives, and whose connections are full and stalled, waits for neither.
#[test]
fn calls_do_not_wait_for_a_runtime_that_nobody_drives() {
    let (first, second) = (runtime(), paused());
    let server = Server::start(100);
    {
        let client = client(&server, |builder| builder);
        let opening = begun(&first, &client);
        let (time, result) = timed(&second, get(client));
        result.unwrap();
        assert!(time <= SOON, "{time:?}");
        drop(opening);
    }
    let client = client(&server, |builder| builder.with_max_connections(1).with_max_streams(1));
    server.hold();
    let held = server.in_flight();
    first.spawn(get(client.clone()));
    drive(&first, || server.in_flight() == held + 1);
    let call = begun(&second, &client);
    server.release();
    let (time, result) = timed(&second, call);
    result.unwrap();
    assert!(time <= SOON, "{time:?}");
}

/// A runtime that is driven elsewhere keeps its connection, and shares it.
#[test]
fn a_connection_that_is_driven_carries_calls_of_others() {
    // Its clock is not paused: it would run ahead of the other thread.
    let second = runtime();
    let server = Server::start(100);
    let client = client(&server, |builder| builder);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let driver = std::thread::spawn({
        let client = client.clone();
        move || {
            runtime().block_on(async {
                get(client).await.unwrap();
                ready.send(()).unwrap();
                stopped.await.unwrap();
            });
        }
    });
    is_ready.recv().unwrap();
    for _ in 0..100 {
        second.block_on(get(client.clone())).unwrap();
    }
    assert_eq!(server.opened(), 1);
    stop.send(()).unwrap();
    driver.join().unwrap();
}
