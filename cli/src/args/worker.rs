//! `cci worker`: following operations durably.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{Connection, ScopeArgs};
use crate::duration;

// Where operations are kept.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArg {
    /// `sqlite:FILE` for one machine, or `postgres://USER@HOST[,HOST…]/DATABASE` for a fleet; by default what
    /// `CCI_WORKER_STORE` says. Every process of the machine can read arguments: a password belongs into that variable,
    /// or into `PGPASSWORD`.
    #[arg(long, value_name = "STORE", global = true)]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    #[command(subcommand)]
    pub(crate) command: WorkerCommand,

    #[command(flatten)]
    pub(crate) store: StoreArg,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum WorkerCommand {
    /// Follow what is in the store, and hand results over, until Ctrl-C or SIGTERM.
    ///
    /// At least once each: after a crash, a result may come again, with the same key.
    #[command(after_help = "Example:\n  cci worker run --store sqlite:operations.db --exec ./take.sh")]
    Run(Box<WorkerRun>),
    /// Follow operations from now on: those named, or those that a filter finds.
    #[command(
        after_help = "Example:\n  cci worker add projects/my-project/locations/us-central1/operations/1000 \\\n      --store sqlite:operations.db"
    )]
    Add(WorkerAdd),
    /// Print what is in the store.
    #[command(after_help = "Example:\n  cci worker ls --state buried --store sqlite:operations.db")]
    Ls(WorkerList),
    /// Print how much is in the store.
    #[command(after_help = "Example:\n  cci worker stats --store sqlite:operations.db")]
    Stats,
    /// Hand results over anew that were buried, or that wait for their next try.
    #[command(after_help = "Example:\n  cci worker retry --all --store sqlite:operations.db")]
    Retry(WorkerRetry),
    /// Hand results over no more; starts that are unsure are dropped.
    #[command(
        after_help = "Example:\n  cci worker bury projects/my-project/locations/us-central1/operations/1000 \\\n      --store sqlite:operations.db"
    )]
    Bury(WorkerBury),
    /// Compare the store with what runs at the service, after a restored backup, say.
    #[command(after_help = "Example:\n  cci worker reconcile my-project --store sqlite:operations.db")]
    Reconcile(WorkerReconcile),
}

// What becomes of results: exactly one of these.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("sink").required(true).args(["exec", "webhook", "print"]))]
pub(crate) struct WorkerRun {
    /// Run this program for each result, without a shell: it gets a document on stdin, and has taken the result if it
    /// exits with 0. All that follows is its arguments.
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    pub(crate) exec: Vec<OsString>,

    /// POST a document for each result to this URL, with the key as `idempotency-key`; 2xx means that it was taken.
    /// Redirects are not followed.
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,

    /// Print a document for each result on stdout, a line each.
    #[arg(long)]
    pub(crate) print: bool,

    /// How long the program, or the webhook, has for one result.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "60s")]
    pub(crate) timeout: Duration,

    /// How often each result is tried before it is buried.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 20)]
    pub(crate) tries: u32,

    /// Look at operations no more often than this.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "5s")]
    pub(crate) interval: Duration,

    /// Calls a minute that each project has, for all workers of the store together; by default 3,000, as documented, and
    /// no limit for an emulator on this machine.
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) quota: Option<u32>,

    /// Answer `/metrics` (Prometheus) and `/healthz` at this address: a port alone is one on this machine. Whoever
    /// reaches it can read both; there are no passwords.
    #[arg(long, value_name = "[HOST:]PORT", value_parser = listen)]
    pub(crate) listen: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| "expected PORT, or ADDRESS:PORT with the number of an address".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct WorkerAdd {
    /// Operations: `projects/PROJECT/locations/LOCATION/operations/OPERATION`, or their ids alone.
    #[arg(required_unless_present = "parent", conflicts_with = "parent")]
    pub(crate) names: Vec<String>,

    /// Those of a location, `projects/PROJECT/locations/LOCATION`, instead of names.
    #[arg(long)]
    pub(crate) parent: Option<String>,

    /// Which of a location's; all that run by default. See `cci operations list --help`.
    #[arg(long, requires = "parent", default_value = "done=\"false\"")]
    pub(crate) filter: String,

    /// A text that is kept with them and handed over with their results.
    #[arg(long, value_name = "TEXT")]
    pub(crate) context: Option<String>,

    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerList {
    /// Only what is in this state.
    #[arg(long, value_enum)]
    pub(crate) state: Option<StateChoice>,

    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) limit: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StateChoice {
    /// Runs, as far as is known.
    Pending,
    /// Has ended, and waits to be handed over.
    Waiting,
    /// Could not be handed over, and is tried no more.
    Buried,
    /// Was handed over.
    Handed,
    /// Is being started.
    Starting,
    /// Nobody can tell whether it was started.
    Unsure,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerRetry {
    /// Which results, by the names of their operations.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) names: Vec<String>,

    /// All of them.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerBury {
    /// Which results, by the names of their operations; or unsure starts, by what `ls` calls them.
    #[arg(required = true)]
    pub(crate) names: Vec<String>,

    /// Why.
    #[arg(long, default_value = "by hand")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerReconcile {
    /// The project, as the operations of the store spell it.
    pub(crate) project: String,

    /// A location to look at, besides those of which operations are in the store; may be given several times. By default
    /// the one of the environment or the profile.
    #[arg(long = "location", value_name = "LOCATION")]
    pub(crate) locations: Vec<String>,

    /// Follow what runs and is not in the store.
    #[arg(long)]
    pub(crate) adopt: bool,

    #[command(flatten)]
    pub(crate) connection: Connection,
}
