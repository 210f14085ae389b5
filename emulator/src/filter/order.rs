//! `order_by` (AIP-132), and the keys that put resources in that order.

use contact_center_insights::Status;
use prost_reflect::MessageDescriptor;

use super::path::{Cell, LeafKind, Path};
use super::terms;
use crate::errors;
use crate::work::{Spent, Work};

/// Nobody orders by more fields than this.
const MAX_TERMS: usize = 10;

/// The order of a list: fields, each ascending or descending.
#[derive(Clone, Debug)]
pub(crate) struct Order(Vec<By>);

#[derive(Clone, Debug)]
struct By {
    path: Path,
    descending: bool,
}

/// Where a resource stands in a list: keys compare as the resources are ordered. Of use in a page token, being bytes.
pub(crate) type OrderKey = Vec<u8>;

impl Order {
    /// Reads `order_by`; `default`, in the same words, is for an empty one.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if a field is unknown or has no order, or a word is not `asc` or `desc`.
    pub(crate) fn parse(text: &str, default: &str, listed: &MessageDescriptor) -> Result<Self, Status> {
        let text = if text.trim().is_empty() { default } else { text };
        let terms = text.split(',').filter(|_| !text.trim().is_empty());
        if let Some(more) = terms.clone().nth(MAX_TERMS) {
            let why = format!(
                "has more than {MAX_TERMS} terms, `{}` is one too many; a list is in order after the first few",
                more.trim()
            );
            return Err(errors::invalid("order_by", &why));
        }
        terms.map(|term| By::read(term, listed)).collect::<Result<_, _>>().map(Self).map_err(|why| {
            let why = format!("{why}; an order is like `create_time desc`");
            errors::invalid("order_by", &why)
        })
    }

    /// The key of a resource, encoded.
    ///
    /// # Errors
    /// [`Spent`] if that would take more work than there is left.
    pub(crate) fn key(&self, resource: &[u8], work: &Work) -> Result<OrderKey, Spent> {
        let mut key = Vec::with_capacity(16);
        for by in &self.0 {
            let start = key.len();
            push(&mut key, by.path.first(resource, work));
            if by.descending {
                key.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
            }
        }
        work.check().map(|()| key)
    }

    /// Whether it is by this field of the message alone, and then whether it descends.
    pub(crate) fn is_by(&self, field: u32) -> Option<bool> {
        let [by] = self.0.as_slice() else { return None };
        (by.path.top_level() == Some(field)).then_some(by.descending)
    }

    /// Whether it is none, so that resources are in order of creation.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl By {
    fn read(term: &str, listed: &MessageDescriptor) -> Result<Self, String> {
        let mut words = term.split_whitespace();
        let name = words.next().ok_or("a field is missing")?;
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return Err(format!("`{other}` is neither `asc` nor `desc`")),
        };
        if let Some(more) = words.next() {
            return Err(format!("`{more}` is one word too many"));
        }
        let own = terms::order_terms(listed.full_name()).iter().find(|(term, _)| *term == name);
        let names: Vec<&str> = own.map_or(name, |(_, field)| *field).split('.').collect();
        let path = Path::resolve(listed, &names, false)?;
        if matches!(path.leaf(), LeafKind::Message(_)) {
            return Err(format!("`{name}` is a message, and has no order"));
        }
        Ok(Self { path, descending })
    }
}

/// Appends bytes that compare as the values do. What is unset comes before everything.
fn push(key: &mut Vec<u8>, cell: Option<Cell<'_>>) {
    let Some(cell) = cell else { return key.push(0) };
    key.push(1);
    match cell {
        Cell::Bool(value) => key.push(value.into()),
        Cell::Int(value) => key.extend(flip(value).to_be_bytes()),
        Cell::Number(value) => {
            // The usual trick: as the bits of a double, positives sort upwards, negatives downwards.
            let bits = value.to_bits();
            let sorted = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            key.extend(sorted.to_be_bytes());
        }
        Cell::Text(text) => {
            // Zero ends a text, so that a zero within it is made two bytes.
            for byte in text.bytes() {
                key.push(byte);
                if byte == 0 {
                    key.push(0xff);
                }
            }
            key.extend([0, 0]);
        }
        Cell::Time((seconds, nanos)) => {
            key.extend((seconds.cast_unsigned() ^ 1 << 63).to_be_bytes());
            key.extend(nanos.cast_unsigned().to_be_bytes());
        }
        Cell::Message => {}
    }
}

fn flip(value: i128) -> u128 {
    value.cast_unsigned() ^ 1 << 127
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::{Analysis, Conversation};
    use proptest::prelude::*;
    use prost::Message as _;
    use prost_types::{Duration, Timestamp};

    use super::*;
    use crate::filter::tests::descriptor;

    fn order(text: &str) -> Order {
        Order::parse(text, "create_time desc", &descriptor("Conversation")).unwrap()
    }

    fn sorted(text: &str, conversations: &[Conversation]) -> Vec<String> {
        let order = order(text);
        let mut conversations = conversations.to_vec();
        conversations.sort_by_key(|conversation| key(&order, conversation));
        conversations.into_iter().map(|conversation| conversation.agent_id).collect()
    }

    fn key(order: &Order, conversation: &Conversation) -> OrderKey {
        order.key(&conversation.encode_to_vec(), &Work::most()).unwrap()
    }

    fn conversation(id: &str, turns: i32, seconds: i64) -> Conversation {
        Conversation {
            agent_id: id.into(),
            turn_count: turns,
            create_time: Some(Timestamp { seconds, nanos: 0 }),
            ..Conversation::default()
        }
    }

    #[test]
    fn r20_fields_directions_and_space() {
        let list = [conversation("a", 3, 1), conversation("b", -1, 3), conversation("c", 3, 2)];
        for (text, wanted) in [
            ("", ["b", "c", "a"]),
            ("create_time", ["a", "c", "b"]),
            ("  create_time   desc ", ["b", "c", "a"]),
            ("turn_count asc,create_time desc", ["b", "c", "a"]),
            ("turn_count desc , create_time", ["a", "c", "b"]),
        ] {
            assert_eq!(sorted(text, &list), wanted, "{text}");
        }
    }

    #[test]
    fn r20_the_documented_orders_are_known() {
        for name in [
            "create_time",
            "customer_satisfaction_rating",
            "duration",
            "latest_analysis",
            "start_time",
            "turn_count",
        ] {
            for direction in ["", " asc", " desc"] {
                let _ = order(&format!("{name}{direction}"));
            }
        }
    }

    #[test]
    fn r20_a_bad_order_is_an_invalid_argument() {
        let listed = descriptor("Conversation");
        for (bad, why) in [
            ("color", "has no field `color`"),
            ("turn_count down", "`down` is neither"),
            ("turn_count desc please", "too many"),
            ("turn_count,", "missing"),
            ("labels", "is a map"),
            ("runtime_annotations", "is a list"),
            ("transcript", "no order"),
        ] {
            let error = Order::parse(bad, "", &listed).unwrap_err();
            assert!(error.message().contains(why), "{bad}: {}", error.message());
        }
    }

    #[test]
    fn an_order_has_few_terms() {
        let listed = descriptor("Conversation");
        let terms = |count| vec!["turn_count"; count].join(",");
        assert!(Order::parse(&terms(MAX_TERMS), "", &listed).is_ok());
        let error = Order::parse(&terms(MAX_TERMS + 1), "", &listed).unwrap_err();
        assert!(error.message().contains("more than 10 terms"), "{}", error.message());
        assert_eq!(error.code(), contact_center_insights::Code::InvalidArgument);
        assert!(Order::parse(&terms(100_000), "", &listed).is_err());
    }

    #[test]
    fn an_order_by_one_field_of_the_message_is_known_as_such() {
        const CREATE_TIME: u32 = 3;
        assert_eq!(order("").is_by(CREATE_TIME), Some(true));
        assert_eq!(order("create_time").is_by(CREATE_TIME), Some(false));
        for other in ["turn_count", "create_time,turn_count", "latest_analysis"] {
            assert_eq!(order(other).is_by(CREATE_TIME), None, "{other}");
        }
    }

    #[test]
    fn what_is_unset_comes_first() {
        let analysed = Conversation {
            latest_analysis: Some(Analysis {
                create_time: Some(Timestamp { seconds: -5, nanos: 0 }),
                ..Analysis::default()
            }),
            ..conversation("a", 0, 0)
        };
        assert_eq!(sorted("latest_analysis", &[analysed.clone(), conversation("b", 0, 0)]), ["b", "a"]);
        assert_eq!(sorted("latest_analysis desc", &[conversation("b", 0, 0), analysed]), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn keys_order_as_values_do(
            a in (any::<i32>(), any::<i64>(), 0..1_000_000_000, "[a\\x00b]{0,4}"),
            b in (any::<i32>(), any::<i64>(), 0..1_000_000_000, "[a\\x00b]{0,4}"),
        ) {
            let make = |(turns, seconds, nanos, id): &(i32, i64, i32, String)| Conversation {
                duration: Some(Duration { seconds: *seconds, nanos: *nanos }),
                ..conversation(id, *turns, 0)
            }.encode_to_vec();
            let (x, y) = (make(&a), make(&b));
            let place = |text: &str, of: &[u8]| order(text).key(of, &Work::most()).unwrap();
            let compare = |text: &str| place(text, &x).cmp(&place(text, &y));
            prop_assert_eq!(compare("turn_count"), a.0.cmp(&b.0));
            prop_assert_eq!(compare("duration desc"), (b.1, b.2).cmp(&(a.1, a.2)));
            prop_assert_eq!(compare("agent_id"), a.3.cmp(&b.3));
            prop_assert_eq!(compare("agent_id desc, turn_count"), b.3.cmp(&a.3).then(a.0.cmp(&b.0)));
        }
    }
}
