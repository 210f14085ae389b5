//! `cci emulator`: how it starts, stops, and refuses to start.

use serde_json::Value;

use crate::support::{PARENT, Server, cci, file};

#[test]
fn it_answers_once_its_first_line_is_there() {
    let mut server = Server::start(&[]);
    assert_eq!(server.operations(&["list", PARENT]).stdout, "[]\n");
    assert_eq!(
        server.http("GET", &format!("/v1/{PARENT}/operations"), ""),
        Value::Object(serde_json::Map::new())
    );
    assert!(server.child.try_wait().unwrap().is_none());
}

#[test]
fn its_first_line_is_the_same_in_every_output() {
    for output in crate::support::OUTPUTS {
        assert!(Server::start(&["-o", output]).address.starts_with("127.0.0.1:"));
    }
}

#[cfg(unix)]
#[test]
fn both_signals_end_it_well() {
    for signal in ["INT", "TERM"] {
        let mut server = Server::start(&[]);
        crate::support::signal(&server.child, signal);
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn profiles_are_for_all_methods_or_for_one() {
    let server =
        Server::start(&["--profile", "immediate", "--profile", "CreateIssueModel=polls:1,fail=INTERNAL"]);
    let started = server.http("POST", &format!("/v1/{PARENT}/issueModels"), "{}");
    assert_eq!(started.get("done"), None);
    let ended = server.http("GET", &format!("/v1/{}", started["name"].as_str().unwrap()), "");
    assert_eq!(ended["error"]["code"], 13);
    let uploaded =
        server.http("POST", &format!("/v1/{PARENT}/conversations:upload"), "{\"conversation\": {}}");
    assert_eq!(uploaded["done"], true, "{uploaded}");

    for (bad, words) in
        [("soon", "`polls:N`"), ("CreateIssueModl=immediate", "nearest is `CreateIssueModel`")]
    {
        let run = cci(&["emulator", "--port", "0", "--profile", bad]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn a_bad_seed_is_refused_by_its_entry() {
    let cases = [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (r#"{"models": []}"#, "`models` is unknown"),
        (r#"{"operations": [{"name": "x"}]}"#, "operations[0] (`x`)"),
        (
            r#"{"operations": [{"name": "projects/p/locations/l/operations/1", "foo": 1}]}"#,
            "operations[0] (`projects/p/",
        ),
    ];
    for (seed, words) in cases {
        let path = file(seed);
        let run = cci(&["emulator", "--port", "0", "--seed", path.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{seed}");
        assert!(run.stderr.contains(words) && run.stderr.contains("help: a seed is"), "{}", run.stderr);
        assert!(run.stderr.contains(path.to_str().unwrap()), "{}", run.stderr);
    }
    let run = cci(&["emulator", "--port", "0", "--seed", "/nonexistent/seed.json"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("/nonexistent/seed.json"), "{}", run.stderr);
}

#[test]
fn a_port_that_is_taken_is_told_with_the_way_out() {
    let server = Server::start(&[]);
    let (_, port) = server.address.split_once(':').unwrap();
    let run = cci(&["emulator", "--port", port]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains(&format!("cannot listen at {}", server.address)), "{}", run.stderr);
    assert!(run.stderr.contains("emulator --port 0"), "{}", run.stderr);
}
