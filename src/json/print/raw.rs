//! Bytes of a type that nobody knows, as fields by number: a guess, for people who look.

use super::super::wire::{Cursor, Wire};
use super::context::Print;
use super::sink::Sink;

/// Deeper guesses are not worth reading.
const DEEPEST: usize = 8;

impl<S: Sink> Print<'_, S> {
    /// Adds `@fields` to an open object, if the bytes are fields at all. The reader skips it.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        if is_message(bytes) {
            self.sink.key("@fields");
            self.raw_message(bytes, 0);
        }
    }

    fn raw_message(&mut self, bytes: &[u8], depth: usize) {
        let mut fields: Vec<(u32, Wire<'_>)> = Vec::new();
        let mut cursor = Cursor::new(bytes);
        while let Ok(Some(field)) = cursor.field() {
            fields.push(field);
        }
        fields.sort_by_key(|(number, _)| *number);
        self.sink.begin_object();
        for group in fields.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((number, first)) = group.first() else { continue };
            self.sink.key(&number.to_string());
            if let [_] = group {
                self.raw_value(*first, depth);
                continue;
            }
            self.sink.begin_list();
            for (_, value) in group {
                self.sink.item();
                self.raw_value(*value, depth);
            }
            self.sink.end_list();
        }
        self.sink.end_object();
    }

    /// Numbers of 64 bits are strings, as elsewhere; text is taken for text before it is taken for a message.
    fn raw_value(&mut self, value: Wire<'_>, depth: usize) {
        match value {
            Wire::Varint(value) => self.sink.string(&value.to_string()),
            Wire::Fixed64(bits) => self.sink.string(&format!("{bits:#018x}")),
            Wire::Fixed32(bits) => self.sink.string(&format!("{bits:#010x}")),
            Wire::Group => self.sink.null(),
            Wire::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => {
                    self.sink.string(text);
                }
                _ if depth < DEEPEST && is_message(bytes) => self.raw_message(bytes, depth + 1),
                _ => self.base64(bytes),
            },
        }
    }
}

fn is_message(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    loop {
        match cursor.field() {
            Ok(None) => return !bytes.is_empty(),
            Ok(Some(_)) => {}
            Err(_) => return false,
        }
    }
}
