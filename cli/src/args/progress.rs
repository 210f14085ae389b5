//! The flags that say how waiting is shown.

use clap::Args;

use crate::reporter::Mode;

// How waiting is shown on stderr.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct ProgressArgs {
    /// How waiting is shown on stderr. A log gets a line for each change, and one every 30s when nothing changes.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    progress: Mode,

    /// Show nothing on stderr but notes and errors, as `--progress none` does.
    #[arg(short, long, conflicts_with = "progress")]
    quiet: bool,
}

impl ProgressArgs {
    pub(crate) fn mode(self) -> Mode {
        if self.quiet { Mode::None } else { self.progress }
    }
}
