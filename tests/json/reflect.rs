//! Messages of every type with random contents print and read as prost-reflect has them.
//!
//! Left out is where the two differ: prost-reflect refuses an `Any` of unknown type, rounds no float as protobuf-python
//! does below the normal ones, and takes `-0.0` for absence.

use std::sync::OnceLock;

use contact_center_insights::json::{Printer, Reader};
use contact_center_insights::proto::FILE_DESCRIPTOR_SET;
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, SerializeOptions, Value,
};

fn messages() -> &'static [MessageDescriptor] {
    static MESSAGES: OnceLock<Vec<MessageDescriptor>> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let is_ours = |message: &MessageDescriptor| {
            !message.is_map_entry()
                && ["google.cloud.", "google.longrunning.", "google.rpc."]
                    .iter()
                    .any(|package| message.full_name().starts_with(package))
        };
        pool.all_messages().filter(is_ours).collect()
    })
}

/// Random choices from a seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    fn text(&mut self) -> String {
        const LETTERS: [&str; 10] = ["a", "Z", "é", "漢", "\"", "\\", "\n", "\u{1}", "😀", "/"];
        (0..self.below(6)).map(|_| LETTERS[usize::try_from(self.below(10)).unwrap()]).collect()
    }

    /// Of any magnitude, and never zero, infinite or no number. One in eight is a number of quarters, many of which are
    /// midway between two of the fewest digits.
    fn double(&mut self) -> f64 {
        if self.below(8) == 0 {
            return f64::from_bits(0x4310_0000_0000_0001 | (self.next() >> 12));
        }
        Some(f64::from_bits(self.next())).filter(|value| value.is_normal()).unwrap_or(0.5)
    }

    #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
    fn float(&mut self) -> f32 {
        if self.below(8) == 0 {
            return f32::from_bits(0x4a00_0001 | (self.next() >> 41) as u32);
        }
        Some(f32::from_bits(self.next() as u32)).filter(|value| value.is_normal()).unwrap_or(0.5)
    }

    fn message(&mut self, descriptor: &MessageDescriptor, depth: u64) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        match descriptor.full_name() {
            "google.protobuf.Timestamp" => {
                message
                    .set_field_by_number(1, Value::I64(i64::try_from(self.below(253_402_300_800)).unwrap()));
                message.set_field_by_number(2, Value::I32(i32::try_from(self.below(1_000_000_000)).unwrap()));
            }
            "google.protobuf.Duration" => {
                message
                    .set_field_by_number(1, Value::I64(-i64::try_from(self.below(315_576_000_000)).unwrap()));
                message.set_field_by_number(
                    2,
                    Value::I32(-i32::try_from(self.below(1000)).unwrap() * 1_000_000),
                );
            }
            "google.protobuf.FieldMask" => {
                let paths = (0..self.below(3)).map(|n| Value::String(format!("path_a{n}.b_c")));
                message.set_field_by_number(1, Value::List(paths.collect()));
            }
            "google.protobuf.Any" => {
                let all = messages();
                let inner = &all[usize::try_from(self.below(all.len() as u64)).unwrap()];
                let value = self.message(inner, depth).encode_to_vec();
                let url = format!("type.googleapis.com/{}", inner.full_name());
                message.set_field_by_number(1, Value::String(url));
                message.set_field_by_number(2, Value::Bytes(value.into()));
            }
            _ => {
                for field in descriptor.fields() {
                    let is_message = matches!(field.kind(), Kind::Message(_));
                    if self.below(3) == 0 && (depth > 0 || !is_message) {
                        message.set_field(&field, self.field(&field, depth.saturating_sub(1)));
                    }
                }
            }
        }
        message
    }

    fn field(&mut self, field: &FieldDescriptor, depth: u64) -> Value {
        if let (Kind::Message(entry), true) = (field.kind(), field.is_map()) {
            // One entry: those of several have no order there.
            let key = match self.value(&entry.map_entry_key_field().kind(), depth) {
                Value::String(key) => MapKey::String(key),
                other => panic!("a map with the key {other:?}"),
            };
            let value = self.value(&entry.map_entry_value_field().kind(), depth);
            return Value::Map([(key, value)].into());
        }
        if field.is_list() {
            return Value::List((0..=self.below(2)).map(|_| self.value(&field.kind(), depth)).collect());
        }
        self.value(&field.kind(), depth)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "any bits will do")]
    fn value(&mut self, kind: &Kind, depth: u64) -> Value {
        match kind {
            Kind::Double => Value::F64(self.double()),
            Kind::Float => Value::F32(self.float()),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.next() as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.next() as i64),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.next() as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.next()),
            Kind::Bool => Value::Bool(self.below(2) == 0),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(self.text().into_bytes().into()),
            Kind::Enum(_) => Value::EnumNumber(i32::try_from(self.below(12)).unwrap()),
            Kind::Message(message) => Value::Message(self.message(message, depth)),
        }
    }
}

fn reflected(message: &DynamicMessage) -> serde_json::Value {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut out);
    message.serialize_with_options(&mut serializer, &SerializeOptions::new()).unwrap();
    serde_json::from_slice(&out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_messages_are_as_prost_reflect_has_them(seed in 1_u64.., index in any::<prop::sample::Index>()) {
        let descriptor = index.get(messages());
        let name = descriptor.full_name();
        let bytes = Random(seed).message(descriptor, 4).encode_to_vec();
        // Without the defaults that were set to no effect. What prost-reflect makes of its own text is not asked: some spans
        // of time come back to it changed.
        let message = DynamicMessage::decode(descriptor.clone(), bytes.as_slice()).unwrap();

        let text = Printer::new().text(name, &bytes).unwrap();
        let printed: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&printed, &reflected(&message), "{}", name);
        prop_assert_eq!(&Printer::new().value(name, &bytes).unwrap(), &printed);
        let pretty = Printer::new().pretty(true).text(name, &bytes).unwrap();
        prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&pretty).unwrap(), &printed);

        for read in [Reader::new().bytes(name, &text).unwrap(), Reader::new().bytes(name, &printed).unwrap()] {
            let back = DynamicMessage::decode(descriptor.clone(), read.value.as_slice()).unwrap();
            // Within an `Any`, an empty value of a map has two encodings.
            let is_same = back == message
                || (text.contains("\"@type\"") && reflected(&back) == reflected(&message));
            prop_assert!(is_same, "{}: {}", name, text);
            prop_assert!(read.skipped.is_empty());
        }
    }

    #[test]
    fn no_bytes_panic_and_what_is_printed_reads_back(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        index in any::<prop::sample::Index>(),
    ) {
        let name = index.get(messages()).full_name();
        if let Ok(text) = Printer::new().raw_fields(true).text(name, &bytes) {
            let read = Reader::new().bytes(name, &text).unwrap();
            let again = Printer::new().raw_fields(true).text(name, &read.value).unwrap();
            prop_assert_eq!(again, text);
        }
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]{}\":,0-9a-z@\\\\.+ -]{0,60}", index in any::<prop::sample::Index>()) {
        let name = index.get(messages()).full_name();
        let _ = Reader::new().bytes(name, &text);
        let _ = Reader::new().ignore_unknown(true).bytes(name, &text);
    }
}
