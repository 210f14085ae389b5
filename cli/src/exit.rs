//! Exit codes: what a script can tell from how `cci` ended.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How `cci` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Ok = 0,
    /// The server answered with an error that has no code of its own here, or this machine did.
    Api = 1,
    /// What was given cannot be used; nothing was sent. The code that clap exits with.
    Usage = 2,
    /// The server answered `NOT_FOUND`.
    NotFound = 3,
    /// No access token could be had, or the server refused it.
    Credentials = 4,
    /// The operation that was waited for ended in an error.
    OperationFailed = 5,
    /// The operation that was waited for was cancelled.
    OperationCancelled = 6,
    /// The operation that was waited for had not ended in time.
    StillRunning = 8,
    /// Nothing answers at the endpoint: `EX_UNAVAILABLE` of sysexits.h.
    Unreachable = 69,
    /// The terminal is gone (SIGHUP).
    HungUp = 129,
    /// Ctrl-C: 128 and the number of the signal, as shells have it.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    const ALL: [Self; 12] = [
        Self::Ok,
        Self::Api,
        Self::Usage,
        Self::NotFound,
        Self::Credentials,
        Self::OperationFailed,
        Self::OperationCancelled,
        Self::StillRunning,
        Self::Unreachable,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
    ];

    const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Api => "the API, or this machine, answered with an error; or a recording differs",
            Self::Usage => "bad usage: arguments, names, seeds or input that cannot be used",
            Self::NotFound => "not found",
            Self::Credentials => "no access token, or one that the server refused",
            Self::OperationFailed => "the operation that was waited for failed",
            Self::OperationCancelled => "the operation that was waited for was cancelled",
            Self::StillRunning => "the operation is still running at --timeout",
            Self::Unreachable => "nothing answers at the endpoint",
            Self::HungUp => "the terminal is gone (SIGHUP); the operation goes on",
            Self::Interrupted => "interrupted; the operation goes on",
            Self::Terminated => "terminated (SIGTERM); the operation goes on",
        }
    }

    /// Of several operations: 0 if all succeeded, else the first of these that holds.
    pub(crate) fn first_of(held: &[Self]) -> Self {
        let order = [
            Self::Interrupted,
            Self::Terminated,
            Self::HungUp,
            Self::Unreachable,
            Self::Credentials,
            Self::Api,
            Self::OperationFailed,
            Self::OperationCancelled,
            Self::StillRunning,
            Self::NotFound,
        ];
        order.into_iter().find(|exit| held.contains(exit)).unwrap_or(Self::Ok)
    }

    /// The list that `--help` ends with.
    pub(crate) fn table() -> String {
        Self::ALL.iter().fold("Exit codes:".to_owned(), |mut table, exit| {
            // Writing to a string does not fail.
            let _ = write!(table, "\n  {:>3}  {}", *exit as u8, exit.meaning());
            table
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_that_are_documented() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| *exit as u8).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 8, 69, 129, 130, 143]);
        assert_eq!(Exit::table().lines().count(), 13);
        assert!(Exit::table().contains("\n   69  nothing answers"));
    }

    #[test]
    fn of_many_the_first_that_holds_counts() {
        use Exit::{
            Api, Credentials, Interrupted, NotFound, Ok, OperationCancelled, OperationFailed, StillRunning,
            Unreachable,
        };

        let order = [
            Interrupted,
            Unreachable,
            Credentials,
            Api,
            OperationFailed,
            OperationCancelled,
            StillRunning,
            NotFound,
        ];
        for (place, exit) in order.into_iter().enumerate() {
            let mut held = order[place..].to_vec();
            held.reverse();
            assert_eq!(Exit::first_of(&held), exit);
        }
        assert_eq!(Exit::first_of(&[]), Ok);
    }

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../README.md");
        for exit in Exit::ALL {
            let row = format!("\n| {} | {} |\n", exit as u8, exit.meaning());
            assert!(readme.contains(&row), "no row {row}");
        }
        assert_eq!(
            readme
                .lines()
                .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
                .count(),
            12
        );
    }
}
