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

#[cfg(target_os = "linux")]
#[test]
fn it_runs_on_more_threads_than_there_are_processors() {
    let server = Server::start(&[]);
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.child.id())).unwrap().count();
    let processors = std::thread::available_parallelism().unwrap().get();
    assert!(threads > processors + 1, "{threads}");
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
fn it_ends_with_its_stdin_where_that_is_asked_for() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::Stdio;

    let mut command = crate::support::command(&["emulator", "--port", "0", "--exit-with-stdin"], &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    stdin.write_all(b"what is written there does not matter\n").unwrap();
    assert!(child.try_wait().unwrap().is_none());
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0), "{line}");

    // Without the flag, a closed stdin is nothing: so do shells start what runs in the background.
    let mut command = crate::support::command(&["emulator", "--port", "0"], &[]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn profiles_are_for_all_methods_or_for_one() {
    let server =
        Server::start(&["--profile", "immediate", "--profile", "CreateIssueModel=polls:1,fail=INTERNAL"]);
    let started = server.http("POST", &format!("/v1/{PARENT}/issueModels"), r#"{"modelType": "TYPE_V2"}"#);
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
fn flags_say_what_is_taken_and_what_is_refused() {
    let mars = "/v1/projects/7/locations/mars/views";
    let usual = Server::start(&[]);
    assert_eq!(usual.http("GET", mars, "")["error"]["status"], "PERMISSION_DENIED");
    let strange = r#"{"satisfiesPzs": true}"#;
    assert!(usual.http("POST", &format!("/v1/{PARENT}/conversations"), strange)["name"].is_string());

    let arguments = ["--allow-any-location", "--strict-fields", "--min-training-conversations", "3"];
    let server = Server::start(&arguments);
    assert_eq!(server.http("GET", mars, ""), serde_json::json!({}));
    let refused = server.http("POST", &format!("/v1/{PARENT}/conversations"), strange);
    assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT");
    let refused = server.http("POST", &format!("/v1/{PARENT}/issueModels"), r#"{"modelType": "TYPE_V2"}"#);
    assert!(
        refused["error"]["message"].as_str().unwrap().ends_with("Minimum requirement is: 3."),
        "{refused}"
    );
}

#[test]
fn lists_of_operations_are_as_untrustworthy_as_is_wished() {
    let server =
        Server::start(&["--operations-page-cap", "1", "--operations-unordered", "--profile", "time:1h"]);
    for number in 0..2 {
        let path = format!("/v1/{PARENT}/conversations?conversationId=call-{number}");
        let conversation = server.http("POST", &path, "{}");
        let analyses = format!("/v1/{}/analyses", conversation["name"].as_str().unwrap());
        assert!(server.http("POST", &analyses, "{}")["name"].is_string());
    }
    let page = server.http("GET", &format!("/v1/{PARENT}/operations?pageSize=2"), "");
    assert_eq!(page["operations"].as_array().unwrap().len(), 1, "{page}");
    assert!(page["nextPageToken"].is_string());

    let late = Server::start(&["--operations-lag", "1h", "--profile", "time:1h"]);
    let conversation = late.http("POST", &format!("/v1/{PARENT}/conversations"), "{}");
    let analyses = format!("/v1/{}/analyses", conversation["name"].as_str().unwrap());
    late.http("POST", &analyses, "{}");
    assert_eq!(late.http("GET", &format!("/v1/{PARENT}/operations"), ""), serde_json::json!({}));
}

#[test]
fn a_bad_seed_is_refused_by_its_entry() {
    let cases = [
        ("{", "not JSON"),
        ("7", "not a JSON object"),
        (r#"{"models": []}"#, "`models` is unknown"),
        (r#"{"operations": [{"name": "x"}]}"#, "operations[0] (`x`)"),
        (
            r#"{"operations": [{"name": "projects/p/locations/us/operations/1", "foo": 1}]}"#,
            "operations[0].foo: ",
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

#[test]
fn files_tell_where_it_listens_and_whom_to_trust() {
    let (address, ca) = (file(""), file(""));
    let (address_text, ca_text) = (address.to_str().unwrap(), ca.to_str().unwrap());
    let server = Server::start(&["--tls", "--addr-file", address_text, "--ca-out", ca_text]);
    assert_eq!(std::fs::read_to_string(&address).unwrap(), format!("{}\n", server.address));
    assert!(std::fs::read_to_string(&ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));

    let run = cci(&["emulator", "--port", "0", "--ca-out", ca_text]);
    assert!(run.code == 2 && run.stderr.contains("--tls"), "{}", run.stderr);
    let run = cci(&["emulator", "--port", "0", "--addr-file", "/nonexistent/x"]);
    assert!(run.code == 2 && run.stderr.contains("/nonexistent/x"), "{}", run.stderr);
    let run = cci(&["emulator", "--port", "0", "--gcs-root", "/nonexistent"]);
    assert!(run.code == 2 && run.stderr.contains("/nonexistent"), "{}", run.stderr);
    let run = cci(&["emulator", "--port", "0", "--clock", "slow"]);
    assert!(run.code == 2 && run.stderr.contains("`virtual=TIME`"), "{}", run.stderr);
}

#[test]
fn a_mix_up_of_tls_and_plaintext_is_told_with_the_fix() {
    use std::io::{Read as _, Write as _};

    for (arguments, greeting, words) in [
        (&[][..], &[22, 3, 1, 0, 5][..], "start the emulator with --tls"),
        (&["--tls"], b"GET / HTTP/1.0\r\n\r\n", "(--ca-out FILE), or start the emulator without --tls"),
    ] {
        let mut server = Server::with_stderr(arguments);
        for _ in 0..2 {
            let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
            stream.write_all(greeting).unwrap();
            // The emulator may have closed the connection by now.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
        server.child.kill().unwrap();
        let mut log = String::new();
        server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(log.matches(words).count(), 1, "{log}");
        assert!(log.contains(&server.address), "{log}");
    }
}

#[test]
fn unknown_keys_of_a_transcript_are_told_once() {
    use std::io::Read as _;

    let root = crate::support::directory();
    std::fs::create_dir_all(root.join("b")).unwrap();
    let chat = r#"{"entries": [{"text": "a", "mood": 1}, {"text": "b", "mood": 2}], "version": 3}"#;
    std::fs::write(root.join("b/1.json"), chat).unwrap();
    let mut server = Server::with_stderr(&["--gcs-root", root.to_str().unwrap(), "--profile", "immediate"]);
    let body = r#"{"gcsSource": {"bucketUri": "gs://b"}, "transcriptObjectConfig": {"medium": "CHAT"}}"#;
    let ended = server.http("POST", "/v1/projects/7/locations/us-central1/conversations:ingest", body);
    assert_eq!(ended["done"], true, "{ended}");
    server.child.kill().unwrap();
    let mut log = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(log.matches("unknown keys of a transcript are left out").count(), 1, "{log}");
    for words in ["gs://b/1.json", "count=3", "entries[0].mood"] {
        assert!(log.contains(words), "{log}");
    }
}

#[cfg(unix)]
#[test]
fn it_ends_with_a_connection_open() {
    let mut server = Server::start(&[]);
    let _silent = std::net::TcpStream::connect(&server.address).unwrap();
    crate::support::signal(&server.child, "TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn faults_are_read_from_a_file() {
    let fault =
        r#"{"faults": [{"method": "ListOperations", "status": {"code": 9, "message": "as scripted"}}]}"#;
    let path = file(fault);
    let server =
        Server::start(&["--faults", path.to_str().unwrap(), "--documented-quotas", "--clock", "virtual"]);
    let run = server.operations(&["list", PARENT]);
    assert!(run.code == 1 && run.stderr.contains("as scripted"), "{}", run.stderr);
    assert_eq!(server.operations(&["list", PARENT]).code, 0);
    assert_eq!(server.http("GET", "/_emulator/v1/quotas", "")["all"], 3000);
    assert_eq!(server.http("GET", "/_emulator/v1/clock", "")["virtual"], true);

    let run = cci(&["emulator", "--port", "0", "--faults", file("x").to_str().unwrap()]);
    assert!(run.code == 2 && run.stderr.contains("help: faults are as in {"), "{}", run.stderr);
    let path = file(r#"{"faults": [{"method": "Lst"}]}"#);
    let run = cci(&["emulator", "--port", "0", "--faults", path.to_str().unwrap()]);
    assert!(run.code == 2 && run.stderr.contains("faults[0]"), "{}", run.stderr);
}

#[cfg(unix)]
mod exec {
    use crate::support::{cci, cci_in, command};

    fn sh(script: &str) -> Vec<&str> {
        vec!["emulator", "exec", "--", "/bin/sh", "-c", script]
    }

    #[test]
    fn the_command_finds_the_emulator_and_its_code_is_given_back() {
        let cci_path = env!("CARGO_BIN_EXE_cci");
        let script = format!("{cci_path} operations list projects/7/locations/us && exit 7");
        let run = cci(&sh(&script));
        assert_eq!((run.code, run.stdout.as_str()), (7, "[]\n"), "{}", run.stderr);
        let run = cci(&sh("echo $CONTACTCENTERINSIGHTS_EMULATOR_ENDPOINT; kill -TERM $$"));
        assert_eq!(run.code, 128 + 15);
        assert!(run.stdout.starts_with("http://127.0.0.1:"), "{}", run.stdout);
        let run = cci_in(&[("NO_PROXY", "x.org")], &sh("echo $NO_PROXY"));
        assert_eq!(run.stdout, "x.org,127.0.0.1,localhost\n");
    }

    #[test]
    fn with_tls_the_command_finds_the_authority_which_is_gone_after_it() {
        let script = "cat $CONTACTCENTERINSIGHTS_EMULATOR_CA >&2; echo $NODE_EXTRA_CA_CERTS; \
                      echo $CONTACTCENTERINSIGHTS_EMULATOR_HOST";
        let run = cci(&["emulator", "exec", "--tls", "--", "/bin/sh", "-c", script]);
        assert!(run.stderr.contains("BEGIN CERTIFICATE"), "{}", run.stderr);
        let (path, host) = run.stdout.split_once('\n').unwrap();
        assert_eq!(host, "\n", "what reads it speaks plaintext");
        assert!(!std::path::Path::new(path).exists(), "{path}");
    }

    #[test]
    fn what_cannot_be_run_is_told_as_shells_do() {
        let run = cci(&["emulator", "exec", "--", "/nonexistent"]);
        assert!(run.code == 127 && run.stderr.contains("cannot run /nonexistent"), "{}", run.stderr);
        assert_eq!(cci(&["emulator", "exec", "--", "/"]).code, 126);
        assert_eq!(cci(&["emulator", "exec"]).code, 2);
        assert_eq!(cci(&["emulator", "exec", "--seed", "/nonexistent", "--", "true"]).code, 2);
    }

    #[test]
    fn signals_are_passed_on() {
        use std::io::{BufRead as _, BufReader};

        let script = "trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done";
        let mut child = command(&sh(script), &[]).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        crate::support::signal(&child, "USR1");
        assert_eq!(child.wait().unwrap().code(), Some(9));
    }
}

#[test]
fn each_language_has_its_lines() {
    for (language, words) in [
        ("rust", "export CONTACTCENTERINSIGHTS_EMULATOR_HOST=10.0.0.1:99\n"),
        ("python", "grpc.insecure_channel(\"10.0.0.1:99\")"),
        ("node", "servicePath: '10.0.0.1',\n  port: 99,"),
        ("java", "forTarget(\"10.0.0.1:99\").usePlaintext()"),
        ("go", "option.WithEndpoint(\"10.0.0.1:99\")"),
        ("curl", "curl http://10.0.0.1:99/v1/projects/"),
    ] {
        let run = cci(&["emulator", "env", "--lang", language, "--address", "10.0.0.1:99"]);
        assert!(run.code == 0 && run.stdout.contains(words), "{}{}", run.stdout, run.stderr);
    }
    assert_eq!(cci(&["emulator", "env", "--lang", "go", "--address", "x"]).code, 2);
    assert_eq!(cci(&["emulator", "env"]).code, 2);
}
