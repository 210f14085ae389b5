//! Batches: what changed together, as bytes, and how it is done again.

use std::time::SystemTime;

use bytes::Bytes;
use prost::{Message, Oneof};
use prost_reflect::DynamicMessage;
use prost_types::Timestamp;

use super::frame::Unreadable;
use super::reader::ReadError;
use crate::contract::Contract;
use crate::engine::Saved;
use crate::message::wire;
use crate::methods;
use crate::names::{self, OPERATION};
use crate::state::State;
use crate::store::Change;
use crate::time;

/// Where every resource has its name.
const NAME: u32 = 1;
/// Places in the orders of creation and of starts are counted up from 1: no emulator gets as far as this.
const FAR: u64 = 1 << 62;

/// What happened together.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(super) steps: Vec<Step>,
    /// The last ids given out, of operations and of resources.
    #[prost(uint64, tag = "2")]
    last_operation: u64,
    #[prost(uint64, tag = "3")]
    last_resource: u64,
    /// Of a clock that is moved by hand, which goes on from there.
    #[prost(message, optional, tag = "4")]
    time: Option<Timestamp>,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Step {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5")]
    pub(super) kind: Option<Kind>,
}

#[allow(clippy::large_enum_variant, reason = "prost writes the enum, and most steps have an operation")]
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Kind {
    #[prost(message, tag = "1")]
    Put(Put),
    /// The name of a resource.
    #[prost(string, tag = "2")]
    Remove(String),
    /// The id of a project.
    #[prost(string, tag = "3")]
    ClearProject(String),
    #[prost(bool, tag = "4")]
    ClearAll(bool),
    #[prost(message, tag = "5")]
    Operation(Saved),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Put {
    #[prost(uint64, tag = "1")]
    pub(super) serial: u64,
    /// The resource, which has its name in it.
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) bytes: Bytes,
}

/// How closely it is looked at what is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// From anyone: a resource has a name of a kind, and can be decoded.
    Nobody,
    /// From a file that the emulator has written: a resource that no call could reach is left out, and told.
    OwnFile,
}

impl Batch {
    /// What has changed since the last time; `None` if nothing has.
    pub(super) fn take(state: &mut State, time: Option<SystemTime>) -> Option<Self> {
        let changes = state.world.store.take_changes();
        let operations = state.engine.take_changes();
        if changes.is_empty() && operations.is_empty() {
            return None;
        }
        let changes = changes.into_iter().map(|change| match change {
            Change::Put { serial, bytes, .. } => Kind::Put(Put { serial, bytes }),
            Change::Remove { name } => Kind::Remove(name),
            Change::Clear { project: Some(project) } => Kind::ClearProject(project),
            Change::Clear { project: None } => Kind::ClearAll(true),
        });
        let operations = operations.iter().filter_map(|name| state.engine.save(name)).map(Kind::Operation);
        let steps = changes.chain(operations).map(|kind| Step { kind: Some(kind) }).collect();
        Some(Self::of(state, steps, time))
    }

    /// One step, of many that lead to a state.
    pub(super) fn step(kind: Kind) -> Self {
        Self { steps: vec![Step { kind: Some(kind) }], ..Self::default() }
    }

    pub(super) fn of(state: &State, steps: Vec<Step>, time: Option<SystemTime>) -> Self {
        let (last_operation, last_resource) = state.world.store.last_ids();
        Self { steps, last_operation, last_resource, time: time.map(Into::into) }
    }

    pub(super) fn read(payload: Bytes) -> Result<Self, Unreadable> {
        Self::decode(payload).map_err(|error| Unreadable(format!("a frame is not a batch: {error}")))
    }

    /// The time that was written down with it.
    pub(super) fn time(&self) -> Option<SystemTime> {
        self.time.and_then(|wire| time::moment(&wire))
    }

    /// Does again what happened.
    pub(super) fn apply(self, state: &mut State, trust: Trust) -> Result<(), ReadError> {
        for step in self.steps {
            match step.kind {
                Some(Kind::Put(put)) => apply_put(state, put, trust)?,
                Some(Kind::Remove(name)) => state.world.store.apply(Change::Remove { name }),
                Some(Kind::ClearProject(project)) => drop(state.clear(Some(&project))),
                Some(Kind::ClearAll(_)) => drop(state.clear(None)),
                Some(Kind::Operation(saved)) => apply_operation(state, saved)?,
                None => {
                    let why = "a step of a kind that this version does not know";
                    return Err(Unreadable(why.to_owned()).into());
                }
            }
        }
        for id in [self.last_operation, self.last_resource] {
            state.world.store.reserve(&format!("x/{id}"));
        }
        Ok(())
    }
}

fn apply_put(state: &mut State, Put { serial, bytes }: Put, trust: Trust) -> Result<(), ReadError> {
    let name = wire::text(&bytes, NAME).to_owned();
    if let Err(why) = check_put(&name, serial, &bytes, trust) {
        if trust == Trust::Nobody {
            return Err(Unreadable(format!("resource `{name}`: {why}")).into());
        }
        tracing::warn!("the resource `{name}` is left out: {why}");
        return Ok(());
    }
    let known = Contract::get().resource_named(&name).and_then(|kind| state.world.store.find(kind, &name));
    if let Some(known) = known.filter(|known| known.serial != serial) {
        let other = wire::text(&known.bytes, NAME);
        if other != name {
            return Err(same_name("resource", &name, other));
        }
    }
    state.world.store.apply(Change::Put { name, serial, bytes });
    Ok(())
}

/// What an id and a number named apart would be one here: one of the two would be lost.
fn same_name(kind: &str, name: &str, other: &str) -> ReadError {
    ReadError::SameName(format!(
        "{kind} `{name}`: an earlier one, `{other}`, has the same name, since an id and a number name one project here; \
         where names are echoed (`--project-names echo`), they are two"
    ))
}

fn check_put(name: &str, serial: u64, bytes: &Bytes, trust: Trust) -> Result<(), String> {
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    let resource = Contract::get().resource_named(name).ok_or("no kind of resource has such a name")?;
    if serial > FAR {
        return Err(format!("{serial} is not a place in the order of creation"));
    }
    if trust == Trust::Nobody {
        DynamicMessage::decode(resource.message.clone(), bytes.clone())
            .map_err(|error| format!("it is not a `{}`: {error}", resource.message.name()))?;
    }
    Ok(())
}

fn apply_operation(state: &mut State, saved: Saved) -> Result<(), ReadError> {
    let written = saved.operation.as_ref().map(|found| found.name.clone()).unwrap_or_default();
    let refused = |why: String| ReadError::from(Unreadable(format!("operation `{written}`: {why}")));
    if !OPERATION.matches(&written) {
        return Err(refused(format!("the name is not of the form `{}`", OPERATION.0)));
    }
    if saved.serial > FAR {
        return Err(refused(format!("{} is not a place in the order of starts", saved.serial)));
    }
    state.know(&written);
    // Calls reach it by the one spelling that its project has here.
    let saved = saved.renamed(|name| state.world.store.spelled(name));
    let name = saved.operation.as_ref().map_or(written.as_str(), |found| found.name.as_str());
    if let Some(other) = state.engine.at(names::location(name), saved.serial).filter(|other| *other != name) {
        return Err(refused(format!("`{other}` has its place in the order of starts")));
    }
    if name != written && state.engine.save(name).is_some_and(|known| known.serial != saved.serial) {
        return Err(same_name("operation", &written, name));
    }
    let restored = state.engine.restore(&saved, methods::job);
    restored.ok_or_else(|| refused(format!("an operation of `{}` cannot be resumed", saved.method)))
}
