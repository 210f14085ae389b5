//! What printing and parsing look up about messages, fields and enums: made from the descriptors, each once, when it is
//! first asked for.

mod descriptor;

use std::sync::OnceLock;

use self::descriptor::Index;
use crate::proto::FILE_DESCRIPTOR_SET;

/// Every message and enum of a set of descriptors.
#[derive(Debug, Default)]
pub(super) struct Tables {
    index: Index,
    messages: Vec<OnceLock<Message>>,
    enums: Vec<OnceLock<Enum>>,
    none: (Message, Enum),
}

/// One message.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// Full name.
    pub(super) name: Box<str>,
    /// In the order of their numbers.
    fields: Vec<Field>,
    /// Both spellings of every field, in order, with its place in `fields`.
    spellings: Vec<(&'static str, usize)>,
}

/// One field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    /// As JSON spells it.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    /// Whether the default is told from absence.
    pub(super) has_presence: bool,
    /// The place of its oneof in the message, those of `optional` fields among them.
    pub(super) oneof: Option<u32>,
}

/// How often a field may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Single,
    /// A list; whether its numbers travel in one piece.
    List {
        packed: bool,
    },
    /// A map with keys of this kind; the field's own kind is that of the values.
    Map(Kind),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    Bytes,
    Uint32,
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
    Enum(usize),
    /// `google.protobuf.NullValue`.
    Null,
    Message(Form),
}

/// How a message looks in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An object with its fields.
    Plain(usize),
    Any,
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    Value,
    List,
    Wrapper(Wrapped),
}

/// What a wrapper message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapped {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Uint32,
    Bool,
    String,
    Bytes,
}

/// One enum.
#[derive(Debug, Default)]
pub(super) struct Enum {
    pub(super) name: Box<str>,
    /// In the order of the descriptors, aliases among them.
    values: Vec<(&'static str, i32)>,
}

impl Tables {
    /// Those of this API.
    pub(super) fn get() -> &'static Self {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        TABLES.get_or_init(|| Self::read(FILE_DESCRIPTOR_SET))
    }

    /// Reads descriptors; what is torn in them is left out.
    pub(super) fn read(set: &'static [u8]) -> Self {
        let index = Index::read(set);
        let (messages, enums) = index.counts();
        Self {
            index,
            messages: std::iter::repeat_with(OnceLock::new).take(messages).collect(),
            enums: std::iter::repeat_with(OnceLock::new).take(enums).collect(),
            none: Default::default(),
        }
    }

    /// The form of the message of this full name.
    pub(super) fn form(&self, name: &str) -> Option<Form> {
        Form::well_known(name).or_else(|| self.index.messages_by_name.get(name).copied().map(Form::Plain))
    }

    pub(super) fn message(&self, index: usize) -> &Message {
        let message = self.messages.get(index);
        message
            .map_or(&self.none.0, |cell| cell.get_or_init(|| self.index.message(index).unwrap_or_default()))
    }

    pub(super) fn enumeration(&self, index: usize) -> &Enum {
        let known = self.enums.get(index);
        known.map_or(&self.none.1, |cell| {
            cell.get_or_init(|| self.index.enumeration(index).unwrap_or_default())
        })
    }

    /// How an error calls what has this form.
    pub(super) fn name(&self, form: Form) -> &str {
        match form {
            Form::Plain(index) => &self.message(index).name,
            other => WELL_KNOWN.iter().find(|(_, form)| *form == other).map_or("", |(name, _)| name),
        }
    }
}

impl Message {
    /// The field of a number. Most messages number theirs from 1 on.
    #[inline]
    pub(super) fn by_number(&self, number: u32) -> Option<&Field> {
        let guess = self.fields.get((number as usize).wrapping_sub(1));
        guess.filter(|field| field.number == number).or_else(|| self.search(number))
    }

    fn search(&self, number: u32) -> Option<&Field> {
        let place = self.fields.binary_search_by_key(&number, |field| field.number).ok()?;
        self.fields.get(place)
    }

    /// The field of a name, in the spelling of JSON or of the proto.
    pub(super) fn by_name(&self, name: &str) -> Option<&Field> {
        let place = self.spellings.binary_search_by_key(&name, |(spelling, _)| spelling).ok()?;
        self.fields.get(self.spellings.get(place)?.1)
    }
}

impl Enum {
    /// The first name of a number: an alias has others.
    pub(super) fn name_of(&self, number: i32) -> Option<&'static str> {
        self.values.iter().find(|(_, value)| *value == number).map(|(name, _)| *name)
    }

    pub(super) fn number_of(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }
}

impl Kind {
    /// Whether a list of these may travel in one piece.
    pub(super) fn is_packable(self) -> bool {
        !matches!(self, Self::String | Self::Bytes | Self::Message(_))
    }
}

const WELL_KNOWN: [(&str, Form); 16] = [
    ("google.protobuf.Any", Form::Any),
    ("google.protobuf.Timestamp", Form::Timestamp),
    ("google.protobuf.Duration", Form::Duration),
    ("google.protobuf.FieldMask", Form::FieldMask),
    ("google.protobuf.Struct", Form::Struct),
    ("google.protobuf.Value", Form::Value),
    ("google.protobuf.ListValue", Form::List),
    ("google.protobuf.DoubleValue", Form::Wrapper(Wrapped::Double)),
    ("google.protobuf.FloatValue", Form::Wrapper(Wrapped::Float)),
    ("google.protobuf.Int64Value", Form::Wrapper(Wrapped::Int64)),
    ("google.protobuf.UInt64Value", Form::Wrapper(Wrapped::Uint64)),
    ("google.protobuf.Int32Value", Form::Wrapper(Wrapped::Int32)),
    ("google.protobuf.UInt32Value", Form::Wrapper(Wrapped::Uint32)),
    ("google.protobuf.BoolValue", Form::Wrapper(Wrapped::Bool)),
    ("google.protobuf.StringValue", Form::Wrapper(Wrapped::String)),
    ("google.protobuf.BytesValue", Form::Wrapper(Wrapped::Bytes)),
];

impl Form {
    fn well_known(name: &str) -> Option<Self> {
        if !name.starts_with("google.protobuf.") {
            return None;
        }
        WELL_KNOWN.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
    }
}

impl Wrapped {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Double => Kind::Double,
            Self::Float => Kind::Float,
            Self::Int64 => Kind::Int64,
            Self::Uint64 => Kind::Uint64,
            Self::Int32 => Kind::Int32,
            Self::Uint32 => Kind::Uint32,
            Self::Bool => Kind::Bool,
            Self::String => Kind::String,
            Self::Bytes => Kind::Bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every message, field and enum, against what prost-reflect reads from the same descriptors.
    #[test]
    fn the_tables_are_what_the_descriptors_state() {
        let pool = prost_reflect::DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let tables = Tables::get();
        let mut count = 0;
        for wanted in pool.all_messages().filter(|message| !message.is_map_entry()) {
            let Some(Form::Plain(index)) = tables.form(wanted.full_name()) else {
                assert!(Form::well_known(wanted.full_name()).is_some(), "{}", wanted.full_name());
                continue;
            };
            let found = tables.message(index);
            assert_eq!(&*found.name, wanted.full_name());
            assert_eq!(found.fields.len(), wanted.fields().len(), "{}", found.name);
            for field in wanted.fields() {
                let ours = found.by_number(field.number()).unwrap();
                let name = field.full_name();
                assert_eq!(ours.name, field.json_name(), "{name}");
                assert!(std::ptr::eq(found.by_name(field.name()).unwrap(), ours), "{name}");
                assert!(std::ptr::eq(found.by_name(field.json_name()).unwrap(), ours), "{name}");
                assert_eq!(ours.has_presence, field.supports_presence(), "{name}");
                assert_eq!(ours.oneof.is_some(), field.containing_oneof().is_some(), "{name}");
                assert_eq!(matches!(ours.shape, Shape::Map(_)), field.is_map(), "{name}");
                assert_eq!(matches!(ours.shape, Shape::List { .. }), field.is_list(), "{name}");
                if let Shape::List { packed } = ours.shape {
                    assert_eq!(packed, field.is_packed(), "{name}");
                }
                count += 1;
            }
        }
        assert!(count > 500, "{count}");
        for wanted in pool.all_enums() {
            let mut known = (0..tables.enums.len()).map(|index| tables.enumeration(index));
            let found = known.find(|found| &*found.name == wanted.full_name()).unwrap();
            for value in wanted.values() {
                assert_eq!(found.number_of(value.name()), Some(value.number()));
                let first = wanted.get_value(value.number()).unwrap();
                assert_eq!(found.name_of(value.number()), Some(first.name()));
            }
            assert_eq!(found.name_of(i32::MIN), None);
        }
    }

    #[test]
    fn descriptors_that_are_torn_give_what_can_be_read() {
        for end in (0..FILE_DESCRIPTOR_SET.len()).step_by(997) {
            let tables = Tables::read(FILE_DESCRIPTOR_SET.get(..end).unwrap());
            assert!(tables.messages.len() <= Tables::get().messages.len());
        }
    }
}
