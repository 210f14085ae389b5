//! Completions, manual pages, and expressions of jq.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{PARENT, Server, cci, cci_in, command, directory, name, running, succeeded};

/// What bash would be offered for the last of these words.
fn offered(variables: &[(&str, &str)], words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let asked = [
        ("CCI_COMPLETE", "bash"),
        ("_CLAP_COMPLETE_INDEX", &index),
        ("_CLAP_IFS", "\n"),
        ("_CLAP_COMPLETE_COMP_TYPE", "9"),
    ];
    let run = cci_in(&[&asked[..], variables].concat(), &[&["--"], words].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn names_are_completed_from_the_api() {
    let server = Server::with_operations(&[succeeded("100"), running("200"), running("201")]);
    let scope = [
        ("CCI_PROJECT", "7"),
        ("CCI_LOCATION", "us"),
        ("CONTACTCENTERINSIGHTS_EMULATOR_HOST", &server.address),
    ];
    let wait = offered(&scope, &["cci", "operations", "wait", "2"]);
    assert!(wait.contains(&"200".to_owned()) && wait.contains(&"201".to_owned()), "{wait:?}");
    assert!(!offered(&scope, &["cci", "operations", "wait", ""]).contains(&"100".to_owned()));
    assert!(offered(&scope, &["cci", "operations", "get", "1"]).contains(&"100".to_owned()));
    let full = offered(&[scope[2]], &["cci", "operations", "get", &format!("{PARENT}/operations/2")]);
    assert!(full.contains(&name("200")), "{full:?}");
    let made = server.http("POST", &format!("/v1/{PARENT}/views"), r#"{"displayName": "late"}"#);
    let id = made["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert!(offered(&scope, &["cci", "views", "get", ""]).contains(&id));
    let by_flags =
        ["cci", "views", "delete", "--endpoint", &server.endpoint, "--project=7", "--location", "us", ""];
    assert!(offered(&[], &by_flags).contains(&id));
}

#[test]
fn commands_are_completed_without_a_server() {
    let scope = [
        ("CCI_PROJECT", "7"),
        ("CCI_LOCATION", "us"),
        ("CONTACTCENTERINSIGHTS_EMULATOR_HOST", "127.0.0.1:1"),
    ];
    assert!(offered(&[], &["cci", "oper"]).iter().any(|word| word.trim() == "operations"));
    assert!(offered(&[], &["cci", "conversations", "bulk"]).iter().any(|word| word.trim() == "bulk-analyze"));
    assert!(offered(&[], &["cci", "config", "set", "proj"]).iter().any(|word| word.trim() == "project"));
    assert!(
        offered(&[], &["cci", "operations", "list", "--location", "europe-west1"])
            .iter()
            .any(|word| word.trim() == "europe-west1")
    );
    // Where nothing answers, nothing is offered, and nothing is said.
    assert!(offered(&scope, &["cci", "operations", "wait", "2"]).is_empty());
    assert!(offered(&[], &["cci", "operations", "wait", "2"]).is_empty());
}

#[test]
fn the_scripts_are_those_of_their_shells() {
    for (shell, words) in [
        ("bash", "complete -o nospace"),
        ("zsh", "#compdef cci"),
        ("fish", "complete --keep-order --exclusive --command cci"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let run = cci(&["completions", shell]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains(words) && run.stdout.contains("CCI_COMPLETE"), "{}", run.stdout);
        // Only where the shell is there.
        let path = crate::support::file(&run.stdout);
        if matches!(shell, "bash" | "zsh" | "fish")
            && let Ok(checked) = Command::new(shell).args(["-n", path.to_str().unwrap()]).output()
        {
            assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
        }
    }
    assert_eq!(cci(&["completions", "csh"]).code, 2);
}

#[test]
fn there_is_a_page_for_every_command() {
    let page = cci(&["man"]);
    assert_eq!(page.code, 0, "{}", page.stderr);
    assert!(page.stdout.contains(".TH cci 1") && page.stdout.contains("Exit codes"), "{}", page.stdout);
    let pages = directory();
    let run = cci(&["man", "--dir", pages.to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    for page in [
        "cci",
        "cci-operations-wait",
        "cci-conversations-bulk-analyze",
        "cci-scorecards-revisions-tune",
        "cci-call",
    ] {
        let text = fs::read_to_string(pages.join(format!("{page}.1")))
            .unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.starts_with(".ie") || text.contains(".TH"), "{text}");
    }
    // Only where `man` is there, and can show a file.
    let shown = Command::new("man")
        .args(["-l", pages.join("cci-rest.1").to_str().unwrap()])
        .env("MANPAGER", "cat")
        .output();
    if let Ok(shown) = shown
        && shown.status.success()
        && !shown.stdout.is_empty()
    {
        assert!(String::from_utf8_lossy(&shown.stdout).contains("PATH"));
    }
}

#[test]
fn expressions_of_jq_are_applied_to_what_json_would_be() {
    let server = Server::with_operations(&[succeeded("1"), running("2")]);
    let run = server.operations(&["get", &name("1"), "-o", "jq=.response.displayName"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "123\n"), "{}", run.stderr);
    let run = server.operations(&["list", PARENT, "-o", "jq=.[] | select(.done | not) | .name"]);
    assert_eq!((run.code, run.stdout), (0, name("2") + "\n"), "{}", run.stderr);
    let run = server.operations(&["list", PARENT, "-o", "jq=map(.done)"]);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap().as_array().unwrap().len(), 2);
    let run = server.operations(&["get", &name("1"), "-o", "jq=.name + 1"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains("the answer came, but `.name + 1` fails on it"), "{}", run.stderr);
    // Nothing is sent for one that is not an expression: nothing answers there.
    let bad = ["operations", "cancel", &name("1"), "--endpoint", "http://127.0.0.1:1", "-o", "jq=.name |"];
    let run = cci(&bad);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("at column 8"), "{}", run.stderr);
    let run = cci(&["operations", "list", PARENT, "--format=value(name)"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("tip: formats are named by -o"), "{}", run.stderr);
}

/// An expression that does not end is ended by Ctrl-C.
#[cfg(unix)]
#[test]
fn an_expression_without_end_can_be_interrupted() {
    use std::io::Read as _;
    use std::os::unix::process::ExitStatusExt as _;

    if crate::support::is_ignored("INT") {
        return;
    }
    let server = Server::with_operations(&[succeeded("1")]);
    let endless =
        ["operations", "get", &name("1"), "--endpoint", &server.endpoint, "-o", "jq=repeat(1) | empty", "-v"];
    let mut child = command(&endless, &[]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // The call has ended: the expression runs.
    let mut first = [0];
    child.stderr.as_mut().unwrap().read_exact(&mut first).unwrap();
    crate::support::signal(&child, "INT");
    assert_eq!(child.wait().unwrap().signal(), Some(2));
}
