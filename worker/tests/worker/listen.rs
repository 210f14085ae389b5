//! Metrics and health.

use contact_center_insights_worker::{BoxError, Delivery, Registration, State};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::support::api;
use super::{Stage, run, until};

async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Whoever sends too much is cut off.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_and_health_are_answered() {
    let stage = Stage::new().await;
    api::end(&stage.emulator, 1);
    let worker = stage.builder().on(|_: Delivery| async { Ok::<_, BoxError>(()) }).build();
    worker
        .register([1, 2].map(|number| Registration::new(api::name(number)).with_context("x")))
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn({
        let worker = worker.clone();
        async move { worker.serve_metrics(listener).await }
    });
    run(&worker, until(async || stage.count(State::Handed).await == 2)).await;
    let metrics = ask(address, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4"), "{metrics}");
    for line in [
        "cci_worker_ended_total 2",
        "cci_worker_lost_total 1",
        "cci_worker_handed_over_total 2",
        "cci_worker_pending 0",
        "cci_worker_notice_seconds_count 1",
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line} is not in {metrics}");
    }
    assert!(ask(address, "GET /healthz HTTP/1.1\r\n\r\n").await.ends_with("\r\n\r\nok\n"));
    assert!(ask(address, "HEAD /healthz HTTP/1.1\r\n\r\n").await.ends_with("\r\n\r\n"));
    assert!(ask(address, "GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
    assert_eq!(ask(address, &"x".repeat(10_000)).await, "");
    serving.abort();
}
