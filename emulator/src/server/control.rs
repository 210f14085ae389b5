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

use super::frame::{FrameTracker, go_away};
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
    socket: S,
    control: Arc<ConnectionControl>,
    tracker: FrameTracker,
    /// Of the last words, once they have begun.
    left: Option<Bytes>,
    shut: bool,
}

impl<S: Socket> ControlledIo<S> {
    pub(super) fn new(socket: S, control: Arc<ConnectionControl>) -> Self {
        Self { socket, control, tracker: FrameTracker::default(), left: None, shut: false }
    }

    /// Carries out a command other than to serve. Ready when the connection is over.
    fn execute(&mut self, command: Command, cx: &mut Context<'_>) -> Poll<io::Error> {
        match command {
            Command::Serve => Poll::Pending,
            Command::Freeze => self.drain(cx),
            Command::Cut(true) => {
                self.socket.reset_on_close();
                Poll::Ready(ErrorKind::ConnectionReset.into())
            }
            Command::Cut(false) => self.close_after(Bytes::new(), cx),
            Command::Last(words) => self.close_after(words, cx),
        }
    }

    /// Says the last words, closes this side, and listens until the other closes too: a socket that is closed with
    /// bytes unread is reset, which can take the last words from under the reader.
    fn close_after(&mut self, words: Bytes, cx: &mut Context<'_>) -> Poll<io::Error> {
        let left = self.left.get_or_insert(words);
        while !left.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, left)) {
                Ok(count) => left.advance(count),
                Err(error) => return Poll::Ready(error),
            }
        }
        if !self.shut {
            if let Err(error) = ready!(Pin::new(&mut self.socket).poll_shutdown(cx)) {
                return Poll::Ready(error);
            }
            self.shut = true;
        }
        self.drain(cx)
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let mut scratch = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => {
                    return Poll::Ready(ErrorKind::ConnectionAborted.into());
                }
                Ok(()) => {}
                Err(error) => return Poll::Ready(error),
            }
        }
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

impl<S: Socket> AsyncRead for ControlledIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.due() {
            None => Pin::new(&mut self.socket).poll_read(cx, buffer),
            Some(command) => self.execute(command, cx).map(Err),
        }
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
        let count = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes))?;
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
        let count = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, slices))?;
        let mut left = count;
        for slice in slices {
            let part = slice.get(..left.min(slice.len())).unwrap_or(slice);
            self.tracker.advance(part);
            left -= part.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.due() {
            None => Pin::new(&mut self.socket).poll_flush(cx),
            Some(command) => self.execute(command, cx).map(Err),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.due() {
            None => Pin::new(&mut self.socket).poll_shutdown(cx),
            Some(command) => self.execute(command, cx).map(Err),
        }
    }
}
