//! Batches: what changed together, as bytes; a whole state is the batches that lead to it.

use std::time::SystemTime;

use bytes::Bytes;
use prost::{Message, Oneof};
use prost_types::Timestamp;

use super::frame::{self, Unreadable};
use crate::engine::Saved;
use crate::message::wire;
use crate::methods;
use crate::state::State;
use crate::store::Change;
use crate::time;
use crate::world::World;

/// Where every resource has its name.
const NAME: u32 = 1;

/// What happened together.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Batch {
    #[prost(message, repeated, tag = "1")]
    steps: Vec<Step>,
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
struct Step {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5")]
    kind: Option<Kind>,
}

#[allow(clippy::large_enum_variant, reason = "prost writes the enum, and most steps have an operation")]
#[derive(Clone, PartialEq, Oneof)]
enum Kind {
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
struct Put {
    #[prost(uint64, tag = "1")]
    serial: u64,
    /// The resource, which has its name in it.
    #[prost(bytes = "bytes", tag = "2")]
    bytes: Bytes,
}

impl Batch {
    /// What has changed since the last time; `None` if nothing has.
    pub(crate) fn take(state: &mut State, time: Option<SystemTime>) -> Option<Self> {
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

    fn of(state: &State, steps: Vec<Step>, time: Option<SystemTime>) -> Self {
        let (last_operation, last_resource) = state.world.store.last_ids();
        Self { steps, last_operation, last_resource, time: time.map(Into::into) }
    }

    /// Does again what happened.
    fn apply(self, state: &mut State) -> Result<(), Unreadable> {
        for step in self.steps {
            match step.kind {
                Some(Kind::Put(Put { serial, bytes })) => {
                    let name = wire::text(&bytes, NAME).to_owned();
                    state.world.store.apply(Change::Put { name, serial, bytes });
                }
                Some(Kind::Remove(name)) => state.world.store.apply(Change::Remove { name }),
                Some(Kind::ClearProject(project)) => drop(state.clear(Some(&project))),
                Some(Kind::ClearAll(_)) => drop(state.clear(None)),
                Some(Kind::Operation(saved)) => {
                    let method = saved.method.clone();
                    state.know(&saved.operation.as_ref().map(|found| found.name.clone()).unwrap_or_default());
                    let unknown = || Unreadable(format!("an operation of `{method}` cannot be resumed"));
                    state.engine.restore(&saved, methods::job).ok_or_else(unknown)?;
                }
                None => {
                    return Err(Unreadable("a step of a kind that this version does not know".to_owned()));
                }
            }
        }
        for id in [self.last_operation, self.last_resource] {
            state.world.store.reserve(&format!("x/{id}"));
        }
        Ok(())
    }
}

/// The state as bytes: the same state, the same bytes.
pub(crate) fn snapshot(state: &State, time: Option<SystemTime>) -> Vec<u8> {
    let mut image = frame::HEAD.to_vec();
    let mut add = |kind: Kind| {
        let batch = Batch { steps: vec![Step { kind: Some(kind) }], ..Batch::default() };
        frame::write(&mut image, &batch.encode_to_vec());
    };
    for item in state.world.store.everything() {
        add(Kind::Put(Put { serial: item.serial, bytes: item.bytes.clone() }));
    }
    for saved in state.engine.save_all() {
        add(Kind::Operation(saved));
    }
    frame::write(&mut image, &Batch::of(state, Vec::new(), time).encode_to_vec());
    image
}

/// A state out of bytes, in the world of another, and the time that was written down with it.
pub(crate) fn restore(image: &[u8], like: &World) -> Result<(State, Option<SystemTime>), Unreadable> {
    let mut state = State { world: World::new((*like.settings).clone()), ..State::default() };
    let mut time = None;
    let frames = frame::read(image)?;
    if let Some(torn) = frames.torn {
        return Err(Unreadable(format!("it ends in the middle of a frame, at byte {torn}")));
    }
    for frame in frames.whole {
        time = replay(&mut state, frame)?.or(time);
    }
    Ok((state, time))
}

/// Does again what a frame says; gives the time that was written down with it.
pub(super) fn replay(state: &mut State, frame: &[u8]) -> Result<Option<SystemTime>, Unreadable> {
    let unreadable = |error: prost::DecodeError| Unreadable(format!("a frame is not a batch: {error}"));
    let batch = Batch::decode(Bytes::copy_from_slice(frame)).map_err(unreadable)?;
    let time = batch.time.and_then(|wire| time::moment(&wire));
    batch.apply(state)?;
    Ok(time)
}
