//! Why a command did not do what it was asked: an exit code, a chain of causes, and what to do next.

use std::error::Error as StdError;
use std::fmt;

use contact_center_insights::{Status, json, proto::rpc};

use crate::exit::Exit;
use crate::terminal::plain;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A command's failure. `Display` is the whole report, as the user reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: BoxError,
    /// Shown for its details.
    status: Option<Status>,
    help: Option<String>,
}

impl Failure {
    /// Fails with `exit`, for the reason that `error` gives.
    pub(crate) fn new(exit: Exit, error: impl Into<BoxError>) -> Self {
        Self { exit, error: error.into(), status: None, help: None }
    }

    /// Fails with `exit`, for a reason that has a cause.
    pub(crate) fn because(exit: Exit, reason: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Self::new(exit, Because { reason: reason.into(), cause: cause.into() })
    }

    /// Says what to do next.
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Shows the details of a status.
    pub(crate) fn with_status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// What the process ends with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = chain(self.error.as_ref());
        let (reason, causes) = chain.split_first().map_or(("", [].as_slice()), |(r, c)| (r.as_str(), c));
        write!(f, "error: {reason}")?;
        for cause in causes {
            write!(f, "\n  cause: {cause}")?;
        }
        if let Some(details) = self.status.as_ref().and_then(details) {
            write!(f, "\n  details: {}", details.replace('\n', "\n  "))?;
        }
        match &self.help {
            Some(help) => write!(f, "\nhelp: {}", help.replace('\n', "\n      ")),
            None => Ok(()),
        }
    }
}

/// The messages from `error` down to its root, without those that only repeat the end of the one before.
fn chain(error: &(dyn StdError + 'static)) -> Vec<String> {
    let (mut chain, mut next): (Vec<String>, _) = (Vec::new(), Some(error));
    while let Some(error) = next {
        let message = plain(&error.to_string()).into_owned();
        if !chain.last().is_some_and(|last| last.ends_with(&message)) {
            chain.push(message);
        }
        next = error.source();
    }
    chain
}

/// The details of a status as JSON; none if it has none.
fn details(status: &Status) -> Option<String> {
    if status.details().is_empty() {
        return None;
    }
    let value = json::from_message(&rpc::Status::from(status.clone())).ok()?;
    serde_json::to_string_pretty(value.get("details")?).ok()
}

/// A reason over its cause.
#[derive(Debug)]
struct Because {
    reason: String,
    cause: BoxError,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl StdError for Because {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.cause.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use contact_center_insights::Code;

    use super::*;

    #[test]
    fn a_report_has_each_cause_once_then_details_then_help() {
        let info = rpc::ErrorInfo { reason: "MODEL_BUSY".into(), ..Default::default() };
        let status = Status::new(Code::Aborted, "busy").with_detail(&info);
        let cause = Because { reason: "no: deeper".into(), cause: "deeper".into() };
        let failure = Failure::because(Exit::OperationFailed, "it failed", cause)
            .with_status(status)
            .with_help("first\nthen");
        let report = failure.to_string();
        assert!(report.starts_with("error: it failed\n  cause: no: deeper\n  details: [\n"), "{report}");
        assert!(report.contains("\"reason\": \"MODEL_BUSY\""), "{report}");
        assert!(report.ends_with("]\nhelp: first\n      then"), "{report}");
    }

    #[test]
    fn a_server_cannot_write_to_the_terminal() {
        let failure = Failure::new(Exit::Api, "bad\u{1b}]0;title\u{7}");
        assert_eq!(failure.to_string(), "error: bad ]0;title");
    }
}
