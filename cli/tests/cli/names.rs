//! Names as people paste them, the host that is picked by a name, and tokens as people have them.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use crate::support::{
    PARENT, Run, Server, after_head, cci, cci_in, command, directory, file, finish, name, refusing, succeeded,
};

#[test]
fn a_pasted_name_is_taken_and_the_host_in_it_is_not_dialled() {
    let server = Server::with_operations(&[succeeded("1")]);
    let id = name("1");
    for pasted in [
        format!("https://nowhere.invalid/v1/{id}"),
        format!("https://nowhere.invalid/v1/{id}?alt=json"),
        format!("//nowhere.invalid/{id}"),
        format!("{id}/"),
        format!("{id}\r"),
    ] {
        for verb in ["get", "wait", "cancel"] {
            let run = server.operations(&[verb, &pasted, "-o", "name"]);
            assert_eq!((run.code, run.stdout.trim()), (0, id.as_str()), "{pasted:?}: {}", run.stderr);
            assert!(run.stderr.contains(&format!("note: taken as {id}\n")), "{}", run.stderr);
        }
    }
    for parent in [
        format!("https://nowhere.invalid/v1/{PARENT}/operations?pageSize=2"),
        format!("//nowhere.invalid/{PARENT}"),
        format!("{PARENT}/"),
        format!("{PARENT}\r"),
    ] {
        let run = server.operations(&["list", &parent, "-o", "name"]);
        assert_eq!((run.code, run.stdout.trim()), (0, id.as_str()), "{parent:?}: {}", run.stderr);
    }
    let variables = [("CONTACTCENTERINSIGHTS_EMULATOR_HOST", server.address.as_str())];
    let run =
        cci_in(&variables, &["operations", "get", &format!("https://nowhere.invalid/v1/{id}"), "-o", "name"]);
    assert_eq!((run.code, run.stdout.trim()), (0, id.as_str()), "{}", run.stderr);
}

/// A proxy that notes where it should lead, and leads nowhere.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    let address = after_head(move |mut socket, head| {
        noted.lock().unwrap().extend(head.lines().next().map(str::to_owned));
        // A client that has left wants no answer.
        let _ = socket.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    });
    let url = format!("http://{address}");
    (url, asked)
}

#[test]
fn the_host_is_picked_by_the_location_in_the_name() {
    let authority = directory();
    let ca = authority.to_str().unwrap();
    let _server = Server::start(&["--tls", "--ca-out", ca]);
    let global = "contactcenterinsights.googleapis.com";
    for (location, host) in [
        ("us-central1", global.to_owned()),
        ("global", global.to_owned()),
        ("europe-west1", format!("europe-west1-{global}")),
    ] {
        let (url, asked) = proxy();
        let variables = [("HTTPS_PROXY", url.as_str()), ("SSL_CERT_FILE", ca), ("CCI_ACCESS_TOKEN", "t")];
        let pasted = format!("https://nowhere.invalid/v1/projects/p/locations/{location}/operations/1");
        let run = cci_in(&variables, &["operations", "get", &pasted, "--request-timeout", "20s"]);
        assert_eq!(run.code, 69, "{}", run.stderr);
        let asked = asked.lock().unwrap();
        let lines: Vec<_> = asked.iter().map(String::as_str).collect();
        assert!(
            !lines.is_empty() && lines.iter().all(|line| line.starts_with(&format!("CONNECT {host}:443 "))),
            "{lines:?}"
        );
    }
}

#[test]
fn what_is_not_a_location_never_becomes_a_host() {
    let (url, asked) = proxy();
    let variables = [("HTTPS_PROXY", url.as_str()), ("CCI_ACCESS_TOKEN", "t")];
    for location in ["evil.example", "Europe", "eu@evil"] {
        let run = cci_in(
            &variables,
            &["operations", "get", &format!("projects/p/locations/{location}/operations/1")],
        );
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("cannot pick a host by the location in the name"), "{}", run.stderr);
        assert!(run.stderr.contains("is not a location, such as europe-west1"), "{}", run.stderr);
    }
    assert!(asked.lock().unwrap().is_empty());
}

/// A name is asked about at the host of its own location, and only what an emulator answers needs none.
#[test]
fn an_endpoint_that_is_given_stays() {
    let endpoint = refusing("5", "no such operation");
    let run = cci(&["operations", "get", "projects/p/locations/eu/operations/1", "--endpoint", &endpoint]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(!run.stderr.contains("eu-contactcenterinsights"), "{}", run.stderr);
}

fn with_token_file(server: &Server, file: &str, stdin: Option<&str>) -> Run {
    let arguments =
        ["operations", "cancel", &name("1"), "--endpoint", &server.endpoint, "--access-token-file", file];
    let mut command = assert_cmd::Command::from_std(command(&arguments, &[]));
    if let Some(text) = stdin {
        command.write_stdin(text);
    }
    finish(command)
}

#[test]
fn a_token_file_may_have_what_editors_leave_and_be_a_pipe() {
    let server = Server::with_operations(&[succeeded("1")]);
    for text in ["ya29.a", "ya29.a\r\n", "\u{feff} ya29.a\n\n"] {
        let run = with_token_file(&server, file(text).to_str().unwrap(), None);
        assert_eq!(run.code, 0, "{text:?}: {}", run.stderr);
        // Two calls, and one reading.
        #[cfg(unix)]
        {
            let run = with_token_file(&server, "/dev/stdin", Some(text));
            assert_eq!(run.code, 0, "{text:?}: {}", run.stderr);
        }
    }
}

#[test]
fn what_is_not_a_token_alone_is_refused_in_words() {
    let server = Server::with_operations(&[succeeded("1")]);
    for (text, words) in [
        ("{\"access_token\": \"planted\"}", "this is JSON, not an access token"),
        ("\"planted\"", "in quotes"),
        ("Bearer planted", "`Bearer` stands before"),
        ("planted planted", "more than one word"),
        ("", "is empty"),
    ] {
        let run = with_token_file(&server, file(text).to_str().unwrap(), None);
        assert_eq!(run.code, 4, "{}", run.stderr);
        assert!(run.stderr.contains(words) && !run.stderr.contains("planted"), "{}", run.stderr);
    }
}

#[test]
fn a_port_alone_is_an_emulator_on_this_machine() {
    let server = Server::with_operations(&[succeeded("1")]);
    let (_, port) = server.address.rsplit_once(':').unwrap();
    let ask = |port: &str| {
        let variables = [("CONTACTCENTERINSIGHTS_EMULATOR_HOST", port)];
        cci_in(&variables, &["operations", "get", &name("1"), "-o", "name"])
    };
    assert_eq!(ask(port).code, 0, "{}", ask(port).stderr);
    let run = ask("123456");
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("`123456` is neither a host with a port nor a port"), "{}", run.stderr);
}
