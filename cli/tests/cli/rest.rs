//! `cci rest`: calls that gRPC does not have, with everything that the other calls have.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use crate::support::{PARENT, Run, Server, cci, cci_in, file, name, serving, succeeded};

fn rest(server: &Server, arguments: &[&str]) -> Run {
    let scope = ["--project", "7", "--location", "us", "--endpoint", &server.endpoint];
    cci(&[&["rest"], arguments, &scope].concat())
}

fn document(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn resources_are_made_read_changed_and_deleted() {
    let server = Server::start(&[]);
    let made = document(&rest(&server, &["POST", "views", "--data", r#"{"displayName": "late"}"#]));
    let view = made["name"].as_str().unwrap().to_owned();
    assert!(view.starts_with(&format!("{PARENT}/views/")), "{view}");
    let listed =
        document(&rest(&server, &["get", "v1/projects/7/locations/us/views", "--query", "pageSize=5"]));
    assert_eq!(listed["views"][0]["displayName"], "late");
    let body = file(r#"{"displayName": "later"}"#);
    let from = format!("@{}", body.display());
    let changed =
        rest(&server, &["PATCH", &format!("/v1/{view}"), "--query", "updateMask=displayName", "-d", &from]);
    assert_eq!(document(&changed)["displayName"], "later");
    let run = rest(&server, &["GET", &view, "-o", "jq=.displayName"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "later\n"), "{}", run.stderr);
    assert_eq!(document(&rest(&server, &["DELETE", &view])), json!({}));
    let run = rest(&server, &["GET", &view]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{}", run.stderr);
    assert!(
        run.stderr.contains("GET failed with NOT_FOUND")
            && run.stderr.contains(&format!("views list {PARENT} -o name --endpoint {}", server.endpoint)),
        "{}",
        run.stderr
    );
}

#[test]
fn errors_are_those_of_any_call() {
    let server = Server::start(&[]);
    let run = rest(&server, &["GET", "views", "--query", "pageSize=-1"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("INVALID_ARGUMENT"), "{}", run.stderr);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = format!("http://127.0.0.1:{port}");
    let run = cci(&["rest", "GET", &format!("v1/{PARENT}/views"), "--endpoint", &closed]);
    assert_eq!(run.code, 69, "{}", run.stderr);
    assert!(run.stderr.contains(&format!("emulator --port {port}")), "{}", run.stderr);
}

#[test]
fn a_path_is_a_path_and_nothing_is_sent_to_anything_else() {
    let server = Server::start(&[]);
    for (path, words) in [
        ("https://evil.invalid/v1/projects/p", "give the path alone: v1/projects/p"),
        ("//evil.invalid/v1", "is a URL"),
        ("evil.invalid/v1", "begins with a host"),
        ("v1/projects/../x", "`..`"),
        ("v1/projects/%2e%2E/x", "`..`"),
        ("v1/projects/a\r\nx-evil: 1", "cannot have"),
    ] {
        let run = rest(&server, &["GET", path]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{path}: {}", run.stderr);
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    for (arguments, words) in [
        (&["GET", "views", "--data", "{}"][..], "a GET has no body"),
        (&["POST", "views", "--data", "{"], "is not JSON"),
        (&["POST", "views", "--data", "@/nonexistent/x"], "cannot read"),
        (&["GET", "views", "--query", "x"], "is not NAME=VALUE"),
        (&["HEAD", "views"], "possible values"),
    ] {
        let run = rest(&server, arguments);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    let asked = server.http("GET", "/_emulator/v1/journal", "");
    assert!(!asked.to_string().contains("views"), "{asked}");
}

#[test]
fn the_host_is_that_of_the_location_unless_an_endpoint_is_given() {
    let url = |more: &[&str]| {
        let dry = ["rest", "GET", "views", "--project", "p", "--dry-run", "-o", "jq=.url"];
        let run = cci(&[&dry[..], more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout.trim().to_owned()
    };
    let host = "contactcenterinsights.googleapis.com";
    for (location, wanted) in
        [("eu", format!("https://eu-{host}/")), ("us-central1", format!("https://{host}/"))]
    {
        assert!(url(&["--location", location]).starts_with(&wanted), "{location}");
    }
    let given = url(&["--location", "eu", "--endpoint", "http://127.0.0.1:1"]);
    assert_eq!(given, "http://127.0.0.1:1/v1/projects/p/locations/eu/views");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    let trapped = format!("http://{}/v1/x", trap.local_addr().unwrap());
    let redirect = (axum::http::StatusCode::FOUND, [("location", trapped.clone())]);
    let endpoint = serving(axum::Router::new().fallback(async move || redirect));
    let token = file("planted");
    let run = cci(&[
        "rest",
        "GET",
        &format!("v1/{PARENT}/views"),
        "--endpoint",
        &endpoint,
        "--access-token-file",
        token.to_str().unwrap(),
    ]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains(&trapped) && run.stderr.contains("redirects are not followed"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("planted"), "{}", run.stderr);
    trap.set_nonblocking(true).unwrap();
    assert!(trap.accept().is_err(), "it was followed");
}

#[test]
fn reads_are_retried_and_writes_are_not() {
    let server = Server::start(&[]);
    let fail = |method: &str| {
        let fault = json!({ "method": method, "times": 1, "status": { "code": 13, "message": "once" } });
        server.http("POST", "/_emulator/v1/faults", &json!({ "faults": [fault] }).to_string());
    };
    fail("ListViews");
    let run = rest(&server, &["GET", "views", "-v"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("call: GET OK") && run.stderr.contains("2 attempts"), "{}", run.stderr);
    fail("CreateView");
    let run = rest(&server, &["POST", "views", "--data", r#"{"displayName": "x"}"#]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("POST failed with INTERNAL: once"), "{}", run.stderr);
}

#[test]
fn an_operation_is_printed_as_the_service_gives_it() {
    let server = Server::with_operations(&[succeeded("1")]);
    for command in ["get", "wait"] {
        let run = server.operations(&[command, &name("1"), "--rest"]);
        assert_eq!(document(&run), succeeded("1"), "{command}");
    }
    let run = server.operations(&["wait", &name("1"), &name("2"), "--rest"]);
    assert_eq!((run.code, run.stderr.contains("for one operation")), (2, true), "{}", run.stderr);
    // Over a wire on which the metadata has a type without a proto.
    let odd = json!({ "name": name("2"), "metadata": { "@type": "type.googleapis.com/google.cloud.contactcenterinsights.v1.NoProtoMetadata", "facts": [1] } });
    let reply = ([("content-type", "application/json")], odd.to_string());
    let endpoint = serving(axum::Router::new().fallback(async move || reply));
    let run = cci(&["operations", "get", &name("2"), "--rest", "--endpoint", &endpoint]);
    assert_eq!(document(&run), odd);
    let run = cci(&["rest", "GET", &name("2"), "--endpoint", &endpoint, "-o", "yaml"]);
    assert!(run.stdout.contains("NoProtoMetadata"), "{}", run.stdout);
}

#[test]
fn headers_are_shown_without_secrets() {
    let server = Server::start(&[]);
    let token = file("planted");
    let quota = [("GOOGLE_CLOUD_QUOTA_PROJECT", "billed")];
    let path = format!("v1/{PARENT}/views");
    let both = ["--endpoint", &server.endpoint, "--access-token-file", token.to_str().unwrap(), "-vv"];
    for arguments in [&["rest", "GET", &path][..], &["operations", "list", PARENT]] {
        let run = cci_in(&quota, &[arguments, &both].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        for words in [
            "authorization: (redacted)",
            "x-goog-user-project: billed",
            "> ",
            "< ",
            "call: ",
            "1 attempt, 127.0.0.1",
        ] {
            assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
        }
        assert!(!run.stderr.contains("planted"), "{}", run.stderr);
    }
}

#[test]
fn a_server_that_answers_no_http2_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 24]);
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let run = cci(&[
        "rest",
        "GET",
        &format!("v1/{PARENT}/views"),
        "--endpoint",
        &endpoint,
        "--request-timeout",
        "2s",
    ]);
    assert!(run.code == 69 || run.code == 1, "{}: {}", run.code, run.stderr);
    assert!(run.stderr.contains("help: "), "{}", run.stderr);
}
