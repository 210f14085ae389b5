//! Values that are not messages.

use std::borrow::Cow;

use base64::Engine as _;

use super::super::table::{Field, Kind, Shape};
use super::super::wire::{Cursor, Torn, Wire, unzigzag};
use super::context::Print;
use super::sink::{Sink, push_int, push_uint};
use crate::status::BASE64;

const OTHER_KIND: Torn = Torn("a field has the wire type of another kind");

/// Whether a field can have come like this.
pub(super) fn suits(field: &Field, value: Wire<'_>) -> bool {
    match field.shape {
        Shape::Map(_) => matches!(value, Wire::Bytes(_)),
        Shape::List { .. } if field.kind.is_packable() && matches!(value, Wire::Bytes(_)) => true,
        _ => suits_kind(field.kind, value),
    }
}

pub(super) fn suits_kind(kind: Kind, value: Wire<'_>) -> bool {
    match kind {
        Kind::String | Kind::Bytes | Kind::Message(_) => matches!(value, Wire::Bytes(_)),
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => matches!(value, Wire::Fixed64(_)),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => matches!(value, Wire::Fixed32(_)),
        _ => matches!(value, Wire::Varint(_)),
    }
}

/// The next of a list of numbers that came in one piece.
pub(super) fn next_packed<'a>(cursor: &mut Cursor<'a>, kind: Kind) -> Result<Option<Wire<'a>>, Torn> {
    if cursor.is_empty() {
        return Ok(None);
    }
    Ok(Some(match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64(cursor.fixed64()?),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32(cursor.fixed32()?),
        _ => Wire::Varint(cursor.varint()?),
    }))
}

/// Whether a value is what absence stands for. `-0.0` is not, nor was it sent as that.
#[allow(clippy::cast_possible_truncation, reason = "32-bit kinds travel in 64 bits")]
pub(super) fn is_default(kind: Kind, value: Wire<'_>) -> bool {
    match (kind, value) {
        (_, Wire::Bytes(bytes)) => bytes.is_empty(),
        (Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Enum(_) | Kind::Null, Wire::Varint(value)) => {
            value as u32 == 0
        }
        (_, Wire::Varint(value) | Wire::Fixed64(value)) => value == 0,
        (_, Wire::Fixed32(value)) => value == 0,
        (_, Wire::Group) => true,
    }
}

/// A key of a map, as text.
pub(super) fn key_of(kind: Kind, value: Wire<'_>) -> Result<Cow<'_, str>, Torn> {
    Ok(match (kind, value) {
        (Kind::String, Wire::Bytes(bytes)) => Cow::Borrowed(utf8(bytes)?),
        (Kind::Bool, Wire::Varint(value)) => Cow::Borrowed(if value == 0 { "false" } else { "true" }),
        _ => match whole(kind, value).ok_or(OTHER_KIND)? {
            Whole::Signed(value) => Cow::Owned(value.to_string()),
            Whole::Unsigned(value) => Cow::Owned(value.to_string()),
        },
    })
}

enum Whole {
    Signed(i64),
    Unsigned(u64),
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "numbers travel as the bits of a wider or an unsigned one"
)]
fn whole(kind: Kind, value: Wire<'_>) -> Option<Whole> {
    Some(match (kind, value) {
        (Kind::Int64, Wire::Varint(value)) | (Kind::Sfixed64, Wire::Fixed64(value)) => {
            Whole::Signed(value as i64)
        }
        (Kind::Uint64, Wire::Varint(value)) | (Kind::Fixed64, Wire::Fixed64(value)) => Whole::Unsigned(value),
        (Kind::Sint64, Wire::Varint(value)) => Whole::Signed(unzigzag(value)),
        (Kind::Int32, Wire::Varint(value)) => Whole::Signed(i64::from(value as i32)),
        (Kind::Uint32, Wire::Varint(value)) => Whole::Unsigned(u64::from(value as u32)),
        (Kind::Sint32, Wire::Varint(value)) => {
            Whole::Signed(i64::from(unzigzag(u64::from(value as u32)) as i32))
        }
        (Kind::Sfixed32, Wire::Fixed32(value)) => Whole::Signed(i64::from(value as i32)),
        (Kind::Fixed32, Wire::Fixed32(value)) => Whole::Unsigned(u64::from(value)),
        _ => return None,
    })
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Torn> {
    std::str::from_utf8(bytes).map_err(|_| Torn("a string is not UTF-8"))
}

impl<S: Sink> Print<'_, S> {
    /// Prints a value that is not a message.
    pub(super) fn scalar(&mut self, kind: Kind, value: Wire<'_>) -> Result<(), Torn> {
        match (kind, value) {
            (Kind::String, Wire::Bytes(bytes)) => self.sink.string(utf8(bytes)?),
            (Kind::Bytes, Wire::Bytes(bytes)) => self.base64(bytes),
            (Kind::Bool, Wire::Varint(value)) => self.sink.bool(value != 0),
            (Kind::Double, Wire::Fixed64(bits)) => self.double(f64::from_bits(bits)),
            (Kind::Float, Wire::Fixed32(bits)) => {
                let value = f32::from_bits(bits);
                if value.is_finite() { self.sink.float(value) } else { self.double(value.into()) }
            }
            (Kind::Enum(index), Wire::Varint(value)) => self.enumeration(index, value),
            (Kind::Null, _) => self.sink.null(),
            _ => self.whole(kind, value)?,
        }
        Ok(())
    }

    pub(super) fn base64(&mut self, bytes: &[u8]) {
        self.sink.plain(|out| BASE64.encode_string(bytes, out));
    }

    /// JSON has numbers for what is finite alone.
    fn double(&mut self, value: f64) {
        if value.is_finite() {
            self.sink.double(value);
        } else if value.is_nan() {
            self.sink.string("NaN");
        } else {
            self.sink.string(if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
    }

    fn enumeration(&mut self, index: usize, value: u64) {
        #[allow(clippy::cast_possible_truncation, reason = "an enum travels as an int32, sign-extended")]
        let number = value as i32;
        let name = if self.numbers_for_enums { None } else { self.tables.enumeration(index).name_of(number) };
        match name {
            Some(name) => self.sink.string(name),
            None => self.sink.int(number.into()),
        }
    }

    /// JavaScript's numbers cannot hold 64 bits, so that those are strings.
    fn whole(&mut self, kind: Kind, value: Wire<'_>) -> Result<(), Torn> {
        let is_long =
            matches!(kind, Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64);
        match whole(kind, value).ok_or(OTHER_KIND)? {
            Whole::Signed(value) if is_long => self.sink.plain(|out| push_int(out, value)),
            Whole::Unsigned(value) if is_long => self.sink.plain(|out| push_uint(out, value)),
            Whole::Signed(value) => self.sink.int(value),
            Whole::Unsigned(value) => self.sink.int(i64::try_from(value).unwrap_or(i64::MAX)),
        }
        Ok(())
    }
}
