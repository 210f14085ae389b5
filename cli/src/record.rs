//! Listens on this machine, passes REST calls on to the service, and writes what was said.

mod book;
mod guard;
mod names;
mod neutral;
mod relay;
mod secrets;
mod text;
mod words;

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contact_center_insights::Endpoint;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use self::book::Book;
use self::guard::Guard;
use self::relay::Relay;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::recording::Contract;
use crate::terminal::eprint_line;
use crate::web::Web;

/// How long calls in flight may take to end, once it is to stop.
const GRACE: Duration = Duration::from_secs(5);
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// A recorder that has its port and its file.
#[derive(Debug)]
pub(crate) struct Recorder {
    listener: TcpListener,
    relay: Arc<Relay>,
}

impl Recorder {
    /// Takes a port of this machine (0: a free one), and makes the file, which must not be there yet.
    ///
    /// # Errors
    /// If the endpoint is plaintext elsewhere than on this machine, or port or file cannot be had.
    pub(crate) async fn open(
        upstream: &str,
        port: u16,
        out: &Path,
        keeps_text: bool,
    ) -> Result<Self, Failure> {
        let web = Web::new(endpoint(upstream)?)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let busy = |error| Failure::because(Exit::Api, format!("cannot listen at {address}"), error);
        let listener = TcpListener::bind(address).await.map_err(busy)?;
        let guard = Guard(listener.local_addr().map_err(busy)?);
        let file = OpenOptions::new().write(true).create_new(true).open(out).map_err(|error| {
            Failure::because(Exit::Usage, format!("cannot make the recording {}", out.display()), error)
                .with_help("a recording is a new file; nothing is overwritten")
        })?;
        let book = Mutex::new(Book::new(file, Contract::new(), keeps_text));
        Ok(Self { listener, relay: Arc::new(Relay { guard, web, book }) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.relay.guard.0
    }

    /// Passes calls on until `end`, and tells how many were recorded.
    pub(crate) async fn run(self, end: impl Future<Output = ()>) -> u64 {
        let graceful = GracefulShutdown::new();
        let mut end = pin!(end);
        loop {
            let accepted = tokio::select! {
                () = &mut end => break,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    eprint_line(format_args!("cannot accept a connection: {error}"));
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let relay = Arc::clone(&self.relay);
            let service = service_fn(move |request| {
                let relay = Arc::clone(&relay);
                async move { relay.answer(request).await }
            });
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new());
            builder.http2().timer(TokioTimer::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
            // A connection that ends badly is its caller's to report.
            tokio::spawn(graceful.watch(connection));
        }
        drop(self.listener);
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        self.relay.book.lock().unwrap_or_else(PoisonError::into_inner).count()
    }
}

/// Tokens travel with the calls: only to this machine are they sent unencrypted.
fn endpoint(upstream: &str) -> Result<Endpoint, Failure> {
    let refused = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Failure::because(Exit::Usage, "cannot use `--upstream`", cause)
            .with_help("the service is https://contactcenterinsights.googleapis.com, or https://LOCATION-contactcenterinsights.googleapis.com")
    };
    let endpoint: Endpoint =
        upstream.parse().map_err(|error: contact_center_insights::Error| refused(error.into()))?;
    if endpoint.is_plaintext() && !endpoint.is_loopback() {
        return Err(refused("the calls would travel unencrypted, with their tokens: use https".into()));
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_encrypted_or_on_this_machine() {
        for good in [
            "https://contactcenterinsights.googleapis.com",
            "contactcenterinsights.googleapis.com",
            "http://127.0.0.1:1",
            "http://[::1]:1",
        ] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://example.com", "unencrypted"),
            ("http://127.0.0.1.example.com", "unencrypted"),
            ("https://user@example.com", "user name"),
            ("https://example.com/v1", "no path"),
            ("ftp://example.com", "scheme"),
        ] {
            let failure = endpoint(bad).unwrap_err();
            assert!(failure.exit() == Exit::Usage && failure.to_string().contains(why), "{bad}: {failure}");
        }
    }
}
