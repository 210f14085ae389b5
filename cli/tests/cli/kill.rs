//! An emulator that is killed in the middle of writes, and what is there when it is started again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::Value;

use crate::documented;
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
    let mut tears = [0; 3];
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
        server.child.wait().unwrap();
        tear(&directory, round % 3);
        tears[round % 3] += 1;
    }
    let server = Server::start(&arguments);
    for (round, acknowledged) in kept.iter().enumerate() {
        check(acknowledged, &stored(&server, &parent(round)), round);
    }
    if rounds() == 100 {
        let rows = ["nothing", "a piece of the last frame", "4096 zeros"];
        let rows =
            rows.iter().zip(tears).map(|(end, kills)| format!("| {end} | {kills} | {kills} | 0 | 0 |\n"));
        let head = "| put behind the file | kills | starts with every acknowledged change | acknowledged changes lost | starts \
                    refused |\n|---|---|---|---|---|\n";
        documented::compare_part("durability", "kills", &(head.to_owned() + &rows.collect::<String>()));
    }
}

/// An end as a write leaves it that is cut short, or a loss of power; it must be kept beside at the next start.
fn tear(directory: &Path, how: usize) {
    let file = directory.join("state");
    let mut bytes = std::fs::read(&file).unwrap();
    let end = match how {
        0 => return,
        1 => bytes[bytes.len() - 60..].to_vec(),
        _ => vec![0; 4096],
    };
    bytes.extend(&end);
    std::fs::write(&file, &bytes).unwrap();
    let arguments = ["--data-dir", directory.to_str().unwrap()];
    let mut server = Server::with_stderr(&arguments);
    server.child.kill().unwrap();
    let mut said = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("in a frame that is not whole") && said.contains("state.torn"), "{said}");
    assert!(std::fs::read(directory.join("state.torn")).unwrap().ends_with(&end));
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
    let run = cci(&["emulator", "--port", "0", "--sync", "always"]);
    assert!(run.code == 2 && run.stderr.contains("--data-dir"), "{}", run.stderr);
}

#[test]
fn a_directory_is_closed_and_its_end_is_synced_when_it_stops() {
    let directory = directory().join("new");
    let arguments = ["--data-dir", directory.to_str().unwrap(), "--sync", "always"];
    let mut server = Server::start(&arguments);
    server.train();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join("state"))), (0o700, 0o600));
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let file = std::fs::read(directory.join("state")).unwrap();
    // The note that says so: no payload.
    assert_eq!(file[file.len() - 16..file.len() - 8], [0; 8]);
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
