//! What was found, a line each, and the exit code that it comes to.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::escape::line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Format;

/// Exit codes of failures, the worst first.
const WORST: [Exit; 5] = [Exit::Unreachable, Exit::Credentials, Exit::Usage, Exit::Api, Exit::NotFound];

/// One thing that was tried.
#[derive(Clone, Debug)]
pub(super) struct Check {
    name: &'static str,
    state: &'static str,
    detail: String,
    help: Option<String>,
    exit: Exit,
}

impl Check {
    pub(super) fn ok(name: &'static str, detail: String) -> Self {
        Self { name, state: "ok", detail, help: None, exit: Exit::Ok }
    }

    /// One that cannot be tried, or says nothing.
    pub(super) fn skipped(name: &'static str, detail: &str) -> Self {
        Self { name, state: "skip", detail: detail.to_owned(), help: None, exit: Exit::Ok }
    }

    pub(super) fn failed(name: &'static str, failure: &Failure) -> Self {
        let help = failure.help().map(str::to_owned);
        Self { name, state: "fail", detail: failure.reason(), help, exit: failure.exit() }
    }

    pub(super) fn with_help(mut self, help: String) -> Self {
        self.help = Some(help);
        self
    }
}

/// All that was tried, in order.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Check>);

impl Report {
    pub(super) fn add(&mut self, check: Check) {
        self.0.push(check);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.exit() != Exit::Ok
    }

    /// That of the worst failure.
    pub(super) fn exit(&self) -> Exit {
        let is_there = |exit: &Exit| self.0.iter().any(|check| check.exit == *exit);
        WORST.into_iter().find(is_there).unwrap_or(Exit::Ok)
    }

    /// Lines for people; a document for programs.
    pub(super) fn print(&self, output: Format) -> Result<String, Failure> {
        if output == Format::Table {
            return Ok(self.0.iter().map(of_people).collect());
        }
        output.rows(self.0.iter().map(of_programs).collect())
    }
}

fn of_people(Check { name, state, detail, help, .. }: &Check) -> String {
    let mut text = format!("{state:<5} {name:<14} {}\n", line(detail));
    for help in help.iter().flat_map(|help| help.lines()) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:21}help: {}", "", line(help));
    }
    text
}

fn of_programs(Check { name, state, detail, help, .. }: &Check) -> Value {
    json!({ "name": name, "state": state, "detail": detail, "help": help })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_failure_decides() {
        let mut report = Report::default();
        report.add(Check::ok("a", "fine".to_owned()));
        assert_eq!(report.exit(), Exit::Ok);
        report.add(Check::failed("b", &Failure::new(Exit::NotFound, "gone")));
        report
            .add(Check::failed("c", &Failure::new(Exit::Credentials, "no\u{1b} token").with_help("log\nin")));
        assert_eq!((report.exit(), report.has_failed()), (Exit::Credentials, true));
        let text = report.print(Format::Table).unwrap();
        assert!(text.contains("fail  c              no\\u001b token\n"), "{text}");
        assert!(text.contains("help: log\n") && text.contains("help: in\n"), "{text}");
        let rows: Value = serde_json::from_str(&report.print(Format::Json).unwrap()).unwrap();
        assert_eq!(rows[2]["state"], "fail");
    }
}
