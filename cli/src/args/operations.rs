//! The arguments of `cci operations`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Connection, ProgressArgs, ScopeArgs};
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::name::operation_in;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Operations {
    /// Print an operation, whatever its state.
    #[command(
        after_help = "Example:\n  cci operations get projects/my-project/locations/us-central1/operations/1000 -o yaml"
    )]
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
    /// Show the operations of a location as they change, until Ctrl-C: a table on a terminal, else a document of each that is
    /// new or has changed.
    Watch(Watch),
    /// Wait for operations to end, and print each.
    ///
    /// Ctrl-C and --timeout end the waiting, not the operation: waiting can be resumed at any time.
    Wait(Wait),
    /// Ask the server to cancel an operation, and print it as it is then.
    ///
    /// Cancelling takes time, and the operation may succeed all the same: `cci operations wait` tells. One that has
    /// ended already stays as it is.
    #[command(
        after_help = "Example:\n  cci operations cancel projects/my-project/locations/us-central1/operations/1000"
    )]
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

fn list_help() -> String {
    format!(
        "Examples:\n  cci operations list projects/my-project/locations/us-central1 --filter 'done=\"false\"'\n  \
         cci operations list projects/my-project/locations/us-central1 \\\n      --sort-by ~metadata.createTime --limit 5 -o table\n\n{FILTER_FIELDS}"
    )
}

#[derive(Debug, Args)]
#[command(after_help = list_help())]
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

    /// The order, by fields such as `metadata.createTime`; `~FIELD` turns it round. All is fetched before it is printed.
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub(crate) sort_by: Option<String>,

    /// Go on showing what changes, as `cci operations watch` does.
    #[arg(long, conflicts_with_all = ["page_size", "limit", "sort_by"])]
    pub(crate) watch: bool,

    /// With --watch: ask this often, at most every 100ms.
    #[arg(long, value_name = "DURATION", requires = "watch", value_parser = duration::parse_interval)]
    pub(crate) interval: Option<Duration>,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

fn watch_help() -> String {
    format!(
        "Examples:\n  cci operations watch projects/my-project/locations/us-central1\n  \
         cci operations watch --project my-project --location us-central1 --filter 'done=\"false\"'\n\n{FILTER_FIELDS}"
    )
}

#[derive(Debug, Args)]
#[command(after_help = watch_help())]
pub(crate) struct Watch {
    /// Whose operations: `projects/PROJECT/locations/LOCATION`; by default those of --project and --location.
    pub(crate) parent: Option<String>,

    /// Only operations that match. What runs: `done="false"`; how each ended is shown all the same.
    #[arg(long, default_value_t, hide_default_value = true)]
    pub(crate) filter: String,

    /// Ask this often, at most every 100ms. By default every 5s, and more seldom where the list has more than five pages.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_interval)]
    pub(crate) interval: Option<Duration>,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What `wait` does with several, below its arguments.
const OF_MANY: &str = "\
Examples:
  cci operations wait projects/my-project/locations/us-central1/operations/1000 --timeout 2h
  cci operations list projects/my-project/locations/us-central1 -o name | cci operations wait -
  cci operations wait --all --parent projects/my-project/locations/us-central1 \\
      --filter 'metadata.operation_type=\"CreateAnalysis\"' -o jsonl

Of several, each is printed as it ends. Their exit code: 0 if all succeeded, else the first
that holds of 130 (143, 129), 69, 4, 1, 5, 6, 8 and 3.
";

fn wait_help() -> String {
    format!("{OF_MANY}\n{}", Exit::table())
}

#[derive(Debug, Args)]
#[command(after_help = wait_help())]
pub(crate) struct Wait {
    /// The operations: `projects/PROJECT/locations/LOCATION/operations/OPERATION`. `-` stands for names on stdin, one a
    /// line, as `cci operations list -o name` prints them.
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) names: Vec<String>,

    /// Wait for all operations of a location that run now.
    #[arg(long)]
    pub(crate) all: bool,

    /// With --all: the location, `projects/PROJECT/locations/LOCATION`; by default that of --project and --location.
    #[arg(long, value_name = "LOCATION", requires = "all")]
    pub(crate) parent: Option<String>,

    /// With --all: only operations that match; see `cci operations list --help`.
    #[arg(long, requires = "all", default_value_t, hide_default_value = true)]
    pub(crate) filter: String,

    /// Print the operation as the REST API has it, whose types gRPC may not know; of one operation that is named.
    #[arg(long, conflicts_with = "all")]
    pub(crate) rest: bool,

    /// End with the first operation that ends, and with its exit code.
    #[arg(long)]
    pub(crate) any: bool,

    /// Stop waiting after this long, such as `90s`, `5m` or `2h`: exit code 8. Without it, waits for as long as it takes.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,

    /// Ask this often, at most every 100ms. By default the kind of the operation decides: after 1s or 10s at first, at
    /// last every 30s. Many are looked for in the list of what runs, every 3s to 30s.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_interval)]
    pub(crate) interval: Option<Duration>,

    /// Give up when the service has not answered for this long: exit code 69. Before its first answer after 30s at the
    /// latest, and after 5s on this machine. A refusal because of too many calls is an answer.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "10m")]
    pub(crate) max_outage: Duration,

    #[command(flatten)]
    pub(crate) progress: ProgressArgs,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cci operations decode operation.bin\n  cci operations decode --base64 operation.txt -o yaml"
)]
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
