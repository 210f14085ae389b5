//! What the methods of several resources need.

use contact_center_insights::Status;
use contact_center_insights::proto::insights::Conversation;
use contact_center_insights::proto::rpc;

use crate::content::bucket::Buckets;
use crate::errors;
use crate::filter::Filter;
use crate::message::wire;
use crate::store::{self, Resources};
use crate::work::Work;
use crate::world::Settings;

/// The alias of the revision of a scorecard that is in use.
pub(super) const DEPLOYED: &str = "default";

/// Metadata is polled: a list of errors that grows with the job would make each poll as large as the job.
const MAX_PARTIAL_ERRORS: usize = 100;

/// The names of the conversations of a location that a filter asks for, in order of name.
pub(super) fn matching(
    resources: &Resources,
    location: &str,
    field: &str,
    filter: &str,
) -> Result<Vec<String>, Status> {
    let conversations = store::of::<Conversation>()?;
    let filter = Filter::compile_field(field, filter, &conversations.message)?;
    let (work, mut found) = (Work::most(), Vec::new());
    for item in resources.below(conversations, location) {
        if filter.selects(&item.bytes, &work)? {
            found.push(wire::text(&item.bytes, 1).to_owned());
        }
    }
    Ok(found)
}

/// Adds an error, unless there are many already.
pub(super) fn note(errors: &mut Vec<rpc::Status>, status: Status) {
    if errors.len() < MAX_PARTIAL_ERRORS {
        errors.push(status.into());
    }
}

/// The buckets below the directory that the emulator was started with.
pub(super) fn buckets(settings: &Settings) -> Result<Buckets, Status> {
    let Some(root) = &settings.gcs_root else { return Ok(Buckets::default()) };
    Buckets::open(root).map_err(|error| errors::internal(format!("`{}`: {error}", root.display())))
}
