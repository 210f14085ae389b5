//! `cci operations wait` on several operations, `operations watch`, and the signals that end either.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{PARENT, Run, Server, command, failed, name, running, succeeded};

fn with_stdin(arguments: &[&str], stdin: &str) -> Run {
    let mut command = assert_cmd::Command::from_std(command(arguments, &[]));
    command.write_stdin(stdin);
    crate::support::finish(command)
}

fn count(server: &Server, method: &str) -> u64 {
    let body = json!({ "method": method }).to_string();
    server.http("POST", "/_emulator/v1/journal:count", &body)["count"].as_u64().unwrap_or(0)
}

fn advance(server: &Server, by: &str) {
    server.http("POST", "/_emulator/v1/clock:advance", &json!({ "by": by }).to_string());
}

fn ids(run: &Run) -> Vec<String> {
    let documents = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut ids: Vec<String> = documents.map(|doc| doc["name"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn names_come_from_arguments_and_from_stdin_and_each_once() {
    let server = Server::with_operations(&[succeeded("1"), succeeded("2"), succeeded("3")]);
    let line =
        ["operations", "wait", "-", &name("3"), &name("1"), "--endpoint", &server.endpoint, "-o", "jsonl"];
    let stdin = format!("{}\n\n  {}\r\n{}", name("1"), name("2"), name("2"));
    let run = with_stdin(&line, &stdin);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(ids(&run), [name("1"), name("2"), name("3")]);
    assert_eq!(count(&server, "GetOperation"), 3);
    // What a list prints is what is waited for.
    let listed = server.operations(&["list", PARENT, "-o", "name"]).stdout;
    let run = with_stdin(&["operations", "wait", "-", "--endpoint", &server.endpoint], &listed);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap().as_array().map(Vec::len), Some(3));
    let nothing = with_stdin(&["operations", "wait", "-", "--endpoint", &server.endpoint], "\n");
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, "[]\n"));
    let table = server.operations(&["wait", &name("1"), &name("2"), "-o", "table"]).stdout;
    assert!(table.starts_with("NAME  TYPE") && table.lines().count() == 3, "{table}");
}

#[test]
fn one_exit_code_stands_for_all() {
    let server = Server::with_operations(&[succeeded("1"), failed("2", 9), failed("3", 1)]);
    let wait = |ids: &[&str]| {
        let names: Vec<String> = ids.iter().map(|id| name(id)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        server.operations(&[&["wait"], &names[..], &["-o", "name"]].concat())
    };
    for (ids, code) in [
        (&["1", "2"][..], 5),
        (&["1", "3"], 6),
        (&["2", "3"], 5),
        (&["1", "nowhere"], 3),
        (&["3", "nowhere"], 6),
        (&["1", "1"], 0),
    ] {
        let run = wait(ids);
        assert_eq!(run.code, code, "{ids:?}: {}", run.stderr);
    }
    let run = wait(&["1", "2", "3", "nowhere"]);
    assert!(run.stderr.contains("of 4 operations: 1 failed, 1 cancelled, 1 not found"), "{}", run.stderr);
    assert!(run.stderr.contains("FAILED_PRECONDITION: no bucket"), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 3);
}

#[test]
fn any_ends_with_the_first_and_all_with_what_runs() {
    let server = Server::with_operations(&[running("1"), failed("2", 9), succeeded("3")]);
    let run = server.operations(&["wait", "--any", &name("1"), &name("2"), "-o", "name"]);
    assert_eq!((run.code, run.stdout), (5, name("2") + "\n"));
    // What ended before is not waited for.
    let all = ["wait", "--all", "--parent", PARENT, "--timeout", "0", "-o", "name"];
    let run = server.operations(&all);
    assert_eq!((run.code, run.stdout.as_str()), (8, ""), "{}", run.stderr);
    assert!(run.stderr.contains("1 of 1 operation still running after 0s"), "{}", run.stderr);
    let (_, resume) = run.stderr.split_once("help: to go on waiting: ").unwrap();
    assert!(resume.contains(&format!("operations wait --all --parent {PARENT}")), "{resume}");
    server.operations(&["cancel", &name("1")]);
    let run = server.operations(&[&all[..], &["--filter", "done=\"true\""]].concat());
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
}

#[test]
fn at_the_timeout_the_names_that_still_run_are_told() {
    let server = Server::with_operations(&[running("1"), running("2"), succeeded("3")]);
    let run =
        server.operations(&["wait", &name("1"), &name("2"), &name("3"), "--timeout", "20ms", "-o", "jsonl"]);
    assert_eq!((run.code, ids(&run)), (8, vec![name("3")]), "{}", run.stderr);
    let (_, resume) = run.stderr.split_once("help: to go on waiting: ").unwrap();
    assert!(resume.contains(&format!("wait {} {} --endpoint", name("1"), name("2"))), "{resume}");
    let many: Vec<Value> = (0..30).map(|id| running(&format!("{id:02}"))).collect();
    let server = Server::with_operations(&many);
    let names: String = (0..30).map(|id| name(&format!("{id:02}")) + "\n").collect();
    let wait = ["operations", "wait", "-", "--timeout", "0", "--endpoint", &server.endpoint];
    let run = with_stdin(&wait, &names);
    assert_eq!(run.code, 8);
    assert!((0..30).all(|id| run.stderr.contains(&name(&format!("{id:02}")))), "{}", run.stderr);
    assert!(run.stderr.contains("these names on stdin, to go on waiting: "), "{}", run.stderr);
}

/// Analyses that take ten minutes each and begin over five more; a look at the list stands for a minute.
#[test]
fn to_wait_for_five_hundred_takes_at_most_a_thousand_calls() {
    let server = Server::start(&["--profile", "time:10m", "--clock", "virtual"]);
    for number in 0..500 {
        let path = format!("/v1/{PARENT}/conversations?conversationId=call-{number}");
        server.http("POST", &path, r#"{"medium": "CHAT"}"#);
        let path = format!("/v1/{PARENT}/conversations/call-{number}/analyses");
        assert!(server.http("POST", &path, "{}")["name"].is_string());
        if number % 50 == 49 {
            advance(&server, "30s");
        }
    }
    server.http("DELETE", "/_emulator/v1/journal", "");
    let filter = "metadata.operation_type=\"CreateAnalysis\"";
    let wait = [
        "operations",
        "wait",
        "--all",
        "--parent",
        PARENT,
        "--filter",
        filter,
        "--interval",
        "400ms",
        "-o",
        "name",
    ];
    let mut child = command(&[&wait[..], &["--endpoint", &server.endpoint]].concat(), &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The first is by which they are found.
    let mut seen = 1;
    let status = loop {
        let lists = count(&server, "ListOperations");
        if lists > seen {
            seen = lists;
            advance(&server, "60s");
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::yield_now();
    };
    assert_eq!(status.code(), Some(0));
    let names = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    assert_eq!(names.lines().count(), 500);
    let (gets, lists) = (count(&server, "GetOperation"), count(&server, "ListOperations"));
    assert!(lists > 10, "{lists}");
    assert!(gets + lists <= 1000, "{gets} + {lists}");
}

fn spawn(arguments: &[&str]) -> Child {
    command(arguments, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads stderr up to a line that has these words.
fn until(child: &mut Child, words: &str) -> BufReader<std::process::ChildStderr> {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "no `{words}`");
    }
    stderr
}

#[cfg(unix)]
#[test]
fn every_signal_says_how_to_go_on() {
    let server = Server::with_operations(&[running("1"), running("2")]);
    let (one, two) = (name("1"), name("2"));
    for (signal, code, words) in
        [("INT", 130, "interrupted; "), ("TERM", 143, "terminated; "), ("HUP", 129, "the terminal is gone; ")]
    {
        if crate::support::is_ignored(signal) {
            continue;
        }
        for names in [&[one.as_str()][..], &[&one, &two]] {
            let wait = [&["operations", "wait", "--endpoint", &server.endpoint], names].concat();
            let mut child = spawn(&wait);
            let stderr = until(&mut child, "waiting for ");
            crate::support::signal(&child, signal);
            assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
            let said = std::io::read_to_string(stderr).unwrap();
            assert!(said.contains(words) && said.contains("go"), "{said}");
            assert!(said.contains("help: to go on waiting: ") && said.contains(&one), "{said}");
        }
    }
}

/// As `nohup` starts it.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_stays_so() {
    let server = Server::with_operations(&[running("1")]);
    let cci = env!("CARGO_BIN_EXE_cci");
    let line =
        format!("trap '' HUP; exec {cci} operations wait {} --endpoint {}", name("1"), server.endpoint);
    let mut child = std::process::Command::new("sh")
        .args(["-c", &line])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _stderr = until(&mut child, "waiting for ");
    crate::support::signal(&child, "HUP");
    crate::support::signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn progress_is_shown_as_it_is_asked_for() {
    let server = Server::with_operations(&[running("1"), succeeded("2")]);
    let wait = |how: &[&str]| {
        let names = [name("1"), name("2")];
        let line = ["wait", &names[0], &names[1], "--timeout", "10ms", "-o", "name"];
        server.operations(&[&line[..], how].concat()).stderr
    };
    let plain = wait(&[]);
    assert!(plain.contains("0s  SUCCEEDED "), "{plain}");
    let events = wait(&["--progress", "json"]);
    let first: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    assert_eq!((&first["event"], &first["operation"]), (&json!("ended"), &json!(name("2"))));
    for quiet in [&["-q"][..], &["--progress", "none"]] {
        assert!(wait(quiet).starts_with("error: "), "{}", wait(quiet));
    }
}

#[test]
fn what_changes_is_a_line_each_until_the_reader_leaves() {
    let server = Server::with_operations(&[running("1"), succeeded("2")]);
    for watch in [&["operations", "watch", PARENT][..], &["operations", "list", PARENT, "--watch"]] {
        server.http("POST", "/_emulator/v1/reset", "{}");
        let seed = json!({ "operations": [running("1"), succeeded("2")] });
        server.http("POST", "/_emulator/v1/seed", &seed.to_string());
        let rest = ["--interval", "100ms", "--filter", "done=\"false\"", "--endpoint", &server.endpoint];
        let mut child = spawn(&[watch, &rest[..]].concat());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut next = || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            serde_json::from_str::<Value>(&line).unwrap()
        };
        let first = next();
        assert_eq!((first["name"].as_str(), first.get("done")), (Some(name("1").as_str()), None));
        let body = json!({"name": name("1"), "error": {"code": 10, "message": "torn"}}).to_string();
        server.http("POST", "/_emulator/v1/operations:fail", &body);
        // It is gone from the list; how it ended is told all the same.
        assert_eq!(next()["error"]["message"], "torn");
        drop(stdout);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_eq!(said, "");
    }
}

#[test]
fn an_expression_is_applied_to_each_change() {
    let server = Server::with_operations(&[running("1"), running("2")]);
    let watch = ["operations", "watch", PARENT, "--interval", "100ms", "-o", "jq=.name"];
    let mut child = spawn(&[&watch[..], &["--endpoint", &server.endpoint]].concat());
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first: Vec<String> = stdout.lines().take(2).map(Result::unwrap).collect();
    first.sort();
    assert_eq!(first, [name("1"), name("2")]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn lists_are_sorted_by_what_fields_are() {
    let mut documents = vec![running("1"), running("2"), running("3")];
    for (document, time) in documents.iter_mut().zip(["05Z", "04.500Z", "05.100Z"]) {
        document["metadata"]["createTime"] = format!("2026-01-02T03:04:{time}").into();
    }
    let server = Server::with_operations(&documents);
    let list = |by: &[&str]| {
        let run = server.operations(&[&["list", PARENT, "-o", "name"], by].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(list(&["--sort-by", "metadata.createTime"]), "213");
    assert_eq!(list(&["--sort-by", "~metadata.create_time", "--limit", "2"]), "31");
    assert_eq!(list(&["--sort-by", "-metadata.create_time", "--page-size", "1"]), "312");
    assert_eq!(list(&["--limit", "2"]), "12");
}

/// What was printed is there before the next page is asked for.
#[test]
fn a_list_prints_page_by_page() {
    let documents: Vec<Value> = (0..3).map(|id| running(&id.to_string())).collect();
    let server = Server::with_operations(&documents);
    let fault = json!({"faults": [{"method": "ListOperations", "after": 1, "always": true, "status": {"code": 9, "message": "stop"}}]});
    server.http("POST", "/_emulator/v1/faults", &fault.to_string());
    let run = server.operations(&["list", PARENT, "-o", "table", "--page-size", "2"]);
    assert_eq!((run.code, run.stdout.lines().count()), (1, 3), "{}", run.stdout);
}
