//! Reads the collections of a seed into messages: each entry with what is wrong with it, if it is refused.

use std::collections::BTreeSet;

use bytes::Bytes;
use contact_center_insights::Status;
use contact_center_insights::json::{JsonError, Reader};
use serde_json::{Map, Value};

use super::exact::Exact;
use crate::message::wire;

/// What a seed is read from.
pub(super) struct Source<'a> {
    pub(super) collections: &'a Map<String, Value>,
    /// Leaves out what is unknown.
    pub(super) is_lenient: bool,
    /// Of a seed that was exported.
    pub(super) exact: Option<&'a Exact>,
}

impl Source<'_> {
    /// The entries of a collection, encoded.
    pub(super) fn read(
        &self,
        collection: &str,
        message: &str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<Vec<Bytes>, SeedError> {
        let entries = match self.collections.get(collection) {
            None => return Ok(Vec::new()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(SeedError(format!("collection `{collection}` is not a list"))),
        };
        let mut names = BTreeSet::new();
        let mut items = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let label = entry
                .get("name")
                .and_then(Value::as_str)
                .map_or("without name".to_owned(), |name| format!("`{name}`"));
            let error = |why: String| SeedError(format!("{collection}[{index}] ({label}): {why}"));
            let place = format!("{collection}[{index}]");
            let raw = entry.get("name").and_then(Value::as_str);
            let raw = raw.and_then(|name| self.exact?.raw(message, name, entry));
            let item: Bytes = match raw {
                Some(raw) => raw,
                None => self
                    .decode(message, entry, &place)
                    .map_err(|source| SeedError(format!("{place} ({label}): {source}")))?
                    .into(),
            };
            let name = wire::text(&item, 1).to_owned();
            check(&name).map_err(error)?;
            if !names.insert(name) {
                return Err(error("an earlier entry has the same name".to_owned()));
            }
            items.push(item);
        }
        Ok(items)
    }

    fn decode(&self, message: &str, entry: &Value, place: &str) -> Result<Vec<u8>, JsonError> {
        let read =
            Reader::new().ignore_unknown(true).bytes(message, entry).map_err(|error| error.within(place))?;
        for skipped in read.skipped {
            if skipped.is_rest_only {
                tracing::warn!(entry = place, path = %skipped.path, "a field that gRPC lacks is left out of the seed");
            } else if self.is_lenient {
                tracing::warn!(entry = place, path = %skipped.path, "what is unknown is left out of the seed");
            } else {
                return Err(JsonError::from(skipped).within(place));
            }
        }
        Ok(read.value)
    }
}

/// Why something cannot be seeded; names the entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SeedError(pub(super) String);

impl SeedError {
    /// What was placed could not be written down.
    pub(crate) fn from_status(status: &Status) -> Self {
        Self(status.message().to_owned())
    }
}
