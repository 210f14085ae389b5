//! The commands, one a file; each prints its data on stdout and the rest on stderr.

mod call;
mod complete;
mod config;
mod decode;
mod doctor;
mod emulator;
mod ending;
mod help;
mod many;
mod operations;
mod patience;
mod quickstart;
mod record;
mod rest;
mod stop;
mod tally;
mod verify;
mod wait;
mod watch;
mod worker;

use std::process::ExitCode;

pub(crate) use self::help::answer_shell;
use crate::args::{Cli, Command, Invocation, Operations};
use crate::failure::Failure;
use crate::output::Format;

/// Calls a method.
pub(crate) async fn invoke(asked: Invocation, output: Format) -> Result<ExitCode, Failure> {
    call::run(asked, output).await.map(|()| ExitCode::SUCCESS)
}

/// Does what was asked; the exit code is that of a command that was run, if there was one.
pub(crate) async fn run(Cli { command, output, .. }: Cli) -> Result<ExitCode, Failure> {
    match command {
        Command::Quickstart(args) => quickstart::run(args, output).await,
        Command::Emulator(args) => return emulator::run(*args).await,
        Command::Record(args) => record::run(&args).await,
        Command::Verify(args) => return verify::run(&args, output).await,
        Command::Rest(args) => rest::run(args, output).await,
        Command::Doctor(args) => return doctor::run(args, output).await,
        Command::Completions(args) => help::completions(&args),
        Command::Man(args) => help::man(&args),
        Command::Config(args) => config::run(args, output),
        Command::Operations(Operations::Get { name, rest, connection }) => {
            operations::get(name, rest, connection, output).await
        }
        Command::Operations(Operations::List(args)) => operations::list(args, output).await,
        Command::Operations(Operations::Watch(args)) => operations::watch(args, output).await,
        Command::Operations(Operations::Wait(args)) => wait::run(args, output).await,
        Command::Operations(Operations::Cancel { name, connection }) => {
            operations::cancel(name, connection, output).await
        }
        Command::Operations(Operations::Decode(args)) => decode::run(&args, output),
        Command::Worker(args) => worker::run(args, output).await,
    }?;
    Ok(ExitCode::SUCCESS)
}
