//! Operations as they were, by their own times: what a list that is late shows.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::SystemTime;

use contact_center_insights::proto::longrunning::Operation;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use prost_types::{Any, Timestamp};

use super::{Engine, Entry};
use crate::contract::Contract;
use crate::message::wire;
use crate::time;

const CREATE_TIME: &str = "create_time";
const END_TIME: &str = "end_time";

impl<W> Entry<W> {
    /// The operation as it was at a time; `None` if it had not been started by then. What was not started here has its
    /// times in its metadata; without them, it was always as it is.
    pub(crate) fn was(&self, then: SystemTime) -> Option<Operation> {
        let started = self.started.or_else(|| time_of(self.operation.metadata.as_ref()?, CREATE_TIME));
        if started.is_some_and(|started| started > then) {
            return None;
        }
        if let Some((ended, until)) = &self.until {
            return Some(if *ended > then { until.at(then) } else { self.at(then) });
        }
        let operation = self.at(then);
        let ended = operation.metadata.as_ref().filter(|_| operation.done);
        let ended = ended.and_then(|metadata| time_of(metadata, END_TIME));
        Some(if ended.is_some_and(|ended| ended > then) { before_its_end(operation) } else { operation })
    }
}

impl<W> Engine<W> {
    /// No longer keeps what operations were that had ended by `then`.
    pub(crate) fn forget_past(&mut self, then: SystemTime) {
        while let Some((ended, name)) = self.past.get_min().filter(|((at, _), _)| *at <= then).cloned() {
            self.past.remove(&ended);
            if let Some(entry) = self.entry(&name) {
                entry.until.take_if(|(at, _)| *at <= then);
            }
        }
    }
}

/// The same operation as it must have been while it ran: how far it was, it no longer says.
fn before_its_end(operation: Operation) -> Operation {
    let metadata = operation.metadata.map(|metadata| without_end(&metadata).unwrap_or(metadata));
    Operation { metadata, done: false, result: None, ..operation }
}

fn without_end(metadata: &Any) -> Option<Any> {
    let mut message = DynamicMessage::decode(kind(metadata)?.clone(), metadata.value.as_slice()).ok()?;
    message.clear_field_by_name(END_TIME);
    Some(Any { type_url: metadata.type_url.clone(), value: message.encode_to_vec() })
}

/// A time that metadata of a known type has.
fn time_of(metadata: &Any, field: &str) -> Option<SystemTime> {
    let number = kind(metadata)?.get_field_by_name(field)?.number();
    let (seconds, nanos) = wire::seconds_nanos(wire::last(&metadata.value, number)?.bytes());
    time::moment(&Timestamp { seconds, nanos })
}

/// The type of metadata, if it is one that an operation of the API has.
fn kind(metadata: &Any) -> Option<&'static MessageDescriptor> {
    static KINDS: OnceLock<HashMap<&str, MessageDescriptor>> = OnceLock::new();
    let kinds = KINDS.get_or_init(|| {
        let kinds = Contract::get().methods().filter_map(|method| {
            let (_, metadata) = method.operation.as_ref()?;
            let message = method.input.parent_pool().get_message_by_name(metadata)?;
            Some((metadata.as_str(), message))
        });
        kinds.collect()
    });
    kinds.get(metadata.type_url.rsplit('/').next()?)
}
