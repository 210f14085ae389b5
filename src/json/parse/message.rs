//! The fields of a message.

use std::borrow::Cow;

use super::super::error::JsonError;
use super::super::node::Node;
use super::super::path::Path;
use super::super::table::{Field, Form, Kind, Message, Shape};
use super::super::wire::{MAX_DEPTH, close, open};
use super::parser::{Entries, Parse, Parsed, Skip};
use super::scalar::{Key, key};

impl<'t> Parse<'t> {
    /// Appends a message that stands on level `depth`; the outermost is on level 1.
    pub(in super::super) fn message(
        &mut self,
        form: Form,
        node: &Node<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep { path: path.to_string() });
        }
        match form {
            Form::Plain(index) => {
                let message = self.tables.message(index);
                self.fields(message, entries(node, &message.name, path)?, false, out, depth, path)
            }
            Form::Any => self.any(node, out, depth, path),
            other => self.own_form(other, node, out, depth, path),
        }
    }

    /// Appends the fields of a message; of one within an `Any`, those beside `@type`.
    pub(super) fn fields(
        &mut self,
        message: &'t Message,
        entries: &Entries<'_>,
        is_in_any: bool,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let before = self.found.len();
        let parsed = self
            .resolve(message, entries, is_in_any, path)
            .and_then(|()| self.resolved(before, entries, out, depth, path));
        self.found.truncate(before);
        parsed
    }

    /// Appends the fields that were found from `from` on.
    fn resolved(
        &mut self,
        from: usize,
        entries: &Entries<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let end = self.found.len();
        let mut at = from;
        while let Some(&(field, place)) = self.found.get(at).filter(|_| at < end) {
            let same = self.found.get(at..end).unwrap_or_default().iter();
            let count = same.take_while(|(other, _)| std::ptr::eq(*other, field)).count();
            let here = Path::Field(path, field.name);
            if let (1, Some((_, node))) = (count, entries.get(place)) {
                self.field(field, node, out, depth, &here)?;
            } else {
                let same = self.found.get(at..at + count).unwrap_or_default().iter();
                let nodes: Vec<_> = same.filter_map(|(_, place)| Some(&entries.get(*place)?.1)).collect();
                self.spellings(field, &nodes, out, depth, &here)?;
            }
            at += count;
        }
        Ok(())
    }

    /// Finds the field of every key, and puts them in the order of their numbers.
    fn resolve(
        &mut self,
        message: &'t Message,
        entries: &Entries<'_>,
        is_in_any: bool,
        path: &Path<'_>,
    ) -> Parsed {
        let before = self.found.len();
        let (mut is_sorted, mut last) = (true, 0);
        for (place, (name, node)) in entries.iter().enumerate() {
            let Some(field) = message.by_name(name) else {
                if !is_in_any || name != "@type" {
                    self.unknown(message, name, path)?;
                }
                continue;
            };
            if field.oneof.is_some() && *node != Node::Null {
                let known = self.found.get(before..).unwrap_or_default().iter();
                let mut rivals = known.filter(|(other, _)| other.oneof == field.oneof);
                let rival =
                    rivals.find_map(|(_, place)| entries.get(*place).filter(|(_, node)| *node != Node::Null));
                if let Some((other, _)) = rival {
                    let problem = format!("only one of `{other}` and `{name}` can be there");
                    return Err(JsonError::field(&Path::Field(path, name), problem));
                }
            }
            is_sorted &= last <= field.number;
            last = field.number;
            self.found.push((field, place));
        }
        if let (false, Some(found)) = (is_sorted, self.found.get_mut(before..)) {
            found.sort_by_key(|(field, _)| field.number);
        }
        Ok(())
    }

    fn unknown(&mut self, message: &Message, name: &str, path: &Path<'_>) -> Parsed {
        let here = Path::Field(path, name);
        let is_extension =
            name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inner| {
                inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
            });
        if self.options.ignores_unknown && !is_extension {
            let (of, name) = (message.name.to_string(), name.to_owned());
            self.skipped.push(Skip { path: here.to_string(), of, name, is_value: false });
            return Ok(());
        }
        Err(JsonError::UnknownField {
            path: here.to_string(),
            message: message.name.to_string(),
            is_rest_only: super::super::rest_only::is_rest_only(&message.name, name),
        })
    }

    /// A field in both spellings: the later wins, `null` clears what came before, and plain messages merge.
    fn spellings(
        &mut self,
        field: &'t Field,
        group: &[&Node<'_>],
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let start = out.len();
        let mut merged: Vec<(Cow<'_, str>, Node<'_>)> = Vec::new();
        for &node in group {
            out.truncate(start);
            match (field.kind, field.shape, node) {
                (Kind::Message(Form::Plain(_)), Shape::Single, Node::Null) => merged.clear(),
                (Kind::Message(Form::Plain(_)), Shape::Single, Node::Object(more)) => {
                    self.field(field, node, out, depth, path)?;
                    merged.extend(more.iter().cloned());
                    out.truncate(start);
                    self.field(field, &Node::Object(merged.clone()), out, depth, path)?;
                }
                _ => self.field(field, node, out, depth, path)?,
            }
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &'t Field,
        node: &Node<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        if *node == Node::Null && !(field.kind == Kind::Message(Form::Value) && field.shape == Shape::Single)
        {
            if field.kind == Kind::Null && field.has_presence {
                self.scalar(field.kind, field.number, &Node::Int(0), true, out, path)?;
            }
            return Ok(());
        }
        match (field.shape, field.kind) {
            (Shape::Map(keys), _) => self.map(field, keys, node, out, depth, path),
            (Shape::List { packed }, _) => self.list(field, packed, node, out, depth, path),
            (Shape::Single, Kind::Message(form)) => {
                let start = open(out, field.number);
                self.message(form, node, out, depth + 1, path)?;
                close(out, start);
                Ok(())
            }
            (Shape::Single, kind) => self.scalar(kind, field.number, node, field.has_presence, out, path),
        }
    }

    fn list(
        &mut self,
        field: &'t Field,
        packed: bool,
        node: &Node<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let Node::List(items) = node else {
            return Err(JsonError::field(path, format!("{node} is not a list")));
        };
        let before = out.len();
        let pack = packed.then(|| open(out, field.number));
        for (index, item) in items.iter().enumerate() {
            let here = Path::Index(path, index);
            if *item == Node::Null && field.kind != Kind::Message(Form::Value) {
                return Err(JsonError::field(&here, "null cannot be an item of a list"));
            }
            match (field.kind, pack) {
                (Kind::Message(form), _) => {
                    let start = open(out, field.number);
                    self.message(form, item, out, depth + 1, &here)?;
                    close(out, start);
                }
                (kind, Some(_)) => self.bare(kind, item, out, &here)?,
                (kind, None) => self.scalar(kind, field.number, item, true, out, &here)?,
            }
        }
        match pack {
            // Unknown values of an enum may have been all there was.
            Some(start) if out.len() == start => out.truncate(before),
            Some(start) => close(out, start),
            None => {}
        }
        Ok(())
    }

    fn map(
        &mut self,
        field: &'t Field,
        keys: Kind,
        node: &Node<'_>,
        out: &mut Vec<u8>,
        depth: usize,
        path: &Path<'_>,
    ) -> Parsed {
        let Node::Object(entries) = node else {
            return Err(JsonError::field(path, format!("{node} is not an object")));
        };
        let mut pairs: Vec<(Key<'_>, Vec<u8>)> = Vec::with_capacity(entries.len());
        for (name, node) in entries {
            let here = Path::Key(path, name);
            let key = key(keys, name).map_err(|problem| JsonError::field(&here, problem))?;
            let mut value = Vec::new();
            if let Kind::Message(form) = field.kind {
                let start = open(&mut value, 2);
                self.message(form, node, &mut value, depth + 1, &here)?;
                close(&mut value, start);
                if value.ends_with(&[0]) && value.len() == 2 {
                    value.clear();
                }
            } else {
                let skipped = self.skipped.len();
                self.scalar(field.kind, 2, node, false, &mut value, &here)?;
                if self.skipped.len() > skipped {
                    continue;
                }
            }
            pairs.push((key, value));
        }
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut rest = pairs.into_iter().peekable();
        while let Some((key, value)) = rest.next() {
            // Of two spellings of one key, such as `1` and `01`, the later wins.
            if rest.peek().is_some_and(|(next, _)| *next == key) {
                continue;
            }
            let start = open(out, field.number);
            key.put(keys, out);
            out.extend_from_slice(&value);
            close(out, start);
        }
        Ok(())
    }
}

/// The fields of a message in JSON. protobuf-python takes an empty list or string for an empty message, as Node's
/// client for REST sends it.
fn entries<'e, 'a>(node: &'e Node<'a>, name: &str, path: &Path<'_>) -> Result<&'e Entries<'a>, JsonError> {
    match node {
        Node::Object(entries) => Ok(entries),
        Node::List(items) if items.is_empty() => Ok(&[]),
        Node::String(text) if text.is_empty() => Ok(&[]),
        other => Err(JsonError::field(path, format!("{other} is not an object with the fields of `{name}`"))),
    }
}
