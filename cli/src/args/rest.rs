//! `cci rest`.

use clap::{Args, ValueEnum};

use super::{Connection, ScopeArgs};

const EXAMPLES: &str = "\
A path is one from the version or from `projects/` on; any other is below the project and the location. {project},
{location} and {parent} in it stand for those. GETs are retried as reads are; redirects are not followed.

Examples:
  cci rest GET assessmentRules --location us-central1
  cci rest GET v1/projects/my-project/locations/us-central1/views --query pageSize=5
  cci rest POST conversations:calculateStats --data '{\"filter\": \"medium=\\\"CHAT\\\"\"}'
  cci rest PATCH views/7 --query updateMask=displayName --data '{\"displayName\": \"late\"}'";

/// A verb of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "they say it themselves")]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RestArgs {
    /// The verb.
    #[arg(value_enum, ignore_case = true)]
    pub(crate) verb: Verb,

    /// The path, never a URL: where calls go is for --endpoint to say.
    pub(crate) path: String,

    /// The body, in JSON: as it is, `@FILE`, or `-` for stdin.
    #[arg(short, long, value_name = "JSON")]
    pub(crate) data: Option<String>,

    /// A parameter of the query, such as `pageSize=5`; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) query: Vec<String>,

    /// Print the request, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    #[command(flatten)]
    pub(crate) connection: Connection,
}
