//! Every error that the emulator answers with, made in one way.
//!
//! Each carries exactly one `ErrorInfo` (AIP-193): a reason for programs, the domain of the service, and the
//! variable parts of the message as metadata.

use std::io;
use std::path::Path;

use contact_center_insights::proto::rpc::bad_request::FieldViolation;
use contact_center_insights::proto::rpc::quota_failure::Violation;
use contact_center_insights::proto::rpc::{BadRequest, ErrorInfo, QuotaFailure};
use contact_center_insights::{Code, Status};

/// Errors travel in headers, which clients limit; what they quote from a request may be of any length.
const MAX_CHARS: usize = 1000;
/// So may the number of fields that are wrong.
const MAX_FIELDS: usize = 10;

/// The domain of every `ErrorInfo`.
pub(crate) const DOMAIN: &str = "contactcenterinsights.googleapis.com";

/// Which of the emulator's errors carry details, an `ErrorInfo` at least.
///
/// What production sends is not known. Inside operations, details of any type but those of the API cannot be read by
/// Google's own REST clients of Java and Node. What a fault, a seed or a request of the admin API has put there stays in
/// any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorDetails {
    /// The errors of calls (AIP-193), not those inside operations and their metadata.
    #[default]
    Calls,
    /// Those inside operations too.
    All,
    /// None of them: not those of the admin API, of health and of what is refused before it is a call either, nor those of
    /// faults that give a code and no details.
    None,
}

/// An error without its details.
pub(crate) fn bare(status: &Status) -> Status {
    Status::new(status.code(), status.message())
}

/// An error with its reason, and the variable parts of its message.
pub(crate) fn with_reason(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    parts: &[(&str, &str)],
) -> Status {
    let metadata = parts.iter().map(|&(key, value)| (key.to_owned(), clip(value))).collect();
    let info = ErrorInfo { reason: reason.to_owned(), domain: DOMAIN.to_owned(), metadata };
    Status::new(code, clip(&message.into())).with_detail(&info)
}

/// A resource or operation that is not there.
pub(crate) fn not_found(kind: &str, name: &str) -> Status {
    let message = format!("{kind} `{name}` not found");
    with_reason(Code::NotFound, "RESOURCE_NOT_FOUND", message, &[("resource", name)])
}

/// A resource that is not there, in the words of the service where they were recorded. The project is named by number,
/// the resource by the id that was asked for; a scorecard is looked up through its revision `latest`.
pub(crate) fn no_resource(message: &str, kind: &str, project: &str, name: &str) -> Status {
    let mut ids = name.split('/').skip(5).step_by(2);
    let (first, last) = (ids.next().unwrap_or_default(), name.rsplit('/').next().unwrap_or_default());
    let revision = match message {
        "QaScorecard" => "latest",
        _ => last,
    };
    let text = match message {
        "Conversation" | "IssueModel" | "PhraseMatcher" | "Analysis" => {
            format!("No {kind} found for project {project} and {kind} ID {last}.")
        }
        "AnalysisRule" => {
            format!("No AnalysisRule found for project: `{project}` and AnalysisRule Id: `{last}`.")
        }
        "View" => format!("No view found for project: `{project}` and view Id: `{last}`."),
        "QaScorecard" | "QaScorecardRevision" => format!(
            "No QaScorecardRevision found for (project {project}, qa_scorecard_id {first}, revision_id {revision})."
        ),
        _ => format!("{kind} `{last}` does not exist in project {project}"),
    };
    with_reason(Code::NotFound, "RESOURCE_NOT_FOUND", text, &[("project", project), ("id", last)])
}

/// A location that the service is not in: `PERMISSION_DENIED`, with the reason that Google's services give.
pub(crate) fn no_location(project: &str, location: &str) -> Status {
    let text = format!("Permission denied on 'locations/{}' (or it may not exist).", clip(location));
    let parts = [("consumer", &*format!("projects/{project}")), ("location", location)];
    with_reason(Code::PermissionDenied, "LOCATION_POLICY_VIOLATED", text, &parts)
}

/// A field whose value cannot be used: `INVALID_ARGUMENT` with a `BadRequest`.
pub(crate) fn invalid(field: &str, why: &str) -> Status {
    invalid_fields("INVALID_FIELD", &[(field.to_owned(), why.to_owned())])
}

/// Several such fields at once.
pub(crate) fn invalid_fields(reason: &str, fields: &[(String, String)]) -> Status {
    let shown = fields.get(..MAX_FIELDS).unwrap_or(fields);
    let mut reasons: Vec<String> =
        shown.iter().map(|(field, why)| format!("`{field}`: {}", clip(why))).collect();
    if fields.len() > shown.len() {
        reasons.push(format!("and {} more", fields.len() - shown.len()));
    }
    let names = shown.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(",");
    let field_violations = shown
        .iter()
        .map(|(field, why)| FieldViolation {
            field: clip(field),
            description: clip(why),
            ..FieldViolation::default()
        })
        .collect();
    with_reason(Code::InvalidArgument, reason, reasons.join("; "), &[("fields", &names)])
        .with_detail(&BadRequest { field_violations })
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A part of the API that the emulator does not have, although the service may.
pub(crate) fn unsupported(field: &str, why: &str) -> Status {
    let message = format!("the emulator does not support `{field}`: {why}");
    with_reason(Code::Unimplemented, "EMULATOR_UNSUPPORTED", message, &[("field", field)])
}

/// A method of the interface of operations that the service does not have.
pub(crate) fn operations_lack(method: &str) -> Status {
    let why = "the service has `GetOperation`, `ListOperations` and `CancelOperation` of this interface";
    unsupported(method, why)
}

/// A method that the emulator does not serve.
pub(crate) fn unserved(method: &str, known: bool) -> Status {
    let (reason, message) = if known {
        ("EMULATOR_UNSERVED_METHOD", format!("the emulator does not serve `{method}` yet"))
    } else {
        (
            "UNKNOWN_METHOD",
            format!("there is no method `{method}` in this API, so the emulator does not serve it"),
        )
    };
    with_reason(Code::Unimplemented, reason, message, &[("method", method)])
}

/// A quota that is used up: `RESOURCE_EXHAUSTED` with a `QuotaFailure`.
pub(crate) fn quota(reason: &str, message: impl Into<String>, subject: &str, what: &str) -> Status {
    let message = message.into();
    let violation = Violation {
        subject: subject.to_owned(),
        description: clip(&message),
        quota_id: what.to_owned(),
        ..Violation::default()
    };
    with_reason(Code::ResourceExhausted, reason, message, &[("resource", subject), ("quota", what)])
        .with_detail(&QuotaFailure { violations: vec![violation] })
}

/// What the state of a resource forbids.
pub(crate) fn precondition(reason: &str, message: impl Into<String>, resource: &str) -> Status {
    with_reason(Code::FailedPrecondition, reason, message, &[("resource", resource)])
}

/// A name that is taken.
pub(crate) fn already_exists(kind: &str, name: &str) -> Status {
    let message = format!("{kind} `{name}` exists already");
    with_reason(Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS", message, &[("resource", name)])
}

/// A change that could not be written to the data directory, and has not happened: `RESOURCE_EXHAUSTED` if that is full.
pub(crate) fn not_kept(directory: &Path, error: &io::Error) -> Status {
    let is_full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    );
    let directory = directory.display().to_string();
    let parts = [("directory", directory.as_str()), ("error", &error.to_string())];
    if is_full {
        let message = format!(
            "the data directory {directory} is full, and nothing was changed: free some space, then try again ({error})"
        );
        return with_reason(Code::ResourceExhausted, "DATA_DIRECTORY_FULL", message, &parts);
    }
    let message = format!("cannot write to the data directory {directory}, and nothing was changed: {error}");
    with_reason(Code::Internal, "DATA_DIRECTORY", message, &parts)
}

/// A stored resource whose bytes are damaged: `DATA_LOSS`, with its name.
pub(crate) fn torn(name: &str, error: &str) -> Status {
    let message = format!("the stored resource `{name}` is damaged: {error}");
    with_reason(Code::DataLoss, "RESOURCE_DAMAGED", message, &[("resource", name), ("error", error)])
}

/// What should not happen, answered instead of panicking.
pub(crate) fn internal(message: impl Into<String>) -> Status {
    with_reason(Code::Internal, "EMULATOR_INTERNAL", message, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r51_every_error_carries_one_error_info() {
        let errors = [
            not_found("operation", "projects/p"),
            invalid("page_size", "is negative"),
            unsupported("filter", "no"),
            unserved("a.B/C", true),
            unserved("a.B/C", false),
            precondition("MODEL_NOT_DEPLOYED", "`m` is not deployed", "m"),
            already_exists("conversation", "c"),
            quota("TOO_MANY_RESOURCES", "`p` has ten issue models", "p", "issue models"),
            internal("no"),
            not_kept(Path::new("/data"), &io::ErrorKind::StorageFull.into()),
            not_kept(Path::new("/data"), &io::ErrorKind::Other.into()),
            torn("r", "no"),
        ];
        for error in errors {
            let infos = error.details().iter().filter(|any| any.type_url.ends_with("ErrorInfo")).count();
            assert_eq!(infos, 1, "{error:?}");
            let info: ErrorInfo = error.detail().unwrap();
            assert_eq!(info.domain, DOMAIN);
            assert!(info.reason.len() <= 63 && !info.reason.is_empty());
            assert!(info.reason.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{}", info.reason);
            assert!(info.metadata.values().all(|part| error.message().contains(part)), "{error:?}");
        }
    }

    #[test]
    fn what_is_quoted_is_kept_short() {
        let long = "é".repeat(100_000);
        let fields = vec![(long.clone(), long.clone()); 500];
        for error in [invalid(&long, &long), not_found("operation", &long), invalid_fields("X", &fields)] {
            let size: usize = error.details().iter().map(|any| any.value.len()).sum();
            assert!(error.message().chars().count() <= MAX_CHARS + 1 && size < 60_000, "{size}");
        }
    }
}
