//! `cci`: long-running operations of the Contact Center AI Insights API from a shell, and its emulator.
//!
//! `main` maps how a command ended to an exit code; `run` does the command. Data goes to stdout, everything
//! else to stderr.
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

mod advice;
mod args;
mod commands;
mod duration;
mod exit;
mod failure;
mod meter;
mod output;
mod progress;
mod session;
mod terminal;

use std::env;
use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;

fn main() -> ExitCode {
    run(Cli::parse()).unwrap_or_else(|failure| {
        terminal::say(&failure);
        failure.exit().into()
    })
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    // An emulator has something to say to those who set it up; a client says it all in its result.
    let unasked = matches!(cli.command, Command::Emulator(_)).then(|| EnvFilter::new("warn"));
    let asked = env::var_os(EnvFilter::DEFAULT_ENV).map(|_| EnvFilter::from_default_env());
    if let Some(filter) = asked.or(unasked) {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    }
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
