//! The token backends against a metadata server that speaks the documented protocol, well and badly.
//!
//! Where that server is, the backends read from the environment; so each case runs in a process of its own, which is
//! this test binary again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails may panic")]

mod support;

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Arc, Mutex};

use contact_center_insights::Credentials;
use support::{NAME, Script, answer, succeeded};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Names the backend that the child process is to use.
const CHILD: &str = "CCI_TEST_BACKEND";

/// What the metadata server answers to a request for a token. After the last, the last again.
#[derive(Clone, Copy, Debug)]
enum Reply {
    Token(&'static str),
    Status(u16),
    Page,
    Torn,
    Close,
}

impl Reply {
    fn text(self) -> String {
        let body = |status: &str, kind: &str, body: &str| {
            format!(
                "HTTP/1.1 {status}\r\nMetadata-Flavor: Google\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        match self {
            Self::Token(token) => {
                let json = format!(r#"{{"access_token":"{token}","expires_in":3599,"token_type":"Bearer"}}"#);
                body("200 OK", "application/json", &json)
            }
            Self::Status(code) => body(&format!("{code} Scripted"), "text/plain", "no"),
            Self::Page => body("200 OK", "text/html", "<html>a portal</html>"),
            Self::Torn => body("200 OK", "application/json", r#"{"access_token":"ha"#),
            Self::Close => String::new(),
        }
    }
}

/// Serves until the test ends; gives its address, and counts the requests for a token that had the header which the
/// protocol demands.
async fn metadata_server(replies: impl IntoIterator<Item = Reply>) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
    let asked = Arc::new(Mutex::new(0));
    let counter = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (replies, counter) = (replies.clone(), counter.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut buffer = [0; 1024];
                while let Ok(read @ 1..) = socket.read(&mut buffer).await {
                    head.extend_from_slice(buffer.get(..read).unwrap());
                    while let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                        let request = String::from_utf8_lossy(&head.drain(..end + 4).collect::<Vec<_>>())
                            .to_lowercase();
                        let is_for_token = request.contains("/token");
                        let reply = if is_for_token && request.contains("metadata-flavor: google") {
                            *counter.lock().unwrap() += 1;
                            let mut replies = replies.lock().unwrap();
                            if replies.len() > 1 {
                                replies.pop_front().unwrap()
                            } else {
                                *replies.front().unwrap()
                            }
                        } else if is_for_token {
                            Reply::Status(403)
                        } else {
                            // The root, which tells a client that it runs on Google Cloud, and the universe domain.
                            Reply::Status(if request.contains("universe") { 404 } else { 200 })
                        };
                        let text = reply.text();
                        if text.is_empty() || socket.write_all(text.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (address, asked)
}

/// Runs the child against a metadata server with this script; gives what it printed, and how often it asked.
async fn run(backend: &str, replies: &[Reply]) -> (String, usize) {
    let (address, asked) = metadata_server(replies.iter().copied()).await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["the_child_makes_one_call", "--exact", "--nocapture"])
        .env(CHILD, backend)
        .env("GCE_METADATA_HOST", address)
        .env("HOME", "/nonexistent")
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("GOOGLE_APPLICATION_CREDENTIALS");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let asked = *asked.lock().unwrap();
    (text, asked)
}

/// Makes one call, a read with the client's own retries, and prints what came of it.
#[tokio::test]
async fn the_child_makes_one_call() {
    let Ok(backend) = std::env::var(CHILD) else { return };
    let credentials = match backend.as_str() {
        "google-cloud-auth" => Credentials::google_cloud(),
        "google-authz" => Credentials::google_authz(),
        other => panic!("no backend {other}"),
    };
    let script = Script::new([answer(succeeded())]);
    let result = script.client_with(credentials).get_operation(NAME).await;
    let header = script.seen().first().and_then(|seen| seen.headers.get("authorization").cloned());
    match result {
        Ok(_) => println!("sent {:?}", header.unwrap().to_str().unwrap()),
        Err(error) => println!("gave up: {error:?}"),
    }
}

const BACKENDS: [&str; 2] = ["google-cloud-auth", "google-authz"];

#[tokio::test]
async fn a_token_of_the_metadata_server_is_sent() {
    for backend in BACKENDS {
        let (text, asked) = run(backend, &[Reply::Token("ya29.good")]).await;
        assert!(text.contains("sent \"Bearer ya29.good\""), "{backend}: {text}");
        assert_eq!(asked, 1, "{backend}");
    }
}

#[tokio::test]
async fn no_bad_answer_of_the_metadata_server_is_final() {
    let bad = [Reply::Status(404), Reply::Status(503), Reply::Page, Reply::Torn, Reply::Close];
    let mut cases = tokio::task::JoinSet::new();
    for backend in BACKENDS {
        for reply in bad {
            cases.spawn(async move { (backend, reply, run(backend, &[reply, Reply::Token("late")]).await) });
        }
    }
    while let Some(case) = cases.join_next().await {
        let (backend, reply, (text, asked)) = case.unwrap();
        assert!(
            text.contains("sent \"Bearer late\""),
            "{backend} after {reply:?}, asked {asked} times: {text}"
        );
    }
}
