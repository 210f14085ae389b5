//! `cci`: long-running operations of the Contact Center AI Insights API from a shell, and its emulator.
//!
//! `main` maps how a command ended to an exit code; `run` does the command. Data goes to stdout, everything
//! else to stderr.
//!
//! The modules by floor, lowest first; each imports only from floors before its own:
//! `duration`, `escape`, `exit`, `progress`, `shell`; `failure`; `terminal`, `token`; `name`; `hints`, `log`, `output`,
//! `progress_bar`; `recording`, `web`; `record`, `verify`; `args`; `session`, `usage`; `commands`. Within `args`:
//! `connection`, `emulator`, `recording`, `worker`. Within `output`: `summary`; `table`.
//! Within `commands`: `decode`, `ending`, `emulator`; `operations`, `wait`, `worker`; `quickstart`. Within `commands::emulator`:
//! `env`, `signals`, `start`; `exec`. Within `commands::worker`: `sinks`; `run`.
// Of times: what comes from the wire or from a user overflows them. Integers are listed in clippy.toml.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that fails may panic"
    )
)]

mod args;
mod commands;
mod duration;
mod escape;
mod exit;
mod failure;
mod hints;
mod log;
mod name;
mod output;
mod progress;
mod progress_bar;
mod record;
mod recording;
mod session;
mod shell;
mod terminal;
mod token;
mod usage;
mod verify;
mod web;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::report(error),
    };
    run(cli).unwrap_or_else(|failure| {
        terminal::eprint_line(&failure);
        failure.exit().into()
    })
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    // An emulator has something to say to those who set it up; a client says it all in its result.
    log::start(matches!(cli.command, Command::Emulator(_)).then_some("warn"));
    // One thread does for a client that makes a call at a time, and starts fastest.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because(Exit::Api, "cannot start the runtime", error))?;
    let result = runtime.block_on(commands::run(cli));
    // A name that is still being resolved must not keep the process from ending.
    runtime.shutdown_background();
    result
}
