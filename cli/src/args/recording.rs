//! `cci record` and `cci verify`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "\
Example:
  cci record --upstream https://contactcenterinsights.googleapis.com --out calls.jsonl --port 9421
  curl -H \"Authorization: Bearer $(gcloud auth print-access-token)\" \\
    http://127.0.0.1:9421/v1/projects/PROJECT/locations/us-central1/views
  cci verify calls.jsonl -o table";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Record {
    /// Where calls go: `https://HOST[:PORT]`, or `http://HOST:PORT` on this machine.
    #[arg(long, value_name = "URI")]
    pub(crate) upstream: String,

    /// The file that exchanges are written to, each on its line. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// The port to listen at, on this machine only; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,

    /// Keep texts, labels, and the names of agents and users as they are. By default neutral words of the same shape
    /// stand for them. Projects and ids are replaced either way, and tokens are never written.
    #[arg(long)]
    pub(crate) keep_text: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cci verify calls.jsonl -o table")]
pub(crate) struct Verify {
    /// Recordings, each replayed against an emulator of its own.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// A directory that stands for Cloud Storage: `gs://BUCKET/OBJECT` is the file `DIR/BUCKET/OBJECT`. Without it,
    /// transcripts are made from the answers that show them.
    #[arg(long, value_name = "DIR")]
    pub(crate) gcs_root: Option<PathBuf>,
}
