//! One client in a process of its own, for the backends read the environment: it makes calls, and prints what came of
//! them.

use std::env;
use std::error::Error as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use contact_center_insights::auth::Credentials;
use contact_center_insights::call::RetryPolicy;
use contact_center_insights::{Client, Code, Error};
use tokio::task::JoinSet;

use crate::kinds::{BACKEND, Kind};
use crate::server::TokenServer;
use crate::support::{NAME, Script, answer, fail, succeeded};

/// What the child is to do, and where the server is that it tells what comes next.
const ROLE: &str = "CCI_TEST_ROLE";
const CONTROL: &str = "CCI_TEST_CONTROL";

/// Nothing takes so long on any machine: longer is a hang.
const HANG: Duration = Duration::from_mins(2);

/// Calls at once.
pub const CALLS: usize = 8;

/// Runs this test binary again in the given role; gives what it printed.
pub async fn run(
    role: &str,
    kind: Kind,
    server: &TokenServer,
    tls: (std::net::SocketAddr, &Path),
    more: &[(&str, &str)],
) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["child::child", "--exact", "--nocapture", "--test-threads=1"]);
    kind.apply(&mut command, server.address, tls);
    command.env(ROLE, role).env(CONTROL, server.address.to_string()).envs(more.iter().copied());
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// The lines of the child's output that begin with this word, without it.
pub fn lines<'a>(output: &'a str, word: &str) -> Vec<&'a str> {
    output.lines().filter_map(|line| line.split_once(word)?.1.strip_prefix(' ')).collect()
}

/// Does nothing unless a test has started it with a role.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let work = async {
        match env::var(ROLE).as_deref() {
            Ok("matrix") => matrix().await,
            Ok("crowd") => crowd().await,
            Ok("one-call") => one_call().await,
            Ok("secrets") => crate::safety::child().await,
            Ok("two-runtimes") => tokio::task::spawn_blocking(two_runtimes).await.unwrap(),
            Ok(other) => panic!("no role {other}"),
            Err(_) => {}
        }
    };
    tokio::time::timeout(HANG, work).await.expect("no hang");
}

/// The credentials of the environment, with what makes waits short and the same every time.
pub fn credentials() -> Credentials {
    let credentials = match env::var(BACKEND).as_deref() {
        Ok("google-cloud-auth") => Credentials::google_cloud(),
        Ok("google-authz") => Credentials::google_authz(),
        other => panic!("no backend {other:?}"),
    };
    credentials.with_fetch_timeout(Duration::from_secs(1)).with_jitter_seed(7)
}

/// First a call while the token server is bad, then some on the same client when it is well again. Then a new client
/// that finds it bad twice, and waits.
async fn matrix() {
    let script = Script::new([answer(succeeded())]);
    let client = script.client_with(credentials().with_patience(Duration::ZERO));
    let call = client.get_operation(NAME).with_retry(RetryPolicy::never());
    println!("@error {}", call.await.err().map(|error| chain(&error)).unwrap_or_default());
    tell("good");
    // What other credentials would end is not waited through, and is asked about again after a pause.
    for _ in 0..200 {
        if client.get_operation(NAME).with_retry(RetryPolicy::never()).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("@alive {}", served(&client).await);
    tell("twice");
    let client = script.client_with(credentials().with_patience(Duration::from_secs(15)));
    println!("@waited {}", served(&client).await);
}

/// A hundred clones of one client at once.
async fn crowd() {
    let script = Script::new([answer(succeeded())]);
    let client = script.client_with(credentials());
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        calls.spawn(async move {
            let result = client.get_operation(NAME).await;
            result.inspect_err(|error| println!("@failed {}", chain(error))).is_ok()
        });
    }
    println!("@served {}", calls.join_all().await.into_iter().filter(|is_ok| *is_ok).count());
}

/// Prints the headers that one call carries.
async fn one_call() {
    let refusal = env::var("CCI_TEST_REFUSE").is_ok().then(|| fail(Code::Unauthenticated));
    let script = Script::new(refusal.into_iter().chain([answer(succeeded())]));
    let mut credentials = credentials();
    let mut retry = RetryPolicy::default();
    if env::var("CCI_TEST_IMPATIENT").is_ok() {
        credentials = credentials.with_patience(Duration::ZERO);
        retry = RetryPolicy::never();
    }
    match script.client_with(credentials).get_operation(NAME).with_retry(retry).await {
        Ok(_) => println!("@ok"),
        Err(error) => println!("@error {}", chain(&error)),
    }
    for seen in script.seen() {
        let text = |name| {
            let values = seen.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
            values.collect::<Vec<_>>().join(", ")
        };
        println!("@authorization {}", text("authorization"));
        println!("@project {}", text("x-goog-user-project"));
    }
}

/// Two clients of the same credentials, each in a runtime of its own; the first is gone when the second calls.
fn two_runtimes() {
    let credentials = credentials();
    for word in ["@first", "@second"] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = Script::new([answer(succeeded())]).client_with(credentials.clone());
            println!("{word} {}", client.get_operation(NAME).await.is_ok());
        });
    }
}

async fn served(client: &Client) -> usize {
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let client = client.clone();
        calls.spawn(async move { client.get_operation(NAME).await.is_ok() });
    }
    calls.join_all().await.into_iter().filter(|is_ok| *is_ok).count()
}

/// The error and all its sources, in one line.
pub fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text.replace('\n', " ")
}

/// Tells the token server what comes next.
pub fn tell(script: &str) {
    let address = env::var(CONTROL).unwrap();
    let mut socket = TcpStream::connect(&address).unwrap();
    write!(socket, "GET /script/{script} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    socket.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
}
