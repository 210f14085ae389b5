//! `cci config`.

use clap::{Args, Subcommand};

const KEYS: &str = "\
Keys:
  project, location   of names that do not say
  endpoint            where calls go, as --endpoint has it
  access-token-file   as --access-token-file has it
  request-timeout     as --request-timeout has it
  output              as --output has it

Flags win over variables, and variables over the profile; GOOGLE_CLOUD_PROJECT and gcloud's active configuration come
after it. The file is ~/.config/cci/config.toml, in XDG_CONFIG_HOME if that is set, or the one that CCI_CONFIG names.

Examples:
  cci config set project my-project
  cci config set endpoint http://127.0.0.1:9420 --profile emulator
  cci config use emulator
  cci config list";

#[derive(Debug, Args)]
#[command(after_help = KEYS)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,

    /// The profile; by default `CCI_PROFILE`, else the active one.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ConfigCommand {
    /// Keep a value in the profile.
    #[command(
        after_help = "Examples:\n  cci config set project my-project\n  cci config set output table --profile nightly"
    )]
    Set {
        /// Such as `project`; all are listed by `cci config --help`.
        key: String,
        /// What it says from now on.
        value: String,
    },
    /// Take a value out of the profile.
    #[command(after_help = "Example:\n  cci config unset endpoint")]
    Unset {
        /// Such as `project`.
        key: String,
    },
    /// Print the value that commands go by, whatever it comes from; exit code 3 if there is none.
    #[command(after_help = "Example:\n  cci config get location")]
    Get {
        /// Such as `project`.
        key: String,
    },
    /// Print all values that commands go by, and what each comes from.
    #[command(after_help = "Example:\n  cci config list")]
    List,
    /// Make a profile the active one; without a name, print them all.
    #[command(after_help = "Examples:\n  cci config use emulator\n  cci config use")]
    Use {
        /// The profile.
        name: Option<String>,
    },
}
