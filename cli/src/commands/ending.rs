//! What there is to say of a finished operation, beside its document.

use contact_center_insights::lro::Outcome;
use contact_center_insights::proto::rpc;
use contact_center_insights::{Error, Operation, Status};

use crate::escape::{counted, line_within};
use crate::progress::partial_errors;
use crate::terminal::eprint_line;

/// How many partial errors are shown, and how much of each, in characters.
const SHOWN_ERRORS: usize = 3;
const MOST_OF_ERROR: usize = 500;

/// Prints notes about a finished operation; an error if it did not succeed.
pub(super) fn conclude(operation: &Operation) -> Result<(), Error> {
    let Ending { notes, error } = Ending::of(operation);
    notes.into_iter().for_each(eprint_line);
    error.map_or(Ok(()), Err)
}

/// What there is to say of a finished operation.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) notes: Vec<String>,
    /// If it did not succeed.
    pub(super) error: Option<Error>,
}

impl Ending {
    pub(super) fn of(operation: &Operation) -> Self {
        let mut notes = match operation.metadata() {
            Some(Ok(metadata)) => summarize(partial_errors(&metadata)),
            _ => Vec::new(),
        };
        let error = match operation.result() {
            Some(Err(error @ (Error::Operation { .. } | Error::Cancelled { .. }))) => Some(error),
            // Methods that promise an empty response may leave it out, so that this is not a failure.
            Some(Err(error @ Error::NoResult { .. })) => {
                notes.push(format!("note: {error}"));
                None
            }
            // A response that cannot be read is printed as it came.
            _ => None,
        };
        Self { notes, error }
    }
}

/// How it ended, for one who asked to cancel it; `None` while it runs.
pub(super) fn after_cancel(operation: &Operation) -> Option<String> {
    let ended = "note: the operation has ended already, and stays as it is:";
    Some(match operation.outcome()? {
        // Whether it was this request that did it, the server does not tell.
        Outcome::Cancelled(_) => "note: the operation has ended: it was cancelled".to_owned(),
        Outcome::Succeeded(_) => format!("{ended} it succeeded"),
        Outcome::Failed(status) => {
            format!("{ended} it failed with {}", line_within(&status.to_string(), MOST_OF_ERROR))
        }
        _ => format!("{ended} it has neither response nor error"),
    })
}

fn summarize(errors: &[rpc::Status]) -> Vec<String> {
    if errors.is_empty() {
        return Vec::new();
    }
    let count = counted(errors.len(), "partial error", "partial errors");
    let first = format!("note: {count}, in full under metadata.partialErrors:");
    let shown = errors
        .iter()
        .take(SHOWN_ERRORS)
        .map(|error| format!("  {}", line_within(&Status::from(error.clone()).to_string(), MOST_OF_ERROR)));
    let more = errors.len().saturating_sub(SHOWN_ERRORS);
    let last = (more > 0).then(|| format!("  and {more} more"));
    std::iter::once(first).chain(shown).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_errors_are_counted_and_bounded() {
        let error = |message: &str| rpc::Status { code: 3, message: message.into(), details: vec![] };
        assert_eq!(summarize(&[]), Vec::<String>::new());
        assert_eq!(
            summarize(&[error("torn\n\u{202e}")]),
            [
                "note: 1 partial error, in full under metadata.partialErrors:",
                "  INVALID_ARGUMENT: torn \\u202e"
            ]
        );
        let many = summarize(&vec![error(&"x".repeat(10_000)); 5]);
        assert!(many[0].starts_with("note: 5 partial errors,") && many[4] == "  and 2 more", "{many:?}");
        assert!(many.concat().len() < 2500, "{many:?}");
    }
}
