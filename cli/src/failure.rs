//! Why a command did not do what it was asked: an exit code, a chain of causes, and what to do next.

use std::error::Error as StdError;
use std::fmt;

use contact_center_insights::{Status, json, proto::rpc};

use crate::escape::{counted, line_within};
use crate::exit::Exit;

type BoxError = Box<dyn StdError + Send + Sync>;

/// How much of a message is shown, in characters: servers send as much as they like.
const MOST_OF_MESSAGE: usize = 2000;
/// How much of the details is shown.
const MOST_DETAIL_LINES: usize = 60;
const MOST_OF_DETAIL_LINE: usize = 300;

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

    /// Says more of what to do, below what is said of it already.
    pub(crate) fn with_more_help(self, more: &str) -> Self {
        let help = self.help.as_ref().map_or_else(|| more.to_owned(), |help| format!("{help}\n{more}"));
        self.with_help(help)
    }

    /// Shows the details of a status.
    pub(crate) fn with_status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// The reason with its causes, on a line.
    pub(crate) fn reason(&self) -> String {
        chain(self.error.as_ref()).join(": ")
    }

    /// What to do next.
    pub(crate) fn help(&self) -> Option<&str> {
        self.help.as_deref()
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
            write!(f, "\n  details: {}", within(&details).join("\n  "))?;
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
        let message = line_within(without_rust(&error.to_string()), MOST_OF_MESSAGE);
        if !chain.last().is_some_and(|last| last.ends_with(&message)) {
            chain.push(message);
        }
        next = error.source();
    }
    chain
}

/// The message without what it tells programmers to do, which ends it: the hints say the same in terms of `cci`.
fn without_rust(message: &str) -> &str {
    match message.rsplit_once("; ") {
        Some((before, advice)) if advice.split('`').skip(1).step_by(2).any(is_rust) => before,
        _ => message,
    }
}

/// Whether it is the path of something in Rust, such as `Tls::with_ca_pem`; no IPv6 address is.
fn is_rust(quoted: &str) -> bool {
    let Some((item, method)) = quoted.split_once("::") else { return false };
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    item.starts_with(|c: char| c.is_ascii_uppercase())
        && item.contains(|c: char| c.is_ascii_lowercase())
        && [item, method].into_iter().all(is_word)
}

/// The first lines, and how much was left out. Whole they are in the JSON of an operation.
fn within(details: &str) -> Vec<String> {
    let lines = details.lines().take(MOST_DETAIL_LINES).map(|line| line_within(line, MOST_OF_DETAIL_LINE));
    let left_out = details.lines().count().saturating_sub(MOST_DETAIL_LINES);
    let note = (left_out > 0).then(|| format!("… and {}", counted(left_out, "more line", "more lines")));
    lines.chain(note).collect()
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
        assert_eq!(failure.to_string(), "error: bad\\u001b]0;title\\u0007");
        let info = rpc::ErrorInfo { reason: "\u{202e}\u{9b}2J".into(), ..Default::default() };
        let status = Status::new(Code::Aborted, "").with_detail(&info);
        let report = Failure::new(Exit::Api, "x").with_status(status).to_string();
        assert!(report.contains("\"reason\": \"\\u202e\\u009b2J\""), "{report}");
    }

    #[test]
    fn a_report_is_bounded_whatever_a_server_sends() {
        let info = rpc::ErrorInfo { reason: "MODEL_BUSY".into(), ..Default::default() };
        let mut status = Status::new(Code::Aborted, "");
        for _ in 0..300 {
            status = Status::new(Code::Aborted, "nested")
                .with_detail(&rpc::Status::from(status))
                .with_detail(&info);
        }
        let report = Failure::new(Exit::Api, "x".repeat(100_000)).with_status(status).to_string();
        assert!(report.len() < 20_000, "{}", report.len());
        assert!(report.contains("… (98000 more characters)"), "{report}");
        assert!(report.contains("\n  … and ") && report.ends_with(" more lines"), "{report}");
    }

    #[test]
    fn advice_for_programmers_is_left_out() {
        let place = "the certificate of `[fe80::ab]:443`";
        for (message, kept) in [
            ("no authority; if it should be, give it by `Tls::with_ca_pem`", "no authority"),
            ("none; install them, give some by `Tls::with_ca_pem`, or build with `tls-webpki-roots`", "none"),
            ("it is `a`; name `FILE` or `Tls::with_identity_pem`", "it is `a`"),
            ("use https, or anonymous credentials", "use https, or anonymous credentials"),
            ("x; see `[2001:db8::1]` or `FE80::ab`", "x; see `[2001:db8::1]` or `FE80::ab`"),
        ] {
            assert_eq!(without_rust(message), kept);
        }
        assert_eq!(without_rust(place), place);
    }
}
