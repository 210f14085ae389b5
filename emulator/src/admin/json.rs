//! The admin API as JSON: which path is which method, and messages from JSON and back.

mod print;
mod read;

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contact_center_insights::proto::FILE_DESCRIPTOR_SET as LIBRARY;
use contact_center_insights::{Code, Status, json};
use percent_encoding::percent_decode_str;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use serde_json::{Value, json as object};

use super::service::{self, FILE_DESCRIPTOR_SET, SERVICE, call};
use crate::errors;
use crate::pipeline::Pipeline;

/// Where all of it is.
const PREFIX: &str = "/_emulator/v1/";

/// Verb, path and method.
const ROUTES: [(&str, &str, &str); 27] = [
    ("GET", "status", "GetStatus"),
    ("POST", "reset", "Reset"),
    ("POST", "seed", "Seed"),
    ("GET", "snapshot", "TakeSnapshot"),
    ("POST", "restore", "RestoreSnapshot"),
    ("GET", "export", "ExportSeed"),
    ("GET", "operations", "ListOperations"),
    ("GET", "resources", "ListResources"),
    ("POST", "operations:advance", "AdvanceOperation"),
    ("POST", "operations:complete", "CompleteOperation"),
    ("POST", "operations:fail", "FailOperation"),
    ("POST", "operations:cancel", "CancelOperation"),
    ("GET", "clock", "GetClock"),
    ("POST", "clock:set", "SetClock"),
    ("POST", "clock:advance", "AdvanceClock"),
    ("GET", "faults", "ListFaults"),
    ("POST", "faults", "AddFaults"),
    ("POST", "faults:remove", "RemoveFault"),
    ("DELETE", "faults", "ClearFaults"),
    ("GET", "quotas", "GetQuotas"),
    ("PUT", "quotas", "SetQuotas"),
    ("GET", "journal", "ListJournal"),
    ("PUT", "journal", "SetJournal"),
    ("DELETE", "journal", "ClearJournal"),
    ("POST", "journal:count", "CountJournal"),
    ("GET", "coverage", "GetCoverage"),
    ("GET", "snippets", "ListSnippets"),
];

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Method(&'static str),
    /// Other verbs go with it.
    WrongVerb(Vec<&'static str>),
    /// These are all that there are.
    Nothing(Vec<String>),
}

/// Looks a path up.
pub(crate) fn find(verb: &str, path: &str) -> Found {
    let rest = path.strip_prefix(PREFIX).unwrap_or_default();
    let there: Vec<_> = ROUTES.iter().filter(|(_, path, _)| *path == rest).collect();
    if there.is_empty() {
        return Found::Nothing(
            ROUTES.iter().map(|(verb, path, _)| format!("{verb} {PREFIX}{path}")).collect(),
        );
    }
    match there.iter().find(|(wanted, ..)| *wanted == verb) {
        Some((_, _, method)) => Found::Method(method),
        None => Found::WrongVerb(there.iter().map(|(verb, ..)| *verb).collect()),
    }
}

/// Answers a method in JSON.
pub(crate) fn answer(
    pipeline: &Arc<Pipeline>,
    method: &str,
    query: &str,
    body: &[u8],
) -> Result<Value, Status> {
    if let Some(done) = taken(pipeline, method, body) {
        return done.map(|()| object!({}));
    }
    let descriptor = descriptor(method)?;
    let given = match method {
        _ if body.is_empty() => read::fields_of(pairs(query)),
        _ => json::value_from_str(&String::from_utf8_lossy(body))
            .map_err(|error| malformed(&format!("the body is {error}")))?,
    };
    let request = read::message(&descriptor.input(), &given)?;
    let reply = call(pipeline, method, &request.encode_to_vec())?;
    let reply = DynamicMessage::decode(descriptor.output(), reply.as_slice());
    let mut reply = print::message(&reply.map_err(|error| errors::internal(error.to_string()))?)?;
    match (method, reply.get("json").and_then(Value::as_str)) {
        ("GetCoverage" | "ExportSeed", Some(document)) => {
            return serde_json::from_str(document).map_err(|error| errors::internal(error.to_string()));
        }
        ("ListJournal", _) => show_inner(&mut reply, "calls", &["request", "reply"]),
        ("ListOperations", _) => show_inner(&mut reply, "operations", &["json"]),
        ("ListResources", _) => show_inner(&mut reply, "resources", &["json"]),
        _ => {}
    }
    Ok(reply)
}

/// A snapshot, as it is given out.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot<'a> {
    #[serde(borrow)]
    state: &'a str,
}

/// Takes in what is as large as the state, without a copy of it that can be spared. `None` where it has to be read as
/// other requests are, and is not one of these, or has another form.
fn taken(pipeline: &Arc<Pipeline>, method: &str, body: &[u8]) -> Option<Result<(), Status>> {
    match method {
        // The body is the seed itself.
        "Seed" => Some(service::seed(pipeline, &String::from_utf8_lossy(body))),
        "RestoreSnapshot" => {
            let given: Snapshot<'_> = serde_json::from_slice(body).ok()?;
            let state = STANDARD.decode(given.state).ok()?;
            Some(pipeline.service.restore(&state))
        }
        _ => None,
    }
}

/// What is JSON in a string is an object, in these fields of the items of a list.
fn show_inner(reply: &mut Value, list: &str, fields: &[&str]) {
    let items = reply.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    for item in items {
        for field in fields {
            if let Some(shown) = item.get_mut(*field)
                && let Some(value) = shown.as_str().and_then(|text| serde_json::from_str(text).ok())
            {
                *shown = value;
            }
        }
    }
}

fn malformed(error: &str) -> Status {
    errors::with_reason(Code::InvalidArgument, "MALFORMED_JSON", error, &[("error", error)])
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let text = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(move |(name, value)| (text(name), text(value)))
}

fn descriptor(method: &str) -> Result<MethodDescriptor, Status> {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        // The library's messages are what an Any in an error can hold.
        let mut pool = DescriptorPool::decode(LIBRARY).unwrap_or_default();
        if let Err(error) = pool.decode_file_descriptor_set(FILE_DESCRIPTOR_SET) {
            tracing::error!(%error, "the admin API has no JSON");
        }
        pool
    });
    let service = pool.get_service_by_name(SERVICE);
    let found = service.and_then(|service| service.methods().find(|found| found.name() == method));
    found.ok_or_else(|| errors::internal(format!("the admin API has no `{method}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_one_path() {
        let mut names: Vec<_> = ROUTES.iter().map(|(.., method)| (*method).to_owned()).collect();
        let service = descriptor("Reset").unwrap().parent_service().clone();
        let mut wanted: Vec<_> = service.methods().map(|method| method.name().to_owned()).collect();
        names.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(names, wanted);
    }

    #[test]
    fn paths_are_told_apart_by_verb() {
        assert_eq!(find("DELETE", "/_emulator/v1/faults"), Found::Method("ClearFaults"));
        assert_eq!(find("PUT", "/_emulator/v1/reset"), Found::WrongVerb(vec!["POST"]));
        for path in ["/_emulator/v1/", "/_emulator/v2/status", "/_emulator/v1/status/"] {
            assert!(matches!(find("GET", path), Found::Nothing(all) if all.len() == ROUTES.len()), "{path}");
        }
    }
}
