//! `cci record`: between callers on this machine and a service.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::support::{Server, cci, command, directory, file};

/// What must be in no recording: the token first.
const TOKEN: &str = "planted-token-4711";
const OURS: [&str; 9] = [
    TOKEN,
    "acme-prod",
    "call-of-dora",
    "Dora",
    "Winter",
    "blood",
    "vip-customer",
    "acme-bucket",
    "planted-key",
];

/// `cci record`, killed when dropped.
struct Recorder {
    child: Child,
    address: String,
    out: PathBuf,
    _stdout: BufReader<ChildStdout>,
}

impl Recorder {
    fn start(upstream: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let out = directory();
        let own = ["record", "--upstream", upstream, "--out", out.to_str().unwrap()];
        let mut child = command(&[&own, arguments].concat(), variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["address"].as_str().unwrap().to_owned();
        Self { child, address, out, _stdout: stdout }
    }

    /// Sends a request with these headers; the head and the body of the answer.
    fn send(&self, verb: &str, target: &str, headers: &[(&str, &str)], body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut head =
            format!("{verb} {target} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head = format!("{head}Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head = format!("{head}{name}: {value}\r\n");
        }
        write!(stream, "{head}\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    /// Calls the API as somebody; the JSON of the answer.
    fn call(&self, verb: &str, path: &str, body: &Value) -> Value {
        let token = format!("Bearer {TOKEN}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let routing = format!("name={}", path.split('?').next().unwrap().replace('/', "%2F"));
        let headers = [("Authorization", token.as_str()), ("x-goog-request-params", routing.as_str())];
        let (_, answer) = self.send(verb, &format!("/v1/{path}"), &headers, &body);
        serde_json::from_str(&answer).unwrap()
    }

    fn recording(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }

    fn exchanges(&self) -> Vec<Value> {
        self.recording().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An emulator that speaks TLS, with a transcript in its buckets, and what its clients must trust.
fn emulator() -> (Server, PathBuf) {
    let (ca, root) = (file(""), directory());
    std::fs::create_dir_all(root.join("acme-bucket")).unwrap();
    let chat = json!({"entries": [
        {"text": "Hello Dora, what is wrong?", "role": "AGENT", "user_id": "Winter", "start_timestamp_usec": 1_000_000},
        {"text": "My blood pressure, 180 to 95!", "role": "CUSTOMER", "user_id": "Dora", "start_timestamp_usec": 4_500_000},
    ]});
    std::fs::write(root.join("acme-bucket/1.json"), chat.to_string()).unwrap();
    let server =
        Server::start(&["--tls", "--ca-out", ca.to_str().unwrap(), "--gcs-root", root.to_str().unwrap()]);
    (server, ca)
}

/// Calls of each kind, good ones and bad ones.
fn calls(recorder: &Recorder) -> Vec<Value> {
    let l = "projects/acme-prod/locations/us-central1";
    let source = json!({"gcsSource": {"transcriptUri": "gs://acme-bucket/1.json"}});
    let body = json!({"dataSource": source, "medium": "CHAT", "labels": {"vip-customer": "Dora Winter"}});
    let mut answers = vec![recorder.call("GET", &format!("{l}/conversations/call-of-dora"), &Value::Null)];
    answers.push(recorder.call(
        "POST",
        &format!("{l}/conversations?conversationId=call-of-dora&key=planted-key"),
        &body,
    ));
    let name = answers[1]["name"].as_str().unwrap().to_owned();
    answers.push(recorder.call("GET", &name, &Value::Null));
    let patch = json!({"agentId": "Dora Winter"});
    answers.push(recorder.call(
        "PATCH",
        &format!("{l}/conversations/call-of-dora?updateMask=agentId"),
        &patch,
    ));
    let filter =
        "filter=agent_id%3D%22Dora+Winter%22+AND+labels.vip-customer%3A%2A+AND+medium%3DCHAT&view=FULL";
    answers.push(recorder.call("GET", &format!("{l}/conversations?{filter}"), &Value::Null));
    let view = recorder.call(
        "POST",
        &format!("{l}/views"),
        &json!({"displayName": "Dora", "value": "agent_id=\"Dora\""}),
    );
    answers.push(recorder.call("GET", view["name"].as_str().unwrap(), &Value::Null));
    let matcher = json!({"type": 1, "phraseMatchRuleGroups": [{"type": "ANY_OF",
        "phraseMatchRules": [{"query": "blood", "config": {"exactMatchConfig": {}}}]}]});
    answers.push(recorder.call("POST", &format!("{l}/phraseMatchers?$alt=json;enum-encoding=int"), &matcher));
    answers.push(recorder.call("GET", &format!("{l}/phraseMatchers/Winter"), &Value::Null));
    answers.push(recorder.call("POST", &format!("{l}/issueModels"), &json!({"displayName": "Winter"})));
    answers.push(recorder.call("DELETE", &format!("{l}/conversations/call-of-dora"), &Value::Null));
    answers
}

#[test]
fn calls_over_tls_are_recorded_without_what_is_somebodys_own_and_replay_alike() {
    let (server, ca) = emulator();
    let upstream = format!("https://{}", server.address);
    let recorder = Recorder::start(&upstream, &[("SSL_CERT_FILE", ca.to_str().unwrap())], &[]);
    let answers = calls(&recorder);
    assert_eq!(answers[1]["agentId"], "Winter", "the caller gets the answer as it came");
    let recording = recorder.recording();
    let number = answers[1]["name"].as_str().unwrap().split('/').nth(1).unwrap();
    for own in OURS.iter().copied().chain([number, "180"]) {
        assert!(!recording.contains(own), "`{own}` is in {recording}");
    }
    let exchanges = recorder.exchanges();
    assert_eq!(exchanges.len(), answers.len() + 1);
    assert_eq!(
        exchanges[1]["request"]["path"],
        "/v1/projects/PROJECT_ID/locations/us-central1/conversations"
    );
    assert_eq!(exchanges[1]["request"]["query"], "conversationId=id-ID_1");
    assert_eq!(
        exchanges[0]["response"]["body"]["error"]["message"],
        "No conversation found for project PROJECT_NUMBER and conversation ID id-ID_1."
    );
    let headers = exchanges[2]["request"]["headers"].as_object().unwrap();
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-goog-request-params"]);
    let run = cci(&["verify", recorder.out.to_str().unwrap(), "-o", "table"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("{0} of {0} alike", exchanges.len())), "{}", run.stderr);
}

#[test]
fn texts_are_kept_on_demand_but_never_a_token() {
    let (server, ca) = emulator();
    let upstream = format!("https://{}", server.address);
    let recorder = Recorder::start(&upstream, &[("SSL_CERT_FILE", ca.to_str().unwrap())], &["--keep-text"]);
    calls(&recorder);
    let view = json!({"displayName": format!("my token is {TOKEN}"), "value": "turn_count>1"});
    recorder.call("POST", "projects/acme-prod/locations/us-central1/views", &view);
    let recording = recorder.recording();
    for own in [TOKEN, "planted-key", "acme-prod", "call-of-dora"] {
        assert!(!recording.contains(own), "`{own}` is in {recording}");
    }
    for kept in [
        "My blood pressure, 180 to 95!",
        "vip-customer",
        "Dora Winter",
        "gs://acme-bucket/1.json",
        "my token is SECRET",
    ] {
        assert!(recording.contains(kept), "`{kept}` is not in {recording}");
    }
    let run = cci(&["verify", recorder.out.to_str().unwrap(), "-o", "table"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
}

/// A server that gives this answer to one request, and what it was asked.
fn upstream(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut byte = [0];
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            asked.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(asked).unwrap().to_ascii_lowercase()
    });
    (format!("http://{address}"), asked)
}

#[test]
fn the_authorization_is_the_callers_and_no_other() {
    for (sent, arrived) in [(Some("Bearer their-own"), Some("authorization: bearer their-own")), (None, None)]
    {
        let (uri, asked) = upstream("HTTP/1.1 200 OK\r\nx-served-by: them\r\nContent-Length: 2\r\n\r\n{}");
        // The recorder has credentials at hand, and leaves them there.
        let recorder = Recorder::start(&uri, &[("CCI_ACCESS_TOKEN", TOKEN)], &[]);
        let headers: Vec<(&str, &str)> = sent.into_iter().map(|value| ("Authorization", value)).collect();
        let headers = [headers.as_slice(), &[("Accept-Encoding", "gzip"), ("User-Agent", "theirs")]].concat();
        let (head, body) =
            recorder.send("GET", "/v1/projects/p/locations/us-central1/views?pageSize=1", &headers, "");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("x-served-by: them"), "{head}");
        assert_eq!(body, "{}");
        let asked = asked.join().unwrap();
        assert!(
            asked.starts_with("get /v1/projects/p/locations/us-central1/views?pagesize=1 http/1.1\r\n"),
            "{asked}"
        );
        assert!(asked.contains("user-agent: theirs") && !asked.contains("accept-encoding"), "{asked}");
        assert!(asked.contains(&format!("host: {}\r\n", uri.trim_start_matches("http://"))), "{asked}");
        assert_eq!(asked.lines().find(|line| line.starts_with("authorization")), arrived, "{asked}");
        assert!(!asked.contains(TOKEN) && !recorder.recording().contains("their-own"));
    }
}

#[test]
fn what_is_not_json_is_passed_on_and_only_its_length_is_told() {
    let (uri, _asked) = upstream(
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<p>Dora, no</p",
    );
    let recorder = Recorder::start(&uri, &[], &[]);
    let (head, body) =
        recorder.send("POST", "/v1/projects/p/locations/us-central1/views", &[], "{\"value\": }");
    assert!(head.starts_with("HTTP/1.1 502") && body == "<p>Dora, no</p", "{head}{body}");
    let exchange = recorder.exchanges().remove(0);
    let note = exchange["note"].as_str().unwrap();
    assert!(
        note.contains("request is not JSON, and is left out: 11 bytes") && note.contains("answer"),
        "{note}"
    );
    assert!(!recorder.recording().contains("Dora") && exchange["response"]["status"] == 502);
}

#[test]
fn pages_of_other_sites_grpc_and_packed_bodies_are_refused_in_words() {
    let server = Server::start(&[]);
    let recorder = Recorder::start(&server.endpoint, &[], &[]);
    let port = recorder.address.rsplit(':').next().unwrap();
    let target = "/v1/projects/p/locations/us-central1/views";
    for (headers, http, words) in [
        (vec![("Origin", "https://example.com")], "403", "Origin: https://example.com"),
        (vec![("Sec-Fetch-Site", "cross-site")], "403", "Sec-Fetch-Site"),
        (vec![("Host", "rebound.example")], "403", "rebound.example"),
        (vec![("Content-Encoding", "gzip")], "415", "compression"),
    ] {
        let (head, body) = recorder.send("GET", target, &headers, "");
        assert!(head.starts_with(&format!("HTTP/1.1 {http} ")), "{head}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["error"]["message"].as_str().unwrap().contains(words), "{body}");
    }
    let host = format!("localhost:{port}");
    let (head, _) = recorder.send("GET", target, &[("Host", host.as_str()), ("Sec-Fetch-Site", "none")], "");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let run = cci(&[
        "operations",
        "list",
        "projects/7/locations/us-central1",
        "--endpoint",
        &format!("http://{}", recorder.address),
    ]);
    assert!(run.code == 1 && run.stderr.contains("REST and JSON only"), "{} {}", run.code, run.stderr);
    assert_eq!(recorder.exchanges().len(), 1, "what is refused is not recorded");
}

#[test]
fn a_service_that_cannot_be_reached_is_told_and_not_recorded() {
    // Bound and dropped: nothing listens there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let recorder = Recorder::start(&format!("http://{address}"), &[], &[]);
    let (head, body) = recorder.send("GET", "/v1/x", &[("Authorization", "Bearer their-own")], "");
    assert!(head.starts_with("HTTP/1.1 502 ") && body.contains("no answer from"), "{head}{body}");
    assert!(!body.contains("their-own") && recorder.recording().is_empty());
}

#[test]
fn a_recorder_that_could_give_tokens_away_or_overwrite_does_not_start() {
    let taken = file("kept");
    for (upstream, out, words) in [
        ("http://example.com", directory(), "unencrypted"),
        ("https://example.com/v1", directory(), "no path"),
        ("http://127.0.0.1:1", taken.clone(), "nothing is overwritten"),
        ("http://127.0.0.1:1", PathBuf::from("/nonexistent/x"), "cannot make the recording"),
    ] {
        let run = cci(&["record", "--upstream", upstream, "--out", out.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(out == taken || !Path::new(&out).exists());
    }
    assert_eq!(std::fs::read_to_string(taken).unwrap(), "kept");
}

#[cfg(unix)]
#[test]
fn it_ends_when_it_is_told_to_and_says_how_much_there_is() {
    let server = Server::start(&[]);
    let mut recorder = Recorder::start(&server.endpoint, &[], &[]);
    recorder.call("GET", "projects/p/locations/us-central1/views", &Value::Null);
    crate::support::signal(&recorder.child, "TERM");
    assert!(recorder.child.wait().unwrap().success());
    let mut said = String::new();
    recorder.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("1 exchange is in "), "{said}");
}
