//! An `Any`: its type and its fields, or the bytes where they cannot be shown.
//!
//! Three forms beyond those of other printers lose nothing, and read back: `@type` and a base64 `value` of a type that
//! is not known, or whose bytes are not of it; `@bytes` in place of `value` where a `value` of that type could be
//! mistaken for it; `@bytes` alone of an `Any` without a type.

use super::super::error::JsonError;
use super::super::table::Form;
use super::super::wire::{Cursor, Torn, Wire};
use super::context::{Print, Printed};
use super::scalar::utf8;
use super::sink::Sink;
use crate::any::type_name;

impl<S: Sink> Print<'_, S> {
    pub(super) fn any(&mut self, bytes: &[u8], depth: usize) -> Printed {
        let (url, value) = parts(bytes).map_err(|torn| JsonError::torn("google.protobuf.Any", torn))?;
        if url.is_empty() {
            self.sink.begin_object();
            if !value.is_empty() {
                self.sink.key("@bytes");
                self.base64(value);
            }
            self.sink.end_object();
            return Ok(());
        }
        let Some(form) = self.tables.form(type_name(url)) else {
            self.opaque(url, "value", value);
            return Ok(());
        };
        let mark = self.sink.mark();
        self.sink.begin_object();
        self.sink.key("@type");
        self.sink.string(url);
        // No information is lost by the other form, so that every reason is good enough.
        match self.content(form, value, depth) {
            Ok(()) => self.sink.end_object(),
            Err(error) => {
                self.sink.back_to(mark);
                self.opaque(url, self.key(form, &error), value);
            }
        }
        Ok(())
    }

    /// A type without a form of its own takes no level of nesting: its fields stand beside `@type`.
    fn content(&mut self, form: Form, value: &[u8], depth: usize) -> Printed {
        match form {
            Form::Plain(index) => self.fields(self.tables.message(index), value, depth),
            own => {
                self.sink.key("value");
                self.message(own, value, depth + 1)
            }
        }
    }

    /// Under which key bytes can stand that are read back as such.
    fn key(&self, form: Form, error: &JsonError) -> &'static str {
        let is_safe = match form {
            Form::Plain(index) => self.tables.message(index).by_name("value").is_none(),
            Form::FieldMask | Form::Timestamp | Form::Duration => !matches!(error, JsonError::Decode { .. }),
            _ => false,
        };
        if is_safe { "value" } else { "@bytes" }
    }

    fn opaque(&mut self, url: &str, key: &str, value: &[u8]) {
        self.sink.begin_object();
        self.sink.key("@type");
        self.sink.string(url);
        self.sink.key(key);
        self.base64(value);
        if self.raw_fields {
            self.raw(value);
        }
        self.sink.end_object();
    }
}

/// Type and bytes.
fn parts(bytes: &[u8]) -> Result<(&str, &[u8]), Torn> {
    let (mut url, mut value): (&str, &[u8]) = ("", &[]);
    let mut cursor = Cursor::new(bytes);
    while let Some((number, wire)) = cursor.field()? {
        match (number, wire) {
            (1, Wire::Bytes(text)) => url = utf8(text)?,
            (2, Wire::Bytes(bytes)) => value = bytes,
            (1 | 2, _) => return Err(Torn("a field has the wire type of another kind")),
            _ => {}
        }
    }
    Ok((url, value))
}
