//! One port, on which gRPC, JSON and administration are told apart, with TLS or without.

mod body;
mod control;
mod frame;
mod inject;
mod route;
mod socket;
mod unpack;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tonic_health::server::HealthReporter;

use self::control::{ConnectionControl, ControlledIo};
use self::route::Router;
use self::socket::{Greeting, Port, Socket, greet};
use crate::contract::{INSIGHTS, OPERATIONS};
use crate::pipeline::Pipeline;

/// How long calls in flight may take to end, once the emulator is to stop.
pub(crate) const GRACE: Duration = Duration::from_millis(500);
/// What a stream of HTTP/2 may have in its send buffer, in bytes; there may be 200 streams.
const SEND_BUFFER: usize = 64 * 1024;
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// What connections need.
#[derive(Clone)]
struct Shared {
    router: Router,
    tls: Option<TlsAcceptor>,
    port: Arc<Port>,
    /// Turns `true` when connections are to end.
    leave: watch::Receiver<bool>,
}

/// Serves until `stop` is sent or dropped, then lets the calls in flight end, for [`GRACE`] at most.
pub(crate) async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    pipeline: Arc<Pipeline>,
    tls: Option<TlsAcceptor>,
    mut stop: oneshot::Receiver<()>,
) {
    let reporter = HealthReporter::new();
    for service in [INSIGHTS, OPERATIONS] {
        reporter.set_service_status(service, tonic_health::ServingStatus::Serving).await;
    }
    let (leave, leaving) = watch::channel(false);
    let port = Arc::new(Port::new(address));
    let shared =
        Shared { router: Router::new(pipeline, reporter.clone(), address), tls, port, leave: leaving };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            // Dropped without a word means the same.
            _ = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, shared.clone()));
            }
            Err(error) => accept_failed(&error).await,
        }
    }
    drop(listener);
    for service in ["", INSIGHTS, OPERATIONS] {
        reporter.set_service_status(service, tonic_health::ServingStatus::NotServing).await;
    }
    // Nobody listens if nobody is connected.
    let _ = leave.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        tracing::debug!(
            connections = connections.len(),
            "connections were closed before their calls had ended"
        );
    }
    // What is left is cut when the set is dropped.
}

async fn accept_failed(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(PAUSE).await;
}

async fn connection(stream: TcpStream, shared: Shared) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let mut leave = shared.leave.clone();
    let greeting = tokio::select! {
        greeting = greet(stream, shared.tls.as_ref(), &shared.port) => greeting,
        // One that has said nothing has nothing in flight.
        _ = leave.wait_for(|leave| *leave) => None,
    };
    match greeting {
        Some(Greeting::Plain(stream)) => talk(stream, shared).await,
        Some(Greeting::Tls(stream)) => talk(*stream, shared).await,
        None => {}
    }
}

/// Serves HTTP/1.1 or HTTP/2 until either side has had enough.
async fn talk(socket: impl Socket, mut shared: Shared) {
    let control = Arc::new(ConnectionControl::default());
    let io = ControlledIo::new(socket, Arc::clone(&control));
    let service = TowerToHyperService::new(shared.router.on(Arc::clone(&control)));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new()).max_header_list_size(64 * 1024).max_send_buf_size(SEND_BUFFER);
    let serving = builder.serve_connection(TokioIo::new(io), service);
    let mut serving = std::pin::pin!(serving);
    let mut is_leaving = false;
    loop {
        tokio::select! {
            result = serving.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended badly");
                }
                return;
            }
            // Going round polls the connection, which finds the command.
            () = control.wake.notified() => {}
            () = control.leave.notified() => serving.as_mut().graceful_shutdown(),
            _ = shared.leave.wait_for(|leave| *leave), if !is_leaving => {
                is_leaving = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
