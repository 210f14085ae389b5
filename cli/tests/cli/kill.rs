//! An emulator that is killed in the middle of writes, and what is there when it is started again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::Value;

use crate::support::{Server, cci, directory};

const WRITERS: usize = 3;

/// How often it is killed: each time some writes further than the time before, at no moment that was chosen.
fn rounds() -> usize {
    std::env::var("CCI_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// One request on a connection that lives on; `None` when the server is gone.
fn send(connection: &mut BufReader<TcpStream>, verb: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let length = body.len();
    let request = format!("{verb} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}");
    connection.get_mut().write_all(request.as_bytes()).ok()?;
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest.split(' ').next()?.parse().ok()?;
        } else if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.parse().ok()?;
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).ok()?;
    Some((status, String::from_utf8(body).ok()?))
}

/// The ids in a location.
fn stored(server: &Server, parent: &str) -> Vec<String> {
    let listed = server.http("GET", &format!("/v1/{parent}/conversations?pageSize=100000"), "");
    let conversations = listed["conversations"].as_array().cloned().unwrap_or_default();
    let id =
        |conversation: &Value| conversation["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    conversations.iter().map(id).collect()
}

/// Creates conversations until the server is gone; gives the ids that were acknowledged.
fn write(address: &str, parent: &str, writer: usize, acknowledged: &AtomicUsize) -> Vec<String> {
    let Ok(stream) = TcpStream::connect(address) else { return Vec::new() };
    let mut connection = BufReader::new(stream);
    let mut ids = Vec::new();
    loop {
        let id = format!("call-{writer}-{:04}", ids.len());
        let path = format!("/v1/{parent}/conversations?conversationId={id}");
        match send(&mut connection, "POST", &path, r#"{"agentId": "7"}"#) {
            Some((200, _)) => ids.push(id),
            Some(other) => panic!("{other:?}"),
            None => return ids,
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let directory = directory();
    let arguments = ["--data-dir", directory.to_str().unwrap()];
    let parent = |round: usize| format!("projects/7{round}/locations/us");
    let mut kept: Vec<Vec<String>> = Vec::new();
    for round in 0..rounds() {
        let mut server = Server::start(&arguments);
        if let Some(before) = kept.last() {
            check(before, &stored(&server, &parent(round - 1)), round - 1);
        }
        let acknowledged = AtomicUsize::new(0);
        let address = server.address.clone();
        let (sender, ids) = mpsc::channel();
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (sender, address, parent) = (sender.clone(), &address, parent(round));
                let acknowledged = &acknowledged;
                scope.spawn(move || sender.send(write(address, &parent, writer, acknowledged)).unwrap());
            }
            // The others go on meanwhile, so that it dies within some write.
            while acknowledged.load(Ordering::Relaxed) < 5 + round % 23 {
                std::thread::yield_now();
            }
            server.child.kill().unwrap();
        });
        drop(sender);
        kept.push(ids.iter().flatten().collect());
    }
    let server = Server::start(&arguments);
    for (round, acknowledged) in kept.iter().enumerate() {
        check(acknowledged, &stored(&server, &parent(round)), round);
    }
}

/// Each writer may have one write more than it knows of.
fn check(acknowledged: &[String], stored: &[String], round: usize) {
    assert!(acknowledged.len() >= 5, "round {round}");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(id)).collect();
    assert!(lost.is_empty(), "round {round}: {lost:?} of {}", acknowledged.len());
    assert!(stored.len() <= acknowledged.len() + WRITERS, "round {round}: {stored:?}");
}

#[test]
fn a_directory_that_cannot_be_used_is_told() {
    let directory = directory();
    let path = directory.to_str().unwrap();
    let server = Server::start(&["--data-dir", path]);
    let run = cci(&["emulator", "--port", "0", "--data-dir", path]);
    assert!(run.code == 2 && run.stderr.contains("another emulator uses the directory"), "{}", run.stderr);
    drop(server);
    std::fs::write(directory.join("state"), "x").unwrap();
    let run = cci(&["emulator", "--port", "0", "--data-dir", path]);
    assert!(run.code == 2 && run.stderr.contains("is damaged: move it away"), "{}", run.stderr);
}

#[test]
fn a_running_operation_goes_on_after_a_kill() {
    let directory = directory();
    let arguments = ["--data-dir", directory.to_str().unwrap(), "--profile", "polls:2"];
    let name = Server::start(&arguments).train();
    let server = Server::start(&arguments);
    let poll = || server.http("GET", &format!("/v1/{name}"), "");
    assert_eq!(poll().get("done"), None);
    assert_eq!(poll()["done"], true);
}
