//! A server of operations on a loopback socket, which can change the way it speaks.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use contact_center_insights::proto::longrunning::operations_server::OperationsServer;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::support::{Script, answer, succeeded};

/// How the next connection is spoken to.
#[derive(Clone)]
pub enum Manner {
    Plain,
    Tls(Arc<ServerConfig>),
}

/// The server; it ends when this is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub script: Script,
    manner: Arc<Mutex<Manner>>,
    /// How many client certificates were shown and accepted.
    shown: Arc<Mutex<usize>>,
    goodbye: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Script::new([answer(succeeded())]);
        let (manner, shown, goodbye) = (Arc::new(Mutex::new(manner)), Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            listener,
            script.clone(),
            manner.clone(),
            Arc::clone(&shown),
            Arc::clone(&goodbye),
        ));
        Self { address, script, manner, shown, goodbye, _tasks: tasks }
    }

    /// Speaks so from the next connection on.
    pub fn speak(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Ends the connections that there are.
    pub fn hang_up(&self) {
        self.goodbye.notify_waiters();
    }

    pub fn certificates(&self) -> usize {
        *self.shown.lock().unwrap()
    }
}

async fn accept(
    listener: TcpListener,
    script: Script,
    manner: Arc<Mutex<Manner>>,
    shown: Arc<Mutex<usize>>,
    goodbye: Arc<Notify>,
) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (script, manner, shown) = (script.clone(), manner.lock().unwrap().clone(), shown.clone());
        let goodbye = goodbye.clone().notified_owned();
        let conversation = async move {
            match manner {
                Manner::Plain => serve(socket, script).await,
                Manner::Tls(config) => {
                    // A handshake that fails is the client's to tell of.
                    let Ok(stream) = TlsAcceptor::from(config).accept(socket).await else { return };
                    *shown.lock().unwrap() += usize::from(stream.get_ref().1.peer_certificates().is_some());
                    serve(stream, script).await;
                }
            }
        };
        connections.spawn(async move {
            tokio::select! {
                () = conversation => {}
                () = goodbye => {}
            }
        });
    }
}

/// Speaks HTTP/2 until the client has had enough.
pub async fn serve(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, script: Script) {
    let service = TowerToHyperService::new(OperationsServer::new(script));
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
