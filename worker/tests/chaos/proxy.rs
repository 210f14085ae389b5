//! A link that can be cut, and one that swallows what is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cuts: Arc<watch::Sender<u64>>,
    swallows: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, cuts: Arc::new(watch::channel(0).0), swallows: Arc::default() };
        let (cuts, swallows) = (proxy.cuts.clone(), proxy.swallows.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (mut cut, swallows) = (cuts.subscribe(), swallows.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(target).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    let mut ways = JoinSet::new();
                    ways.spawn(pass(near_in, far_out, swallows.clone()));
                    ways.spawn(pass(far_in, near_out, swallows));
                    // When one way ends, or the link is cut, both do.
                    tokio::select! {
                        _ = ways.join_next() => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        proxy
    }

    /// Closes all connections.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Whether what is sent arrives nowhere from now on, while connections look open.
    pub(crate) fn swallow(&self, swallows: bool) {
        self.swallows.store(swallows, Ordering::SeqCst);
        if !swallows {
            // What was swallowed is missing: nothing good comes of these connections.
            self.cut();
        }
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, swallows: Arc<AtomicBool>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        if swallows.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
