//! What a seed that was exported has beside its resources: the order in which they were made, the operations that run,
//! and the bytes of what JSON does not carry whole. It counts as far as the rest was not edited.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use contact_center_insights::json::{self, Enums, Reader};
use contact_center_insights::proto::longrunning::Operation;
use prost::Message as _;
use prost_types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::SeedError;
use crate::engine::{Saved, SavedClaim};
use crate::state::State;
use crate::time;

/// Where it is in a seed.
pub(super) const KEY: &str = "emulator";
const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// All by full names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Exact {
    /// The time of a clock that is moved by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
    /// The last ids that were given out.
    last_operation_id: String,
    last_resource_id: String,
    /// How projects are written.
    projects: Vec<String>,
    /// Places in the order of creation.
    places: BTreeMap<String, u64>,
    running: BTreeMap<String, Running>,
    /// In base64.
    raw: BTreeMap<String, String>,
}

/// An operation that runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Running {
    method: String,
    profile: String,
    polls: u32,
    create_time: String,
    /// What no other operation may have meanwhile: a resource, and what is done to it.
    claims: Vec<(String, String)>,
    /// In base64.
    job: String,
}

impl Exact {
    pub(super) fn of(state: &State, time: Option<SystemTime>) -> Self {
        let (operation, resource) = state.world.store.last_ids();
        Self {
            clock: time.map(|time| printed(&time.into())),
            last_operation_id: operation.to_string(),
            last_resource_id: resource.to_string(),
            ..Self::default()
        }
    }

    pub(super) fn read(value: Value) -> Result<Self, SeedError> {
        if !value.is_object() {
            return Err(SeedError(format!("{KEY}: is not an object")));
        }
        let read: Self =
            serde_json::from_value(value).map_err(|error| SeedError(format!("{KEY}: {error}")))?;
        for (field, text) in
            [("lastOperationId", &read.last_operation_id), ("lastResourceId", &read.last_resource_id)]
        {
            if !text.is_empty() && text.parse::<u64>().is_err() {
                return Err(SeedError(format!("{KEY}.{field}: `{text}` is not a number")));
            }
        }
        if read.clock.as_deref().is_some_and(|clock| moment(clock).is_none()) {
            return Err(SeedError(format!("{KEY}.clock: is not a time")));
        }
        Ok(read)
    }

    pub(super) fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn place(&mut self, name: &str, serial: u64) {
        self.places.insert(name.to_owned(), serial);
    }

    pub(super) fn know(&mut self, project: &str) {
        if !self.projects.iter().any(|known| known == project) {
            self.projects.push(project.to_owned());
        }
    }

    pub(super) fn keep(&mut self, name: &str, bytes: &[u8]) {
        self.raw.insert(name.to_owned(), STANDARD.encode(bytes));
    }

    pub(super) fn run(&mut self, saved: &Saved) {
        let running = Running {
            method: saved.method.clone(),
            profile: saved.profile.clone(),
            polls: saved.polls,
            create_time: saved.create_time.as_ref().map(printed).unwrap_or_default(),
            claims: saved.claims.iter().map(|claim| (claim.resource.clone(), claim.doing.clone())).collect(),
            job: STANDARD.encode(&saved.job),
        };
        let name = saved.operation.as_ref().map(|operation| operation.name.clone());
        self.running.insert(name.unwrap_or_default(), running);
    }

    pub(super) fn time(&self) -> Option<SystemTime> {
        self.clock.as_deref().and_then(moment)
    }

    pub(super) fn projects(&self) -> &[String] {
        &self.projects
    }

    /// The last ids, of operations and of resources.
    pub(super) fn last_ids(&self) -> [&str; 2] {
        [&self.last_operation_id, &self.last_resource_id]
    }

    /// The place of what has this name; what has none comes last.
    pub(super) fn serial(&self, name: &str) -> u64 {
        self.places.get(name).copied().unwrap_or(u64::MAX)
    }

    /// The bytes of an entry, unless it was edited.
    pub(super) fn raw(&self, message: &str, name: &str, entry: &Value) -> Option<Bytes> {
        let bytes = STANDARD.decode(self.raw.get(name)?).ok()?;
        let shown =
            json::from_bytes(message, &bytes, Enums::Names).unwrap_or_else(|_| json!({ "name": name }));
        (shown == *entry).then(|| bytes.into())
    }

    /// Whether the operation of this entry is said to run.
    pub(super) fn is_running(&self, operation: &Operation) -> bool {
        !operation.done && self.running.contains_key(&operation.name)
    }

    /// What runs, if the operation of this entry does and it can be read.
    pub(super) fn running(&self, operation: &Operation) -> Option<Saved> {
        let running = self.running.get(&operation.name).filter(|_| !operation.done)?;
        let claims = running.claims.iter();
        let claims =
            claims.map(|(resource, doing)| SavedClaim { resource: resource.clone(), doing: doing.clone() });
        Some(Saved {
            serial: self.serial(&operation.name),
            operation: Some(Operation { name: operation.name.clone(), ..Operation::default() }),
            method: running.method.clone(),
            claims: claims.collect(),
            profile: running.profile.clone(),
            job: STANDARD.decode(&running.job).ok()?,
            create_time: moment(&running.create_time).map(Into::into),
            polls: running.polls,
        })
    }
}

fn printed(time: &Timestamp) -> String {
    let value = json::from_bytes(TIMESTAMP, &time.encode_to_vec(), Enums::Names);
    value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn moment(text: &str) -> Option<SystemTime> {
    let bytes = Reader::new().bytes(TIMESTAMP, &Value::from(text)).ok()?.value;
    time::moment(&Timestamp::decode(bytes.as_slice()).ok()?)
}
