//! Values that are not messages.

use std::borrow::Cow;

use super::super::error::JsonError;
use super::super::node::Node;
use super::super::number::{float, int, whole};
use super::super::path::Path;
use super::super::table::Kind;
use super::super::wire::{put_bytes, put_tag, put_varint, zigzag};
use super::base64::decode;
use super::parser::{Parse, Parsed, Skip};

/// A value as it travels.
enum Scalar<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Cow<'a, [u8]>),
    /// The name of an enum's value that nobody knows, and is skipped.
    Skipped,
}

impl Scalar<'_> {
    fn is_default(&self) -> bool {
        match self {
            Self::Varint(value) | Self::Fixed64(value) => *value == 0,
            Self::Fixed32(value) => *value == 0,
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Skipped => true,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Varint(value) => put_varint(out, *value),
            Self::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
            Self::Skipped => {}
        }
    }

    fn put_field(&self, number: u32, out: &mut Vec<u8>) {
        let kind = match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Fixed32(_) => 5,
            Self::Bytes(bytes) => return put_bytes(out, number, bytes),
            Self::Skipped => return,
        };
        put_tag(out, number, kind);
        self.put(out);
    }
}

impl Parse<'_> {
    /// Appends a field; the default only if it is told from absence.
    pub(super) fn scalar(
        &mut self,
        kind: Kind,
        number: u32,
        node: &Node<'_>,
        has_presence: bool,
        out: &mut Vec<u8>,
        path: &Path<'_>,
    ) -> Parsed {
        let value = self.convert(kind, node, path)?;
        if has_presence || !value.is_default() {
            value.put_field(number, out);
        }
        Ok(())
    }

    /// Appends a number without its tag, as in a packed list.
    pub(super) fn bare(&mut self, kind: Kind, node: &Node<'_>, out: &mut Vec<u8>, path: &Path<'_>) -> Parsed {
        self.convert(kind, node, path)?.put(out);
        Ok(())
    }

    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "as each kind travels")]
    fn convert<'n>(
        &mut self,
        kind: Kind,
        node: &'n Node<'_>,
        path: &Path<'_>,
    ) -> Result<Scalar<'n>, JsonError> {
        let is_not = |what: &str| JsonError::field(path, format!("{node} is not {what}"));
        Ok(match kind {
            Kind::String => match node {
                Node::String(text) => Scalar::Bytes(Cow::Borrowed(text.as_bytes())),
                _ => return Err(is_not("a string")),
            },
            Kind::Bytes => match node {
                Node::String(text) => {
                    Scalar::Bytes(Cow::Owned(decode(text).ok_or_else(|| is_not("bytes in base64"))?))
                }
                _ => return Err(is_not("bytes in base64")),
            },
            Kind::Bool => match node {
                Node::Bool(value) => Scalar::Varint(u64::from(*value)),
                _ => return Err(is_not("true or false")),
            },
            Kind::Double => Scalar::Fixed64(double(node).ok_or_else(|| is_not("a number"))?.to_bits()),
            Kind::Float => {
                Scalar::Fixed32(single(node).ok_or_else(|| is_not("a number of 32 bits"))?.to_bits())
            }
            Kind::Enum(index) => return self.enumeration(index, node, path),
            Kind::Null => Scalar::Varint(0),
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => {
                Scalar::Varint(whole_number(kind, node, path)? as u64)
            }
            Kind::Sint32 | Kind::Sint64 => Scalar::Varint(zigzag(whole_number(kind, node, path)? as i64)),
            Kind::Fixed64 | Kind::Sfixed64 => Scalar::Fixed64(whole_number(kind, node, path)? as u64),
            Kind::Fixed32 | Kind::Sfixed32 => Scalar::Fixed32(whole_number(kind, node, path)? as u32),
            Kind::Message(_) => return Err(is_not("a value")),
        })
    }

    /// A name, or a number that may have none. As Python's `int` does it, numbers are cut to whole ones.
    fn enumeration<'n>(
        &mut self,
        index: usize,
        node: &Node<'_>,
        path: &Path<'_>,
    ) -> Result<Scalar<'n>, JsonError> {
        let known = self.tables.enumeration(index);
        let number = match node {
            Node::String(text) => match known.number_of(text).map(i128::from).or_else(|| int(text)) {
                Some(number) => number,
                None if self.options.ignores_unknown => {
                    let (of, name) = (known.name.to_string(), text.clone().into_owned());
                    self.skipped.push(Skip { path: path.to_string(), of, name, is_value: true });
                    return Ok(Scalar::Skipped);
                }
                None => {
                    let problem = format!("{node} is not a value of `{}`", known.name);
                    return Err(JsonError::field(path, problem));
                }
            },
            Node::Int(number) => *number,
            Node::Bool(value) => i128::from(*value),
            Node::Double(value) if value.is_finite() => whole(value.trunc()).unwrap_or(i128::MAX),
            _ => {
                let problem = format!("{node} is not a value of `{}`", known.name);
                return Err(JsonError::field(path, problem));
            }
        };
        let number = i32::try_from(number)
            .map_err(|_| JsonError::field(path, format!("{node} does not fit into 32 bits")))?;
        #[allow(clippy::cast_sign_loss, reason = "sign-extended, as it travels")]
        Ok(Scalar::Varint(i64::from(number) as u64))
    }
}

/// A whole number within the range of its kind. One with a point or an exponent will do, if it is whole.
fn whole_number(kind: Kind, node: &Node<'_>, path: &Path<'_>) -> Result<i128, JsonError> {
    let number = match node {
        Node::Int(number) => Some(*number),
        Node::Double(value) | Node::Huge(value) => whole(*value),
        Node::String(text) if !text.contains(' ') => int(text).or_else(|| float(text).and_then(whole)),
        _ => None,
    };
    let number = number.ok_or_else(|| JsonError::field(path, format!("{node} is not a whole number")))?;
    let (range, name) = range(kind);
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(JsonError::field(path, format!("{node} does not fit into {name}")))
    }
}

fn range(kind: Kind) -> (std::ops::RangeInclusive<i128>, &'static str) {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => (i32::MIN.into()..=i32::MAX.into(), "32 bits"),
        Kind::Uint32 | Kind::Fixed32 => (0..=u32::MAX.into(), "32 bits without sign"),
        Kind::Uint64 | Kind::Fixed64 => (0..=u64::MAX.into(), "64 bits without sign"),
        _ => (i64::MIN.into()..=i64::MAX.into(), "64 bits"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
fn double(node: &Node<'_>) -> Option<f64> {
    match node {
        Node::Int(number) => Some(*number as f64),
        Node::Double(value) => value.is_finite().then_some(*value),
        Node::Huge(value) => Some(*value),
        // As Python has it: a truth value is a number.
        Node::Bool(value) => Some(f64::from(u8::from(*value))),
        Node::String(text) if text != "nan" => float(text),
        _ => None,
    }
}

/// What is written with point or exponent has to fit; `f32::MAX` does, which protobuf-python prints and refuses.
/// Whole numbers and strings beyond it are infinite, as protobuf-python has them.
#[allow(clippy::cast_possible_truncation, reason = "the nearest float is what is asked for")]
fn single(node: &Node<'_>) -> Option<f32> {
    let value = double(node)? as f32;
    (value.is_finite() || !matches!(node, Node::Double(_))).then_some(value)
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    Number(i128),
    Text(&'a str),
}

/// Reads a key, or says what is wrong with it.
pub(super) fn key(kind: Kind, name: &str) -> Result<Key<'_>, String> {
    match (kind, name) {
        (Kind::String, name) => Ok(Key::Text(name)),
        (Kind::Bool, "true") => Ok(Key::Number(1)),
        (Kind::Bool, "false") => Ok(Key::Number(0)),
        (Kind::Bool, _) => Err(format!("the key {name:?} is not true or false")),
        _ => whole_number(kind, &Node::String(Cow::Borrowed(name)), &Path::Root)
            .map(Key::Number)
            .map_err(|error| format!("the key {error}")),
    }
}

impl Key<'_> {
    /// Appends it as the first field of an entry, unless it is the default.
    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "as each kind travels")]
    pub(super) fn put(&self, kind: Kind, out: &mut Vec<u8>) {
        let scalar = match (self, kind) {
            (Self::Text(text), _) => Scalar::Bytes(Cow::Borrowed(text.as_bytes())),
            (Self::Number(value), Kind::Sint32 | Kind::Sint64) => Scalar::Varint(zigzag(*value as i64)),
            (Self::Number(value), Kind::Fixed32 | Kind::Sfixed32) => Scalar::Fixed32(*value as u32),
            (Self::Number(value), Kind::Fixed64 | Kind::Sfixed64) => Scalar::Fixed64(*value as u64),
            (Self::Number(value), _) => Scalar::Varint(*value as u64),
        };
        if !scalar.is_default() {
            scalar.put_field(1, out);
        }
    }
}
