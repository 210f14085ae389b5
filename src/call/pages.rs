//! Walks the pages of a `List` method (AIP-158).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use prost::encoding::{int32, string};
use tokio_stream::Stream;

use super::{Call, Reply};
use crate::error::Error;

/// The response of a `List` method; implemented for all of them, from the descriptors.
pub trait Page: Reply<Wire = Self> + prost::Message + Default + Send + 'static {
    /// What is listed.
    type Item: Send + 'static;

    #[doc(hidden)]
    const FIELDS: Option<PageFields>;

    /// The token of the next page; empty on the last.
    fn next_token(&self) -> &str;

    /// How many items this page has.
    fn count(&self) -> usize;

    /// The items of this page.
    fn into_items(self) -> Vec<Self::Item>;
}

/// Numbers of the paging fields in the request.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct PageFields {
    pub(crate) size: u32,
    pub(crate) token: u32,
}

impl<P: Page> Call<P> {
    /// Walks all pages, each fetched when it is asked for. Every page is a call with this call's settings.
    ///
    /// ```
    /// # async fn example(client: contact_center_insights::Client) -> Result<(), contact_center_insights::Error> {
    /// use contact_center_insights::proto::insights::ListConversationsRequest;
    ///
    /// let request = ListConversationsRequest {
    ///     parent: "projects/my-project/locations/us-central1".into(),
    ///     ..Default::default()
    /// };
    /// let mut pages = client.list_conversations(request).into_pages();
    /// while let Some(page) = pages.next_page().await? {
    ///     println!("{} conversations", page.conversations.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_pages(self) -> Pages<P> {
        let first = self.body().cloned().unwrap_or_default();
        Pages { call: self, left: usize::MAX, request: first, next: Next::First }
    }
}

/// The pages of a `List` method, one by one.
pub struct Pages<P> {
    call: Call<P>,
    /// How many items may still be given out.
    left: usize,
    /// The serialized request, before paging fields were added.
    request: Bytes,
    next: Next,
}

enum Next {
    First,
    Token(String),
    End,
}

impl<P: Page> Pages<P> {
    /// Asks for at most `items` a page; the server may give fewer. Methods without paging ignore it.
    #[must_use]
    pub fn with_page_size(mut self, items: i32) -> Self {
        if let Some(fields) = P::FIELDS {
            self.append(|buffer| int32::encode(fields.size, &items, buffer));
            self.call.set_body(self.request.clone());
        }
        self
    }

    /// Gives out at most this many items in all; the last page may hold more than [`Items`] gives out of it.
    #[must_use]
    pub fn with_limit(mut self, items: usize) -> Self {
        self.left = items;
        self
    }

    /// Begins at the page that `token` names, from an earlier walk over the same list.
    #[must_use]
    pub fn with_page_token(mut self, token: impl Into<String>) -> Self {
        self.next = Next::Token(token.into());
        self
    }

    /// The token of the next page: `None` before the first and after the last.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match &self.next {
            Next::Token(token) => Some(token),
            Next::First | Next::End => None,
        }
    }

    /// Fetches the next page; `None` after the last.
    ///
    /// # Errors
    /// Those of every call; the page is asked for again by the next `next_page`. A server that repeats a page
    /// token, which would never end, is an error that ends the walk.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing: the next one asks for the same page.
    pub async fn next_page(&mut self) -> Result<Option<P>, Error> {
        match (&self.next, P::FIELDS) {
            (Next::End, _) => return Ok(None),
            _ if self.left == 0 => return Ok(None),
            (Next::Token(token), Some(fields)) => {
                // A field that occurs twice has its last value (protobuf encoding): the request itself, which
                // is serialized already, needs no second look.
                let mut body = BytesMut::from(self.request.as_ref());
                string::encode(fields.token, token, &mut body);
                self.call.set_body(body.freeze());
            }
            _ => {}
        }
        let page = self.call.send().await?;
        let next = match page.next_token() {
            "" => Next::End,
            token => Next::Token(token.to_owned()),
        };
        if let (Next::Token(sent), Next::Token(token)) = (&self.next, &next)
            && sent == token
        {
            self.next = Next::End;
            let reason = "a page names itself as the next one, so that the walk would never end";
            return Err(Error::protocol(reason));
        }
        self.next = next;
        self.left = self.left.saturating_sub(page.count());
        Ok(Some(page))
    }

    /// The items of all pages, as a stream.
    #[must_use]
    pub fn into_items(self) -> Items<P> {
        Items { page: Vec::new().into_iter(), left: self.left, state: State::Idle(Box::new(self)) }
    }

    fn append(&mut self, encode: impl FnOnce(&mut BytesMut)) {
        let mut body = BytesMut::from(self.request.as_ref());
        encode(&mut body);
        self.request = body.freeze();
    }
}

type Step<P> = Pin<Box<dyn Future<Output = (Pages<P>, Result<Option<P>, Error>)> + Send>>;

/// The items of all pages; see [`Pages::into_items`]. Holds one page at a time. An error ends the stream.
pub struct Items<P: Page> {
    page: std::vec::IntoIter<P::Item>,
    left: usize,
    state: State<P>,
}

enum State<P> {
    Idle(Box<Pages<P>>),
    Fetching(Step<P>),
    Ended,
}

/// Nothing in it is pinned: the future in flight has a box of its own.
impl<P: Page> Unpin for Items<P> {}

impl<P: Page> Stream for Items<P> {
    type Item = Result<P::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            if let Some(item) = self.page.next() {
                self.left -= 1;
                return Poll::Ready(Some(Ok(item)));
            }
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Idle(mut pages) => {
                    self.state = State::Fetching(Box::pin(async move {
                        let page = pages.next_page().await;
                        (*pages, page)
                    }));
                }
                State::Fetching(mut future) => {
                    let polled = future.as_mut().poll(cx);
                    if polled.is_pending() {
                        self.state = State::Fetching(future);
                    }
                    let (pages, page) = ready!(polled);
                    match page {
                        Ok(Some(page)) => self.page = page.into_items().into_iter(),
                        Ok(None) => return Poll::Ready(None),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                    self.state = State::Idle(Box::new(pages));
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

impl<P> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("call", &self.call).finish_non_exhaustive()
    }
}

impl<P: Page> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("buffered", &self.page.len()).finish_non_exhaustive()
    }
}
