//! Metrics and health over HTTP/1.1: `GET /metrics` and `GET /healthz`, a reply a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A request's head is no longer than this.
const HEAD: usize = 8 << 10;
/// How long somebody has to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at once; more wait.
const MOST: usize = 32;

/// What there is to answer.
pub(crate) trait Answers: Clone + Send + Sync + 'static {
    /// Text for Prometheus.
    fn metrics(&self) -> impl Future<Output = String> + Send;
    /// What is wrong, if something is.
    fn health(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, answers: impl Answers) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= MOST {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let answers = answers.clone();
                connections.spawn(async move {
                    // Whoever does not listen is not waited for.
                    let _ = timeout(PATIENCE, answer(stream, answers)).await;
                });
            }
            // Out of files, say: it passes.
            Err(error) => {
                tracing::debug!(%error, "a connection for metrics could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(mut stream: TcpStream, answers: impl Answers) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await?;
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if read == 0 || head.len() > HEAD {
            return Ok(());
        }
    }
    let line =
        String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, kind, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics") => ("200 OK", "text/plain; version=0.0.4", answers.metrics().await),
        ("GET" | "HEAD", "/healthz") => match answers.health().await {
            Ok(()) => ("200 OK", "text/plain", "ok\n".to_owned()),
            Err(reason) => ("503 Service Unavailable", "text/plain", format!("{reason}\n")),
        },
        ("GET" | "HEAD", _) => {
            ("404 Not Found", "text/plain", "there are /metrics and /healthz\n".to_owned())
        }
        _ => ("405 Method Not Allowed", "text/plain", "only GET\n".to_owned()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}
