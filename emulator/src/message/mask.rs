//! Field masks: which fields an update sets (AIP-134, AIP-161).

use contact_center_insights::Status;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value,
};

use crate::contract::{Contract, Trait};
use crate::errors;

/// The fields to set: checked against a message, and without what is output only.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mask {
    /// `*`: all that a caller can set is replaced, and what it leaves out is cleared.
    All,
    /// No mask: what is given is set, and the rest stays (AIP-134).
    Given,
    Paths(Vec<Vec<Step>>),
}

/// One name in a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Field(FieldDescriptor),
    Key(String),
}

impl Mask {
    /// Reads the paths of a mask; `field` is what errors call it.
    pub(crate) fn read(field: &str, paths: &[String], message: &MessageDescriptor) -> Result<Self, Status> {
        match paths {
            [] => return Ok(Self::Given),
            [one] if one == "*" => return Ok(Self::All),
            _ => {}
        }
        let read = |path: &String| {
            steps(path, message).map_err(|why| errors::invalid(field, &format!("path `{path}` {why}")))
        };
        let mut all = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        all.retain(|path| !path.iter().any(is_skipped));
        Ok(Self::Paths(all))
    }

    /// Sets the fields of `target` to what they are in `source`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if that would change an immutable field (AIP-203); setting it to what it is, is fine.
    pub(crate) fn apply(
        &self,
        field: &str,
        source: &DynamicMessage,
        target: &mut DynamicMessage,
    ) -> Result<(), Status> {
        let before = target.clone();
        match self {
            Self::All => replace(source, target),
            Self::Given => merge(source, target),
            Self::Paths(paths) => {
                for path in paths {
                    set(path, Some(source), target);
                }
            }
        }
        let mut changed = Vec::new();
        collect_immutable(&before, target, field, &mut changed);
        if changed.is_empty() { Ok(()) } else { Err(errors::invalid_fields("IMMUTABLE_FIELD", &changed)) }
    }
}

fn is_skipped(step: &Step) -> bool {
    matches!(step, Step::Field(field) if skipped(field))
}

/// Splits at dots; a key of a map may be in backticks, and then have dots in it (AIP-161).
fn names(path: &str) -> Vec<String> {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for character in path.chars() {
        match character {
            '`' => quoted = !quoted,
            '.' if !quoted => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    names
}

fn steps(path: &str, message: &MessageDescriptor) -> Result<Vec<Step>, String> {
    let (mut steps, mut inside) = (Vec::new(), Some(message.clone()));
    let mut names = names(path).into_iter().peekable();
    while let Some(name) = names.next() {
        let Some(message) = inside.take() else {
            return Err(format!("goes on with `{name}` below a field that has no fields"));
        };
        if name == "*" {
            return Err("has a `*` that is not the whole path".to_owned());
        }
        let unknown = || format!("names `{name}`, which is not a field of `{}`", message.name());
        let field = message.get_field_by_name(&name).ok_or_else(unknown)?;
        steps.push(Step::Field(field.clone()));
        match field.kind() {
            Kind::Message(entry) if entry.is_map_entry() => {
                if let Some(key) = names.next() {
                    steps.push(Step::Key(key));
                    if let Kind::Message(value) = entry.map_entry_value_field().kind() {
                        inside = Some(value);
                    }
                }
            }
            _ if field.is_list() => {
                if let Some(index) = names.peek() {
                    return Err(format!(
                        "goes into the repeated `{}` with `{index}`; only all of it can be set",
                        field.name()
                    ));
                }
            }
            Kind::Message(inner) => inside = Some(inner),
            _ => {}
        }
    }
    Ok(steps)
}

fn set(path: &[Step], source: Option<&DynamicMessage>, target: &mut DynamicMessage) {
    let [Step::Field(field), rest @ ..] = path else { return };
    let given = source.filter(|source| source.has_field(field)).map(|source| source.get_field(field));
    match rest {
        [] => match given {
            Some(value) => target.set_field(field, keep_output(field, target, value.into_owned())),
            None => clear_settable(field, target),
        },
        [Step::Key(key), rest @ ..] => {
            let key = MapKey::String(key.clone());
            let value = given.as_ref().and_then(|map| map.as_map()).and_then(|map| map.get(&key));
            let Some(map) = target.get_field_mut(field).as_map_mut() else { return };
            match (rest, value) {
                ([], Some(value)) => drop(map.insert(key, value.clone())),
                ([], None) => drop(map.remove(&key)),
                (rest, value) => {
                    if let Some(inner) = map.get_mut(&key).and_then(Value::as_message_mut) {
                        set(rest, value.and_then(Value::as_message), inner);
                    }
                }
            }
        }
        rest => {
            // What is not given and not there needs not be made only to be empty.
            if given.is_none() && !target.has_field(field) {
                return;
            }
            let given = given.as_ref().and_then(|value| value.as_message());
            if let Some(inner) = target.get_field_mut(field).as_message_mut() {
                set(rest, given, inner);
            }
        }
    }
}

/// The given value, with the output only fields that the message there has.
fn keep_output(field: &FieldDescriptor, target: &DynamicMessage, given: Value) -> Value {
    match (given, target.get_field(field).as_message()) {
        (Value::Message(given), Some(there)) if target.has_field(field) => {
            let mut whole = there.clone();
            replace(&given, &mut whole);
            Value::Message(whole)
        }
        (given, _) => given,
    }
}

fn clear_settable(field: &FieldDescriptor, target: &mut DynamicMessage) {
    let kept =
        target.has_field(field).then(|| output_only_of(target.get_field(field).as_message())).flatten();
    match kept {
        Some(kept) => target.set_field(field, Value::Message(kept)),
        None => target.clear_field(field),
    }
}

/// What of a message a caller cannot clear; `None` if that is nothing.
fn output_only_of(message: Option<&DynamicMessage>) -> Option<DynamicMessage> {
    let message = message?;
    let shape = Contract::get().shape(message.descriptor().full_name())?;
    if !shape.has_within(Trait::OutputOnly) {
        return None;
    }
    let mut kept = message.clone();
    replace(&DynamicMessage::new(message.descriptor()), &mut kept);
    let is_empty = kept.fields().next().is_none();
    if is_empty { None } else { Some(kept) }
}

/// Every field that a caller can set becomes what it is in `source`, set or not. What is immutable and not given
/// stays: leaving it out does not count as changing it.
fn replace(source: &DynamicMessage, target: &mut DynamicMessage) {
    for field in source.descriptor().fields() {
        if skipped(&field) {
            continue;
        }
        if source.has_field(&field) {
            target.set_field(&field, keep_output(&field, target, source.get_field(&field).into_owned()));
        } else if !Contract::get().behaves(&field, Trait::Immutable) {
            clear_settable(&field, target);
        }
    }
}

/// Every field that is set in `source` is set; messages are merged, lists and maps replaced.
fn merge(source: &DynamicMessage, target: &mut DynamicMessage) {
    let given: Vec<(FieldDescriptor, Value)> =
        source.fields().map(|(field, value)| (field, value.clone())).collect();
    for (field, value) in given {
        if skipped(&field) {
            continue;
        }
        match (&value, field.is_list() || field.is_map()) {
            (Value::Message(inner), false) if target.has_field(&field) && !is_well_known(inner) => {
                if let Some(there) = target.get_field_mut(&field).as_message_mut() {
                    merge(inner, there);
                }
            }
            _ => target.set_field(&field, value),
        }
    }
}

/// A time or a duration is one value, although it is a message.
fn is_well_known(message: &DynamicMessage) -> bool {
    message.descriptor().full_name().starts_with("google.protobuf.")
}

/// What a caller cannot set: what is output only, and the name, which says what is updated.
fn skipped(field: &FieldDescriptor) -> bool {
    Contract::get().behaves(field, Trait::OutputOnly)
        || (field.name() == "name" && Contract::get().resource(field.parent_message().name()).is_some())
}

fn collect_immutable(
    before: &DynamicMessage,
    after: &DynamicMessage,
    path: &str,
    changed: &mut Vec<(String, String)>,
) {
    for field in before.descriptor().fields() {
        let path = format!("{path}.{}", field.name());
        let (old, new) = (before.get_field(&field), after.get_field(&field));
        if old == new {
            continue;
        }
        if Contract::get().behaves(&field, Trait::Immutable) && !skipped(&field) {
            changed.push((path, "cannot be changed once it is set".to_owned()));
        } else if let (true, Some(old), Some(new)) =
            (before.has_field(&field), old.as_message(), new.as_message())
        {
            collect_immutable(old, new, &path, changed);
        }
    }
}

#[cfg(test)]
mod tests;
