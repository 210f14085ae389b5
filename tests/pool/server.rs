//! A server of one finished operation over pipes, whose connections can be counted, held and closed.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contact_center_insights::transport::TransportBuilder;
use contact_center_insights::{Credentials, Transport};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prost::Message as _;
use tokio::sync::{Notify, watch};

pub use crate::support::NAME;
use crate::support::succeeded;

pub type Reply = Response<UnsyncBoxBody<Bytes, hyper::Error>>;

/// What all its connections share.
#[derive(Clone)]
pub struct Server(Arc<State>);

struct State {
    max_streams: u32,
    opened: AtomicUsize,
    closed: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    served: AtomicUsize,
    refusals: AtomicUsize,
    dials: AtomicUsize,
    delay: Mutex<Duration>,
    is_held: watch::Sender<bool>,
    /// Ends all connections: gracefully, or not.
    ends: Notify,
    is_graceful: AtomicBool,
}

impl Server {
    pub fn start(max_streams: u32) -> Self {
        Self(Arc::new(State {
            max_streams,
            opened: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
            refusals: AtomicUsize::new(0),
            dials: AtomicUsize::new(0),
            delay: Mutex::new(Duration::ZERO),
            is_held: watch::channel(false).0,
            ends: Notify::new(),
            is_graceful: AtomicBool::new(true),
        }))
    }

    pub fn transport(&self) -> TransportBuilder {
        let server = self.clone();
        Transport::builder("http://localhost:1".parse().unwrap())
            .with_credentials(Credentials::anonymous())
            .with_connector(move || std::future::ready(server.dial()))
    }

    pub fn dial(&self) -> io::Result<tokio::io::DuplexStream> {
        let state = &self.0;
        state.dials.fetch_add(1, Ordering::SeqCst);
        let refuse = |left: usize| left.checked_sub(1);
        if state.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse).is_ok() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        state.opened.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(serve(theirs, self.clone()));
        Ok(ours)
    }

    /// Refuses so many connections from now on.
    pub fn refuse(&self, connections: usize) {
        self.0.refusals.store(connections, Ordering::SeqCst);
    }

    /// Answers no call from now on.
    pub fn hold(&self) {
        self.0.is_held.send_replace(true);
    }

    pub fn release(&self) {
        self.0.is_held.send_replace(false);
    }

    pub fn set_delay(&self, delay: Duration) {
        *self.0.delay.lock().unwrap() = delay;
    }

    /// Says GOAWAY on all connections, and ends them when their calls have ended.
    pub fn go_away(&self) {
        self.0.is_graceful.store(true, Ordering::SeqCst);
        self.0.ends.notify_waiters();
    }

    /// Ends all connections at once.
    pub fn kill(&self) {
        self.0.is_graceful.store(false, Ordering::SeqCst);
        self.0.ends.notify_waiters();
    }

    pub fn opened(&self) -> usize {
        self.0.opened.load(Ordering::SeqCst)
    }

    pub fn closed(&self) -> usize {
        self.0.closed.load(Ordering::SeqCst)
    }

    pub fn dials(&self) -> usize {
        self.0.dials.load(Ordering::SeqCst)
    }

    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::SeqCst)
    }

    pub fn most_in_flight(&self) -> usize {
        self.0.most_in_flight.load(Ordering::SeqCst)
    }

    pub fn served(&self) -> usize {
        self.0.served.load(Ordering::SeqCst)
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Reply, Infallible> {
        let _place = Place::new(&self.0);
        if request.uri().path() == "/echo" {
            return Ok(grpc(request.into_body().boxed_unsync()));
        }
        // A request that does not end is none.
        let request = request.into_body().collect().await;
        if request.is_err() {
            return Ok(status("13", Bytes::new()));
        }
        let delay = *self.0.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        self.0.is_held.subscribe().wait_for(|is_held| !is_held).await.unwrap();
        self.0.served.fetch_add(1, Ordering::SeqCst);
        let message = succeeded().encode_to_vec();
        let mut body = vec![0];
        body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        body.extend(message);
        Ok(status("0", body.into()))
    }
}

fn status(code: &'static str, body: Bytes) -> Reply {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(code));
    let body = Full::new(body).with_trailers(std::future::ready(Some(Ok(trailers))));
    grpc(body.map_err(|never| match never {}).boxed_unsync())
}

fn grpc(body: UnsyncBoxBody<Bytes, hyper::Error>) -> Reply {
    let mut reply = Response::new(body);
    reply.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    reply
}

/// Counts a call in flight.
struct Place<'a>(&'a State);

impl<'a> Place<'a> {
    fn new(state: &'a State) -> Self {
        let now = state.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_in_flight.fetch_max(now, Ordering::SeqCst);
        Self(state)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(stream: tokio::io::DuplexStream, server: Server) {
    let service = {
        let server = server.clone();
        service_fn(move |request| server.clone().answer(request))
    };
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(server.0.max_streams)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            // How a client leaves is its own business.
            _ = connection.as_mut() => break,
            () = server.0.ends.notified() => {
                if !server.0.is_graceful.load(Ordering::SeqCst) {
                    break;
                }
                connection.as_mut().graceful_shutdown();
            }
        }
    }
    server.0.closed.fetch_add(1, Ordering::SeqCst);
}
