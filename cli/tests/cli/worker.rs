//! `cci worker`, on a file, against the emulator: what is added is handed over, to each kind of taker.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{Run, Server, cci, cci_in, command, directory};

/// A file of operations, and what is asked of it.
struct Kept {
    server: Server,
    store: String,
    folder: PathBuf,
}

impl Kept {
    fn start() -> Self {
        let folder = directory();
        std::fs::create_dir_all(&folder).unwrap();
        let store = format!("sqlite:{}", folder.join("operations.db").display());
        Self { server: Server::start(&["--profile", "immediate"]), store, folder }
    }

    fn ask(&self, arguments: &[&str]) -> Run {
        cci(&[&["worker", "--store", &self.store], arguments].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let run = self.ask(arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// Trains a model, and follows that.
    fn add(&self) -> String {
        let name = self.server.train();
        let added = self.json(&["add", &name, "--context", "order 1", "--endpoint", &self.server.endpoint]);
        assert_eq!(added, json!({ "added": 1 }));
        name
    }

    /// A worker, killed when it is dropped.
    fn run(&self, arguments: &[&str]) -> Running {
        let own = [
            "worker",
            "--store",
            &self.store,
            "run",
            "--endpoint",
            &self.server.endpoint,
            "--interval",
            "1s",
        ];
        let child = command(&[&own, arguments].concat(), &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running(child)
    }

    /// Waits until a state has this many.
    fn until(&self, state: &str, count: u64) {
        for _ in 0..600 {
            if self.json(&["stats"])[state] == json!(count) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("not {count} {state}: {}", self.json(&["stats"]));
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn results_are_printed_a_line_each_and_then_known_as_handed() {
    let kept = Kept::start();
    let name = kept.add();
    let listed = kept.json(&["ls"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["state"], &listed[0]["context"]),
        (&json!(name), &json!("pending"), &json!("order 1"))
    );
    let mut running = kept.run(&["--print"]);
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let document: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&document["key"], &document["context"], &document["lost"]),
        (&json!(name), &json!("order 1"), &Value::Null)
    );
    assert_eq!(document["operation"]["done"], true);
    kept.until("handed", 1);
    assert_eq!(kept.ask(&["ls", "--state", "handed", "-o", "name"]).stdout, format!("{name}\n"));
    // One process runs on a file.
    let second = kept.ask(&["run", "--print", "--endpoint", &kept.server.endpoint]);
    assert!(second.code == 2 && second.stderr.contains("another process runs a worker"), "{}", second.stderr);
    // What was handed over is not followed again.
    let again = kept.json(&["add", &name, "--endpoint", &kept.server.endpoint]);
    assert_eq!(again, json!({ "added": 0 }));
}

#[cfg(unix)]
#[test]
fn a_program_takes_results_by_its_exit_code_and_those_it_refuses_are_buried() {
    let kept = Kept::start();
    let name = kept.add();
    let running = kept.run(&["--tries", "1", "--exec", "sh", "-c", "exit 3"]);
    kept.until("buried", 1);
    drop(running);
    let buried = kept.json(&["ls", "--state", "buried"]);
    assert!(buried[0]["reason"].as_str().unwrap().contains("exit status: 3"), "{buried}");
    assert_eq!(kept.json(&["retry", &name]), json!({ "retried": 1 }));
    let out = kept.folder.join("document");
    let script = format!("cat > {}", out.display());
    let running = kept.run(&["--exec", "sh", "-c", &script]);
    kept.until("handed", 1);
    drop(running);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    assert_eq!(document["name"], json!(name));
}

#[test]
fn a_webhook_takes_results_by_2xx_and_redirects_are_not_followed() {
    let kept = Kept::start();
    let name = kept.add();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in ["302 Found\r\nlocation: /elsewhere", "204 No Content"] {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let reply = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            (&stream).write_all(reply.as_bytes()).unwrap();
            requests.push((head, body));
        }
        requests
    });
    let running = kept.run(&["--webhook", &url]);
    kept.until("handed", 1);
    drop(running);
    let requests = answering.join().unwrap();
    assert_eq!(requests.len(), 2, "the redirect was not a way to take it");
    for (tries, (head, body)) in requests.iter().enumerate() {
        assert!(head.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("idempotency-key: {name}\r\n")), "{head}");
        let document: Value = serde_json::from_slice(body).unwrap();
        assert_eq!((&document["name"], &document["tries"]), (&json!(name), &json!(tries)));
    }
}

#[test]
fn what_runs_is_added_by_filter_or_adopted() {
    let kept = Kept::start();
    let running = json!({ "name": "projects/7/locations/us/operations/1", "done": false });
    let others = json!({ "name": "projects/7/locations/eu/operations/2", "done": false });
    let server = Server::with_operations(&[running, others]);
    let endpoint = ["--endpoint", &server.endpoint];
    let added = kept.json(&[&["add", "--parent", "projects/7/locations/us"], &endpoint[..]].concat());
    assert_eq!(added, json!({ "added": 1 }));
    let found = kept.json(&[&["reconcile", "7", "--location", "eu"], &endpoint[..]].concat());
    let unregistered = json!(["projects/7/locations/eu/operations/2"]);
    assert_eq!(found, json!({ "followed": 1, "unregistered": unregistered, "adopted": 0, "missing": [] }));
    let found = kept.json(&[&["reconcile", "7", "--location", "eu", "--adopt"], &endpoint[..]].concat());
    assert_eq!(found["adopted"], json!(1));
    assert_eq!(kept.json(&["stats"])["pending"], json!(2));
    let empty = Kept::start();
    let found = empty.ask(&[&["reconcile", "7"], &endpoint[..]].concat());
    assert!(found.code == 0 && found.stderr.contains("to name one: --location"), "{}", found.stderr);
    let asked = ["worker", "reconcile", "7", "--store", &empty.store];
    let found = cci_in(&[("CCI_LOCATION", "eu")], &[&asked, &endpoint[..]].concat());
    assert!(found.stdout.contains("projects/7/locations/eu/operations/2"), "{}", found.stdout);
}

#[test]
fn what_cannot_be_used_is_said() {
    let none = cci(&["worker", "stats"]);
    assert!(none.code == 2 && none.stderr.contains("CCI_WORKER_STORE"), "{}", none.stderr);
    let odd = cci(&["worker", "--store", "mysql://u:hushhush@h/d", "stats"]);
    assert!(odd.code == 2 && !odd.stderr.contains("hush"), "{}", odd.stderr);
    // A closed port: nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://u:hushhush@{closed}/d");
    let down = cci(&["worker", "--store", &url, "stats"]);
    assert!(down.code == 1 && down.stderr.contains("note: every process"), "{}", down.stderr);
    assert!(!down.stderr.contains("hush"), "{}", down.stderr);
    let down = cci_in(&[("CCI_WORKER_STORE", &url)], &["worker", "stats"]);
    assert!(
        down.code == 1 && !down.stderr.contains("hush") && !down.stderr.contains("note:"),
        "{}",
        down.stderr
    );
    let kept = Kept::start();
    let sinks = kept.ask(&["run", "--print", "--webhook", "http://127.0.0.1:1/"]);
    assert_eq!(sinks.code, 2);
    for url in ["ftp://h/", "nonsense", "http://u:hushhush@127.0.0.1/"] {
        let run = kept.ask(&["run", "--webhook", url]);
        assert!(run.code == 2 && !run.stderr.contains("hush"), "{url}: {}", run.stderr);
    }
    let missing =
        kept.ask(&["add", "projects/7/locations/us/operations/9", "--endpoint", &kept.server.endpoint]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
}
