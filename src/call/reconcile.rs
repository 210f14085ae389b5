//! A creation whose reply was lost: is what is there now what was asked for?
//!
//! A creation with an id that the caller chose can be retried, since it cannot be applied twice: the second time the
//! server answers `ALREADY_EXISTS`. Whether the first attempt created the resource, or somebody else did before, is
//! seen by looking at it.

use std::collections::BTreeMap;

use bytes::Buf as _;
use http::HeaderValue;
use prost::Message;
use prost::encoding::{DecodeContext, decode_key, skip_field, string};

use super::framing::Framed;
use super::methods::Method;
use super::routing::Routing;

/// How to look at the resource, and what was asked for.
#[derive(Debug)]
pub(crate) struct Reconcile {
    pub(super) get: &'static Method,
    /// The request of `get`.
    pub(super) request: Framed,
    pub(super) routing: Option<HeaderValue>,
    asked: Vec<u8>,
    ignored: &'static [u32],
}

impl Reconcile {
    /// `name` is made of parent, collection and id; `field` is its number in the request of `get`. `None` without an
    /// id: the server then chooses one, and a retried creation would create twice.
    pub(crate) fn new(
        get: &'static Method,
        field: u32,
        name: [&str; 3],
        asked: Option<&impl Message>,
        ignored: &'static [u32],
    ) -> Option<Self> {
        let [_, _, id] = name;
        let name = name.join("/");
        let mut request = Vec::new();
        string::encode(field, &name, &mut request);
        let routing = Routing::new(&[("name", &name)]).into_header();
        let asked = asked?.encode_to_vec();
        (!id.is_empty()).then(|| Self {
            get,
            request: Framed::of_parts([&request, &[]]),
            routing,
            asked,
            ignored,
        })
    }

    /// Whether `found` holds all that was asked for.
    pub(super) fn accepts(&self, found: &impl Message) -> bool {
        holds(&found.encode_to_vec(), &self.asked, self.ignored)
    }
}

/// Whether each field that `asked` sets is the same in `found`, but for the `ignored` ones. Both were serialized by the
/// same code, in which the same value always has the same bytes.
fn holds(found: &[u8], asked: &[u8], ignored: &[u32]) -> bool {
    let (Some(found), Some(asked)) = (fields(found), fields(asked)) else { return false };
    asked.iter().all(|(number, value)| ignored.contains(number) || found.get(number) == Some(value))
}

/// The bytes of each field, those of a repeated one in order.
fn fields(mut bytes: &[u8]) -> Option<BTreeMap<u32, Vec<&[u8]>>> {
    let mut fields = BTreeMap::<u32, Vec<&[u8]>>::new();
    while bytes.has_remaining() {
        let whole = bytes;
        let (number, wire_type) = decode_key(&mut bytes).ok()?;
        skip_field(wire_type, number, &mut bytes, DecodeContext::default()).ok()?;
        fields.entry(number).or_default().push(whole.get(..whole.len() - bytes.len())?);
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::insights::Conversation;

    fn conversation(agent: &str) -> Conversation {
        let labels = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())].into();
        Conversation { agent_id: agent.into(), labels, ..Conversation::default() }
    }

    fn accepts(found: &Conversation, asked: &Conversation) -> bool {
        // Number 1 is the name, 11 the turn count, which the server sets.
        holds(&found.encode_to_vec(), &asked.encode_to_vec(), &[1, 11])
    }

    #[test]
    fn what_the_server_added_does_not_matter() {
        let found =
            Conversation { name: "n".into(), turn_count: 3, language_code: "en".into(), ..conversation("x") };
        assert!(accepts(&found, &conversation("x")));
        assert!(accepts(&found, &Conversation { turn_count: 9, name: "other".into(), ..conversation("x") }));
    }

    #[test]
    fn what_was_asked_for_must_be_there() {
        assert!(!accepts(&conversation("y"), &conversation("x")));
        let fewer_labels =
            Conversation { labels: [("a".to_owned(), "1".to_owned())].into(), ..conversation("x") };
        assert!(!accepts(&fewer_labels, &conversation("x")));
        assert!(!accepts(&Conversation::default(), &conversation("x")));
    }
}
