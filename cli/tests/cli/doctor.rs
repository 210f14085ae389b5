//! `cci doctor`: what it says where something is wrong, on real sockets.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::support::{Run, Server, after_head, cci_in, directory, file, join, refusing};

const SCOPE: [&str; 4] = ["--project", "7", "--location", "us"];

fn doctor(variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    cci_in(variables, &[&["doctor"], arguments, &SCOPE].concat())
}

/// The line of a check.
fn line<'a>(run: &'a Run, check: &str) -> &'a str {
    let is_it = |line: &&str| line.split_whitespace().nth(1) == Some(check);
    run.stdout.lines().find(is_it).unwrap_or_else(|| panic!("no {check} in {}", run.stdout))
}

fn assert_says(run: &Run, code: i32, words: &[&str]) {
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
    assert!(!run.stdout.contains("planted") && !run.stderr.contains("planted"), "{}", run.stdout);
    for words in words {
        assert!(run.stdout.contains(words), "no `{words}` in {}", run.stdout);
    }
}

#[test]
fn all_is_well_with_an_emulator() {
    let server = Server::start(&[]);
    let run = doctor(&[("CCI_LOCATION", "eu")], &["--endpoint", &server.endpoint]);
    assert_says(&run, 0, &["CCI_LOCATION=eu", "(--project)", "(--endpoint)", "none: an emulator needs none"]);
    for check in [
        "variables",
        "configuration",
        "project",
        "location",
        "endpoint",
        "credentials",
        "name",
        "tcp",
        "http/2",
        "call",
    ] {
        assert!(line(&run, check).starts_with("ok "), "{}", line(&run, check));
    }
    let variable = [("CONTACTCENTERINSIGHTS_EMULATOR_HOST", server.address.as_str())];
    let run = doctor(&variable, &["-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let endpoint = rows.iter().find(|row| row["name"] == "endpoint").unwrap();
    assert!(
        endpoint["detail"].as_str().unwrap().contains("(CONTACTCENTERINSIGHTS_EMULATOR_HOST)"),
        "{endpoint}"
    );
}

#[test]
fn all_is_well_over_tls() {
    let ca = file("");
    let server = Server::start(&["--tls", "--ca-out", ca.to_str().unwrap()]);
    let endpoint = format!("https://{}", server.address.replace("127.0.0.1", "localhost"));
    let variables = [("SSL_CERT_FILE", ca.to_str().unwrap()), ("CCI_ACCESS_TOKEN", "planted")];
    let run = doctor(&variables, &["--endpoint", &endpoint]);
    assert_says(&run, 0, &["CCI_ACCESS_TOKEN=(set)", "the token in CCI_ACCESS_TOKEN"]);
    assert!(line(&run, "tls").contains("the certificate is trusted"), "{}", line(&run, "tls"));
    let other = file("");
    let _other = Server::start(&["--tls", "--ca-out", other.to_str().unwrap()]);
    let variables = [("SSL_CERT_FILE", other.to_str().unwrap()), ("CCI_ACCESS_TOKEN", "planted")];
    let run = doctor(&variables, &["--endpoint", &endpoint]);
    assert_says(&run, 69, &["SSL_CERT_FILE=FILE"]);
    assert!(line(&run, "tls").starts_with("fail"), "{}", line(&run, "tls"));
    assert!(line(&run, "call").contains("not tried"), "{}", line(&run, "call"));
}

#[test]
fn without_credentials_it_says_how_to_get_some() {
    let missing = [("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")];
    // A name that no network knows, so that nothing leaves the machine.
    let run = doctor(&missing, &["--endpoint", "https://insights.invalid"]);
    assert_says(&run, 69, &["gcloud auth application-default login", "/nonexistent/key.json"]);
    assert!(line(&run, "token").starts_with("fail"), "{}", line(&run, "token"));
    assert!(line(&run, "name").contains("insights.invalid"), "{}", line(&run, "name"));
    let ca = file("");
    let server = Server::start(&["--tls", "--ca-out", ca.to_str().unwrap()]);
    let endpoint = format!("https://{}", server.address.replace("127.0.0.1", "localhost"));
    let run = doctor(&[missing[0], ("SSL_CERT_FILE", ca.to_str().unwrap())], &["--endpoint", &endpoint]);
    assert_says(&run, 4, &["gcloud auth application-default login"]);
    assert!(line(&run, "tls").starts_with("ok"), "{}", line(&run, "tls"));
}

/// A server of tokens that answers all with this one.
fn tokens(answer: &'static str) -> String {
    let address = after_head(move |mut socket, _| {
        let length = answer.len();
        let _ = write!(
            socket,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
        );
    });
    format!("http://{address}/token")
}

#[test]
fn the_kind_of_credentials_is_told_and_the_token_fetched() {
    let url = tokens(r#"{"access_token": "planted", "expires_in": 3600, "token_type": "Bearer"}"#);
    let key = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "planted", "refresh_token": "planted",
        "quota_project_id": "billed", "token_uri": url,
    });
    let key = file(key.to_string());
    let ca = file("");
    let server = Server::start(&["--tls", "--ca-out", ca.to_str().unwrap()]);
    let endpoint = format!("https://{}", server.address.replace("127.0.0.1", "localhost"));
    let variables =
        [("GOOGLE_APPLICATION_CREDENTIALS", key.to_str().unwrap()), ("SSL_CERT_FILE", ca.to_str().unwrap())];
    let run = doctor(&variables, &["--endpoint", &endpoint]);
    assert_says(&run, 0, &["authorized_user", "quota project billed", "GOOGLE_APPLICATION_CREDENTIALS"]);
    assert!(line(&run, "token").contains("fetched just now"), "{}", line(&run, "token"));
}

#[test]
fn an_expired_token_and_a_wrong_project_are_told_apart() {
    let token = file("planted");
    let ask = |endpoint: &str| {
        doctor(&[], &["--endpoint", endpoint, "--access-token-file", token.to_str().unwrap()])
    };
    let run = ask(&refusing("16", "token expired"));
    assert_says(
        &run,
        4,
        &["UNAUTHENTICATED", "live for an hour", "gcloud auth print-access-token", "written 0s ago"],
    );
    let run = ask(&refusing("7", "not yours"));
    assert_says(&run, 1, &["PERMISSION_DENIED", "needs a role"]);
    let run = ask(&refusing("5", "no such project"));
    assert_says(&run, 3, &["NOT_FOUND", "check the name, project and location too"]);
}

#[test]
fn a_port_without_an_emulator_is_told_with_the_command_that_starts_it() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = doctor(&[], &["--endpoint", &format!("http://127.0.0.1:{port}")]);
    assert_says(&run, 69, &["is the emulator running?", &format!("emulator --port {port}")]);
    assert!(line(&run, "tcp").starts_with("fail"), "{}", line(&run, "tcp"));
}

/// A proxy that answers CONNECT with this head, and then closes, or leads to `to`.
fn proxy(head: &'static str, to: Option<String>) -> String {
    after_head(move |mut socket, _| {
        let _ = socket.write_all(head.as_bytes());
        if let Some(to) = &to {
            join(&socket, &TcpStream::connect(to).unwrap());
        }
    })
}

#[test]
fn a_proxy_that_cuts_tls_is_told() {
    let ca = file("");
    let server = Server::start(&["--tls", "--ca-out", ca.to_str().unwrap()]);
    let fine = "HTTP/1.1 200 Connection established\r\n\r\n";
    let ask = |address: &str| {
        let url = format!("http://who:planted@{address}");
        let variables = [
            ("HTTPS_PROXY", url.as_str()),
            ("SSL_CERT_FILE", ca.to_str().unwrap()),
            ("CCI_ACCESS_TOKEN", "planted"),
        ];
        doctor(&variables, &["--endpoint", "https://insights.invalid"])
    };
    // It closes once TLS begins.
    let run = ask(&proxy(fine, None));
    assert_says(&run, 69, &["TLS is cut short behind the proxy", "NO_PROXY", "(redacted)@"]);
    assert!(line(&run, "tunnel").starts_with("ok"), "{}", line(&run, "tunnel"));
    // It opens TLS itself, with a certificate for another name.
    let run = ask(&proxy(fine, Some(server.address.clone())));
    assert_says(&run, 69, &["is not trusted", "shows a certificate of its own"]);
    let run = ask(&proxy("HTTP/1.1 403 Forbidden\r\n\r\n", None));
    assert_says(&run, 69, &["`HTTP/1.1 403 Forbidden`", "ask whoever runs the proxy"]);
    let run = ask(&proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", None));
    assert_says(&run, 69, &["http://USER:PASSWORD@HOST:PORT"]);
}

/// A proxy of another kind is looked at as far as it goes by itself.
#[test]
fn proxies_of_other_kinds_are_tried_themselves() {
    let ca = file("");
    let server = Server::start(&["--tls", "--ca-out", ca.to_str().unwrap()]);
    let ask = |proxy: &str| {
        let variables = [
            ("HTTPS_PROXY", proxy),
            ("SSL_CERT_FILE", ca.to_str().unwrap()),
            ("CCI_ACCESS_TOKEN", "planted"),
        ];
        doctor(&variables, &["--endpoint", "https://insights.invalid", "--request-timeout", "2s"])
    };
    let socks = |answer: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let _ = socket.read(&mut [0; 4]);
                let _ = socket.write_all(answer);
            }
        });
        format!("socks5h://{address}")
    };
    let run = ask(&socks(&[5, 0]));
    assert!(line(&run, "socks").starts_with("ok"), "{}", run.stdout);
    assert!(line(&run, "tunnel").starts_with("skip"), "{}", run.stdout);
    let run = ask(&socks(&[5, 0xff]));
    assert_says(&run, 69, &["takes neither a password nor callers without one"]);
    let run = ask(&socks(b"HTTP/1.1 400 Bad Request"));
    assert_says(&run, 69, &["does not speak SOCKS 5", "named by http://HOST:PORT"]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = ask(&format!("socks5://{closed}"));
    assert!(line(&run, "tcp").starts_with("fail"), "{}", run.stdout);
    // By TLS: an emulator does not lead anywhere, but its certificate is trusted.
    let (_, port) = server.address.rsplit_once(':').unwrap();
    let run = ask(&format!("https://localhost:{port}"));
    assert!(run.stdout.contains("the proxy's certificate is trusted"), "{}", run.stdout);
    assert!(line(&run, "tunnel").starts_with("fail"), "{}", run.stdout);
    let run = ask(&format!("https://{}", proxy("HTTP/1.1 400 Bad Request\r\n\r\n", None)));
    assert_says(&run, 69, &["TLS with the proxy fails", "one that does not is http://HOST:PORT"]);
}

#[test]
fn a_broken_configuration_is_one_of_the_findings() {
    let server = Server::start(&[]);
    let broken = file("[profiles\n");
    let variables = [("CCI_CONFIG", broken.to_str().unwrap())];
    let run = doctor(&variables, &["--endpoint", &server.endpoint]);
    assert_says(&run, 2, &["is not TOML: line 1"]);
    assert!(line(&run, "configuration").starts_with("fail"), "{}", line(&run, "configuration"));
    let home = directory();
    fs::create_dir(&home).unwrap();
    let run = cci_in(&[("HOME", home.to_str().unwrap())], &["doctor", "--endpoint", &server.endpoint]);
    assert_says(&run, 0, &["which is not there", "cci config set project"]);
    assert!(line(&run, "call").starts_with("skip"), "{}", line(&run, "call"));
}
