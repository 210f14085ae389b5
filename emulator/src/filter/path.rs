//! From what a filter calls a field to where its values are in encoded bytes.

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use crate::edit_distance::edit_distance;
use crate::message::wire::{self, Wire};
use crate::work::Work;

/// The way from a message to the values of a field in it.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    steps: Vec<Step>,
    leaf: Leaf,
}

#[derive(Clone, Debug)]
enum Step {
    /// Into the message of a singular field. If it is unset there are no values, whatever is asked of them (AIP-160).
    Into(u32),
    /// Into every message of a repeated field, or every entry of a map.
    Each(u32),
    /// Into the entry of a map that has this key.
    Key(u32, String),
}

/// The last field on the way.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    number: u32,
    shape: Shape,
    pub(crate) kind: LeafKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Unset is its zero.
    Plain,
    /// Unset is absence.
    Optional,
    /// Of an entry of a map: not written is zero, and yet it is there.
    Value,
    Repeated,
    /// A map, of which the keys are seen.
    Map,
}

/// What a field holds, as far as comparisons go.
#[derive(Clone, Debug)]
pub(crate) enum LeafKind {
    Bool,
    Int,
    Uint,
    Zigzag,
    Float,
    Double,
    Text,
    Enum(EnumDescriptor),
    Time,
    Span,
    Message(MessageDescriptor),
}

/// One value that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Bool(bool),
    Int(i128),
    Number(f64),
    Text(&'a str),
    /// Seconds and nanoseconds, of a time or of a duration.
    Time((i64, i32)),
    Message,
}

impl Cell<'_> {
    fn is_zero(self) -> bool {
        match self {
            Cell::Bool(value) => !value,
            Cell::Int(value) => value == 0,
            Cell::Number(value) => value == 0.0,
            Cell::Text(value) => value.is_empty(),
            Cell::Time(_) | Cell::Message => false,
        }
    }
}

impl Path {
    /// Finds the field that `names` lead to. Into lists only `:` looks (AIP-160), which is what `lists` allows.
    pub(crate) fn resolve(root: &MessageDescriptor, names: &[&str], lists: bool) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut message = root.clone();
        let mut names = names.iter().copied();
        let mut name = names.next().ok_or("a field is missing")?;
        loop {
            let field = message.get_field_by_name(name).ok_or_else(|| unknown(name, &message))?;
            let Some(next) = names.next() else {
                return Ok(Self { steps, leaf: Leaf::of(&field, lists)? });
            };
            name = next;
            if field.is_map() {
                steps.push(Step::Key(field.number(), next.to_owned()));
                let Kind::Message(entry) = field.kind() else { return Err(unknown(next, &message)) };
                let value = entry.map_entry_value_field();
                let Some(next) = names.next() else {
                    let leaf = Leaf { shape: Shape::Value, ..Leaf::of(&value, lists)? };
                    return Ok(Self { steps, leaf });
                };
                name = next;
                steps.push(Step::Into(value.number()));
                message = inside(&value)?;
            } else if field.is_list() {
                if next.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(format!("`{}` is a list, and cannot be indexed", field.name()));
                }
                only_has(&field, lists)?;
                steps.push(Step::Each(field.number()));
                message = inside(&field)?;
            } else {
                steps.push(Step::Into(field.number()));
                message = inside(&field)?;
            }
        }
    }

    pub(crate) fn leaf(&self) -> &LeafKind {
        &self.leaf.kind
    }

    /// The number of the field, if it is one of the message itself.
    pub(crate) fn top_level(&self) -> Option<u32> {
        self.steps.is_empty().then_some(self.leaf.number)
    }

    /// Whether only the keys of a map are seen.
    pub(crate) fn is_map(&self) -> bool {
        self.leaf.shape == Shape::Map
    }

    /// Whether any value passes `test`. Each field that is looked at is a step.
    pub(crate) fn any<'a>(
        &self,
        message: &'a [u8],
        work: &Work,
        mut test: impl FnMut(Cell<'a>) -> bool,
    ) -> bool {
        walk(&self.steps, &self.leaf, message, work, &mut test)
    }

    /// The first value.
    pub(crate) fn first<'a>(&self, message: &'a [u8], work: &Work) -> Option<Cell<'a>> {
        let mut found = None;
        self.any(message, work, |cell| {
            found = Some(cell);
            true
        });
        found
    }

    /// Whether there is a value, other than the zero of a field for which unset is zero.
    pub(crate) fn is_present(&self, message: &[u8], work: &Work) -> bool {
        let zero_is_absence = self.leaf.shape == Shape::Plain;
        self.any(message, work, |cell| !(zero_is_absence && cell.is_zero()))
    }
}

fn walk<'a, F: FnMut(Cell<'a>) -> bool>(
    steps: &[Step],
    leaf: &Leaf,
    message: &'a [u8],
    work: &Work,
    test: &mut F,
) -> bool {
    let Some((step, rest)) = steps.split_first() else { return leaf.any(message, work, test) };
    match step {
        Step::Into(number) => each(message, *number, work)
            .last()
            .is_some_and(|found| walk(rest, leaf, found.bytes(), work, test)),
        Step::Each(number) => {
            each(message, *number, work).any(|found| walk(rest, leaf, found.bytes(), work, test))
        }
        Step::Key(number, key) => each(message, *number, work).any(|found| {
            wire::text(found.bytes(), 1) == key.as_str() && walk(rest, leaf, found.bytes(), work, test)
        }),
    }
}

/// The values of a field. Whatever is passed over on the way is looked at too.
fn each<'a, 'w>(
    message: &'a [u8],
    wanted: u32,
    work: &'w Work,
) -> impl Iterator<Item = Wire<'a>> + use<'a, 'w> {
    let looked_at = wire::fields(message).inspect(|_| work.step());
    looked_at.filter(move |(number, _)| *number == wanted).map(|(_, found)| found)
}

impl Leaf {
    fn of(field: &FieldDescriptor, lists: bool) -> Result<Self, String> {
        if field.is_list() || field.is_map() {
            only_has(field, lists)?;
        }
        if field.is_map() {
            return Ok(Self { number: field.number(), shape: Shape::Map, kind: LeafKind::Text });
        }
        let kind = match field.kind() {
            Kind::Bool => LeafKind::Bool,
            Kind::Int32 | Kind::Int64 | Kind::Sfixed32 | Kind::Sfixed64 => LeafKind::Int,
            Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => LeafKind::Uint,
            Kind::Sint32 | Kind::Sint64 => LeafKind::Zigzag,
            Kind::Float => LeafKind::Float,
            Kind::Double => LeafKind::Double,
            Kind::String | Kind::Bytes => LeafKind::Text,
            Kind::Enum(values) => LeafKind::Enum(values),
            Kind::Message(message) => match message.full_name() {
                "google.protobuf.Timestamp" => LeafKind::Time,
                "google.protobuf.Duration" => LeafKind::Span,
                _ => LeafKind::Message(message),
            },
        };
        let shape = match field.cardinality() {
            Cardinality::Repeated => Shape::Repeated,
            _ if field.supports_presence() => Shape::Optional,
            _ => Shape::Plain,
        };
        Ok(Self { number: field.number(), shape, kind })
    }

    fn any<'a, F: FnMut(Cell<'a>) -> bool>(&self, message: &'a [u8], work: &Work, test: &mut F) -> bool {
        let mut each = each(message, self.number, work);
        match self.shape {
            Shape::Plain | Shape::Value => {
                let found = each.last().map_or_else(|| self.zero(), |found| self.cell(found));
                test(found)
            }
            Shape::Optional => each.last().is_some_and(|found| test(self.cell(found))),
            Shape::Map => each.any(|found| test(Cell::Text(wire::text(found.bytes(), 1)))),
            Shape::Repeated => each.any(|found| match (found, &self.kind) {
                (
                    Wire::Bytes(packed),
                    LeafKind::Bool | LeafKind::Int | LeafKind::Uint | LeafKind::Zigzag | LeafKind::Enum(_),
                ) => wire::packed_varints(packed).any(|value| test(self.cell(Wire::Varint(value)))),
                _ => test(self.cell(found)),
            }),
        }
    }

    fn zero(&self) -> Cell<'static> {
        match self.kind {
            LeafKind::Bool => Cell::Bool(false),
            LeafKind::Int | LeafKind::Uint | LeafKind::Zigzag | LeafKind::Enum(_) => Cell::Int(0),
            LeafKind::Float | LeafKind::Double => Cell::Number(0.0),
            LeafKind::Text => Cell::Text(""),
            LeafKind::Time | LeafKind::Span => Cell::Time((0, 0)),
            LeafKind::Message(_) => Cell::Message,
        }
    }

    fn cell<'a>(&self, found: Wire<'a>) -> Cell<'a> {
        match self.kind {
            LeafKind::Bool => Cell::Bool(found.varint() != 0),
            LeafKind::Int | LeafKind::Enum(_) => Cell::Int(match found {
                Wire::Fixed32(value) => value.cast_signed().into(),
                Wire::Fixed64(value) => value.cast_signed().into(),
                other => other.varint().cast_signed().into(),
            }),
            LeafKind::Uint => Cell::Int(match found {
                Wire::Fixed32(value) => value.into(),
                Wire::Fixed64(value) => value.into(),
                other => other.varint().into(),
            }),
            LeafKind::Zigzag => {
                let value = found.varint();
                Cell::Int(((value >> 1).cast_signed() ^ -((value & 1).cast_signed())).into())
            }
            LeafKind::Float | LeafKind::Double => Cell::Number(match found {
                Wire::Fixed32(bits) => f32::from_bits(bits).into(),
                Wire::Fixed64(bits) => f64::from_bits(bits),
                Wire::Varint(_) | Wire::Bytes(_) => 0.0,
            }),
            LeafKind::Text => Cell::Text(str::from_utf8(found.bytes()).unwrap_or_default()),
            LeafKind::Time | LeafKind::Span => Cell::Time(wire::seconds_nanos(found.bytes())),
            LeafKind::Message(_) => Cell::Message,
        }
    }
}

fn inside(field: &FieldDescriptor) -> Result<MessageDescriptor, String> {
    match field.kind() {
        Kind::Message(message) => Ok(message),
        _ => Err(format!("`{}` has no fields", field.name())),
    }
}

fn only_has(field: &FieldDescriptor, lists: bool) -> Result<(), String> {
    if lists {
        return Ok(());
    }
    let what = if field.is_map() { "a map" } else { "a list" };
    Err(format!("`{}` is {what}: only `:` looks into it", field.name()))
}

fn unknown(name: &str, message: &MessageDescriptor) -> String {
    let fields: Vec<_> = message.fields().collect();
    let nearest = fields.iter().map(FieldDescriptor::name).min_by_key(|known| edit_distance(name, known));
    let hint = nearest.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
    format!("`{}` has no field `{name}`{hint}", message.name())
}
