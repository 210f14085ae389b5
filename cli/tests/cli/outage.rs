//! An endpoint that is away for a while: what waits goes on once it is back, and says so.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{PARENT, Relay, Server, command, name, running};

fn spawn(arguments: &[&str]) -> Child {
    command(arguments, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads up to a line that has these words.
fn until(lines: &mut impl std::io::BufRead, words: &str) -> String {
    let (mut line, mut all) = (String::new(), String::new());
    while !line.contains(words) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "no `{words}` in {all}");
        all += &line;
    }
    line
}

fn fail(server: &Server, name: &str) {
    let body = json!({ "name": name, "error": { "code": 10, "message": "torn" } }).to_string();
    server.http("POST", "/_emulator/v1/operations:fail", &body);
}

#[test]
fn the_wait_for_many_goes_on() {
    let names: Vec<String> = (0..40).map(|id| name(&id.to_string())).collect();
    let operations: Vec<Value> = (0..40).map(|id| running(&id.to_string())).collect();
    let server = Server::with_operations(&operations);
    let relay = Relay::to(&server.address);
    let wait = ["operations", "wait", "--all", "--parent", PARENT, "--interval", "200ms", "-o", "name"];
    let mut child = spawn(&[&wait[..], &["--endpoint", &relay.endpoint]].concat());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    until(&mut stderr, "waiting for 40 operations");
    relay.cut();
    let note = until(&mut stderr, "; trying again");
    assert!(note.starts_with("note: ") && note.contains("UNAVAILABLE"), "{note}");
    for name in &names {
        fail(&server, name);
    }
    relay.mend();
    until(&mut stderr, "note: the service answers again");
    let stdout = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    let said = std::io::read_to_string(stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5), "{said}");
    assert_eq!(stdout.lines().count(), 40, "{said}");
    assert!(said.contains("of 40 operations: 40 failed"), "{said}");
}

#[test]
fn the_wait_for_one_goes_on() {
    for (flags, told, over) in [
        (&["--progress", "plain"][..], "note: ", "note: the service answers again"),
        (
            &["--progress", "json"],
            r#"{"event":"note","text":"note: "#,
            r#""text":"note: the service answers again""#,
        ),
        (&["-q"], "note: ", "note: the service answers again"),
        (&["--progress", "plain", "-v"], "note: ", "note: the service answers again"),
    ] {
        let server = Server::with_operations(&[running("1")]);
        let relay = Relay::to(&server.address);
        let wait = ["operations", "wait", &name("1"), "--interval", "100ms", "--endpoint", &relay.endpoint];
        let mut child = spawn(&[&wait[..], flags].concat());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        if !flags.contains(&"-q") {
            until(&mut stderr, "waiting");
        }
        relay.cut();
        let note = until(&mut stderr, "; trying again");
        assert!(note.starts_with(told) && note.contains("UNAVAILABLE"), "{note}");
        relay.mend();
        let mut said = until(&mut stderr, "note: the service answers again");
        assert!(said.contains(over), "{said}");
        fail(&server, &name("1"));
        said += &std::io::read_to_string(stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(5), "{said}");
        assert!(!said.contains("trying again"), "{said}");
    }
}

#[test]
fn what_was_not_heard_of_again_is_not_told_so() {
    let server = Server::with_operations(&[running("1")]);
    let relay = Relay::to(&server.address);
    let wait = ["operations", "wait", &name("1"), "--interval", "100ms", "--timeout", "3s", "--rest"];
    let mut child = spawn(&[&wait[..], &["--progress", "plain", "--endpoint", &relay.endpoint]].concat());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    until(&mut stderr, "waiting");
    relay.cut();
    until(&mut stderr, "; trying again");
    let said = std::io::read_to_string(stderr).unwrap();
    let printed = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(8), "{said}");
    assert!(said.contains("still running after 3s") && !said.contains("answers again"), "{said}");
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), running("1"));
}

#[test]
fn what_is_watched_goes_on() {
    for watch in [&["operations", "watch", PARENT][..], &["operations", "list", PARENT, "--watch"]] {
        let server = Server::with_operations(&[running("1")]);
        let relay = Relay::to(&server.address);
        let mut child = spawn(&[watch, &["--interval", "100ms", "--endpoint", &relay.endpoint]].concat());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut next = || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            serde_json::from_str::<Value>(&line).unwrap_or_default()
        };
        assert_eq!(next()["name"], name("1"));
        relay.cut();
        until(&mut stderr, "; trying again");
        fail(&server, &name("1"));
        relay.mend();
        until(&mut stderr, "note: the service answers again");
        assert_eq!(next()["error"]["message"], "torn");
        drop(stdout);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
