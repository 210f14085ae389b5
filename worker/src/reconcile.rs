//! What runs at the service and is not registered, and what is registered and not there: after a backup was restored, say.

use std::collections::HashMap;

use contact_center_insights::lro::Operations;
use contact_center_insights::proto::longrunning;
use contact_center_insights::proto::longrunning::ListOperationsRequest;
use contact_center_insights::{Handle, Operation, Payload};

use crate::error::Error;
use crate::key::{parent, project, within_project};
use crate::row::{Registration, State, created};
use crate::store::Store;

/// A page of the store's list.
const PAGE: usize = 1_000;

/// What to compare, made by [`Reconciliation::of`].
///
/// ```
/// use contact_center_insights_worker::Reconciliation;
///
/// let of = Reconciliation::of("my-project").with_location("us-central1").adopt(true);
/// # let _ = of;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is compared before a worker does it"]
pub struct Reconciliation {
    project: String,
    locations: Vec<String>,
    adopts: bool,
}

impl Reconciliation {
    /// The operations of a project: in the locations in which some are registered, and those that are added.
    pub fn of(project: impl Into<String>) -> Self {
        Self { project: project.into(), locations: Vec::new(), adopts: false }
    }

    /// In this location too.
    pub fn with_location(mut self, location: impl Into<String>) -> Self {
        self.locations.push(location.into());
        self
    }

    /// Whether what runs and is not registered is followed from now on. By default it is only reported.
    pub fn adopt(mut self, adopts: bool) -> Self {
        self.adopts = adopts;
        self
    }
}

/// What a comparison has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// Runs at the service, and is not registered, or was not.
    pub unregistered: Vec<String>,
    /// How many of them are followed from now on.
    pub adopted: usize,
    /// Is registered, and the service does not know it. Sweeps find that too, and hand it over as lost.
    pub missing: Vec<String>,
    /// Operations that run and are registered.
    pub followed: usize,
}

/// Compares. Reads only, but for what is adopted.
pub(crate) async fn reconcile(
    store: &impl Store,
    operations: &Operations,
    of: &Reconciliation,
) -> Result<Reconciled, Error> {
    let mut pending = pending(store, &of.project).await?;
    let parents = parents(of, pending.values());
    let mut reconciled = Reconciled::default();
    let mut strangers = Vec::new();
    for parent in parents {
        let filter = r#"done="false""#.to_owned();
        let request =
            ListOperationsRequest { name: parent.clone(), filter, page_size: 1_000, ..Default::default() };
        let mut pages = operations.list(request).into_pages();
        while let Some(page) = pages.next_page().await? {
            for operation in page.operations {
                if pending.remove(within_project(&operation.name)).is_some() {
                    reconciled.followed = reconciled.followed.saturating_add(1);
                } else {
                    strangers.push(spelled(operation, &of.project));
                }
            }
        }
    }
    let known = store.known(strangers.iter().map(|of| of.name.clone()).collect()).await?;
    strangers.retain(|operation| !known.contains(&operation.name));
    for operation in strangers {
        // A list may be late, and an operation that has ended may have been handed over long ago.
        let now = operations.get::<Payload, Payload>(operation.name.as_str()).await?;
        if now.is_done() {
            continue;
        }
        reconciled.unregistered.push(operation.name.clone());
        if of.adopts {
            let added = store.register(vec![registration(&operation, &now)]).await?;
            reconciled.adopted = reconciled.adopted.saturating_add(added);
        }
    }
    // Not in the list: it has ended, which the next sweep finds, or it is not there.
    for name in pending.into_values() {
        match operations.get::<Payload, Payload>(name.as_str()).await {
            Ok(operation) if operation.is_done() => {}
            Ok(_) => reconciled.followed = reconciled.followed.saturating_add(1),
            Err(error) if error.is_not_found() => reconciled.missing.push(name),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(reconciled)
}

/// What is registered and runs, by names without their projects.
async fn pending(store: &impl Store, of: &str) -> Result<HashMap<String, String>, Error> {
    let (mut found, mut after) = (HashMap::new(), None);
    loop {
        let page = store.list(Some(State::Pending), after.take(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.name.clone());
        let of_project = page.into_iter().filter(|listed| project(&listed.name) == of);
        found.extend(of_project.map(|listed| (within_project(&listed.name).to_owned(), listed.name)));
    }
}

fn parents<'a>(of: &Reconciliation, names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let asked = of.locations.iter().map(|location| format!("projects/{}/locations/{location}", of.project));
    let mut all: Vec<String> = names.map(|name| parent(name).to_owned()).chain(asked).collect();
    all.retain(|parent| !parent.is_empty());
    all.sort();
    all.dedup();
    all
}

/// Lists name a project by its number; here it is what the caller has called it.
fn spelled(mut operation: longrunning::Operation, project: &str) -> longrunning::Operation {
    operation.name = format!("projects/{project}/{}", within_project(&operation.name));
    operation
}

fn registration(listed: &longrunning::Operation, now: &Operation) -> Registration {
    let mut registration = Registration::new(Handle::from(listed.name.as_str()));
    registration.created = created(now.raw());
    registration
}
