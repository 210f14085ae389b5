//! The bytes of a connection, with TLS or without, and the mix-ups of the two.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use contact_center_insights::Code;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::frame::go_away;
use crate::errors::{self, ErrorDetails};
use crate::rest;

/// The first byte of every TLS connection: a record that is part of a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;
/// What HTTP/2 asks of those who find too little security.
const INADEQUATE_SECURITY: u32 = 12;

/// A duplex of bytes that can be closed rudely.
pub(super) trait Socket: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static {
    /// When it is closed, the other side gets a TCP RST.
    fn reset_on_close(&self);
}

impl Socket for TcpStream {
    fn reset_on_close(&self) {
        if let Err(error) = self.set_zero_linger() {
            tracing::debug!(%error, "the connection is closed, not reset");
        }
    }
}

impl Socket for TlsStream<TcpStream> {
    fn reset_on_close(&self) {
        self.get_ref().0.reset_on_close();
    }
}

/// What a connection turned out to be.
#[derive(Debug)]
pub(super) enum Greeting {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Whoever spoke first, and how. `None`: nothing to serve; a mix-up of TLS and plaintext has been told to both sides.
pub(super) async fn greet(stream: TcpStream, tls: Option<&TlsAcceptor>, port: &Port) -> Option<Greeting> {
    match meet(stream, tls, port).await {
        Ok(greeting) => greeting,
        Err(error) => {
            tracing::debug!(%error, "a connection ended before its first request");
            None
        }
    }
}

async fn meet(stream: TcpStream, tls: Option<&TlsAcceptor>, port: &Port) -> io::Result<Option<Greeting>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    match (tls, first == [HANDSHAKE]) {
        (None, false) => Ok(Some(Greeting::Plain(stream))),
        (None, true) => {
            port.tell_tls_on_plaintext();
            Ok(None)
        }
        (Some(acceptor), true) => match acceptor.accept(stream).await {
            Ok(stream) => Ok(Some(Greeting::Tls(Box::new(stream)))),
            Err(error) => {
                port.tell_handshake(&error);
                Ok(None)
            }
        },
        (Some(_), false) => {
            port.tell_plaintext_on_tls();
            refuse_plaintext(stream, port.details).await.map(|()| None)
        }
    }
}

/// Says in the client's own protocol what is wrong.
async fn refuse_plaintext(mut stream: TcpStream, details: ErrorDetails) -> io::Result<()> {
    let why = "this port speaks TLS: use https:// or a TLS channel, and trust the emulator's CA";
    let status = errors::with_reason(Code::FailedPrecondition, "PLAINTEXT_ON_TLS_PORT", why, &[]);
    let status = if details == ErrorDetails::None { errors::bare(&status) } else { status };
    let mut begin = [0; 3];
    stream.read_exact(&mut begin).await?;
    if &begin == b"PRI" {
        // An empty SETTINGS frame comes first, or the client would not read on.
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
        stream.write_all(&go_away(0, INADEQUATE_SECURITY, why.as_bytes())).await?;
    } else {
        let body = rest::error_text(&status);
        let length = body.len();
        let head =
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=UTF-8\r\nconnection: close";
        stream.write_all(format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes()).await?;
    }
    stream.shutdown().await?;
    // To its end: closed with bytes unread, the socket would be reset, and the answer lost. The time for
    // the first request bounds this.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ())
}

/// Where it listens, and which mix-ups have been told already: a client that retries need not fill the log.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    /// Of what clients are told.
    details: ErrorDetails,
    told: AtomicBool,
}

impl Port {
    pub(super) fn new(address: SocketAddr, details: ErrorDetails) -> Self {
        Self { address, details, told: AtomicBool::new(false) }
    }

    fn is_news(&self) -> bool {
        !self.told.swap(true, Ordering::Relaxed)
    }

    fn tell_tls_on_plaintext(&self) {
        if self.is_news() {
            tracing::warn!(
                "a client spoke TLS to the plaintext port {}: give it a plaintext channel (http://, \
                 grpc.insecure_channel, createInsecure()), or start the emulator with --tls",
                self.address
            );
        }
    }

    fn tell_plaintext_on_tls(&self) {
        if self.is_news() {
            tracing::warn!(
                "a client spoke plaintext to the TLS port {}: give it https:// or a TLS channel with the \
                 emulator's CA (--ca-out FILE), or start the emulator without --tls",
                self.address
            );
        }
    }

    fn tell_handshake(&self, error: &io::Error) {
        if self.is_news() {
            tracing::warn!(
                "a TLS handshake at {} failed ({error}): does the client trust this emulator's CA (--ca-out FILE)? \
                 A new one is made at every start",
                self.address
            );
        }
    }
}
