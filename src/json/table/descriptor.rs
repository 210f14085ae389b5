//! Reads a serialized `FileDescriptorSet` into tables, without a message for each of its parts. It is read at the start
//! of short-lived programs, which print a message or two: first come only the names, and the fields of a message or the
//! values of an enum once they are asked for.

use std::collections::HashMap;

use super::super::wire::{Cursor, Wire};
use super::{Enum, Field, Form, Kind, Message, Shape};

/// Where every message and enum stands in the descriptors.
#[derive(Debug, Default)]
pub(super) struct Index {
    messages: Vec<Place>,
    enums: Vec<Place>,
    pub(super) messages_by_name: HashMap<Box<str>, usize>,
    enums_by_name: HashMap<Box<str>, usize>,
}

/// A message or an enum, not read yet.
#[derive(Debug)]
struct Place {
    /// Full name.
    name: Box<str>,
    bytes: &'static [u8],
    is_proto3: bool,
}

impl Index {
    /// Reads descriptors; what is torn in them is left out.
    pub(super) fn read(set: &'static [u8]) -> Self {
        const LIKELY: usize = 512;
        let mut index = Self {
            messages: Vec::with_capacity(LIKELY),
            messages_by_name: HashMap::with_capacity(LIKELY),
            ..Self::default()
        };
        for file in nested(set, 1) {
            let package = text(file, 2);
            let is_proto3 = text(file, 12) == "proto3";
            for (number, bytes) in parts(file) {
                match number {
                    4 => index.add_message(bytes, package, is_proto3),
                    5 => index.add_enum(bytes, package, is_proto3),
                    _ => {}
                }
            }
        }
        index
    }

    fn add_message(&mut self, bytes: &'static [u8], scope: &str, is_proto3: bool) {
        let place = Place { name: join(scope, text(bytes, 1)), bytes, is_proto3 };
        for (number, inner) in parts(bytes) {
            match number {
                3 => self.add_message(inner, &place.name, is_proto3),
                4 => self.add_enum(inner, &place.name, is_proto3),
                _ => {}
            }
        }
        self.messages_by_name.insert(place.name.clone(), self.messages.len());
        self.messages.push(place);
    }

    fn add_enum(&mut self, bytes: &'static [u8], scope: &str, is_proto3: bool) {
        let place = Place { name: join(scope, text(bytes, 1)), bytes, is_proto3 };
        self.enums_by_name.insert(place.name.clone(), self.enums.len());
        self.enums.push(place);
    }

    /// How many messages there are, and how many enums.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.messages.len(), self.enums.len())
    }

    /// Reads an enum.
    pub(super) fn enumeration(&self, index: usize) -> Option<Enum> {
        let place = self.enums.get(index)?;
        #[allow(clippy::cast_possible_truncation, reason = "an int32 travels sign-extended")]
        let values = nested(place.bytes, 2).map(|value| (text(value, 1), number(value, 2) as i32)).collect();
        Some(Enum { name: place.name.clone(), values })
    }

    /// Reads a message.
    pub(super) fn message(&self, index: usize) -> Option<Message> {
        let place = self.messages.get(index)?;
        let mut fields: Vec<(&'static str, Field)> =
            nested(place.bytes, 2).filter_map(|bytes| self.field(bytes, place.is_proto3)).collect();
        fields.sort_by_key(|(_, field)| field.number);
        let mut spellings = Vec::with_capacity(2 * fields.len());
        for (place, (proto, field)) in fields.iter().enumerate() {
            spellings.push((field.name, false, place));
            spellings.push((*proto, true, place));
        }
        // The spelling of JSON comes first, should another field's name in the proto be the same.
        spellings.sort_unstable();
        spellings.dedup_by_key(|(spelling, ..)| *spelling);
        let spellings = spellings.into_iter().map(|(spelling, _, place)| (spelling, place)).collect();
        let fields = fields.into_iter().map(|(_, field)| field).collect();
        Some(Message { name: place.name.clone(), fields, spellings })
    }

    /// Key and value, if the message is the entry of a map.
    fn entry(&self, index: usize) -> Option<(Kind, Kind)> {
        let bytes = self.messages.get(index)?.bytes;
        if !nested(bytes, 7).any(|options| number(options, 7) == 1) {
            return None;
        }
        let mut kinds = nested(bytes, 2).map(|field| self.kind(field));
        match (kinds.next(), kinds.next(), kinds.next()) {
            (Some(Some(key)), Some(Some(value)), None) => Some((key, value)),
            _ => Some((Kind::String, Kind::String)),
        }
    }

    fn field(&self, bytes: &'static [u8], is_proto3: bool) -> Option<(&'static str, Field)> {
        const REPEATED: u64 = 3;
        let mut kind = self.kind(bytes)?;
        let mut shape = Shape::Single;
        if number(bytes, 4) == REPEATED {
            let stated = nested(bytes, 8).find_map(|options| find(options, 2));
            let packed = stated.map_or(is_proto3, |value| value == Wire::Varint(1));
            shape = Shape::List { packed: packed && kind.is_packable() };
            let entry = match kind {
                Kind::Message(Form::Plain(index)) => self.entry(index),
                _ => None,
            };
            if let Some((key, value)) = entry {
                (kind, shape) = (value, Shape::Map(key));
            }
        }
        let oneof = match find(bytes, 9) {
            Some(Wire::Varint(index)) => u32::try_from(index).ok(),
            _ => None,
        };
        let is_message = matches!(kind, Kind::Message(_));
        let has_presence = shape == Shape::Single && (is_message || oneof.is_some() || !is_proto3);
        let field = Field {
            number: u32::try_from(number(bytes, 3)).ok()?,
            name: text(bytes, 10),
            kind,
            shape,
            has_presence,
            oneof,
        };
        Some((text(bytes, 1), field))
    }

    /// The numbers of `FieldDescriptorProto.Type`. A group, or a type that is not in the set, has none.
    fn kind(&self, field: &'static [u8]) -> Option<Kind> {
        let target = || text(field, 6).trim_start_matches('.');
        Some(match number(field, 5) {
            1 => Kind::Double,
            2 => Kind::Float,
            3 => Kind::Int64,
            4 => Kind::Uint64,
            5 => Kind::Int32,
            6 => Kind::Fixed64,
            7 => Kind::Fixed32,
            8 => Kind::Bool,
            9 => Kind::String,
            11 => Kind::Message(
                Form::well_known(target())
                    .or_else(|| self.messages_by_name.get(target()).copied().map(Form::Plain))?,
            ),
            12 => Kind::Bytes,
            13 => Kind::Uint32,
            14 if target() == "google.protobuf.NullValue" => Kind::Null,
            14 => Kind::Enum(*self.enums_by_name.get(target())?),
            15 => Kind::Sfixed32,
            16 => Kind::Sfixed64,
            17 => Kind::Sint32,
            18 => Kind::Sint64,
            _ => return None,
        })
    }
}

fn join(scope: &str, name: &str) -> Box<str> {
    if scope.is_empty() { name.into() } else { [scope, ".", name].concat().into() }
}

/// All fields that hold bytes; what is torn ends them.
fn parts(bytes: &'static [u8]) -> impl Iterator<Item = (u32, &'static [u8])> {
    let mut cursor = Cursor::new(bytes);
    std::iter::from_fn(move || cursor.field().ok().flatten()).filter_map(|(number, value)| match value {
        Wire::Bytes(bytes) => Some((number, bytes)),
        _ => None,
    })
}

/// The values of one field; what is torn ends them.
fn values(bytes: &'static [u8], wanted: u32) -> impl Iterator<Item = Wire<'static>> {
    let mut cursor = Cursor::new(bytes);
    std::iter::from_fn(move || cursor.field().ok().flatten())
        .filter_map(move |(number, value)| (number == wanted).then_some(value))
}

fn nested(bytes: &'static [u8], wanted: u32) -> impl Iterator<Item = &'static [u8]> {
    values(bytes, wanted).filter_map(|value| match value {
        Wire::Bytes(bytes) => Some(bytes),
        _ => None,
    })
}

fn find(bytes: &'static [u8], wanted: u32) -> Option<Wire<'static>> {
    values(bytes, wanted).next()
}

fn text(bytes: &'static [u8], wanted: u32) -> &'static str {
    nested(bytes, wanted).next().and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
}

fn number(bytes: &'static [u8], wanted: u32) -> u64 {
    match find(bytes, wanted) {
        Some(Wire::Varint(value)) => value,
        _ => 0,
    }
}
