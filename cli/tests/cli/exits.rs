//! Every exit code, and what the user is told with it.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::{PARENT, Run, Server, cci, cci_in, failed, file, name, refusing, running, succeeded};

/// Nothing on stdout, and on stderr an error and a way on.
fn assert_refused(run: &Run, code: i32, words: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{}", run.stderr);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
}

#[test]
fn bad_usage_is_2() {
    for malformed in ["", "projects/p/locations/us/operations", "projects/p/locations/us/operations/a b"] {
        for verb in ["get", "wait", "cancel"] {
            let run = cci(&["operations", verb, malformed, "--endpoint", "http://127.0.0.1:1"]);
            let form = "projects/{project}/locations/{location}/operations/{operation}";
            assert_refused(&run, 2, &[form, "help: ", "operations list"]);
        }
    }
    assert_refused(&cci(&["operations", "list", "p"]), 2, &["projects/my-project/locations/us-central1"]);
    let flags = ["operations", "get", &name("1"), "--endpoint", "ftp://x"];
    assert_refused(&cci(&flags), 2, &["cannot use `--endpoint`", "https://HOST[:PORT]"]);
    for unknown in
        [&["bogus"][..], &["operations", "get"], &["quickstart", "-o", "xml"], &["emulator", "--port", "x"]]
    {
        assert_refused(&cci(unknown), 2, &["--help"]);
    }
    let undecodable = file([0xff; 20]);
    let run = cci(&["operations", "decode", undecodable.to_str().unwrap()]);
    assert_refused(&run, 2, &["not a serialized google.longrunning.Operation", "help: "]);
}

#[test]
fn a_time_in_which_nothing_can_be_done_is_refused_with_a_sentence() {
    for interval in ["0", "0s", "99ms"] {
        let run = cci(&["operations", "wait", &name("1"), "--interval", interval]);
        assert_refused(&run, 2, &["only loads the server", "100ms or more"]);
    }
    let run = cci(&["operations", "get", &name("1"), "--request-timeout", "0"]);
    assert_refused(&run, 2, &["no call can succeed", "`none` for no limit"]);
    let server = Server::with_operations(&[succeeded("1")]);
    let run = server.operations(&["get", &name("1"), "--request-timeout", "none"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn an_unknown_word_is_not_answered_with_a_tip_that_leads_astray() {
    for arguments in
        [&["comparisons"][..], &["iterations"], &["operations", "get", "--nmae"], &["quickstart", "--pro"]]
    {
        let run = cci(arguments);
        assert_refused(&run, 2, &["--help"]);
        assert!(!run.stderr.contains("tip:"), "{}", run.stderr);
    }
    assert_refused(&cci(&["get", &name("1")]), 2, &["similar subcommand exists: 'operations get'"]);
    assert_refused(&cci(&["operations", "lst"]), 2, &["similar subcommand exists: 'list'"]);
}

#[test]
fn a_variable_that_cannot_be_used_is_named() {
    let run = cci_in(
        &[("CONTACTCENTERINSIGHTS_EMULATOR_HOST", "no such/host")],
        &["operations", "get", &name("1")],
    );
    assert_refused(&run, 2, &["environment variable `CONTACTCENTERINSIGHTS_EMULATOR_HOST`", "HOST:PORT"]);
}

#[test]
fn an_error_of_the_api_is_1_with_its_details() {
    let server = Server::with_operations(&[]);
    let run = server.operations(&["list", PARENT, "--filter", "nonsense"]);
    assert_refused(
        &run,
        1,
        &[
            "INVALID_ARGUMENT",
            "google.rpc.BadRequest",
            "\"field\": \"filter\"",
            "help: for the fields",
            "list --help",
        ],
    );
}

#[test]
fn not_found_is_3() {
    let server = Server::with_operations(&[succeeded("1")]);
    for verb in ["get", "wait", "cancel"] {
        let run = server.operations(&[verb, &name("2")]);
        let list = format!("operations list {PARENT} -o name --endpoint {}", server.endpoint);
        assert_refused(&run, 3, &["NOT_FOUND", "check the name, project and location too", &list]);
    }
}

#[test]
fn credentials_that_are_not_there_are_4() {
    let get = ["operations", "get", &name("1")];
    let missing = [("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")];
    let run = cci_in(&missing, &get);
    assert_refused(
        &run,
        4,
        &["/nonexistent/key.json", "gcloud auth application-default login", "CCI_ACCESS_TOKEN"],
    );
    let run = cci(&[&get[..], &["--access-token-file", "/nonexistent/token"]].concat());
    assert_refused(&run, 4, &["/nonexistent/token", "gcloud auth print-access-token"]);
    assert_refused(
        &cci(&[&get[..], &["--access-token-file", file("").to_str().unwrap()]].concat()),
        4,
        &["empty"],
    );
}

#[test]
fn a_refused_token_is_4_and_a_missing_permission_is_1() {
    let get = |endpoint: &str| {
        cci_in(&[("CCI_ACCESS_TOKEN", "planted")], &["operations", "get", &name("1"), "--endpoint", endpoint])
    };
    let run = get(&refusing("16", "token expired"));
    assert_refused(&run, 4, &["UNAUTHENTICATED", "token expired", "live for an hour", "gcloud auth"]);
    assert!(!run.stderr.contains("planted"), "{}", run.stderr);
    assert_refused(&get(&refusing("7", "not yours")), 1, &["PERMISSION_DENIED", "not yours", "needs a role"]);
    assert_refused(&get(&refusing("12", "")), 1, &["UNIMPLEMENTED", "is it the right endpoint?"]);
}

#[test]
fn no_error_repeats_a_token() {
    let get = ["operations", "get", &name("1"), "--endpoint", "http://127.0.0.1:1"];
    for planted in ["planted", "planted\nplanted", "planted\u{7f}"] {
        let path = file(planted);
        let with_file = [&get[..], &["--access-token-file", path.to_str().unwrap()]].concat();
        for run in [cci(&with_file), cci_in(&[("CCI_ACCESS_TOKEN", planted)], &get)] {
            assert!(run.code == 4 || run.code == 69, "{}", run.stderr);
            assert!(!run.stderr.contains("planted"), "{}", run.stderr);
        }
    }
    let logged = cci_in(&[("CCI_ACCESS_TOKEN", "planted"), ("RUST_LOG", "trace")], &get);
    assert!(logged.stderr.len() > 500 && !logged.stderr.contains("planted"), "{}", logged.stderr);
    let remote = ["operations", "get", &name("1"), "--endpoint", "http://example.com"];
    let run = cci_in(&[("CCI_ACCESS_TOKEN", "planted")], &remote);
    assert_refused(&run, 2, &["unencrypted", "CONTACTCENTERINSIGHTS_EMULATOR_HOST=HOST:PORT"]);
    assert!(!run.stderr.contains("planted"), "{}", run.stderr);
}

#[test]
fn an_operation_that_failed_is_5_for_wait_and_0_for_get() {
    let document = failed("1", 9);
    let server = Server::with_operations(std::slice::from_ref(&document));
    assert_eq!(server.operations(&["get", &name("1")]).code, 0);
    let run = server.operations(&["wait", &name("1")]);
    assert_eq!((run.code, serde_json::from_str::<Value>(&run.stdout).unwrap()), (5, document));
    for words in ["FAILED_PRECONDITION: no bucket", "\"reason\": \"BUCKET_GONE\"", "help: ", "operations get"]
    {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
}

#[test]
fn an_operation_that_fails_while_it_is_waited_for_is_5() {
    let server = Server::start(&["--profile", "CreateIssueModel=polls:3,fail=ABORTED:the tape tore"]);
    let run = server.operations(&["wait", &server.train(), "--interval", "100ms", "-o", "table"]);
    assert_eq!(run.code, 5);
    assert!(run.stdout.contains("ERROR    ABORTED: the tape tore"), "{}", run.stdout);
    assert!(run.stderr.contains("ended with ABORTED: the tape tore"), "{}", run.stderr);
}

#[test]
fn an_operation_that_was_cancelled_is_6() {
    let server = Server::with_operations(&[running("1")]);
    assert_eq!(server.operations(&["cancel", &name("1")]).code, 0);
    let run = server.operations(&["wait", &name("1"), "-o", "name"]);
    assert_eq!((run.code, run.stdout), (6, name("1") + "\n"));
    assert!(run.stderr.contains("was cancelled"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn still_running_at_the_timeout_is_8_and_the_suggested_command_resumes() {
    // A name with a quote in it has to be quoted for the shell.
    let server = Server::with_operations(&[running("it's")]);
    for timeout in ["0", "20ms"] {
        let wait =
            ["wait", &name("it's"), "--timeout", timeout, "--interval", "100ms", "--request-timeout", "30s"];
        let run = server.operations(&wait);
        assert_eq!(run.code, 8, "{}", run.stderr);
        assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), running("it's"));
        assert!(run.stderr.contains("still running after"), "{}", run.stderr);
        let (_, resume) = run.stderr.split_once("help: to go on waiting: ").unwrap();
        let line = format!("{} --timeout 0 -o name", resume.trim());
        let resumed = std::process::Command::new("sh").args(["-c", &line]).output();
        let resumed = resumed.unwrap();
        assert_eq!(resumed.status.code(), Some(8), "{resume}");
        assert_eq!(String::from_utf8(resumed.stdout).unwrap(), name("it's") + "\n");
        assert!(resume.contains("--request-timeout 30s"), "{resume}");
    }
}

#[test]
fn a_service_that_hangs_keeps_nobody_waiting_beyond_the_timeout() {
    let server = Server::with_operations(&[running("1"), running("2")]);
    let stall = r#"{"faults": [{"transport": "STALL", "always": true}]}"#;
    server.http("POST", "/_emulator/v1/faults", stall);
    for names in [
        &[name("1")][..],
        &[name("1"), name("2")],
        &["--all".to_owned(), "--parent".to_owned(), PARENT.to_owned()],
    ] {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let run = server.operations(&[&["wait", "--timeout", "1s"], &names[..]].concat());
        assert_eq!(run.code, 8, "{}", run.stderr);
        assert!(!run.stderr.contains("answers again"), "{}", run.stderr);
    }
}

#[test]
fn one_bad_name_of_many_is_2_before_anything_is_asked() {
    let server = Server::with_operations(&[succeeded("1")]);
    for (names, bad) in [
        (&[&name("1"), "bad/name"][..], "bad/name"),
        (&["typo/x", &name("1"), "--any", "-q"], "typo/x"),
        (&["a b", "c d"], "a b"),
    ] {
        let run = server.operations(&[&["wait"], names].concat());
        assert_refused(&run, 2, &[bad, "operations list"]);
    }
    let calls = server.http("GET", "/_emulator/v1/calls", "");
    assert_eq!(calls["calls"], Value::Null, "{calls}");
}

#[test]
fn an_endpoint_where_nothing_answers_is_69() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = format!("http://127.0.0.1:{port}");
    let start = format!("emulator --port {port}");
    for arguments in [["get", &name("1")], ["wait", &name("1")], ["cancel", &name("1")], ["list", PARENT]] {
        let mut run = cci(&[&["operations"], &arguments[..], &["--endpoint", &closed]].concat());
        if arguments.contains(&"wait") {
            // Told while it is tried.
            let (note, rest) = run.stderr.split_once('\n').unwrap();
            assert!(note.starts_with("note: ") && note.ends_with("; trying again"), "{note}");
            run.stderr = rest.to_owned();
        }
        assert_refused(&run, 69, &["UNAVAILABLE", &format!("nothing answers at {closed}"), &start]);
    }
    let variable = [("CONTACTCENTERINSIGHTS_EMULATOR_HOST", closed.trim_start_matches("http://"))];
    assert_refused(&cci_in(&variable, &["operations", "get", &name("1")]), 69, &[&start]);
}

#[test]
fn a_host_without_an_address_is_69() {
    // RFC 6761: names under `.invalid` never resolve.
    let get = ["operations", "get", &name("1"), "--endpoint", "https://insights.invalid"];
    let run = cci_in(&[("CCI_ACCESS_TOKEN", "t")], &[&get[..], &["--request-timeout", "1s"]].concat());
    assert_refused(&run, 69, &["nothing answers at https://insights.invalid", "check the host's name"]);
}

/// A server that takes the connection and never answers: once it has been asked, `cci` is surely waiting.
#[cfg(unix)]
#[test]
fn an_interrupted_wait_is_130_and_says_how_to_go_on() {
    use std::process::Stdio;

    if crate::support::is_ignored("INT") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let wait = ["operations", "wait", &name("1"), "--endpoint", &endpoint];
    let child =
        crate::support::command(&wait, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _connection = listener.accept().unwrap();
    crate::support::signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(130), 0));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: interrupted; the operation goes on\n"), "{stderr}");
    assert!(stderr.contains(&format!("operations wait {} --endpoint {endpoint}", name("1"))), "{stderr}");
}
