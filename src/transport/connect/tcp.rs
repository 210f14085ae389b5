//! TCP: names looked up, addresses of both families raced (RFC 8305), the socket set up for small messages.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use tower::Service;

use super::Io;
use crate::error::{BoxError, ConnectFailure, find};

/// Probes that go unanswered before the kernel gives a connection up, and the time between them.
const PROBES: u32 = 3;
const PROBE_INTERVAL: Duration = Duration::from_secs(20);

/// Opens TCP connections.
#[derive(Clone, Debug)]
pub(super) struct Tcp(HttpConnector<Resolver>);

impl Tcp {
    pub(super) fn new(keepalive: Option<Duration>) -> Self {
        let mut connector = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        connector.set_nodelay(true);
        connector.set_keepalive(keepalive);
        connector.set_keepalive_interval(keepalive.map(|_| PROBE_INTERVAL));
        connector.set_keepalive_retries(keepalive.map(|_| PROBES));
        Self(connector)
    }

    /// Opens a connection to `host:port`.
    pub(super) async fn open(&self, place: &str) -> Result<Io, ConnectFailure> {
        let uri: Uri = format!("http://{place}").parse().map_err(|error| {
            ConnectFailure::permanent(format!("`{place}` is not a host name")).because(error)
        })?;
        // Always ready: it holds nothing.
        let stream = self.0.clone().call(uri).await.map_err(|error| explain(place, error.into()))?;
        Ok(Box::new(stream.into_inner()))
    }
}

fn explain(place: &str, error: BoxError) -> ConnectFailure {
    let is_lookup = find::<NoAddress>(error.as_ref()).is_some();
    let Some(cause) = find::<io::Error>(error.as_ref()) else {
        return ConnectFailure::transient(format!("no TCP connection to `{place}`")).because(error);
    };
    let text = if is_lookup {
        format!("the host of `{place}` has no address; check its name, and the network's name service")
    } else if cause.kind() == io::ErrorKind::ConnectionRefused {
        format!("nothing listens at `{place}`: the connection was refused")
    } else {
        format!("no TCP connection to `{place}`")
    };
    // What lies between says nothing that the text does not.
    let cause = match cause.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(cause.kind(), cause.to_string()),
    };
    ConnectFailure::transient(text).because(cause)
}

/// The operating system's resolver; marks its errors, which look like any other I/O error.
#[derive(Clone, Debug)]
struct Resolver(GaiResolver);

#[derive(Debug, thiserror::Error)]
#[error("name lookup")]
struct NoAddress(#[source] io::Error);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = NoAddress;
    type Future = Pin<Box<dyn Future<Output = Result<GaiAddrs, NoAddress>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        self.0.poll_ready(cx).map_err(NoAddress)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let lookup = self.0.call(name);
        Box::pin(async move { lookup.await.map_err(NoAddress) })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn a_connection_is_opened_by_name_and_by_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["localhost", "127.0.0.1"] {
            let open = Tcp::new(Some(Duration::from_mins(1)));
            let opened = open.open(&format!("{host}:{port}")).await.unwrap();
            let (mut accepted, _) = listener.accept().await.unwrap();
            let mut opened = opened;
            opened.write_all(b"hello").await.unwrap();
            let mut read = [0; 5];
            accepted.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"hello");
        }
    }

    #[tokio::test]
    async fn refusal_and_unknown_names_are_told_apart() {
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let tcp = Tcp::new(None);
        let place = closed.local_addr().unwrap().to_string();
        let refused = tcp.open(&place).await.err().unwrap();
        assert_eq!(refused.to_string(), format!("nothing listens at `{place}`: the connection was refused"));
        let unknown = tcp.open("no-such-host.invalid:1").await.err().unwrap();
        assert!(
            unknown.to_string().starts_with("the host of `no-such-host.invalid:1` has no address"),
            "{unknown}"
        );
        assert!(refused.is_transient() && unknown.is_transient());
    }
}
