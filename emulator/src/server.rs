//! One port, on which gRPC, JSON and administration are told apart, with TLS or without.

mod body;
mod calls;
mod control;
mod frame;
mod guard;
mod inject;
mod patience;
mod route;
mod socket;
mod unpack;
mod upload;

use std::future::pending;
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

use self::control::{ConnectionControl, ControlledIo, drained};
pub(crate) use self::guard::{Guard, Unusable};
pub(crate) use self::patience::Limits;
use self::patience::{Patience, wait};
use self::route::{Routed, Router};
use self::socket::{Greeting, Port, Socket, greet};
use crate::contract::{INSIGHTS, OPERATIONS};
use crate::pipeline::Pipeline;

/// How long calls in flight may take to end, once the emulator is to stop.
pub(crate) const GRACE: Duration = Duration::from_millis(500);
/// What a stream of HTTP/2 may have in its send buffer, in bytes; there may be 200 streams.
const SEND_BUFFER: usize = 64 * 1024;
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// How the port is served.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) guard: Guard,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// What connections need.
#[derive(Clone)]
struct Shared {
    router: Router,
    limits: Limits,
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
    setup: Setup,
    mut stop: oneshot::Receiver<()>,
) {
    let reporter = HealthReporter::new();
    for service in [INSIGHTS, OPERATIONS] {
        reporter.set_service_status(service, tonic_health::ServingStatus::Serving).await;
    }
    let (leave, leaving) = watch::channel(false);
    let port = Arc::new(Port::new(address, pipeline.details));
    let Setup { guard, limits, tls } = setup;
    let router = Router::new(pipeline, reporter.clone(), guard, leaving.clone());
    let shared = Shared { router, limits, tls, port, leave: leaving };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            // Dropped without a word means the same.
            _ = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let is_local = peer.ip().to_canonical().is_loopback();
                connections.spawn(connection(stream, is_local, shared.clone()));
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

async fn connection(stream: TcpStream, is_local: bool, shared: Shared) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let control = Arc::new(ConnectionControl::default());
    let (calls, limit) = (Arc::clone(&control.calls), shared.limits.greeting);
    let served = async {
        let mut leave = shared.leave.clone();
        let greeting = tokio::select! {
            greeting = greet(stream, shared.tls.as_ref(), &shared.port) => greeting,
            // One that has said nothing has nothing in flight.
            _ = leave.wait_for(|leave| *leave) => None,
        };
        let service = shared.router.on(Arc::clone(&control), is_local);
        match greeting {
            Some(Greeting::Plain(stream)) => talk(stream, control, service, shared).await,
            Some(Greeting::Tls(stream)) => talk(*stream, control, service, shared).await,
            None => {}
        }
    };
    tokio::select! {
        () = served => {}
        () = calls.silent(limit) => tracing::debug!("a connection ended without a whole request"),
    }
}

/// Serves HTTP/1.1 or HTTP/2 until either side has had enough.
async fn talk(socket: impl Socket, control: Arc<ConnectionControl>, service: Routed, mut shared: Shared) {
    let limits = shared.limits;
    let io = ControlledIo::new(socket, Arc::clone(&control));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder
        .http2()
        .timer(Patience(limits.pong))
        .max_header_list_size(64 * 1024)
        .max_send_buf_size(SEND_BUFFER);
    builder.http2().keep_alive_interval(limits.ping).keep_alive_timeout(limits.pong);
    let serving = builder.serve_connection(TokioIo::new(io), TowerToHyperService::new(service));
    let mut serving = std::pin::pin!(serving);
    let mut idle = std::pin::pin!(async {
        match limits.idle {
            Some(limit) => control.calls.idle(limit).await,
            None => pending().await,
        }
    });
    let (mut is_idle, mut is_leaving) = (false, false);
    loop {
        if let Some(socket) = control.take_frozen() {
            return frozen(serving, socket, shared.leave).await;
        }
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
            () = idle.as_mut(), if !is_idle => {
                is_idle = true;
                serving.as_mut().graceful_shutdown();
            }
            // The other side need not have agreed.
            () = wait(GRACE), if is_idle => return,
            _ = shared.leave.wait_for(|leave| *leave), if !is_leaving => {
                is_leaving = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What was called goes on; nothing of it is heard outside, until the other side closes.
async fn frozen(serving: impl Future, socket: Box<dyn Socket>, mut leave: watch::Receiver<bool>) {
    let served = async {
        // Its end, such as by a ping that nobody answers, is not to be seen either.
        let _ = serving.await;
        pending::<()>().await;
    };
    tokio::select! {
        () = served => {}
        () = drained(socket) => {}
        _ = leave.wait_for(|leave| *leave) => {}
    }
}
