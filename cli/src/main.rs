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

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;

fn main() -> ExitCode {
    let exit = match run(Cli::parse()) {
        Ok(()) => Exit::Ok,
        Err(failure) => {
            terminal::say(&failure);
            failure.exit()
        }
    };
    exit.into()
}

fn run(cli: Cli) -> Result<(), Failure> {
    if env::var_os(EnvFilter::DEFAULT_ENV).is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::from_default_env())
            .with_writer(io::stderr)
            .init();
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
