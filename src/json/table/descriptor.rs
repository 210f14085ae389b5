//! Reads a serialized `FileDescriptorSet` into tables, without a message for each of its parts: it is read at the
//! start of short-lived programs.

use std::collections::HashMap;

use super::super::wire::{Cursor, Wire};
use super::{Enum, Field, Form, Kind, Message, Shape, Tables};

/// A message before its fields are resolved.
struct Draft {
    bytes: &'static [u8],
    is_proto3: bool,
    /// Those of an entry of a map: key and value.
    entry: Option<(Kind, Kind)>,
}

#[derive(Default)]
struct Drafts {
    messages: Vec<Draft>,
    names: Vec<String>,
    enums: Vec<Enum>,
    messages_by_name: HashMap<String, usize>,
    enums_by_name: HashMap<String, usize>,
}

impl Tables {
    /// Reads descriptors; what is torn in them is left out.
    pub(in super::super) fn read(set: &'static [u8]) -> Self {
        let mut drafts = Drafts::default();
        for file in nested(set, 1) {
            let package = text(file, 2);
            let is_proto3 = text(file, 12) == "proto3";
            nested(file, 5).for_each(|bytes| drafts.enumeration(bytes, package));
            nested(file, 4).for_each(|bytes| drafts.message(bytes, package, is_proto3));
        }
        drafts.finish()
    }
}

impl Drafts {
    fn message(&mut self, bytes: &'static [u8], scope: &str, is_proto3: bool) {
        let name = join(scope, text(bytes, 1));
        nested(bytes, 4).for_each(|inner| self.enumeration(inner, &name));
        nested(bytes, 3).for_each(|inner| self.message(inner, &name, is_proto3));
        let is_entry = nested(bytes, 7).any(|options| number(options, 7) == 1);
        let entry = is_entry.then_some((Kind::String, Kind::String));
        self.messages_by_name.insert(name.clone(), self.messages.len());
        self.messages.push(Draft { bytes, is_proto3, entry });
        self.names.push(name);
    }

    fn enumeration(&mut self, bytes: &'static [u8], scope: &str) {
        let name = join(scope, text(bytes, 1));
        #[allow(clippy::cast_possible_truncation, reason = "an int32 travels sign-extended")]
        let values = nested(bytes, 2).map(|value| (text(value, 1), number(value, 2) as i32)).collect();
        self.enums_by_name.insert(name.clone(), self.enums.len());
        self.enums.push(Enum { name, values });
    }

    fn finish(mut self) -> Tables {
        for index in 0..self.messages.len() {
            let Some(Draft { bytes, entry: Some(_), .. }) = self.messages.get(index) else { continue };
            let kinds: Vec<Kind> = nested(bytes, 2).filter_map(|field| self.kind(field)).collect();
            if let (&[key, value], Some(draft)) = (kinds.as_slice(), self.messages.get_mut(index)) {
                draft.entry = Some((key, value));
            }
        }
        let messages: Vec<Message> =
            self.messages.iter().zip(&self.names).map(|(draft, name)| self.resolve(draft, name)).collect();
        Tables { messages, enums: self.enums, names: self.messages_by_name, ..Tables::default() }
    }

    fn resolve(&self, draft: &Draft, name: &str) -> Message {
        let mut fields: Vec<(&'static str, Field)> =
            nested(draft.bytes, 2).filter_map(|bytes| self.field(bytes, draft.is_proto3)).collect();
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
        Message { name: name.to_owned(), fields, spellings }
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
                Kind::Message(Form::Plain(index)) => self.messages.get(index).and_then(|draft| draft.entry),
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

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
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
