//! `cci doctor`, `cci completions` and `cci man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Connection, ScopeArgs};

const DOCTOR: &str = "\
Examples:
  cci doctor
  cci doctor --endpoint http://127.0.0.1:9420 --project p --location us-central1
  cci doctor -o json";

#[derive(Debug, Args)]
#[command(after_help = DOCTOR)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

const COMPLETIONS: &str = "\
Examples:
  source <(cci completions bash)                      # in ~/.bashrc
  source <(cci completions zsh)                       # in ~/.zshrc, after compinit
  cci completions fish > ~/.config/fish/completions/cci.fish
  cci completions powershell | Out-String | Invoke-Expression

Names are asked for at the endpoint, for a second at most; where that fails, there are none.";

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// A shell that can be helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "they say it themselves")]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
}

impl Shell {
    /// As it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
        }
    }
}

const MAN: &str = "\
Examples:
  cci man | man -l -
  cci man --dir ~/.local/share/man/man1";

#[derive(Debug, Args)]
#[command(after_help = MAN)]
pub(crate) struct Man {
    /// Write a page for each command, those of the resources too, into this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
