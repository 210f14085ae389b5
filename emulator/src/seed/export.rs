//! A state as a seed: what can be read and compared as resources, and beside it what only an emulator needs to go on
//! from exactly there.

use std::collections::BTreeMap;
use std::time::SystemTime;

use contact_center_insights::json::{self, Enums, Reader};
use contact_center_insights::proto::longrunning::Operation;
use prost::{Message as _, Name as _};
use serde_json::{Map, Value, json};

use super::OPERATIONS;
use super::exact::{Exact, KEY};
use crate::contract::Contract;
use crate::message::wire;
use crate::names;
use crate::state::State;

/// The text of a seed that has all of a state, and the time of a clock that is moved by hand.
pub(crate) fn export(state: &State, time: Option<SystemTime>) -> String {
    let mut exact = Exact::of(state, time);
    let mut collections: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
    let contract = Contract::get();
    for item in state.world.store.everything() {
        let name = wire::text(&item.bytes, 1);
        let Some(resource) = contract.resource_named(name) else { continue };
        let shown = shown(resource.message.full_name(), name, &item.bytes, &mut exact);
        collections.entry(resource.index).or_default().push(shown);
        exact.place(name, item.serial);
        exact.know(state.world.store.spelling(names::project(name)));
    }
    let mut document = Map::new();
    let operations = operations(state, &mut exact);
    if !operations.is_empty() {
        document.insert(OPERATIONS.to_owned(), operations.into());
    }
    for (index, entries) in collections {
        if let Some(resource) = contract.resources().get(index) {
            document.insert(resource.plural.clone(), entries.into());
        }
    }
    document.insert(KEY.to_owned(), exact.to_json());
    format!("{:#}\n", Value::Object(document))
}

fn operations(state: &State, exact: &mut Exact) -> Vec<Value> {
    let kind = Operation::full_name();
    let mut shown_all = Vec::new();
    for saved in state.engine.save_all() {
        let operation = saved.operation.clone().unwrap_or_default();
        let name = operation.name.clone();
        exact.place(&name, saved.serial);
        exact.know(state.world.store.spelling(names::project(&name)));
        if saved.method.is_empty() {
            shown_all.push(shown(&kind, &name, &operation.encode_to_vec(), exact));
        } else {
            exact.run(&saved);
            // How far it is follows from the rest.
            shown_all.push(json!({ "name": name }));
        }
    }
    shown_all
}

/// A message as JSON; where that does not carry all of it, its bytes are kept too.
fn shown(message: &str, name: &str, bytes: &[u8], exact: &mut Exact) -> Value {
    let value = json::from_bytes(message, bytes, Enums::Names).unwrap_or_else(|_| json!({ "name": name }));
    let read = Reader::new().bytes(message, &value);
    if !read.is_ok_and(|read| read.value == bytes) {
        exact.keep(name, bytes);
    }
    value
}
