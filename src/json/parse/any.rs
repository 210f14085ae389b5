//! An `Any`: by its type, or in one of the forms that `print` falls back on.

use super::super::error::JsonError;
use super::super::node::Node;
use super::super::path::Path;
use super::super::print::{Print, Text};
use super::super::table::Form;
use super::super::wire::{close, open, put_bytes};
use super::base64::decode_exact;
use super::parser::{Entries, Parse, Parsed};
use crate::any::type_name;

impl Parse<'_> {
    pub(super) fn any(
        &mut self,
        node: &Node<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let Node::Object(entries) = node else {
            return Err(JsonError::field(path, format!("{node} is not an object with `@type`")));
        };
        if entries.is_empty() {
            return Ok(());
        }
        let url = match get(entries, "@type") {
            Some(Node::String(url)) if url.is_empty() => {
                return Err(JsonError::field(path, "`@type` is empty"));
            }
            Some(Node::String(url)) => url,
            Some(other) => return Err(JsonError::field(path, format!("`@type` is {other}, not a string"))),
            None => {
                let bytes = get(entries, "@bytes").filter(|_| entries.len() == 1).and_then(exact);
                let bytes = bytes.ok_or_else(|| JsonError::field(path, "`@type` is missing"))?;
                put_bytes(out, 2, &bytes);
                return Ok(());
            }
        };
        put_bytes(out, 1, url.as_bytes());
        let start = open(out, 2);
        self.content(url, entries, out, depth, path)?;
        if out.len() == start {
            // Tag and length of nothing.
            out.truncate(start - 2);
        } else {
            close(out, start);
        }
        Ok(())
    }

    fn content(
        &mut self,
        url: &str,
        entries: &Entries<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let form = self.tables.form(type_name(url));
        if let Some(bytes) = opaque(entries, form.is_none()) {
            out.extend_from_slice(&bytes);
            return Ok(());
        }
        match form {
            None => {
                let problem = format!(
                    "no message type `{}` in this API, and no base64 `value` alone beside `@type`",
                    type_name(url)
                );
                Err(JsonError::field(path, problem))
            }
            Some(Form::Plain(index)) => {
                let message = self.tables.message(index);
                let (start, skipped) = (out.len(), self.skipped.len());
                let mut fields = entries.iter().filter(|(key, _)| key != "@type");
                let is_empty = &*message.name == "google.protobuf.Empty"
                    && matches!((fields.next(), fields.next()), (Some((key, Node::Object(value))), None) if key == "value" && value.is_empty());
                if is_empty {
                    return Ok(());
                }
                // Bytes that are not of their type stand under `value`, unless the type has such a field.
                let torn = get(entries, "value")
                    .filter(|_| entries.len() == 2 && message.by_name("value").is_none())
                    .and_then(exact);
                match (self.fields(message, entries, true, out, depth, path), torn) {
                    (Err(_), Some(bytes)) => {
                        out.truncate(start);
                        self.skipped.truncate(skipped);
                        out.extend_from_slice(&bytes);
                        Ok(())
                    }
                    (Ok(()), Some(bytes)) if self.skipped.len() > skipped => {
                        self.skipped.truncate(skipped);
                        out.extend_from_slice(&bytes);
                        Ok(())
                    }
                    (parsed, _) => parsed,
                }
            }
            Some(own) => {
                let here = Path::Field(path, "value");
                let value = get(entries, "value").ok_or_else(|| {
                    let problem = format!("a `{}` in an `Any` needs `value`", self.tables.name(own));
                    JsonError::field(path, problem)
                })?;
                if let Some(bytes) = self.without_form(own, value) {
                    out.extend_from_slice(&bytes);
                    return Ok(());
                }
                self.message(own, value, out, depth + 1, &here)
            }
        }
    }

    /// The bytes of a mask, time or span that has no form in JSON, which `print` leaves in base64. Nothing else is
    /// taken for those: `10ms` is base64 too, and no such message.
    fn without_form(&self, form: Form, value: &Node<'_>) -> Option<Vec<u8>> {
        if !matches!(form, Form::FieldMask | Form::Timestamp | Form::Duration) {
            return None;
        }
        let bytes = exact(value)?;
        let mut print = Print::new(self.tables, Text::new(false, 0), false, false);
        let error = print.message(form, &bytes, 1).err()?;
        (!matches!(error, JsonError::Decode { .. })).then_some(bytes)
    }
}

fn get<'e, 'a>(entries: &'e Entries<'a>, key: &str) -> Option<&'e Node<'a>> {
    entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
}

fn exact(node: &Node<'_>) -> Option<Vec<u8>> {
    match node {
        Node::String(text) => decode_exact(text),
        _ => None,
    }
}

/// The bytes of a form that cannot be mistaken for another; of a type that is not known, those under `value` too.
fn opaque(entries: &Entries<'_>, is_unknown: bool) -> Option<Vec<u8>> {
    let count = entries.iter().filter(|(key, _)| key != "@fields").count();
    match (count, get(entries, "@bytes"), get(entries, "value")) {
        (2, Some(bytes), None) => exact(bytes),
        (2, None, Some(value)) if is_unknown => exact(value),
        (1, None, None) if is_unknown => Some(Vec::new()),
        _ => None,
    }
}
