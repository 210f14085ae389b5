//! Bodies of replies: a text, or a list that is printed item by item while it is read.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use contact_center_insights::json::{JsonError, Printer};
use http_body::{Body, Frame, SizeHint};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::message::splice;
use crate::message::wire::{self, Wire};

/// How much is printed at a time, in bytes, and a little more.
const PIECE: usize = 32 * 1024;

/// The body of a reply.
#[derive(Debug)]
pub(crate) enum JsonBody {
    /// Empty when it is sent.
    Text(Bytes),
    List(Box<List>),
}

/// A reply with a list in it, which is most of it.
#[derive(Debug)]
pub(crate) struct List {
    printer: Printer,
    is_pretty: bool,
    number: u32,
    /// What the items are.
    item: String,
    wire: Bytes,
    /// Up to where it is printed.
    at: usize,
    /// What is printed and not sent.
    text: String,
    /// What comes after the items; `None` when all is printed.
    tail: Option<String>,
    is_first: bool,
}

impl List {
    /// The reply, if it is of a type that has one list of messages, and there are any; the error if its first piece or
    /// what is beside the list cannot be printed.
    pub(super) fn of(
        message: &MessageDescriptor,
        wire: &Bytes,
        printer: Printer,
        is_pretty: bool,
    ) -> Option<Result<Self, JsonError>> {
        let (field, item) = only_list(message)?;
        let number = field.number();
        let mut rest = Vec::new();
        let mut count = 0_usize;
        for (found, value) in wire::fields(wire) {
            if found == number {
                count += 1;
            } else {
                splice::put(&mut rest, found, value);
            }
        }
        if count == 0 {
            return None;
        }
        let (name, (line, space)) = (field.json_name(), if is_pretty { ("\n  ", " ") } else { ("", "") });
        let mut list = Self {
            printer,
            is_pretty,
            number,
            item,
            wire: wire.clone(),
            at: 0,
            text: format!("{{{line}\"{name}\":{space}["),
            tail: None,
            is_first: true,
        };
        let begun = printer.text(message.full_name(), &rest).and_then(|rest| {
            // Without the brackets: its fields follow on the list, which is the first by number.
            let fields = rest.trim_start_matches('{').trim_end_matches('}').trim_end();
            let comma = if fields.is_empty() { "" } else { "," };
            let end = if is_pretty { "\n" } else { "" };
            list.tail = Some(format!("{line}]{comma}{fields}{end}}}\n"));
            list.print()
        });
        Some(begun.map(|()| list))
    }

    /// Prints on, until there is a piece.
    fn print(&mut self) -> Result<(), JsonError> {
        while self.text.len() < PIECE {
            let mut fields = wire::fields(self.wire.get(self.at..).unwrap_or_default());
            let next = fields.next();
            self.at = self.wire.len() - fields.left();
            match next {
                Some((number, Wire::Bytes(item))) if number == self.number => {
                    if !self.is_first {
                        self.text.push(',');
                    }
                    self.is_first = false;
                    if self.is_pretty {
                        self.text.push_str("\n    ");
                    }
                    self.printer.append(&self.item, item, 2, &mut self.text)?;
                }
                // It is in the tail.
                Some(_) => {}
                None => {
                    self.text.push_str(&self.tail.take().unwrap_or_default());
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The one list of messages that a message has, if it is the first of its fields, and what its items are.
fn only_list(message: &MessageDescriptor) -> Option<(FieldDescriptor, String)> {
    let mut lists = message.fields().filter(FieldDescriptor::is_list);
    let (first, Kind::Message(item)) = message.fields().next().map(|field| (field.clone(), field.kind()))?
    else {
        return None;
    };
    let is_only =
        lists.next().as_ref() == Some(&first) && lists.all(|other| !matches!(other.kind(), Kind::Message(_)));
    is_only.then(|| (first, item.full_name().to_owned()))
}

impl From<String> for JsonBody {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<List> for JsonBody {
    fn from(list: List) -> Self {
        Self::List(Box::new(list))
    }
}

impl Body for JsonBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = match &mut *self {
            Self::Text(text) => std::mem::take(text),
            Self::List(list) => {
                if list.text.is_empty() && list.tail.is_some() {
                    // The reply has begun: that it cannot be ended is all that can be told.
                    if let Err(error) = list.print() {
                        tracing::error!(%error, "a reply ends early, since an item cannot be printed");
                        return Poll::Ready(Some(Err(error.into())));
                    }
                }
                Bytes::from(std::mem::take(&mut list.text))
            }
        };
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.text.is_empty() && list.tail.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(text) => SizeHint::with_exact(text.len() as u64),
            Self::List(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::{Conversation, ListConversationsResponse};
    use contact_center_insights::proto::longrunning::{ListOperationsResponse, Operation};
    use http_body_util::BodyExt as _;
    use prost::{Message, Name};

    use super::*;
    use crate::contract::{Contract, INSIGHTS, OPERATIONS};

    fn output(path: &str) -> &'static MessageDescriptor {
        &Contract::get().method(path).unwrap().output
    }

    /// The text, and in how many pieces it came.
    async fn streamed<T: Message + Name>(path: &str, message: &T, is_pretty: bool) -> (String, usize) {
        let wire = Bytes::from(message.encode_to_vec());
        let list = List::of(output(path), &wire, Printer::new().pretty(is_pretty), is_pretty).unwrap();
        let mut body = JsonBody::from(list.unwrap());
        let (mut text, mut pieces) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() < 2 * PIECE, "no more than a piece is held");
            text.extend_from_slice(&data);
            pieces += 1;
        }
        assert!(body.is_end_stream());
        (String::from_utf8(text).unwrap(), pieces)
    }

    #[tokio::test]
    async fn a_list_is_printed_as_a_whole_message_is_and_in_pieces() {
        let conversation = |number: usize| Conversation {
            name: format!("conversations/{number}"),
            labels: [("a\n".to_owned(), "]},{".to_owned())].into(),
            turn_count: 3,
            ..Conversation::default()
        };
        for token in ["", "next"] {
            let page = ListConversationsResponse {
                conversations: (0..3000).map(conversation).collect(),
                next_page_token: token.to_owned(),
            };
            for is_pretty in [true, false] {
                let (text, pieces) =
                    streamed(&format!("{INSIGHTS}/ListConversations"), &page, is_pretty).await;
                assert_eq!(text, Printer::new().pretty(is_pretty).message(&page).unwrap() + "\n");
                assert!(pieces > 5, "{pieces}");
            }
        }
        let page = ListOperationsResponse {
            operations: vec![Operation { name: "o".into(), done: true, ..Operation::default() }],
            next_page_token: "t".into(),
            unreachable: vec!["{}".into()],
        };
        let (text, _) = streamed(&format!("{OPERATIONS}/ListOperations"), &page, true).await;
        assert_eq!(text, Printer::new().pretty(true).message(&page).unwrap() + "\n");
    }

    #[test]
    fn what_is_no_list_is_not_printed_as_one() {
        let printer = Printer::new();
        let none = Bytes::from(ListConversationsResponse::default().encode_to_vec());
        assert!(List::of(output(&format!("{INSIGHTS}/ListConversations")), &none, printer, true).is_none());
        let one = Bytes::from(Conversation { name: "c".into(), ..Conversation::default() }.encode_to_vec());
        assert!(List::of(output(&format!("{INSIGHTS}/GetConversation")), &one, printer, true).is_none());
    }

    #[test]
    fn every_list_of_the_api_is_printed_as_it_is_read() {
        let lists = Contract::get().methods().filter(|method| method.name.starts_with("List"));
        let whole: Vec<_> = lists.filter(|method| only_list(&method.output).is_none()).collect();
        assert!(whole.is_empty(), "{:?}", whole.iter().map(|method| &method.name).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn an_item_that_cannot_be_printed_is_an_error_before_the_reply_and_after_its_begin() {
        let beyond = Conversation {
            create_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
            ..Conversation::default()
        };
        let list = |good: usize| {
            let conversations =
                std::iter::repeat_n(Conversation { turn_count: 7, ..Conversation::default() }, good);
            let conversations = conversations.chain([beyond.clone()]).collect();
            let page = ListConversationsResponse { conversations, ..Default::default() };
            let wire = Bytes::from(page.encode_to_vec());
            List::of(output(&format!("{INSIGHTS}/ListConversations")), &wire, Printer::new(), false).unwrap()
        };
        assert!(list(0).is_err());
        let mut body = JsonBody::from(list(10_000).unwrap());
        let mut is_torn = false;
        while let Some(frame) = body.frame().await {
            is_torn = frame.is_err();
            if is_torn {
                break;
            }
        }
        assert!(is_torn);
    }
}
