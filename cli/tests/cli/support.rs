//! What the tests share: running `cci`, an emulator as a child, seeds, and plain HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A project by its number, which is how answers name it.
pub(crate) const PARENT: &str = "projects/7/locations/us";
pub(crate) const OUTPUTS: [&str; 4] = ["json", "yaml", "table", "name"];
/// Bounds what should end by itself; no test takes this long.
const LIMIT: Duration = Duration::from_mins(1);

/// How a run of `cci` ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// `cci` in an environment that holds these variables and no others.
pub(crate) fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cci"));
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command
}

pub(crate) fn cci_in(variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    finish(assert_cmd::Command::from_std(command(arguments, variables)))
}

pub(crate) fn cci(arguments: &[&str]) -> Run {
    cci_in(&[], arguments)
}

pub(crate) fn finish(mut command: assert_cmd::Command) -> Run {
    let output = command.timeout(LIMIT).output().unwrap();
    Run {
        code: output.status.code().expect("it should end by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `cci emulator` on a free port, killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) endpoint: String,
    /// Kept open: the emulator may write to it.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(arguments, Stdio::null())
    }

    /// What it says is in the child's stderr.
    pub(crate) fn with_stderr(arguments: &[&str]) -> Self {
        Self::spawn(arguments, Stdio::piped())
    }

    fn spawn(arguments: &[&str], stderr: Stdio) -> Self {
        // Unless a test says otherwise, models are trained on what there is.
        let minimum: &[&str] = &["--min-training-conversations", "0"];
        let minimum = if arguments.contains(&minimum[0]) { &[] } else { minimum };
        let all = [&["emulator", "--port", "0"], minimum, arguments].concat();
        let mut child = command(&all, &[]).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["ready"], true);
        let address = ready["address"].as_str().unwrap().to_owned();
        Self { child, endpoint: format!("http://{address}"), address, _stdout: stdout }
    }

    /// With these operations in it.
    pub(crate) fn with_operations(operations: &[Value]) -> Self {
        let seed = file(json!({ "operations": operations }).to_string());
        Self::start(&["--seed", seed.to_str().unwrap()])
    }

    /// Runs `cci operations` against it.
    pub(crate) fn operations(&self, arguments: &[&str]) -> Run {
        cci(&[&["operations"], arguments, &["--endpoint", &self.endpoint]].concat())
    }

    /// A plain HTTP/1.0 request, and the JSON body of the answer.
    pub(crate) fn http(&self, verb: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{verb} {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: {length}\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Starts the training of a model, and returns the operation's name.
    pub(crate) fn train(&self) -> String {
        let started = self.http(
            "POST",
            &format!("/v1/{PARENT}/issueModels"),
            r#"{"displayName": "m", "modelType": "TYPE_V2"}"#,
        );
        started["name"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, as a test asked it to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server of HTTP that answers as `router` does, and the endpoint where it is. It lives as long as the test process.
pub(crate) fn serving(router: axum::Router) -> String {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    format!("http://{}", receiver.recv().unwrap())
}

/// A server that answers every call with this gRPC status, and the endpoint where it is.
pub(crate) fn refusing(code: &'static str, message: &'static str) -> String {
    // A reply without a body has its status among the headers.
    let headers = [("content-type", "application/grpc"), ("grpc-status", code), ("grpc-message", message)];
    serving(axum::Router::new().fallback(async move || headers))
}

/// A server that hands each connection to `serve`, with the head of its first request, and the address where it is.
pub(crate) fn after_head(serve: impl Fn(TcpStream, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, mut head, mut byte) = (socket.unwrap(), Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            serve(socket, String::from_utf8_lossy(&head).into_owned());
        }
    });
    address
}

/// Passes on what comes from either side, until one ends.
pub(crate) fn join(one: &TcpStream, other: &TcpStream) {
    for (from, to) in [(one, other), (other, one)] {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || {
            // A side that is gone takes the other with it.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

/// A place in front of a server that can be cut off from it, and joined to it again.
pub(crate) struct Relay {
    pub(crate) endpoint: String,
    /// What is open; `None` while it is cut off.
    open: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Relay {
    pub(crate) fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let open = Arc::new(Mutex::new(Some(Vec::new())));
        let (state, address) = (Arc::clone(&open), address.to_owned());
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (socket, mut state) = (socket.unwrap(), state.lock().unwrap());
                let Some(open) = state.as_mut() else { continue };
                let server = TcpStream::connect(&address).unwrap();
                join(&socket, &server);
                open.push(socket);
            }
        });
        Self { endpoint, open }
    }

    pub(crate) fn cut(&self) {
        for socket in self.open.lock().unwrap().take().into_iter().flatten() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn mend(&self) {
        *self.open.lock().unwrap() = Some(Vec::new());
    }
}

/// A file of its own with this text.
pub(crate) fn file(text: impl AsRef<[u8]>) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A path of its own where nothing is.
pub(crate) fn directory() -> PathBuf {
    let path = file("");
    std::fs::remove_file(&path).unwrap();
    path
}

pub(crate) fn name(id: &str) -> String {
    format!("{PARENT}/operations/{id}")
}

pub(crate) fn running(id: &str) -> Value {
    let package = "type.googleapis.com/google.cloud.contactcenterinsights.v1";
    json!({
        "name": name(id),
        "metadata": {
            "@type": format!("{package}.CreateIssueModelMetadata"),
            "createTime": "2026-01-02T03:04:05.120Z",
        },
    })
}

pub(crate) fn succeeded(id: &str) -> Value {
    let package = "type.googleapis.com/google.cloud.contactcenterinsights.v1";
    let mut operation = running(id);
    operation["done"] = true.into();
    operation["response"] = json!({ "@type": format!("{package}.IssueModel"), "displayName": "123" });
    operation
}

pub(crate) fn failed(id: &str, code: i32) -> Value {
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "BUCKET_GONE",
        "domain": "example.com",
    });
    let mut operation = running(id);
    operation["done"] = true.into();
    operation["error"] = json!({ "code": code, "message": "no bucket", "details": [info] });
    operation
}

/// Checks that stdout is nothing but operations of these names in this format.
pub(crate) fn assert_prints(stdout: &str, output: &str, document: &Value) {
    let name = document["name"].as_str().unwrap();
    match output {
        "json" => assert_eq!(&serde_json::from_str::<Value>(stdout).unwrap(), document),
        "yaml" => assert_eq!(&serde_saphyr::from_str::<Value>(stdout).unwrap(), document),
        "name" => assert_eq!(stdout, format!("{name}\n")),
        "table" => {
            assert_eq!(stdout.lines().next().unwrap(), format!("NAME     {name}"));
            assert_eq!(stdout.lines().count(), 6);
        }
        other => panic!("no output {other}"),
    }
}

/// Whether this process was started with a signal ignored, as a shell starts what is to run beside it; then `cci` is, too,
/// and leaves it at that. Says so.
#[cfg(unix)]
pub(crate) fn is_ignored(signal: &str) -> bool {
    let bit = match signal {
        "HUP" => 1,
        "INT" => 2,
        _ => 15,
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    let is_ignored = mask & (1 << (bit - 1)) != 0;
    if is_ignored {
        eprintln!("skipped: SIG{signal} was ignored when the tests were started");
    }
    is_ignored
}

/// Sends a signal, by the shell's own `kill`.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, signal: &str) {
    let status = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status();
    assert!(status.unwrap().success());
}
