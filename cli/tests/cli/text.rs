//! What a terminal is shown: nothing that a server could use to write to it, and never more than can be read.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{OUTPUTS, PARENT, Server, cci, cci_in, command, failed, file, name, succeeded};

/// Right-to-left override and isolate, CSI in one character, DEL, and a title for the window.
const HOSTILE: &str = "x\u{202e}y\u{2066}\u{9b}2J\u{7f}\u{1b}]0;title\u{7}";

fn is_obeyed(c: char) -> bool {
    c != '\n'
        && (c.is_control()
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c))
}

fn hostile() -> Value {
    let mut operation = failed("1", 9);
    operation["error"]["message"] = HOSTILE.into();
    operation["error"]["details"][0]["reason"] = HOSTILE.into();
    operation
}

#[test]
fn no_format_and_no_error_holds_what_a_terminal_obeys() {
    let server = Server::with_operations(&[hostile()]);
    for output in OUTPUTS {
        for arguments in
            [&["get", &name("1")][..], &["wait", &name("1")], &["cancel", &name("1")], &["list", PARENT]]
        {
            let run = server.operations(&[arguments, &["-o", output]].concat());
            for text in [&run.stdout, &run.stderr] {
                assert!(!text.contains(is_obeyed), "{arguments:?} {output}: {text:?}");
            }
        }
    }
    let run = server.operations(&["wait", &name("1")]);
    assert!(run.stderr.contains("x\\u202ey\\u2066\\u009b2J\\u007f\\u001b]0;title\\u0007"), "{}", run.stderr);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), hostile());
    let yaml = server.operations(&["get", &name("1"), "-o", "yaml"]).stdout;
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), hostile());
}

#[test]
fn what_the_user_typed_is_not_obeyed_either() {
    for arguments in [&["\u{1b}[2J\u{202e}"][..], &["operations", "get", "\u{1b}[2J\u{202e}"]] {
        let run = cci(arguments);
        assert!(run.code == 2 && !run.stderr.contains(is_obeyed), "{:?}", run.stderr);
        assert!(run.stderr.contains("\\u202e"), "{}", run.stderr);
    }
}

#[test]
fn a_log_that_is_no_terminal_has_no_colours() {
    let server = Server::with_operations(&[succeeded("1")]);
    let variables = [("RUST_LOG", "trace"), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
    let run = cci_in(&variables, &["operations", "get", &name("1"), "--endpoint", &server.endpoint]);
    assert!(run.code == 0 && run.stderr.contains("DEBUG"), "{}", run.stderr);
    assert!(!run.stderr.contains(is_obeyed), "{:?}", run.stderr);
}

#[test]
fn an_error_with_many_details_is_bounded_and_its_json_is_whole() {
    let mut operation = failed("1", 9);
    let detail = operation["error"]["details"][0].clone();
    operation["error"]["details"] = vec![detail; 300].into();
    let server = Server::with_operations(std::slice::from_ref(&operation));
    let run = server.operations(&["wait", &name("1")]);
    assert_eq!(run.code, 5);
    assert!(run.stderr.len() < 10_000 && run.stderr.contains("BUCKET_GONE"), "{}", run.stderr.len());
    assert!(run.stderr.contains("\n  … and 1442 more lines\n"), "{}", run.stderr);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), operation);
}

#[test]
fn one_of_a_thing_is_not_many() {
    let mut bulk = succeeded("bulk");
    bulk["metadata"] = json!({
        "@type": "type.googleapis.com/google.cloud.contactcenterinsights.v1.BulkAnalyzeConversationsMetadata",
        "partialErrors": [{ "code": 3, "message": "torn" }],
    });
    let server = Server::with_operations(&[bulk]);
    let run = server.operations(&["wait", &name("bulk")]);
    assert_eq!(
        run.stderr,
        "note: 1 partial error, in full under metadata.partialErrors:\n  INVALID_ARGUMENT: torn\n"
    );
}

#[test]
fn a_page_that_fails_is_an_error_below_what_came_before() {
    let faults = file(
        r#"{"faults": [{"method": "ListOperations", "after": 1, "status": {"code": 9, "message": "torn"}}]}"#,
    );
    let operations: Vec<Value> = (0..9).map(|id| succeeded(&id.to_string())).collect();
    let seed = file(json!({ "operations": operations }).to_string());
    let server = Server::start(&["--seed", seed.to_str().unwrap(), "--faults", faults.to_str().unwrap()]);
    let run = server.operations(&["list", PARENT, "--page-size", "5", "-o", "name"]);
    assert_eq!((run.code, run.stdout.lines().count()), (1, 5), "{}", run.stderr);
    assert!(run.stderr.contains("FAILED_PRECONDITION") && run.stderr.contains("torn"), "{}", run.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let server = Server::with_operations(&[succeeded("1")]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = command(&["operations", "get", &name("1"), "--endpoint", &server.endpoint], &[]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: cannot write the output\n  cause: "), "{stderr}");
}
