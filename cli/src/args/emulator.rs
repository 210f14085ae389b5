//! `cci emulator` and what is below it.

mod listen;

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use contact_center_insights_emulator::{DEFAULT_PORT, ManualClock, MethodProfile};

pub(crate) use self::listen::Listen;
use crate::duration;

#[derive(Debug, Args)]
pub(crate) struct Emulator {
    #[command(subcommand)]
    pub(crate) command: Option<EmulatorCommand>,

    #[command(flatten)]
    pub(crate) serve: Serve,

    /// End when stdin is closed. A program that starts an emulator and holds the other end of its stdin never leaves it
    /// behind, even if the program is killed.
    #[arg(long)]
    pub(crate) exit_with_stdin: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum EmulatorCommand {
    /// Run a command beside an emulator of its own, and end with it.
    ///
    /// The emulator takes a free port. The command finds it by `CONTACTCENTERINSIGHTS_EMULATOR_HOST` (HOST:PORT,
    /// without --tls) and `CONTACTCENTERINSIGHTS_EMULATOR_ENDPOINT` (a URI); with --tls also by
    /// `CONTACTCENTERINSIGHTS_EMULATOR_CA`, `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` and `NODE_EXTRA_CA_CERTS`. Signals are
    /// passed on to it. The exit code is the command's own: 128 and its number if a signal ended it, 127 if there is no
    /// such command, 126 if it cannot be run.
    #[command(after_help = "Example:\n  cci emulator exec --seed seed.json -- pytest tests/")]
    Exec(Box<Exec>),
    /// Print the lines that point a language's official client at an emulator, or calls of the REST API by curl.
    #[command(after_help = "Example:\n  cci emulator env --lang python")]
    Env(Recipe),
    /// Ask an emulator whether it serves, as a container's health check does: exit code 0 if so, 69 if not.
    #[command(after_help = "Example:\n  cci emulator health --endpoint http://127.0.0.1:9420")]
    Health(Health),
}

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Where the emulator listens. By default, what `CONTACTCENTERINSIGHTS_EMULATOR_HOST` holds, or else
    /// `http://127.0.0.1:9420`. With `https://`, its CA must be trusted: `SSL_CERT_FILE=FILE`.
    #[arg(long, value_name = "URI")]
    pub(crate) endpoint: Option<String>,

    /// How long to wait for the answer.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "5s")]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) serve: Serve,

    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

// What an emulator is set up with.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) listen: Listen,

    /// A JSON file with what is there from the start: lists named `operations`, `conversations`, `issueModels`
    /// and so on, of resources with their full names.
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,

    /// Leave out of the seed what is unknown, fields and enum values, with a warning for each: for recordings of the
    /// service that are newer than this emulator. Fields that only the REST API has are left out in any case.
    #[arg(long, requires = "seed")]
    pub(crate) lenient: bool,

    /// A directory that stands for Cloud Storage: `gs://BUCKET/OBJECT` is the file `DIR/BUCKET/OBJECT`, read by
    /// uploads and ingestion, written by exports.
    #[arg(long, value_name = "DIR")]
    pub(crate) gcs_root: Option<PathBuf>,

    /// Keep resources and operations in this directory: every change is there before its call is answered, and outlives
    /// the process, even one that is killed. --seed counts only while the directory is new.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// When changes in the data directory are synced to the disk, which is what outlives a loss of power: within a `second`
    /// and at the end, or `always`, before a call is answered, which takes as long as the disk needs.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "second", requires = "data_dir")]
    pub(crate) sync: SyncChoice,

    /// How operations go, for all methods or for one: `immediate`, `polls:N` or `time:D`, then perhaps
    /// `,fail=CODE[:message]`. Can be given many times.
    #[arg(long, value_name = "[METHOD=]PROFILE")]
    pub(crate) profile: Vec<MethodProfile>,

    /// Keep the bodies of requests and replies in the journal, as JSON or as base64. By default it has none, since there may
    /// be secrets in them.
    #[arg(long)]
    pub(crate) journal_bodies: bool,

    /// A JSON file with what goes wrong: `{"faults": [{"method": "GetOperation", "status": {"code": 14}, "times": 2}]}`,
    /// as the admin API takes it.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,

    /// Refuse more calls per minute than Google documents: 3000 of a project, of them 300 each of `CreateConversation`,
    /// `CreateAnalysis` and `UploadConversation`, and 60 of `ExportInsightsData`.
    #[arg(long)]
    pub(crate) documented_quotas: bool,

    /// Give a project a number. Answers name projects by number, and requests may name them by either; a project that is
    /// given none has one that follows from its id, always the same. Can be given many times.
    #[arg(long, value_name = "ID=NUMBER")]
    pub(crate) project_number: Vec<ProjectNumber>,

    /// How answers name projects: by `number`, as the service does, or as an `echo` of the request, where the id and the
    /// number of a project are two projects.
    #[arg(long, value_enum, value_name = "HOW", default_value = "number")]
    pub(crate) project_names: ProjectNames,

    #[command(flatten)]
    pub(crate) strictness: Strictness,

    #[command(flatten)]
    pub(crate) lists: Lists,

    /// Which errors carry details (`google.rpc.ErrorInfo` and others): those of `calls`, `all`, also those inside
    /// operations, which Google's REST clients of Java and Node cannot read, or `none`.
    #[arg(long, value_enum, value_name = "WHICH", default_value = "calls")]
    pub(crate) error_details: ErrorDetails,

    /// The clock: `real`, or `virtual`, which stands still until it is told to move; it starts at
    /// 2026-01-01T00:00:00Z, or as in `virtual=2026-11-24T09:00:00Z`.
    #[arg(long, value_name = "CLOCK", default_value = "real")]
    pub(crate) clock: ClockChoice,
}

// What is taken that the service refuses, and what is refused that it takes.
#[derive(Debug, Args)]
pub(crate) struct Strictness {
    /// Take what the service refuses because it is deprecated: issue models without a type, or of `TYPE_V1`.
    #[arg(long)]
    pub(crate) allow_deprecated: bool,

    /// How many conversations the training of an issue model of `TYPE_V2` needs; with fewer it is refused. 100 by default,
    /// as the service wants.
    #[arg(long, value_name = "N")]
    pub(crate) min_training_conversations: Option<usize>,

    /// Serve every location. By default, those that the service is not documented to be in are refused.
    #[arg(long)]
    pub(crate) allow_any_location: bool,

    /// Refuse fields and query parameters that only the REST API has. By default they are ignored, with a warning in the
    /// log and in the journal.
    #[arg(long)]
    pub(crate) strict_fields: bool,
}

// How lists of operations are, for tests of clients that conclude from them.
#[derive(Debug, Args)]
pub(crate) struct Lists {
    /// Send at most this many operations a page, whatever is asked for. 1,000 by default.
    #[arg(long = "operations-page-cap", value_name = "N")]
    pub(crate) page_cap: Option<usize>,

    /// List operations as they were this long ago: what has ended since is listed as running.
    #[arg(long = "operations-lag", value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) lag: Option<Duration>,

    /// Turn the operations of each page round.
    #[arg(long = "operations-unordered")]
    pub(crate) is_unordered: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Recipe {
    /// The language of the client.
    #[arg(long, value_enum)]
    pub(crate) lang: Language,

    /// Where the emulator listens.
    #[arg(long, value_name = "HOST:PORT", default_value_t = format!("{}:{DEFAULT_PORT}", Ipv4Addr::LOCALHOST))]
    pub(crate) address: String,
}

/// A language that Google has a client for, ours, and curl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    Python,
    Node,
    Java,
    Go,
    Curl,
}

/// When the data directory is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SyncChoice {
    Second,
    Always,
}

/// Which errors carry details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorDetails {
    Calls,
    All,
    None,
}

/// How answers name projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProjectNames {
    Number,
    Echo,
}

/// The number of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectNumber {
    pub(crate) id: String,
    pub(crate) number: u64,
}

impl FromStr for ProjectNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, number) = text.split_once('=').unwrap_or((text, ""));
        let number = number.parse().map_err(|_| "is not of the form ID=NUMBER, such as shop=123456789012")?;
        Ok(Self { id: id.to_owned(), number })
    }
}

/// Which clock an emulator has.
#[derive(Clone, Debug)]
pub(crate) enum ClockChoice {
    Real,
    Virtual(ManualClock),
}

impl FromStr for ClockChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "real" => Ok(Self::Real),
            None if text == "virtual" => Ok(Self::Virtual(ManualClock::default())),
            Some(("virtual", start)) => start.parse().map(Self::Virtual).map_err(|error| format!("{error}")),
            _ => Err("a clock is `real`, `virtual` or `virtual=TIME`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_given_numbers() {
        let given = "example.com:shop=42".parse::<ProjectNumber>();
        assert_eq!(given, Ok(ProjectNumber { id: "example.com:shop".into(), number: 42 }));
        for bad in ["", "shop", "shop=", "shop=x", "shop=-1"] {
            assert!(bad.parse::<ProjectNumber>().unwrap_err().contains("ID=NUMBER"), "{bad}");
        }
    }

    #[test]
    fn clocks_are_real_or_start_somewhere() {
        for good in ["real", "virtual", "virtual=2026-11-24T09:00:00+01:00"] {
            good.parse::<ClockChoice>().unwrap();
        }
        for (bad, words) in [("", "a clock is"), ("virtual=now", "RFC 3339"), ("sun=1", "a clock is")] {
            let error = bad.parse::<ClockChoice>().unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
