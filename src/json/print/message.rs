//! The fields of a message, in the order of their numbers, whatever order they came in.

use std::borrow::Cow;

use super::super::error::JsonError;
use super::super::table::{Field, Form, Kind, Message, Shape};
use super::super::wire::{Cursor, MAX_DEPTH, Torn, Wire};
use super::context::{Print, Printed};
use super::scalar::{is_default, key_of, next_packed, suits};
use super::sink::Sink;

/// One field as it came.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t, 'a> {
    field: &'t Field,
    value: Wire<'a>,
}

impl<'t, S: Sink> Print<'t, S> {
    /// Prints a message that stands on level `depth`; the outermost is on level 1.
    pub(in super::super) fn message(&mut self, form: Form, bytes: &[u8], depth: usize) -> Printed {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep { path: String::new() });
        }
        match form {
            Form::Plain(index) => {
                self.sink.begin_object();
                self.fields(self.tables.message(index), bytes, depth)?;
                self.sink.end_object();
                Ok(())
            }
            Form::Any => self.any(bytes, depth),
            other => self.own_form(other, bytes, depth),
        }
    }

    pub(super) fn fields(&mut self, message: &'t Message, bytes: &[u8], depth: usize) -> Printed {
        let entries = entries(message, bytes).map_err(|torn| JsonError::torn(&message.name, torn))?;
        let mut rest = entries.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|entry| std::ptr::eq(entry.field, first.field)).count();
            let (group, after) = rest.split_at(count);
            rest = after;
            // The path is written on the way back from what went wrong, so that it costs nothing where nothing did.
            self.field(message, first.field, group, depth).map_err(|error| error.within(first.field.name))?;
        }
        Ok(())
    }

    fn field(&mut self, message: &Message, field: &Field, group: &[Entry<'_, '_>], depth: usize) -> Printed {
        let torn = |torn| JsonError::torn(&message.name, torn);
        match field.shape {
            Shape::Map(key) => self.map(message, field, key, group, depth),
            Shape::List { .. } => {
                if group.iter().all(|entry| is_empty_pack(field.kind, entry.value)) {
                    return Ok(());
                }
                self.sink.name(field.name);
                self.sink.begin_list();
                let mut index = 0;
                for entry in group {
                    if let (Wire::Bytes(packed), true) = (entry.value, field.kind.is_packable()) {
                        let mut cursor = Cursor::new(packed);
                        while let Some(value) = next_packed(&mut cursor, field.kind).map_err(torn)? {
                            self.sink.item();
                            self.scalar(field.kind, value).map_err(torn)?;
                        }
                        continue;
                    }
                    self.sink.item();
                    self.value(message, field.kind, entry.value, depth)
                        .map_err(|error| error.within(&format!("[{index}]")))?;
                    index += 1;
                }
                self.sink.end_list();
                Ok(())
            }
            Shape::Single => {
                let Some(last) = group.last() else { return Ok(()) };
                if let Kind::Message(form) = field.kind {
                    self.sink.name(field.name);
                    return self.message(form, &joined(group), depth + 1);
                }
                if !field.has_presence && is_default(field.kind, last.value) {
                    return Ok(());
                }
                self.sink.name(field.name);
                self.scalar(field.kind, last.value).map_err(torn)
            }
        }
    }

    /// A value of any kind, alone.
    pub(super) fn value(&mut self, message: &Message, kind: Kind, value: Wire<'_>, depth: usize) -> Printed {
        match (kind, value) {
            (Kind::Message(form), Wire::Bytes(bytes)) => self.message(form, bytes, depth + 1),
            (kind, value) => self.scalar(kind, value).map_err(|torn| JsonError::torn(&message.name, torn)),
        }
    }

    fn map(
        &mut self,
        message: &Message,
        field: &Field,
        key_kind: Kind,
        group: &[Entry<'_, '_>],
        depth: usize,
    ) -> Printed {
        let torn = |torn| JsonError::torn(&message.name, torn);
        let mut pairs = Vec::with_capacity(group.len());
        for entry in group {
            let Wire::Bytes(bytes) = entry.value else { continue };
            pairs.push(pair(bytes, key_kind, field.kind).map_err(torn)?);
        }
        // The last of each key counts; sorting keeps the order of equals.
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.sink.name(field.name);
        self.sink.begin_object();
        let mut rest = pairs.into_iter().peekable();
        while let Some((key, value)) = rest.next() {
            if rest.peek().is_some_and(|(next, _)| *next == key) {
                continue;
            }
            self.sink.key(&key);
            let value = value.unwrap_or(match field.kind {
                Kind::String | Kind::Bytes | Kind::Message(_) => Wire::Bytes(&[]),
                Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64(0),
                Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32(0),
                _ => Wire::Varint(0),
            });
            self.value(message, field.kind, value, depth)
                .map_err(|error| error.within(&format!("[{key:?}]")))?;
        }
        self.sink.end_object();
        Ok(())
    }
}

/// The known fields in `bytes`, by number; of a oneof only the member that came last.
fn entries<'t, 'a>(message: &'t Message, bytes: &'a [u8]) -> Result<Vec<Entry<'t, 'a>>, Torn> {
    let mut entries: Vec<Entry<'t, 'a>> = Vec::with_capacity(8);
    let mut cursor = Cursor::new(bytes);
    let (mut is_sorted, mut last, mut in_oneofs) = (true, 0, 0);
    while let Some((number, value)) = cursor.field()? {
        let Some(field) = message.by_number(number) else { continue };
        if !suits(field, value) {
            return Err(Torn("a field has the wire type of another kind"));
        }
        is_sorted &= last <= number;
        last = number;
        in_oneofs += usize::from(field.oneof.is_some());
        entries.push(Entry { field, value });
    }
    if in_oneofs > 1 {
        drop_overruled(&mut entries);
    }
    if !is_sorted {
        entries.sort_by_key(|entry| entry.field.number);
    }
    Ok(entries)
}

fn drop_overruled(entries: &mut Vec<Entry<'_, '_>>) {
    let mut winners: Vec<(u32, Option<u32>)> = Vec::new();
    entries.reverse();
    entries.retain(|entry| {
        let Some(oneof) = entry.field.oneof else { return true };
        let number = entry.field.number;
        match winners.iter_mut().find(|(known, _)| *known == oneof) {
            None => {
                winners.push((oneof, Some(number)));
                true
            }
            // What came before another member is gone, though it be of the winner.
            Some((_, winner)) => {
                *winner = winner.filter(|winner| *winner == number);
                winner.is_some()
            }
        }
    });
    entries.reverse();
}

/// A message that came in pieces is their concatenation.
fn joined<'a>(group: &[Entry<'_, 'a>]) -> Cow<'a, [u8]> {
    let bytes = |entry: &Entry<'_, 'a>| match entry.value {
        Wire::Bytes(bytes) => bytes,
        _ => &[],
    };
    match group {
        [one] => Cow::Borrowed(bytes(one)),
        several => Cow::Owned(several.iter().map(bytes).collect::<Vec<_>>().concat()),
    }
}

fn is_empty_pack(kind: Kind, value: Wire<'_>) -> bool {
    kind.is_packable() && matches!(value, Wire::Bytes([]))
}

type Pair<'a> = (Cow<'a, str>, Option<Wire<'a>>);

/// Key and value of one entry of a map. A message that came in pieces is taken from its last: no map of this API can
/// tell.
fn pair(bytes: &[u8], key_kind: Kind, value_kind: Kind) -> Result<Pair<'_>, Torn> {
    let (mut key, mut value) = (None, None);
    let mut cursor = Cursor::new(bytes);
    while let Some((number, wire)) = cursor.field()? {
        match number {
            1 => key = Some(key_of(key_kind, wire)?),
            2 if super::scalar::suits_kind(value_kind, wire) => value = Some(wire),
            2 => return Err(Torn("a value of a map has the wire type of another kind")),
            _ => {}
        }
    }
    let default = match key_kind {
        Kind::String => "",
        Kind::Bool => "false",
        _ => "0",
    };
    Ok((key.unwrap_or(Cow::Borrowed(default)), value))
}
