//! The fault matrix: every fault on a real socket, under every kind of call, compared with `docs/faults.md`.
//!
//! Time is real here, since sockets do not know the paused one; nothing depends on it but what a silent server
//! leaves no other way to end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]
#![allow(unreachable_pub, clippy::indexing_slicing, reason = "modules of a test")]

mod calls;
#[path = "../support/documented.rs"]
mod documented;
mod rows;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod wire;

use std::fmt::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use calls::{Kind, Patience, client};
use contact_center_insights::error::ServerEffect;
use contact_center_insights::status::code_name;
use contact_center_insights::{Code, Error};
use rows::{Expected, Row};
use server::{Fault, Server};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// No call takes so long on any machine: longer is a hang.
const HANG: Duration = Duration::from_secs(30);

/// One fault, then health: what the caller saw, in words. Whatever it was, the next call works.
async fn after_one_fault(row: &Row, kind: Kind) -> String {
    let server = Server::start(&row.fault, 1, kind).await;
    let client = client(&server, row.patience);
    let result = timeout(HANG, kind.call(&client, row.patience)).await.expect("no hang");
    let requests = server.requests();
    timeout(HANG, kind.call(&client, row.patience)).await.expect("no hang").expect("the next call works");
    judge_once(row, kind, result.err().as_ref(), requests)
}

fn judge_once(row: &Row, kind: Kind, error: Option<&Error>, requests: usize) -> String {
    let place = format!("{} under {kind:?}: {error:?}", row.name);
    let (acted, heals) = match row.expected {
        Expected::Nothing => {
            assert!(error.is_none() && requests == kind.requests(), "{place}");
            return "ok".to_owned();
        }
        Expected::Token => (ServerEffect::Answered, true),
        Expected::Permanent(_, acted) => (acted, false),
        Expected::Transient(_, acted) | Expected::Overload(_, acted) => {
            (acted, kind != Kind::Create || matches!(acted, ServerEffect::NotSent | ServerEffect::Refused))
        }
    };
    assert_eq!(error.is_none(), heals, "{place}");
    let Some(error) = error else {
        let expected = kind.requests() + usize::from(acted != ServerEffect::NotSent);
        assert!(requests == expected || row.is_timed(), "{requests} requests, {place}");
        return "ok, retried".to_owned();
    };
    assert!(requests == 1 || row.is_timed() && requests == 0, "{requests} requests, {place}");
    assert_eq!(error.may_have_been_applied(), acted == ServerEffect::Unknown, "{place}");
    let may =
        if kind == Kind::Create && acted == ServerEffect::Unknown { ", may have been applied" } else { "" };
    format!("error{may}")
}

/// A fault that never ends: one attempt tells it for what it is.
async fn one_attempt(row: &Row, kind: Kind) -> String {
    let (code, acted, is_transient, is_overload) = match row.expected {
        Expected::Nothing => return String::new(),
        Expected::Token => (Code::Unauthenticated, ServerEffect::Answered, false, false),
        Expected::Transient(code, acted) => (code, acted, true, false),
        Expected::Overload(code, acted) => (code, acted, true, true),
        Expected::Permanent(code, acted) => (code, acted, false, false),
    };
    let (error, _) = without_end(row, kind, 1).await;
    let call = error.call().unwrap_or_else(|| panic!("{}: {error:?}", row.name));
    let fault = call.fault();
    assert_eq!(
        (error.code(), fault.effect, fault.is_transient, fault.is_overload),
        (Some(code), acted, is_transient, is_overload),
        "{} under {kind:?}: {}",
        row.name,
        chain(&error)
    );
    // The time that an attempt took is not the same every time.
    let text = match call.status().message().split(" within ").next() {
        None | Some("") => "the server gave no message",
        Some(text) => text,
    };
    assert!(error.to_string().contains(text) || call.status().message().is_empty(), "{error}");
    format!("{}: {text}", code_name(code))
}

/// Several attempts at a fault that never ends: an error all the same, and nothing is sent more often than is
/// safe.
async fn several_attempts(row: &Row, kind: Kind) {
    const ATTEMPTS: u32 = 3;
    let most = match row.expected {
        Expected::Nothing => return,
        Expected::Token => 2,
        Expected::Permanent(..) => 1,
        Expected::Transient(_, acted) | Expected::Overload(_, acted) => match acted {
            ServerEffect::NotSent => 0,
            ServerEffect::Unknown | ServerEffect::Answered if kind == Kind::Create => 1,
            // A request that the server has left out is retried at once, three times a call, before the policy is asked.
            ServerEffect::Refused if kind == Kind::Poll => 4 * ATTEMPTS as usize,
            ServerEffect::Refused => ATTEMPTS as usize + 3,
            _ => ATTEMPTS as usize,
        },
    };
    let (error, requests) = without_end(row, kind, ATTEMPTS).await;
    // An attempt that comes upon the closing connection of the one before is not sent.
    assert!(requests <= most, "{requests} requests, {} under {kind:?}: {error:?}", row.name);
}

async fn without_end(row: &Row, kind: Kind, attempts: u32) -> (Error, usize) {
    let server = Server::start(&row.fault, usize::MAX, kind).await;
    let patience = Patience { attempts, ..row.patience };
    let result = timeout(HANG, kind.call(&client(&server, patience), patience)).await.expect("no hang");
    (result.expect_err(&row.name), server.requests())
}

/// All sources of an error, a line each.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(error) = next {
        writeln!(text, "{error}").unwrap();
        next = error.source();
    }
    text
}

/// What the matrix says of one fault.
struct Line {
    number: usize,
    cells: [String; 4],
    error: String,
}

async fn measure(row: &Row, number: usize) -> Line {
    let cell = async |kind| {
        several_attempts(row, kind).await;
        (after_one_fault(row, kind).await, one_attempt(row, kind).await)
    };
    let [read, create, poll, list] = Kind::ALL.map(cell);
    let (read, create, poll, list) = tokio::join!(read, create, poll, list);
    for (_, error) in [&create, &poll, &list] {
        assert_eq!(error, &read.1, "every kind of call tells the same of {}", row.name);
    }
    Line { number, cells: [read.0, create.0, poll.0, list.0], error: read.1 }
}

fn print(rows: &[Row], lines: &[Line]) -> String {
    let mut table = String::from(
        "| fault | what the error of one attempt says | transient | server acted | unary read | unary create | poll \
         | list page |\n|---|---|---|---|---|---|---|---|\n",
    );
    for Line { number, cells, error } in lines {
        let row = &rows[*number];
        let (is_transient, acted) = match row.expected {
            Expected::Nothing => ("", "yes"),
            Expected::Token => ("with a new token", "no"),
            Expected::Transient(_, acted) => ("yes", words(acted)),
            Expected::Overload(_, acted) => ("yes, slow down", words(acted)),
            Expected::Permanent(_, acted) => ("no", words(acted)),
        };
        let cells = cells.join(" | ");
        writeln!(table, "| {} | {error} | {is_transient} | {acted} | {cells} |", row.name).unwrap();
    }
    table
}

fn words(effect: ServerEffect) -> &'static str {
    match effect {
        ServerEffect::NotSent => "no: not sent",
        ServerEffect::Refused => "no: refused",
        ServerEffect::Answered => "no: answered",
        _ => "unknown",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fault_matrix_is_as_documented() {
    let rows = Arc::new(rows::all());
    let room = Arc::new(Semaphore::new(12));
    let mut running = JoinSet::new();
    for number in 0..rows.len() {
        let (rows, room) = (rows.clone(), room.clone());
        running.spawn(async move {
            let _place = room.acquire().await.unwrap();
            measure(&rows[number], number).await
        });
    }
    let mut lines = running.join_all().await;
    lines.sort_by_key(|line| line.number);
    documented::compare("faults", &print(&rows, &lines));
}

fn find(name: &str) -> Row {
    let found = rows::all().into_iter().find(|row| row.name == name);
    found.unwrap_or_else(|| panic!("no row `{name}`"))
}

#[tokio::test]
async fn one_fault_on_the_first_poll_and_the_wait_ends_with_the_result() {
    for name in [
        "HTML page, HTTP 503",
        "status UNAVAILABLE from the server",
        "HTML page, HTTP 500",
        "status INTERNAL from the server",
        "HTML page, HTTP 429",
        "status RESOURCE_EXHAUSTED from the server",
        "HTML page, HTTP 504",
        "status DEADLINE_EXCEEDED from the server",
        "HTML page, HTTP 401",
        "status UNAUTHENTICATED from the server",
        "TCP closed before the request is read",
        "TCP closed after the request",
        "silence",
        "GOAWAY that leaves the request out",
        "GOAWAY that covers the request, then close",
    ] {
        assert_eq!(after_one_fault(&find(name), Kind::Poll).await, "ok, retried", "{name}");
    }
}

/// A caller's deadline ends what nothing else would, and says what it is.
#[tokio::test]
async fn a_deadline_ends_silence() {
    let mute = Row { fault: Fault::Mute, name: "mute".to_owned(), ..find("silence") };
    let silences =
        [find("silence"), find("silence after the reply's head"), find("silence within the message")];
    for row in silences.into_iter().chain([mute]) {
        let call = Some(Duration::from_millis(100));
        let patience = Patience { attempts: 5, call, attempt: HANG, connect: HANG, ping: None };
        for kind in Kind::ALL {
            let server = Server::start(&row.fault, usize::MAX, kind).await;
            let result = timeout(HANG, kind.call(&client(&server, patience), patience)).await;
            let error = result.expect("no hang").expect_err("silence");
            assert!(error.is_deadline_exceeded(), "{}: {error:?}", row.name);
            // To a mute server no request is sent.
            assert_eq!(error.may_have_been_applied(), row.name != "mute", "{}: {error:?}", row.name);
        }
    }
}

/// A client outlives the runtime in which its connections were opened.
#[test]
fn a_client_whose_runtime_is_gone_goes_on_in_another() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let patience = find("silence").patience;
    let first = runtime();
    let second = runtime();
    let server = second.block_on(Server::start(&Fault::Mute, 0, Kind::Read));
    let client = first.block_on(async { client(&server, patience) });
    let both = thread::scope(|scope| {
        let serving = scope.spawn(|| second.block_on(Kind::Read.call(&client, patience)));
        serving.join().unwrap()
    });
    both.unwrap();
    drop(first);
    second.block_on(Kind::Read.call(&client, patience)).unwrap();
}
