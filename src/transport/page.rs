//! A reply that is not gRPC: a proxy's page, mostly. Of a page that says nothing by its code, the title is read.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body::Body as _;
use tokio::runtime::Handle;
use tokio::time::{Sleep, sleep};

use super::carrier::Incoming;
use crate::error::HttpReply;

/// Of a page, in bytes: titles stand at the beginning.
const MAX_READ: usize = 4 << 10;
/// For a page to arrive: the code alone must do after that.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of what is repeated to the caller, in characters.
const MAX_TITLE: usize = 200;

/// A reply that is not gRPC, until it is known what it says.
#[derive(Debug)]
pub(super) struct Page {
    status: StatusCode,
    content_type: String,
    text: Vec<u8>,
    /// `None` if there is nothing to be read.
    reading: Option<(Incoming, Option<Pin<Box<Sleep>>>)>,
}

impl Page {
    pub(super) fn new(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or("none").to_owned();
        // "Bad request" may be anything; nginx asks for a certificate by it.
        let is_vague = head.status == StatusCode::BAD_REQUEST && content_type.starts_with("text/html");
        let timer = || Handle::try_current().ok().map(|_| Box::pin(sleep(PATIENCE)));
        let reading = is_vague.then(|| (body, timer()));
        Self { status: head.status, content_type, text: Vec::new(), reading }
    }

    /// Ready with what the page says.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<HttpReply> {
        ready!(self.poll_text(cx));
        self.reading = None;
        Poll::Ready(HttpReply {
            status: self.status,
            content_type: std::mem::take(&mut self.content_type),
            title: title(&self.text),
        })
    }

    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((body, timer)) = &mut self.reading else { return Poll::Ready(()) };
        while self.text.len() < MAX_READ {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let left = MAX_READ.saturating_sub(self.text.len());
                    self.text.extend(frame.data_ref().into_iter().flatten().take(left));
                }
                // Whether it ends well does not matter.
                Poll::Ready(None | Some(Err(_))) => break,
                Poll::Pending => match timer {
                    Some(timer) => return timer.as_mut().poll(cx),
                    None => break,
                },
            }
        }
        Poll::Ready(())
    }
}

fn title(page: &[u8]) -> Option<String> {
    let page = String::from_utf8_lossy(page);
    // Lower case in ASCII changes no length.
    let lower = page.to_ascii_lowercase();
    let begin = lower.find("<title>")?.checked_add("<title>".len())?;
    let length = lower.get(begin..)?.find("</title>")?;
    let title = page.get(begin..begin.checked_add(length)?)?;
    Some(title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_TITLE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_found() {
        let page =
            b"<html>\r\n<head><TITLE>400 No required SSL\n certificate was sent</Title></head><body>x</body>";
        assert_eq!(title(page).unwrap(), "400 No required SSL certificate was sent");
        for other in [&b""[..], b"<title>", b"</title><title>", b"<p>no</p>", b"\xff<titl\xff"] {
            assert_eq!(title(other), None);
        }
    }
}
