//! One HTTP/2 connection: opened, driven by a task of its own, and drained when nobody holds it any more.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, ResponseFuture, SendRequest};
use http::Request;
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;

use super::health::Health;
use super::keepalive::{Keepalive, Liveness};
use super::ping_interval::Interval;
use super::pulse::{Pulse, Pulsing};
use super::settings::PoolSettings;
use super::wire::{Sent, Wire};
use crate::error::{BoxError, ConnectFailure};
use crate::transport::connect::{HTTP1, Io, TLS};

/// What a reply may fill before we read it. Replies are large (a page of conversations is megabytes) and links long, so
/// that HTTP/2's own 64 KiB would make them slow.
const STREAM_WINDOW: u32 = 2 << 20;
const MIN_STREAM_WINDOW: u32 = 64 << 10;
const MIN_CONNECTION_WINDOW: u32 = 8 << 20;
/// The largest that HTTP/2 has (RFC 9113, 6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;
/// So many windows of the smallest size fit into the connection's.
const MAX_STREAMS: usize = 32_767;
/// Of a reply's head or trailers: details of a status are up to 8 KiB, and some servers send several.
const MAX_HEADER_LIST: u32 = 64 << 10;

/// The sending half. The connection closes when this is dropped and its last stream has ended.
pub(super) struct Connection {
    /// Locked for as long as it takes to queue a request's head.
    sender: Mutex<SendRequest<Bytes>>,
    health: Arc<Health>,
}

/// What a connection tells the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It has not been used for a while.
    Idle,
    /// It carries nothing any more.
    Ended,
    /// The task that drove it was dropped, by its own end or by that of its runtime.
    Dropped,
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
        interval: &Arc<Interval>,
        observer: impl Fn(Event, &Arc<Health>) + Send + 'static,
    ) -> Result<Self, BoxError> {
        let runtime = Handle::current();
        let health = Arc::new(Health::new(Pulse::new(runtime.id()), interval.clone()));
        let (io, wire) = Wire::new(io, health.clone());
        let max_streams = settings.max_streams.min(MAX_STREAMS);
        let (stream_window, connection_window) = windows(max_streams);
        let (sender, mut connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(stream_window)
            .initial_connection_window_size(connection_window)
            .max_header_list_size(MAX_HEADER_LIST)
            .handshake::<_, Bytes>(io)
            .await
            .map_err(not_http2)?;
        let pings = connection.ping_pong();
        let keepalive = pings.map(|pings| Keepalive::new(pings, health.ping_interval(), settings));
        let (spoken, has_spoken) = oneshot::channel();
        let driver = Driver {
            connection,
            wire,
            keepalive,
            max_streams,
            health: health.clone(),
            spoken: Some(spoken),
            observer,
        };
        runtime.spawn(Pulsing::new(health.pulse().clone(), driver));
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

    /// Whether a call of this runtime finds a place on it.
    pub(super) fn has_room_for(&self, runtime: Option<Id>) -> bool {
        let is_at_home = || runtime == Some(self.health.pulse().runtime());
        self.health.has_room() && (!self.health.is_stalled() || is_at_home())
    }

    /// Whether it can carry calls of any runtime.
    pub(super) fn is_sound(&self) -> bool {
        self.health.is_open() && !self.health.is_stalled()
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
                self.health.close();
                return Err(Unsent::Closing(Box::new(head)));
            }
        };
        sent.map_err(|error| {
            self.health.close();
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
    connection: h2::client::Connection<Wire, Bytes>,
    /// Under it.
    wire: Wire,
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
                    this.health.close_as_dead();
                    (this.observer)(Event::Ended, &this.health);
                    return Poll::Ready(());
                }
            }
        }
        let mut ended = Pin::new(&mut this.connection).poll(cx);
        // h2 has let go of its lock: others get it between two parts of what it has to write.
        while ended.is_pending() && this.wire.poll_send(cx) != Sent::AsFarAsPossible {
            ended = Pin::new(&mut this.connection).poll(cx);
        }
        let limit = this.connection.max_concurrent_send_streams().min(this.max_streams);
        this.health.set_limit(limit);
        match ended {
            Poll::Ready(ended) => {
                this.health.close();
                if let Some(spoken) = this.spoken.take() {
                    // Whoever opened it may have given up.
                    let _ = spoken.send(Err(match ended {
                        Ok(()) => {
                            ConnectFailure::transient("the server closed the connection without a word")
                        }
                        Err(error) => not_http2(error),
                    }));
                }
                (this.observer)(Event::Ended, &this.health);
                Poll::Ready(())
            }
            Poll::Pending => {
                if this.health.has_spoken()
                    && let Some(spoken) = this.spoken.take()
                {
                    let _ = spoken.send(Ok(()));
                }
                Poll::Pending
            }
        }
    }
}

/// The windows of a stream, and of the connection: all streams that it carries fit into it, so that replies that nobody
/// reads hold up nothing but themselves.
fn windows(max_streams: usize) -> (u32, u32) {
    let streams = u32::try_from(max_streams).unwrap_or(u32::MAX).max(1);
    let stream = MAX_WINDOW.checked_div(streams).unwrap_or_default().clamp(MIN_STREAM_WINDOW, STREAM_WINDOW);
    (stream, stream.saturating_mul(streams).clamp(MIN_CONNECTION_WINDOW, MAX_WINDOW))
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
        self.health.close();
        (self.observer)(Event::Dropped, &self.health);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_of_all_streams_fit_into_that_of_the_connection() {
        for streams in [1, 4, 5, 100, 1_000, 1_024, 20_000, MAX_STREAMS] {
            let (stream, connection) = windows(streams);
            assert!(stream as usize * streams <= connection as usize, "{streams}");
            assert!((MIN_STREAM_WINDOW..=STREAM_WINDOW).contains(&stream) && connection <= MAX_WINDOW);
        }
        assert_eq!(windows(100), (2 << 20, 200 << 20), "the defaults");
    }
}
