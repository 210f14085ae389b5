//! The arguments of `cci operations`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Connection, ScopeArgs};
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::name::operation_in;

#[derive(Debug, Subcommand)]
pub(crate) enum Operations {
    /// Print an operation, whatever its state.
    Get {
        #[command(flatten)]
        name: Name,
        /// Ask over REST, and print what it answers: metadata of types without a proto has its fields then.
        #[arg(long)]
        rest: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Print the operations of a location, from all pages.
    List(List),
    /// Wait for an operation to end, and print it.
    ///
    /// Ctrl-C and --timeout end the waiting, not the operation: waiting can be resumed at any time.
    #[command(after_help = Exit::table())]
    Wait(Wait),
    /// Ask the server to cancel an operation, and print it as it is then.
    ///
    /// Cancelling takes time, and the operation may succeed all the same: `cci operations wait` tells. One that has
    /// ended already stays as it is.
    Cancel {
        #[command(flatten)]
        name: Name,
        #[command(flatten)]
        connection: Connection,
    },
    /// Print a google.longrunning.Operation from its binary form, base64, hex or JSON. Nothing is sent.
    Decode(Decode),
}

#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The operation: `projects/PROJECT/locations/LOCATION/operations/OPERATION`, or its id alone.
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

impl Name {
    /// The full name.
    pub(crate) fn full(self) -> Result<String, Failure> {
        operation_in(self.name, &self.scope.scope())
    }
}

/// What filters can name, by the product's documentation.
const FILTER_FIELDS: &str = "\
Filter fields:
  done                     done=\"false\" while it runs, done=\"true\" once it has ended
  metadata.operation_type  the method, as in the TYPE column: metadata.operation_type=\"CreateIssueModel\"; also !=
  metadata.create_time     an RFC 3339 time: metadata.create_time>\"2026-01-31T00:00:00Z\"; also >=, <, <=
  metadata.conversation_id of an analysis or upload: metadata.conversation_id=\"call-7\"
  status_code              of what has ended: status_code=\"0\" if it succeeded; also names and !=, status_code!=\"ABORTED\"

Values stand in double quotes. Terms side by side must all hold; OR, NOT or - before a term, and parentheses work too.";

#[derive(Debug, Args)]
#[command(after_help = FILTER_FIELDS)]
pub(crate) struct List {
    /// Whose operations: `projects/PROJECT/locations/LOCATION`; by default those of --project and --location.
    pub(crate) parent: Option<String>,

    /// Only operations that match, such as `done="false"` or
    /// `metadata.operation_type="CreateIssueModel"`; the fields are listed below.
    #[arg(long, default_value_t, hide_default_value = true)]
    pub(crate) filter: String,

    /// How many operations a call asks for; the server's own number by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) page_size: Option<i32>,

    /// How many operations to print at most.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) name: Name,

    /// Stop waiting after this long, such as `90s`, `5m` or `2h`: exit code 8. Without it, waits for as long as it takes.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,

    /// Ask this often, at most every 100ms. By default the kind of the operation decides: after 1s or 10s at first, at
    /// last every 30s.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_interval)]
    pub(crate) interval: Option<Duration>,

    /// Give up when the service has not answered for this long: exit code 69. Before its first answer after 30s at the
    /// latest, and after 5s on this machine. A refusal because of too many calls is an answer.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "10m")]
    pub(crate) max_outage: Duration,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Decode {
    /// The file to read; stdin if there is none, or if it is `-`.
    pub(crate) file: Option<PathBuf>,

    /// The input is base64 text, and nothing else.
    #[arg(long)]
    pub(crate) base64: bool,

    /// Skip fields and enum values of JSON that are unknown, and say which.
    #[arg(long)]
    pub(crate) lenient: bool,

    /// Show what is of an unknown type by the numbers of its fields too.
    #[arg(long)]
    pub(crate) raw_fields: bool,
}
