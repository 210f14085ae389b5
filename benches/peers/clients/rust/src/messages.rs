//! What this client and the bare stub have in common: the generated messages, and what is read of each operation.

use contact_center_insights::any::Unpack as _;
use contact_center_insights::proto::insights::{CreateIssueModelMetadata, IssueModel};
use contact_center_insights::proto::longrunning::{Operation, operation::Result as Outcome};

use crate::driver::Failure;

/// What a page of a list has at most.
pub(crate) const PAGE_SIZE: i32 = 1000;

/// Decodes what the operation holds.
pub(crate) fn read(operation: &Operation) -> Result<(), Failure> {
    let Some(Outcome::Response(response)) = &operation.result else { return Err("no response".into()) };
    let metadata = operation.metadata.as_ref().ok_or("no metadata")?;
    check(&CreateIssueModelMetadata::unpack(metadata)?, &IssueModel::unpack(response)?)
}

/// Whether these are what the finished operation holds.
pub(crate) fn check(metadata: &CreateIssueModelMetadata, model: &IssueModel) -> Result<(), Failure> {
    let issues = model.training_stats.as_ref().map_or(0, |stats| stats.issue_stats.len());
    if metadata.end_time.is_none() || issues == 0 || usize::try_from(model.issue_count) != Ok(issues) {
        return Err("not the finished operation".into());
    }
    Ok(())
}

/// The location of an operation.
pub(crate) fn location(operation: &str) -> String {
    operation.split("/operations/").next().unwrap_or_default().to_owned()
}
