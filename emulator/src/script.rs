//! Scripted faults: which calls go wrong, how and how often; and quotas of calls per minute.

mod error;
mod fault;
mod quota;

use std::cell::OnceCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage as _, Value};

pub use self::error::FaultError;
pub(crate) use self::error::find_method;
pub use self::fault::{Break, Fault};
pub(crate) use self::fault::{Effect, Matcher};
pub(crate) use self::quota::Meter;
pub use self::quota::Quotas;
use crate::contract::Method;

/// A call, as faults are matched with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) request: &'a [u8],
}

/// The faults of an emulator, in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct Script(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    entries: Vec<Entry>,
    /// The id that was given out last.
    last_id: u64,
    chance: fastrand::Rng,
}

/// A fault and what it has done.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Given to no other fault, ever.
    pub(crate) id: u64,
    pub(crate) fault: Fault,
    /// Calls that it matched.
    pub(crate) matched: u32,
    /// Calls that it hit.
    pub(crate) hit: u32,
}

impl Script {
    /// `seed` decides about faults that have a probability: the same calls, the same faults.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Inner { entries: Vec::new(), last_id: 0, chance: fastrand::Rng::with_seed(seed) }))
    }

    /// Adds a fault after those that are there.
    pub(crate) fn push(&self, fault: Fault) -> Result<(), FaultError> {
        fault.check()?;
        let mut inner = self.lock();
        inner.last_id = inner.last_id.saturating_add(1);
        let id = inner.last_id;
        inner.entries.push(Entry { id, fault, matched: 0, hit: 0 });
        Ok(())
    }

    /// Takes the fault with this id away; says whether there was one.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let entries = &mut self.lock().entries;
        let before = entries.len();
        entries.retain(|entry| entry.id != id);
        entries.len() < before
    }

    /// Takes all faults away.
    pub(crate) fn clear(&self) {
        self.lock().entries.clear();
    }

    /// All of them, with what they have done.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    /// What happens to this call: the first fault that matches and is not used up.
    pub(crate) fn decide(&self, call: Seen<'_>) -> Option<Fault> {
        let mut inner = self.lock();
        let Inner { entries, chance, .. } = &mut *inner;
        if entries.is_empty() {
            return None;
        }
        let message = Message::new(call);
        for entry in entries {
            if !matches(&entry.fault.matcher, call, &message) {
                continue;
            }
            entry.matched = entry.matched.saturating_add(1);
            let is_spent = entry.fault.times.is_some_and(|times| entry.hit >= times);
            if entry.matched <= entry.fault.skip || is_spent {
                continue;
            }
            if entry.fault.probability.is_some_and(|probability| chance.f64() >= probability) {
                continue;
            }
            entry.hit = entry.hit.saturating_add(1);
            return Some(entry.fault.clone());
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request, decoded when a fault first asks for a field of it.
struct Message<'a> {
    input: MessageDescriptor,
    bytes: &'a [u8],
    decoded: OnceCell<Option<Value>>,
}

impl<'a> Message<'a> {
    fn new(call: Seen<'a>) -> Self {
        Self { input: call.method.input.clone(), bytes: call.request, decoded: OnceCell::new() }
    }

    fn get(&self) -> Option<&Value> {
        let decode = || DynamicMessage::decode(self.input.clone(), self.bytes).ok().map(Value::Message);
        self.decoded.get_or_init(decode).as_ref()
    }
}

fn matches(matcher: &Matcher, call: Seen<'_>, message: &Message<'_>) -> bool {
    let is_method = matcher
        .method
        .as_deref()
        .is_none_or(|wanted| wanted == call.method.name || wanted == call.method.path);
    let has_headers = || matcher.headers.iter().all(|(name, value)| has_header(call.headers, name, value));
    is_method
        && has_headers()
        && matcher
            .fields
            .iter()
            .all(|(path, value)| message.get().is_some_and(|message| has_value(message, path, value)))
}

fn has_header(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get_all(name).iter().any(|found| found.as_bytes() == value.as_bytes())
}

/// Whether the field at `path` prints as `wanted`; of a list, whether one of its elements does.
fn has_value(value: &Value, path: &str, wanted: &str) -> bool {
    match value {
        Value::List(items) => items.iter().any(|item| has_value(item, path, wanted)),
        Value::Message(message) if !path.is_empty() => {
            let (field, rest) = path.split_once('.').unwrap_or((path, ""));
            let Some(field) = message.descriptor().get_field_by_name(field) else { return false };
            let value = message.get_field(&field);
            if let (Value::EnumNumber(number), prost_reflect::Kind::Enum(kind)) = (&*value, field.kind()) {
                let name = kind.get_value(*number);
                return name.is_some_and(|name| name.name() == wanted) || number.to_string() == wanted;
            }
            has_value(&value, rest, wanted)
        }
        Value::Map(entries) => {
            let (key, rest) = path.split_once('.').unwrap_or((path, ""));
            let key = prost_reflect::MapKey::String(key.to_owned());
            entries.get(&key).is_some_and(|value| has_value(value, rest, wanted))
        }
        Value::String(text) => text == wanted,
        Value::Bool(flag) => flag.to_string() == wanted,
        Value::I32(number) | Value::EnumNumber(number) => number.to_string() == wanted,
        Value::I64(number) => number.to_string() == wanted,
        Value::U32(number) => number.to_string() == wanted,
        Value::U64(number) => number.to_string() == wanted,
        Value::F32(number) => number.to_string() == wanted,
        Value::F64(number) => number.to_string() == wanted,
        Value::Bytes(_) | Value::Message(_) => false,
    }
}

#[cfg(test)]
mod tests;
