//! Fields straight from encoded bytes, without a message in between.
//!
//! A filter over a hundred thousand conversations looks at two or three fields of each; to decode them whole would
//! cost a hundred times as much. Bytes that are torn end the walk early: nothing here can fail or panic.

/// One field as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    /// The bytes of a string, a message or a packed list; empty for anything else.
    pub(crate) fn bytes(self) -> &'a [u8] {
        if let Wire::Bytes(bytes) = self { bytes } else { &[] }
    }

    /// A varint, and zero for anything else.
    pub(crate) fn varint(self) -> u64 {
        if let Wire::Varint(value) = self { value } else { 0 }
    }
}

/// The fields of a message in the order they were written, each with its number.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

/// Walks over `message`.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

/// Whether the fields of a message go as far as its bytes do.
pub(crate) fn is_whole(message: &[u8]) -> bool {
    let mut rest = Fields(message);
    while !rest.0.is_empty() {
        if rest.step().is_none() {
            return false;
        }
    }
    true
}

/// The last field of this number, which is the one that counts if it is singular.
pub(crate) fn last(message: &[u8], number: u32) -> Option<Wire<'_>> {
    fields(message).filter(|(found, _)| *found == number).last().map(|(_, wire)| wire)
}

/// The string in the field of this number; empty if there is none.
pub(crate) fn text(message: &[u8], number: u32) -> &str {
    last(message, number).and_then(|wire| str::from_utf8(wire.bytes()).ok()).unwrap_or_default()
}

impl<'a> Fields<'a> {
    /// How many bytes are still to be walked over.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    fn take_varint(&mut self) -> Option<u64> {
        // One byte is by far the most common case: keys below 16, and short lengths.
        let (&first, rest) = self.0.split_first()?;
        if first < 0x80 {
            self.0 = rest;
            return Some(u64::from(first));
        }
        let mut value = 0_u64;
        for (place, &byte) in self.0.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                self.0 = self.0.get(place + 1..)?;
                return Some(value);
            }
        }
        None
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn take_bytes(&mut self, length: u64) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(head)
    }

    fn step(&mut self) -> Option<(u32, Wire<'a>)> {
        let key = self.take_varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number != 0)?;
        let wire = match key & 7 {
            0 => Wire::Varint(self.take_varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.take()?)),
            2 => {
                let length = self.take_varint()?;
                Wire::Bytes(self.take_bytes(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.take()?)),
            // Groups are of proto2, and no message of this API has one.
            _ => return None,
        };
        Some((number, wire))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Wire<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_none() {
            self.0 = &[];
        }
        step
    }
}

/// The numbers of a packed list of varints.
pub(crate) fn packed_varints(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let mut rest = Fields(bytes);
    std::iter::from_fn(move || rest.take_varint())
}

/// A key and its value in an entry of a map from strings.
pub(crate) fn entry(entry: &[u8]) -> (&str, Option<Wire<'_>>) {
    (text(entry, 1), last(entry, 2))
}

/// A `google.protobuf.Timestamp` or `Duration`, which are alike on the wire: seconds and nanoseconds.
pub(crate) fn seconds_nanos(message: &[u8]) -> (i64, i32) {
    let (mut seconds, mut nanos) = (0_i64, 0_i32);
    for (number, wire) in fields(message) {
        match number {
            1 => seconds = wire.varint().cast_signed(),
            2 => nanos = truncate(wire.varint()),
            _ => {}
        }
    }
    (seconds, nanos)
}

/// An `int32` or enum from its varint, which has 64 bits if it is negative; what is beyond 32 bits is cut off, as
/// decoders do.
#[allow(clippy::cast_possible_truncation, reason = "protobuf says so")]
pub(crate) fn truncate(varint: u64) -> i32 {
    (varint as u32).cast_signed()
}

#[cfg(test)]
mod tests {
    use contact_center_insights::proto::insights::{Conversation, IssueModel};
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    #[test]
    fn fields_are_read_as_they_were_written() {
        let conversation = Conversation {
            name: "n".into(),
            turn_count: -3,
            agent_id: "x".repeat(300),
            labels: [("k".into(), "v".into())].into(),
            duration: Some(prost_types::Duration { seconds: -2, nanos: -500 }),
            ..Conversation::default()
        };
        let bytes = conversation.encode_to_vec();
        assert_eq!(text(&bytes, 1), "n");
        assert_eq!(text(&bytes, 5).len(), 300);
        assert_eq!(truncate(last(&bytes, 11).unwrap().varint()), -3);
        assert_eq!(seconds_nanos(last(&bytes, 10).unwrap().bytes()), (-2, -500));
        assert_eq!(entry(last(&bytes, 6).unwrap().bytes()), ("k", Some(Wire::Bytes(b"v"))));
        assert_eq!(last(&bytes, 21), None);
    }

    #[test]
    fn the_last_of_a_singular_field_counts() {
        let mut bytes = IssueModel { display_name: "old".into(), ..IssueModel::default() }.encode_to_vec();
        bytes.extend(IssueModel { display_name: "new".into(), ..IssueModel::default() }.encode_to_vec());
        assert_eq!(text(&bytes, 2), "new");
    }

    #[test]
    fn a_message_that_is_cut_within_a_field_is_not_whole() {
        let bytes = IssueModel { display_name: "old".into(), ..IssueModel::default() }.encode_to_vec();
        assert!(is_whole(&bytes) && is_whole(&[]));
        assert!((1..bytes.len()).all(|cut| !is_whole(&bytes[..cut])));
    }

    #[test]
    fn packed_numbers_are_read_one_by_one() {
        assert_eq!(packed_varints(&[1, 0x80, 1, 3]).collect::<Vec<_>>(), [1, 128, 3]);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(fields(&bytes).count() <= bytes.len());
            let _ = (seconds_nanos(&bytes), entry(&bytes), text(&bytes, 1), packed_varints(&bytes).count());
        }
    }
}
