//! One connection below HTTP, and what a scripted fault does to it: freeze it, cut it, or end it with a GOAWAY that
//! the HTTP library would not send.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::calls::Calls;
use super::frame::{FrameTracker, PrefaceWatch, go_away};
use super::socket::Socket;
use crate::outbox::Outbox;

/// What is to be done with a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Command {
    /// To work as it should.
    #[default]
    Serve,
    /// Nothing is said or heard any more, not even an answer to a ping.
    Freeze,
    /// Closed at once; `true`: with a TCP RST.
    Cut(bool),
    /// These bytes after the frame that is being written, then closed.
    Last(Bytes),
}

/// Takes the commands for a connection; its requests carry it.
#[derive(Debug, Default)]
pub(super) struct ConnectionControl {
    command: Mutex<Command>,
    /// Wakes the task of the connection, which then polls it and finds the command.
    pub(super) wake: Notify,
    /// Asks for a graceful end: GOAWAY, and what runs goes on.
    pub(super) leave: Notify,
    /// What the other side has not read yet.
    pub(super) outbox: Outbox,
    /// Of the connection.
    pub(super) calls: Arc<Calls>,
    /// The socket of a connection that has fallen silent.
    frozen: Mutex<Option<Box<dyn Socket>>>,
}

impl ConnectionControl {
    pub(super) fn freeze(&self) {
        self.give(Command::Freeze);
    }

    pub(super) fn cut(&self, reset: bool) {
        self.give(Command::Cut(reset));
    }

    /// Ends an HTTP/2 connection with a GOAWAY.
    pub(super) fn go_away(&self, last_stream: u32, code: u32, debug: &[u8]) {
        self.give(Command::Last(go_away(last_stream, code, debug)));
    }

    /// The socket, once the connection has fallen silent: nothing of HTTP is to reach it any more, not even that the
    /// other side does not answer.
    pub(super) fn take_frozen(&self) -> Option<Box<dyn Socket>> {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_frozen(&self, socket: Box<dyn Socket>) {
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket);
        self.wake.notify_one();
    }

    fn give(&self, command: Command) {
        *self.command.lock().unwrap_or_else(PoisonError::into_inner) = command;
        self.wake.notify_one();
    }

    fn command(&self) -> Command {
        self.command.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A socket that carries out the commands of its control.
#[derive(Debug)]
pub(super) struct ControlledIo<S> {
    /// `None` once it is frozen.
    socket: Option<S>,
    control: Arc<ConnectionControl>,
    tracker: FrameTracker,
    preface: PrefaceWatch,
    /// Of the last words, once they have begun.
    left: Option<Bytes>,
    shut: bool,
}

impl<S: Socket> ControlledIo<S> {
    pub(super) fn new(socket: S, control: Arc<ConnectionControl>) -> Self {
        Self {
            socket: Some(socket),
            control,
            tracker: FrameTracker::default(),
            preface: PrefaceWatch::default(),
            left: None,
            shut: false,
        }
    }

    /// The socket; never ready once it is frozen, since then nothing is said or heard.
    fn socket(&mut self) -> Poll<Pin<&mut S>> {
        self.socket.as_mut().map_or(Poll::Pending, |socket| Poll::Ready(Pin::new(socket)))
    }

    /// Carries out a command other than to serve. Ready when the connection is over.
    fn execute(&mut self, command: Command, cx: &mut Context<'_>) -> Poll<io::Error> {
        match command {
            Command::Serve => Poll::Pending,
            Command::Freeze => {
                if let Some(socket) = self.socket.take() {
                    self.control.put_frozen(Box::new(socket));
                }
                Poll::Pending
            }
            Command::Cut(true) => {
                ready!(self.socket()).reset_on_close();
                Poll::Ready(ErrorKind::ConnectionReset.into())
            }
            Command::Cut(false) => self.close_after(Bytes::new(), cx),
            Command::Last(words) => self.close_after(words, cx),
        }
    }

    /// Says the last words, closes this side, and listens until the other closes too: a socket that is closed with
    /// bytes unread is reset, which can take the last words from under the reader.
    fn close_after(&mut self, words: Bytes, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(socket) = &mut self.socket else { return Poll::Pending };
        let left = self.left.get_or_insert(words);
        while !left.is_empty() {
            match ready!(Pin::new(&mut *socket).poll_write(cx, left)) {
                Ok(count) => left.advance(count),
                Err(error) => return Poll::Ready(error),
            }
        }
        if !self.shut {
            if let Err(error) = ready!(Pin::new(&mut *socket).poll_shutdown(cx)) {
                return Poll::Ready(error);
            }
            self.shut = true;
        }
        poll_drained(socket, cx)
    }

    /// A command that can be carried out now: not one whose words would land within a frame.
    fn due(&self) -> Option<Command> {
        match self.control.command() {
            Command::Serve => None,
            Command::Last(_) if self.left.is_none() && !self.tracker.is_at_boundary() => None,
            command => Some(command),
        }
    }
}

/// Listens, and makes nothing of it, until the other side closes.
fn poll_drained<S: AsyncRead + Unpin + ?Sized>(socket: &mut S, cx: &mut Context<'_>) -> Poll<io::Error> {
    let mut scratch = [0; 4096];
    loop {
        let mut buffer = ReadBuf::new(&mut scratch);
        match ready!(Pin::new(&mut *socket).poll_read(cx, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => return Poll::Ready(ErrorKind::ConnectionAborted.into()),
            Ok(()) => {}
            Err(error) => return Poll::Ready(error),
        }
    }
}

/// The same, to its end.
pub(super) async fn drained(mut socket: Box<dyn Socket>) {
    let error = std::future::poll_fn(|cx| poll_drained(&mut *socket, cx)).await;
    tracing::debug!(%error, "a connection that had fallen silent is over");
}

impl<S: Socket> AsyncRead for ControlledIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(command) = self.due() {
            return self.execute(command, cx).map(Err);
        }
        let before = buffer.filled().len();
        ready!(ready!(self.socket()).poll_read(cx, buffer))?;
        if self.preface.advance(buffer.filled().get(before..).unwrap_or_default()) {
            self.control.calls.greet();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Socket> AsyncWrite for ControlledIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(command) = self.due() {
            return self.execute(command, cx).map(Err);
        }
        // No further than this frame, if something is to be said after it.
        let end = if self.control.command() == Command::Serve {
            bytes.len()
        } else {
            self.tracker.left_in_frame(bytes)
        };
        let bytes = bytes.get(..end).unwrap_or(bytes);
        let count = ready!(ready!(self.socket()).poll_write(cx, bytes))?;
        self.tracker.advance(bytes.get(..count).unwrap_or(bytes));
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.control.command() != Command::Serve {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(cx, first.map_or(&[], |slice| slice));
        }
        let count = ready!(ready!(self.socket()).poll_write_vectored(cx, slices))?;
        let mut left = count;
        for slice in slices {
            let part = slice.get(..left.min(slice.len())).unwrap_or(slice);
            self.tracker.advance(part);
            left -= part.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.due() {
            None => ready!(self.socket()).poll_flush(cx),
            Some(command) => self.execute(command, cx).map(Err),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.due() {
            None => ready!(self.socket()).poll_shutdown(cx),
            Some(command) => self.execute(command, cx).map(Err),
        }
    }
}
