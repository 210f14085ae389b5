//! Starting an operation so that it is followed whatever dies: the intent is written first, then the call is made, then the
//! operation takes the place of the intent.
//!
//! What a crash in between leaves is an intent whose time is up. The operation is looked for in the list of its location,
//! by the time and by the request in its metadata. The only match is adopted; none, or several, are shown as unsure.
//! Nothing is ever started from here: an intent is not a request to start something, it is a question whether it was.

use std::time::Duration;

use contact_center_insights as insights;
use contact_center_insights::any::{Unpack, type_name};
use contact_center_insights::call::Call;
use contact_center_insights::json;
use contact_center_insights::lro::Operations;
use contact_center_insights::proto::longrunning;
use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::{Handle, Poller};
use serde_json::Value;

use crate::error::{Error, StoreError};
use crate::key::{location, within_project};
use crate::row::{Intent, OpenIntent, Registration, created};
use crate::store::Store;
use crate::time::{Micros, span, to_timestamp};

/// How long the call that starts an operation has, with all its retries.
const CALL: Duration = Duration::from_mins(1);
/// When it cannot be under way any more.
const OVER: Duration = Duration::from_secs(90);
/// How much earlier than the intent the operation may have been created, by a clock that is not ours.
const SKEW: Micros = 120_000_000;
/// How often the operation is looked for, and the waits between: a list may be late.
const LOOKS: u32 = 4;
const WAIT: Duration = Duration::from_secs(20);
/// Of a list, no more than this is looked at.
const PAGES: usize = 100;

/// Writes the intent, makes the call, and follows what it starts.
pub(crate) async fn start<R: Unpack, M: Unpack>(
    store: &impl Store,
    call: Call<Poller<R, M>>,
    context: Option<String>,
) -> Result<Poller<R, M>, Error> {
    let method = call.method();
    let request = call.encoded_request().unwrap_or_default().to_vec();
    let request_type = format!("{}.{}Request", package(method.service()), method.name());
    let parent = read(&request_type, &request).as_ref().and_then(place).unwrap_or_default();
    let intent = Intent {
        id: format!("intent-{:032x}", fastrand::u128(..)),
        parent,
        method: method.path().to_owned(),
        request_type: Some(request_type),
        request,
        response: R::expected(),
        metadata: M::expected(),
        context: context.clone(),
    };
    let id = intent.id.clone();
    store.write_intent(intent, OVER).await?;
    match call.with_timeout(CALL).await {
        Ok(poller) => {
            let mut registration = Registration::of_poller(&poller);
            registration.context = context;
            // If the store fails now, the intent is still there, and the operation will be found by it.
            store.settle_intent(id, Some(registration)).await?;
            Ok(poller)
        }
        // An answer that breaks the contract came from a server that has acted, maybe.
        Err(error) if error.may_have_been_applied() || matches!(error, insights::Error::Protocol { .. }) => {
            store.note_look(id.clone(), Ok(Duration::ZERO)).await?;
            Err(Error::Unsure { intent: id, error })
        }
        Err(error) => {
            // Nothing was started. If the store fails now, it will be looked for, and shown as unsure.
            if let Err(error) = store.settle_intent(id, None).await {
                tracing::warn!(%error, "the intent of a call that failed is still in the store");
            }
            Err(error.into())
        }
    }
}

/// Looks for the operations of open intents. How many were adopted.
pub(crate) async fn recover(store: &impl Store, operations: &Operations) -> Result<usize, StoreError> {
    let open = store.open_intents().await?;
    let mut adopted = 0_usize;
    for of in &open {
        let next = match look(store, operations, of, &open).await? {
            Found::One(registration) => {
                if store.adopt(of.intent.id.clone(), registration).await? {
                    adopted = adopted.saturating_add(1);
                }
                continue;
            }
            Found::Nothing(why) if of.looks.saturating_add(1) >= LOOKS => Err(why),
            Found::Unsure(why) => Err(why),
            Found::Nothing(_) | Found::Failed => Ok(WAIT),
        };
        if let Err(why) = &next {
            let (intent, method) = (&of.intent.id, &of.intent.method);
            tracing::warn!(intent, method, why, "nobody can tell whether an operation was started");
        }
        store.note_look(of.intent.id.clone(), next).await?;
    }
    Ok(adopted)
}

enum Found {
    One(Registration),
    Nothing(String),
    Unsure(String),
    /// The list could not be had: that is no reason for anything.
    Failed,
}

async fn look(
    store: &impl Store,
    operations: &Operations,
    of: &OpenIntent,
    open: &[OpenIntent],
) -> Result<Found, StoreError> {
    let intent = &of.intent;
    if intent.parent.is_empty() || intent.metadata.is_none() {
        return Ok(Found::Unsure("it is not known where such an operation would be".into()));
    }
    let first = of.written.saturating_sub(SKEW);
    let last = of.written.saturating_add(span(OVER)).saturating_add(SKEW);
    let is_then = |operation: &longrunning::Operation| {
        created(operation).is_some_and(|at| (first..=last).contains(&at))
    };
    let since = to_timestamp(first);
    let request = ListOperationsRequest {
        name: intent.parent.clone(),
        filter: format!("metadata.create_time>=\"{since}\""),
        page_size: 1_000,
        ..Default::default()
    };
    let mut pages = operations.list(request).into_pages();
    let mut matches = Vec::new();
    for _ in 0..PAGES {
        match pages.next_page().await {
            Ok(Some(page)) => {
                matches.extend(page.operations.into_iter().filter(|of| is_then(of) && fits(intent, of)));
            }
            Ok(None) => break,
            Err(error) => {
                tracing::debug!(%error, intent = intent.id, "an operation could not be looked for");
                return Ok(Found::Failed);
            }
        }
    }
    // What is followed already belongs to somebody.
    let names = matches.iter().flat_map(|operation| spellings(&operation.name, &intent.parent)).collect();
    let known = store.known(names).await?;
    matches.retain(|of| !known.iter().any(|name| within_project(name) == within_project(&of.name)));
    let rivals = open.iter().filter(|other| is_rival(&other.intent, intent)).count();
    Ok(match (matches.as_slice(), rivals) {
        ([], _) => Found::Nothing("no such operation was found".into()),
        ([one], 0) => {
            let types = (intent.response.clone(), intent.metadata.clone());
            let name = format!("{}/{}", project_of(&intent.parent), within_project(&one.name));
            let mut registration = Registration::new(Handle::new(name, types.0, types.1));
            registration.created = created(one);
            registration.context.clone_from(&intent.context);
            Found::One(registration)
        }
        (several, rivals) => Found::Unsure(format!(
            "{} operations match, and {rivals} other starts of the same: {}",
            several.len(),
            several.iter().map(|of| of.name.as_str()).take(5).collect::<Vec<_>>().join(", ")
        )),
    })
}

/// `projects/P` of a location.
fn project_of(parent: &str) -> String {
    format!("projects/{}", crate::key::project(parent))
}

/// The name as it came, and with the project as the intent spells it.
fn spellings(name: &str, parent: &str) -> [String; 2] {
    [name.to_owned(), format!("{}/{}", project_of(parent), within_project(name))]
}

/// Whether another open intent would match the same operations.
fn is_rival(other: &Intent, intent: &Intent) -> bool {
    other.id != intent.id && other.method == intent.method && other.request == intent.request
}

/// Whether an operation can be what the intent was to start.
fn fits(intent: &Intent, operation: &longrunning::Operation) -> bool {
    let Some(metadata) = &operation.metadata else { return false };
    if intent.metadata.as_deref() != Some(type_name(&metadata.type_url)) {
        return false;
    }
    let told = json::from_bytes(type_name(&metadata.type_url), &metadata.value, json::Enums::default()).ok();
    let wanted = intent.request_type.as_deref().and_then(|of| read(of, &intent.request));
    match (told.as_ref().and_then(|told| told.get("request")), wanted) {
        (Some(told), Some(wanted)) => is_within(&wanted, told),
        // Metadata that does not repeat the request tells less: the time and the type have to do.
        (None, _) => true,
        (Some(_), None) => false,
    }
}

/// Whether everything in `wanted` is in `told`, which a server may have added to; a project may be spelled otherwise.
fn is_within(wanted: &Value, told: &Value) -> bool {
    match (wanted, told) {
        (Value::Object(wanted), Value::Object(told)) => {
            wanted.iter().all(|(name, value)| told.get(name).is_some_and(|told| is_within(value, told)))
        }
        (Value::Array(wanted), Value::Array(told)) => {
            wanted.len() == told.len()
                && wanted.iter().zip(told).all(|(wanted, told)| is_within(wanted, told))
        }
        (Value::String(wanted), Value::String(told)) => {
            wanted == told
                || (wanted.starts_with("projects/")
                    && told.starts_with("projects/")
                    && within_project(wanted) == within_project(told))
        }
        (wanted, told) => wanted == told,
    }
}

/// A message as JSON; `None` if its type is not known here.
fn read(name: &str, bytes: &[u8]) -> Option<Value> {
    json::from_bytes(name, bytes, json::Enums::default()).ok()
}

/// The location in the first name of a request.
fn place(request: &Value) -> Option<String> {
    let fields = request.as_object()?;
    let first = ["parent", "name"].into_iter().find_map(|field| fields.get(field)?.as_str());
    let nested = || fields.values().find_map(|value| value.get("name")?.as_str());
    first.or_else(nested).and_then(location).map(str::to_owned)
}

/// `a.b` of `a.b.Service`.
fn package(service: &str) -> &str {
    service.rsplit_once('.').map_or("", |(package, _)| package)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_server_may_add_to_a_request_but_not_change_it() {
        let wanted = json!({"parent": "projects/p/locations/l", "filter": "a", "list": [1, 2]});
        let told = json!({"parent": "projects/123/locations/l", "filter": "a", "list": [1, 2], "more": {}});
        assert!(is_within(&wanted, &told));
        for other in [
            json!({"parent": "projects/123/locations/m", "filter": "a", "list": [1, 2]}),
            json!({"parent": "projects/p/locations/l", "filter": "b", "list": [1, 2]}),
            json!({"parent": "projects/p/locations/l", "filter": "a", "list": [1, 2, 3]}),
            json!({"parent": "projects/p/locations/l", "list": [1, 2]}),
        ] {
            assert!(!is_within(&wanted, &other), "{other}");
        }
    }

    #[test]
    fn the_location_is_found_in_parent_name_or_resource() {
        let l = Some("projects/p/locations/l".to_owned());
        assert_eq!(place(&json!({"parent": "projects/p/locations/l"})), l);
        assert_eq!(place(&json!({"name": "projects/p/locations/l/issueModels/1"})), l);
        assert_eq!(place(&json!({"issueModel": {"name": "projects/p/locations/l/issueModels/1"}})), l);
        assert_eq!(place(&json!({"filter": "x"})), None);
    }
}
