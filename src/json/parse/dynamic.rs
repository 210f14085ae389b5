//! Messages that JSON has a form of its own for.

use super::super::error::JsonError;
use super::super::node::Node;
use super::super::path::Path;
use super::super::table::{Form, Kind};
use super::super::wire::{close, open, put_bytes, put_tag, put_varint};
use super::parser::{Parse, Parsed};
use super::time;

impl Parse<'_> {
    pub(super) fn own_form(
        &mut self,
        form: Form,
        node: &Node<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let text = match node {
            Node::String(text) => Some(text.as_ref()),
            _ => None,
        };
        let is_not = |what: &str| JsonError::field(path, format!("{node} is not {what}"));
        match form {
            Form::Timestamp => {
                let (seconds, nanos) =
                    text.and_then(time::timestamp).ok_or_else(|| is_not("an RFC 3339 time"))?;
                put_time(seconds, nanos, out);
            }
            Form::Duration => {
                let (seconds, nanos) = text
                    .and_then(time::duration)
                    .ok_or_else(|| is_not("a duration in seconds, such as \"1.5s\""))?;
                put_time(seconds, nanos, out);
            }
            Form::FieldMask => {
                let text = text.ok_or_else(|| is_not("a field mask"))?;
                for name in text.split(',').filter(|_| !text.is_empty()) {
                    let snake = snake(name, self.options.takes_snake_masks);
                    let snake = snake.ok_or_else(|| is_not("a field mask in lowerCamelCase"))?;
                    put_bytes(out, 1, snake.as_bytes());
                }
            }
            // `null` within an `Any`; in a field it is handled before.
            Form::Wrapper(_) if *node == Node::Null => return Err(is_not("a value")),
            Form::Wrapper(wrapped) => self.scalar(wrapped.kind(), 1, node, false, out, path)?,
            Form::Struct => self.structure(node, out, depth, path)?,
            Form::List => self.items(node, out, depth, path)?,
            Form::Value => self.dynamic(node, out, depth, path)?,
            Form::Any | Form::Plain(_) => self.message(form, node, out, depth, path)?,
        }
        Ok(())
    }

    fn structure(&mut self, node: &Node<'_>, out: &mut Vec<u8>, depth: usize, path: &Path<'_>) -> Parsed {
        let Node::Object(entries) = node else {
            return Err(JsonError::field(path, format!("{node} is not an object")));
        };
        let mut entries: Vec<_> = entries.iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (key, value) in entries {
            let entry = open(out, 1);
            if !key.is_empty() {
                put_bytes(out, 1, key.as_bytes());
            }
            let start = open(out, 2);
            self.message(Form::Value, value, out, depth + 1, &Path::Field(path, key))?;
            close(out, start);
            close(out, entry);
        }
        Ok(())
    }

    fn items(&mut self, node: &Node<'_>, out: &mut Vec<u8>, depth: usize, path: &Path<'_>) -> Parsed {
        let Node::List(items) = node else {
            return Err(JsonError::field(path, format!("{node} is not a list")));
        };
        for (index, item) in items.iter().enumerate() {
            let start = open(out, 1);
            self.message(Form::Value, item, out, depth + 1, &Path::Index(path, index))?;
            close(out, start);
        }
        Ok(())
    }

    /// Any JSON. A number that is not finite is taken, and cannot be printed: so protobuf-python has it.
    #[allow(clippy::cast_precision_loss, reason = "the nearest double is what a Value holds")]
    fn dynamic(&mut self, node: &Node<'_>, out: &mut Vec<u8>, depth: usize, path: &Path<'_>) -> Parsed {
        let number = |value: f64, out: &mut Vec<u8>| {
            put_tag(out, 2, 1);
            out.extend_from_slice(&value.to_le_bytes());
        };
        match node {
            Node::Null => {
                put_tag(out, 1, 0);
                put_varint(out, 0);
            }
            Node::Int(value) => number(*value as f64, out),
            Node::Double(value) | Node::Huge(value) => number(*value, out),
            Node::String(_) => self.scalar(Kind::String, 3, node, true, out, path)?,
            Node::Bool(_) => self.scalar(Kind::Bool, 4, node, true, out, path)?,
            Node::Object(_) | Node::List(_) => {
                let (tag, form) =
                    if matches!(node, Node::Object(_)) { (5, Form::Struct) } else { (6, Form::List) };
                let start = open(out, tag);
                self.message(form, node, out, depth + 1, path)?;
                close(out, start);
            }
        }
        Ok(())
    }
}

#[allow(clippy::cast_sign_loss, reason = "sign-extended, as it travels")]
fn put_time(seconds: i64, nanos: i32, out: &mut Vec<u8>) {
    for (number, value) in [(1, seconds), (2, i64::from(nanos))] {
        if value != 0 {
            put_tag(out, number, 0);
            put_varint(out, value as u64);
        }
    }
}

/// `a_b` for `aB`; `None` if it has an underscore already, and may not.
fn snake(path: &str, takes_snake: bool) -> Option<String> {
    if path.contains('_') && !takes_snake {
        return None;
    }
    let mut snake = String::with_capacity(path.len() + 4);
    for character in path.chars() {
        if character.is_uppercase() {
            snake.push('_');
            snake.extend(character.to_lowercase());
        } else {
            snake.push(character);
        }
    }
    Some(snake)
}
