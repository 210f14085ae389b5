//! Messages that JSON has a form of its own for.

use std::borrow::Cow;

use super::super::error::JsonError;
use super::super::table::{Form, Wrapped};
use super::super::wire::{Cursor, MAX_DEPTH, Torn, Wire};
use super::context::{Print, Printed};
use super::scalar::{suits_kind, utf8};
use super::sink::Sink;
use super::time;

const OTHER_KIND: Torn = Torn("a field has the wire type of another kind");

impl<S: Sink> Print<'_, S> {
    pub(super) fn own_form(&mut self, form: Form, bytes: &[u8], depth: usize) -> Printed {
        let tables = self.tables;
        let torn = |torn| JsonError::torn(tables.name(form), torn);
        let no_form = |what: String| JsonError::Field { path: String::new(), problem: what };
        match form {
            Form::Timestamp => {
                let (seconds, nanos) = time::read(bytes).map_err(torn)?;
                let text = time::timestamp(seconds, nanos).ok_or_else(|| {
                    no_form(format!("{seconds} s and {nanos} ns are not a time from year 1 to 9999"))
                })?;
                self.sink.plain(|out| out.push_str(&text));
                Ok(())
            }
            Form::Duration => {
                let (seconds, nanos) = time::read(bytes).map_err(torn)?;
                let text = time::duration(seconds, nanos)
                    .ok_or_else(|| no_form(format!("{seconds} s and {nanos} ns are not a duration")))?;
                self.sink.plain(|out| out.push_str(&text));
                Ok(())
            }
            Form::FieldMask => {
                let text = mask(bytes).map_err(torn)?.map_err(|path| {
                    no_form(format!("the path {path:?} of a field mask has no form in JSON"))
                })?;
                self.sink.string(&text);
                Ok(())
            }
            Form::Wrapper(wrapped) => self.wrapper(wrapped, bytes).map_err(torn),
            Form::Struct => self.structure(bytes, depth),
            Form::Value => self.dynamic(bytes, depth),
            Form::List => self.list(bytes, depth),
            Form::Any | Form::Plain(_) => self.message(form, bytes, depth),
        }
    }

    fn wrapper(&mut self, wrapped: Wrapped, bytes: &[u8]) -> Result<(), Torn> {
        let kind = wrapped.kind();
        let mut value = match wrapped {
            Wrapped::String | Wrapped::Bytes => Wire::Bytes(&[]),
            Wrapped::Double => Wire::Fixed64(0),
            Wrapped::Float => Wire::Fixed32(0),
            _ => Wire::Varint(0),
        };
        let mut cursor = Cursor::new(bytes);
        while let Some((number, wire)) = cursor.field()? {
            if number == 1 {
                value = if suits_kind(kind, wire) { wire } else { return Err(OTHER_KIND) };
            }
        }
        self.scalar(kind, value)
    }

    fn structure(&mut self, bytes: &[u8], depth: usize) -> Printed {
        let torn = |torn| JsonError::torn("google.protobuf.Struct", torn);
        let mut pairs: Vec<(&str, &[u8])> = Vec::new();
        for entry in repeated(bytes).map_err(torn)? {
            let (mut key, mut value): (&str, &[u8]) = ("", &[]);
            let mut cursor = Cursor::new(entry);
            while let Some((number, wire)) = cursor.field().map_err(torn)? {
                match (number, wire) {
                    (1, Wire::Bytes(text)) => key = utf8(text).map_err(torn)?,
                    (2, Wire::Bytes(bytes)) => value = bytes,
                    (1 | 2, _) => return Err(torn(OTHER_KIND)),
                    _ => {}
                }
            }
            pairs.push((key, value));
        }
        pairs.sort_by_key(|(key, _)| *key);
        self.sink.begin_object();
        let mut rest = pairs.into_iter().peekable();
        while let Some((key, value)) = rest.next() {
            if rest.peek().is_some_and(|(next, _)| *next == key) {
                continue;
            }
            self.sink.key(key);
            self.message(Form::Value, value, depth + 1).map_err(|error| error.within(key))?;
        }
        self.sink.end_object();
        Ok(())
    }

    fn list(&mut self, bytes: &[u8], depth: usize) -> Printed {
        let items = repeated(bytes).map_err(|torn| JsonError::torn("google.protobuf.ListValue", torn))?;
        self.sink.begin_list();
        for (index, item) in items.into_iter().enumerate() {
            self.sink.item();
            self.message(Form::Value, item, depth + 1)
                .map_err(|error| error.within(&format!("[{index}]")))?;
        }
        self.sink.end_list();
        Ok(())
    }

    fn dynamic(&mut self, bytes: &[u8], depth: usize) -> Printed {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep { path: String::new() });
        }
        let torn = |torn| JsonError::torn("google.protobuf.Value", torn);
        let mut last: Option<(u32, Cow<'_, [u8]>, u64)> = None;
        let mut cursor = Cursor::new(bytes);
        while let Some((number, wire)) = cursor.field().map_err(torn)? {
            last = match (number, wire, last.take()) {
                // A message that came in pieces is their concatenation.
                (5 | 6, Wire::Bytes(more), Some((before, bytes, _))) if before == number => {
                    Some((number, Cow::Owned([&bytes, more].concat()), 0))
                }
                (3 | 5 | 6, Wire::Bytes(bytes), _) => Some((number, Cow::Borrowed(bytes), 0)),
                (2, Wire::Fixed64(bits), _) => Some((number, Cow::Borrowed(&[]), bits)),
                (1 | 4, Wire::Varint(value), _) => Some((number, Cow::Borrowed(&[]), value)),
                (1..=6, ..) => return Err(torn(OTHER_KIND)),
                (_, _, last) => last,
            };
        }
        match last {
            Some((2, _, bits)) if f64::from_bits(bits).is_finite() => self.sink.double(f64::from_bits(bits)),
            Some((2, ..)) => {
                let problem = "a number of a Value that is not finite has no form in JSON".to_owned();
                return Err(JsonError::Field { path: String::new(), problem });
            }
            Some((3, text, _)) => self.sink.string(utf8(&text).map_err(torn)?),
            Some((4, _, value)) => self.sink.bool(value != 0),
            Some((5, bytes, _)) => return self.structure(&bytes, depth + 1),
            Some((6, bytes, _)) => return self.list(&bytes, depth + 1),
            _ => self.sink.null(),
        }
        Ok(())
    }
}

/// Every field 1, which all of these repeat.
fn repeated(bytes: &[u8]) -> Result<Vec<&[u8]>, Torn> {
    let mut items = Vec::new();
    let mut cursor = Cursor::new(bytes);
    while let Some((number, wire)) = cursor.field()? {
        match (number, wire) {
            (1, Wire::Bytes(item)) => items.push(item),
            (1, _) => return Err(OTHER_KIND),
            _ => {}
        }
    }
    Ok(items)
}

/// Paths in lowerCamelCase, joined by commas; the error is the path that has no such form.
fn mask(bytes: &[u8]) -> Result<Result<String, String>, Torn> {
    let mut text = String::new();
    for (index, path) in repeated(bytes)?.into_iter().enumerate() {
        let path = utf8(path)?;
        if index > 0 {
            text.push(',');
        }
        if !camel(path, &mut text) {
            return Ok(Err(path.to_owned()));
        }
    }
    Ok(Ok(text))
}

fn camel(path: &str, out: &mut String) -> bool {
    let mut is_after_underscore = false;
    for character in path.chars() {
        if character.is_uppercase() {
            return false;
        }
        if is_after_underscore {
            if !character.is_lowercase() {
                return false;
            }
            out.extend(character.to_uppercase());
            is_after_underscore = false;
        } else if character == '_' {
            is_after_underscore = true;
        } else {
            out.push(character);
        }
    }
    !is_after_underscore
}
