//! The main facts of an operation, whatever its types.

use std::fmt;

use contact_center_insights::lro::{self, Outcome};
use contact_center_insights::proto::longrunning::Operation;
use contact_center_insights::{Payload, Status};
use serde_json::Value;

use crate::progress::Progress;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Succeeded,
    Failed,
    Cancelled,
    NoResult,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::NoResult => "NO RESULT",
        })
    }
}

/// What a table shows of an operation. What it does not tell is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) name: String,
    /// The method, as filters on `metadata.operation_type` spell it.
    pub(super) kind: String,
    pub(super) state: State,
    /// How far it is, if it counts.
    pub(super) progress: String,
    pub(super) created: String,
    pub(super) ended: String,
    pub(super) error: String,
}

impl Summary {
    /// Reads an operation, and the same as JSON: there the times of all types of metadata look alike.
    pub(super) fn new(operation: &Operation, value: &Value) -> Self {
        let metadata = value.get("metadata");
        let text = |field| metadata.and_then(|m| m.get(field)).and_then(Value::as_str).unwrap_or_default();
        let (state, error) = state(operation);
        Self {
            name: operation.name.clone(),
            kind: kind(text("@type")).to_owned(),
            state,
            progress: progress(operation),
            created: text("createTime").to_owned(),
            ended: text("endTime").to_owned(),
            error: error.map(|status| status.to_string()).unwrap_or_default(),
        }
    }
}

impl Summary {
    /// Whether it has ended.
    pub(super) fn is_done(&self) -> bool {
        self.state != State::Running
    }
}

fn progress(operation: &Operation) -> String {
    let metadata = lro::Operation::<Payload>::from(operation.clone()).metadata().and_then(Result::ok);
    metadata.as_ref().and_then(Progress::of).map(|progress| progress.short()).unwrap_or_default()
}

fn state(operation: &Operation) -> (State, Option<Status>) {
    match lro::Operation::<Payload>::from(operation.clone()).outcome() {
        None => (State::Running, None),
        Some(Outcome::Failed(status)) => (State::Failed, Some(status)),
        Some(Outcome::Cancelled(status)) => (State::Cancelled, Some(status)),
        Some(Outcome::NoResult) => (State::NoResult, None),
        Some(_) => (State::Succeeded, None),
    }
}

/// `CreateIssueModel` for `type.googleapis.com/….CreateIssueModelMetadata`.
fn kind(type_url: &str) -> &str {
    let name = type_url.rsplit(['/', '.']).next().unwrap_or(type_url);
    let stripped = name.strip_suffix("OperationMetadata").or_else(|| name.strip_suffix("Metadata"));
    stripped.filter(|kind| !kind.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_of_the_filter_on_operation_type() {
        let package = "type.googleapis.com/google.cloud.contactcenterinsights.v1";
        for (name, short) in [
            ("CreateIssueModelMetadata", "CreateIssueModel"),
            ("CreateAnalysisOperationMetadata", "CreateAnalysis"),
            ("Metadata", "Metadata"),
            ("Odd", "Odd"),
        ] {
            assert_eq!(kind(&format!("{package}.{name}")), short);
        }
        assert_eq!(kind(""), "");
    }
}
