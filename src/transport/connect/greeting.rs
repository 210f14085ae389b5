//! Looks at the first byte that a plaintext server sends: it tells HTTP/2 from TLS and from HTTP/1.1, which would
//! otherwise end in an error that nobody can read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Io;

/// The kinds of error by which the one who speaks HTTP/2 learns what was heard: h2 keeps the kind of an error and its
/// text, but not the error.
pub(crate) const TLS: io::ErrorKind = io::ErrorKind::Unsupported;
/// It may be a page of a proxy in the way, and pass.
pub(crate) const HTTP1: io::ErrorKind = io::ErrorKind::InvalidData;

/// The type of a TLS alert record, which is what a TLS server answers to HTTP/2 in the clear.
const TLS_ALERT: u8 = 0x15;

/// A stream whose first byte is still to come.
pub(super) struct Greeting {
    io: Io,
    place: String,
    is_heard: bool,
}

impl Greeting {
    pub(super) fn new(io: Io, place: String) -> Self {
        Self { io, place, is_heard: false }
    }

    fn judge(&mut self, first: Option<&u8>) -> io::Result<()> {
        let Some(first) = first else { return Ok(()) };
        self.is_heard = true;
        let place = &self.place;
        let (kind, text) = match *first {
            TLS_ALERT => (TLS, format!("`{place}` answered by TLS; use https:// in the endpoint")),
            b'H' => {
                (HTTP1, format!("`{place}` answered by HTTP/1, but gRPC needs HTTP/2; is it a gRPC server?"))
            }
            // An HTTP/2 server begins with SETTINGS, of fewer than 65,536 bytes (RFC 9113, 3.4 and 6.5).
            _ => return Ok(()),
        };
        Err(io::Error::new(kind, text))
    }

    /// A server that was not spoken to in its language may close before it has read all, and then our writing
    /// fails before its words are read.
    fn last_words(&mut self, cx: &mut Context<'_>, error: io::Error) -> io::Error {
        if self.is_heard {
            return error;
        }
        let mut first = [0];
        let mut buffer = ReadBuf::new(&mut first);
        match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => self.judge(buffer.filled().first()).err().unwrap_or(error),
            _ => error,
        }
    }
}

impl AsyncRead for Greeting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if self.is_heard {
            return Poll::Ready(Ok(()));
        }
        let judged = self.judge(buffer.filled().get(before));
        if judged.is_err() {
            // An error means that nothing was read.
            buffer.set_filled(before);
        }
        Poll::Ready(judged)
    }
}

impl AsyncWrite for Greeting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes));
        Poll::Ready(written.map_err(|error| self.last_words(cx, error)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices));
        Poll::Ready(written.map_err(|error| self.last_words(cx, error)))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.io).poll_flush(cx));
        Poll::Ready(flushed.map_err(|error| self.last_words(cx, error)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    async fn heard(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let (ours, mut theirs) = duplex(64);
        theirs.write_all(bytes).await?;
        drop(theirs);
        let mut read = Vec::new();
        Greeting::new(Box::new(ours), "host:1".to_owned()).read_to_end(&mut read).await?;
        Ok(read)
    }

    #[tokio::test]
    async fn http2_passes_and_other_protocols_are_named() {
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0, b'H', TLS_ALERT];
        assert_eq!(heard(&settings).await.unwrap(), settings);
        assert!(heard(&[]).await.unwrap().is_empty());
        let tls = heard(&[TLS_ALERT, 3, 3, 0, 2, 2, 70]).await.unwrap_err();
        assert_eq!(tls.kind(), TLS);
        assert_eq!(tls.to_string(), "`host:1` answered by TLS; use https:// in the endpoint");
        let http1 = heard(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap_err().to_string();
        assert!(http1.contains("answered by HTTP/1"), "{http1}");
    }

    #[tokio::test]
    async fn words_are_read_even_if_writing_fails_first() {
        let (ours, mut theirs) = duplex(64);
        theirs.write_all(&[TLS_ALERT]).await.unwrap();
        drop(theirs);
        let error = Greeting::new(Box::new(ours), "host:1".to_owned()).write_all(b"PRI").await.unwrap_err();
        assert!(error.to_string().contains("https"), "{error}");
    }
}
