//! One HTTP/2 connection: opened, driven by a task of its own, and drained when nobody holds it any more.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, ResponseFuture, SendRequest};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

use super::PoolSettings;
use super::keepalive::{Keepalive, Liveness};
use crate::error::{BoxError, ConnectFailure};
use crate::transport::connect::{HTTP1, Io, TLS};

/// What a reply may fill before we read it. Replies are large (a page of conversations is megabytes) and links long, so
/// that HTTP/2's own 64 KiB would make them slow.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// Of a reply's head or trailers: details of a status are up to 8 KiB, and some servers send several.
const MAX_HEADER_LIST: u32 = 64 << 10;

/// The sending half. The connection closes when this is dropped and its last stream has ended.
pub(super) struct Connection {
    /// Locked for as long as it takes to queue a request's head.
    sender: Mutex<SendRequest<Bytes>>,
    health: Arc<Health>,
}

/// What the task that drives a connection knows of it.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Requests that have not been answered to the end.
    in_flight: AtomicUsize,
    /// How many the server allows at once.
    limit: AtomicUsize,
    /// Requests that were ever sent.
    used: AtomicUsize,
    state: AtomicU8,
    /// Whether the server has said anything.
    has_spoken: AtomicBool,
}

const OPEN: u8 = 0;
/// Takes no new requests; those in flight may still be answered.
const CLOSING: u8 = 1;
/// As `CLOSING`, and because pings were not answered.
const DEAD: u8 = 2;

impl Health {
    pub(super) fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.load(Ordering::Acquire) == DEAD
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn close(&self, state: u8) {
        self.state.fetch_max(state, Ordering::AcqRel);
    }
}

/// What a connection tells the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It has not been used for a while.
    Idle,
    /// It carries nothing any more.
    Ended,
}

/// A request that this connection did not take.
#[derive(Debug)]
pub(super) enum Unsent {
    /// It is closing; another will take it.
    Closing(Box<Request<()>>),
    /// It closed at this very moment, and the request's head is gone.
    ClosedBeforeSend(h2::Error),
}

impl Connection {
    /// Speaks HTTP/2 over `io`; ready when the server has shown that it does too, so that a server that is mute, or
    /// of another kind, is found out before a request is sent.
    pub(super) async fn open(
        io: Io,
        settings: &PoolSettings,
        observer: impl Fn(Event, &Arc<Health>) + Send + 'static,
    ) -> Result<Self, BoxError> {
        let health = Arc::new(Health::default());
        let io = FirstByte { io, health: health.clone() };
        let (sender, mut connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEADER_LIST)
            .handshake::<_, Bytes>(io)
            .await
            .map_err(not_http2)?;
        let keepalive = connection.ping_pong().map(|pings| Keepalive::new(pings, settings));
        let (spoken, has_spoken) = oneshot::channel();
        tokio::spawn(Driver {
            connection,
            keepalive,
            max_streams: settings.max_streams,
            health: health.clone(),
            spoken: Some(spoken),
            observer,
        });
        match has_spoken.await {
            Ok(Ok(())) => Ok(Self { sender: Mutex::new(sender), health }),
            Ok(Err(failure)) => Err(failure.into()),
            Err(_) => Err(ConnectFailure::transient("the runtime that drove the connection is gone").into()),
        }
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Whether `health` is its own.
    pub(super) fn is(&self, health: &Arc<Health>) -> bool {
        Arc::ptr_eq(&self.health, health)
    }

    pub(super) fn has_room(&self) -> bool {
        self.health.is_open() && self.health.in_flight() < self.health.limit.load(Ordering::Acquire)
    }

    /// Counts a request in; [`Connection::leave`] counts it out.
    pub(super) fn enter(&self) {
        self.health.in_flight.fetch_add(1, Ordering::AcqRel);
        self.health.used.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.health.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Queues the head of a request.
    pub(super) fn send(
        &self,
        head: Request<()>,
        cx: &mut Context<'_>,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), Unsent> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = match sender.poll_ready(cx) {
            Poll::Ready(Ok(())) => sender.send_request(head, false),
            // A stream waits for its grant: the server has lowered its limit. Another may wait with it.
            Poll::Pending => sender.clone().send_request(head, false),
            Poll::Ready(Err(_)) => {
                self.health.close(CLOSING);
                return Err(Unsent::Closing(Box::new(head)));
            }
        };
        sent.map_err(|error| {
            self.health.close(CLOSING);
            Unsent::ClosedBeforeSend(error)
        })
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("health", &self.health).finish_non_exhaustive()
    }
}

/// Moves the bytes of a connection, and watches it, until it ends.
struct Driver<F: Fn(Event, &Arc<Health>)> {
    connection: h2::client::Connection<FirstByte, Bytes>,
    keepalive: Option<Keepalive>,
    max_streams: usize,
    health: Arc<Health>,
    /// Told once: that the server speaks HTTP/2, or how the connection ended before.
    spoken: Option<oneshot::Sender<Result<(), ConnectFailure>>>,
    observer: F,
}

/// Nothing in it is pinned.
impl<F: Fn(Event, &Arc<Health>)> Unpin for Driver<F> {}

impl<F: Fn(Event, &Arc<Health>)> Future for Driver<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Some(keepalive) = &mut this.keepalive {
            match keepalive.poll(&this.health, cx) {
                Liveness::Alive => {}
                Liveness::Idle => (this.observer)(Event::Idle, &this.health),
                // Dropping the connection ends its streams; they look here for the reason.
                Liveness::Dead => {
                    this.health.close(DEAD);
                    return Poll::Ready(());
                }
            }
        }
        let ended = Pin::new(&mut this.connection).poll(cx);
        let limit = this.connection.max_concurrent_send_streams().min(this.max_streams);
        this.health.limit.store(limit, Ordering::Release);
        match ended {
            Poll::Ready(ended) => {
                this.health.close(CLOSING);
                if let Some(spoken) = this.spoken.take() {
                    // Whoever opened it may have given up.
                    let _ = spoken.send(Err(match ended {
                        Ok(()) => {
                            ConnectFailure::transient("the server closed the connection without a word")
                        }
                        Err(error) => not_http2(error),
                    }));
                }
                Poll::Ready(())
            }
            Poll::Pending => {
                if this.health.has_spoken.load(Ordering::Relaxed)
                    && let Some(spoken) = this.spoken.take()
                {
                    let _ = spoken.send(Ok(()));
                }
                Poll::Pending
            }
        }
    }
}

fn not_http2(error: h2::Error) -> ConnectFailure {
    // The first byte was not HTTP/2's, and the error says whose it was: see `transport::connect::greeting`.
    match error.get_io().map(io::Error::kind) {
        Some(TLS) => return ConnectFailure::permanent("the server does not speak HTTP/2").because(error),
        Some(HTTP1) => return ConnectFailure::transient("the server does not speak HTTP/2").because(error),
        _ => {}
    }
    let text = if error.is_io() {
        "the connection ended before the server said a word of HTTP/2"
    } else {
        "the server does not speak HTTP/2: is the endpoint that of a gRPC server, and is `http` or `https` right for it?"
    };
    ConnectFailure::transient(text).because(error)
}

impl<F: Fn(Event, &Arc<Health>)> Drop for Driver<F> {
    fn drop(&mut self) {
        self.health.close(CLOSING);
        (self.observer)(Event::Ended, &self.health);
    }
}

/// Notes the first byte that comes.
struct FirstByte {
    io: Io,
    health: Arc<Health>,
}

impl AsyncRead for FirstByte {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before && !self.health.has_spoken.load(Ordering::Relaxed) {
            self.health.has_spoken.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for FirstByte {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
