//! The command line: what can be asked, and how `--help` explains it.

mod config;
mod connection;
mod doctor;
mod emulator;
mod example;
mod filters;
mod flags;
mod methods;
mod operations;
mod progress;
mod recording;
mod rest;
mod scope;
mod worker;

use clap::{Args, Parser, Subcommand};
use contact_center_insights_emulator::Profile;

pub(crate) use self::config::{Config, ConfigCommand};
pub(crate) use self::connection::{Connection, DEFAULT_REQUEST_TIMEOUT};
pub(crate) use self::doctor::{Completions, Doctor, Man};
pub(crate) use self::emulator::{
    ClockChoice, Emulator, EmulatorCommand, ErrorDetails, Exec, Health, Language, Listen, Lists,
    ProjectNames, Recipe, Serve, SyncChoice,
};
pub(crate) use self::methods::{Invocation, augment, call, of_call, of_group, read_data};
pub(crate) use self::operations::{Decode, List, Name, Operations, Wait, Watch};
pub(crate) use self::progress::ProgressArgs;
pub(crate) use self::recording::{Record, Verify};
pub(crate) use self::rest::{RestArgs, Verb};
pub(crate) use self::scope::ScopeArgs;
pub(crate) use self::worker::{
    StateChoice, Worker, WorkerAdd, WorkerCommand, WorkerList, WorkerReconcile, WorkerRun,
};
use crate::exit::Exit;
use crate::output::Format;
use crate::terminal::Color;

/// Long-running operations of the Contact Center AI Insights API from a shell, and an emulator of the API.
///
/// Data goes to stdout, everything else to stderr. To see what happens below, set `RUST_LOG=debug`.
#[derive(Debug, Parser)]
#[command(name = "cci", version, after_help = Exit::table())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// How results are printed on stdout; by default as the profile says, else as JSON.
    #[arg(short, long, global = true, value_parser = Format::parser(), default_value = "json", hide_default_value = true)]
    pub(crate) output: Format,

    /// Show each call on stderr: method, code, time, attempts and host; twice, the headers too, without secrets.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When there are colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
}

// Of the commands, only the one that is asked for gets its arguments: to make all of them would be a third of what a short
// command does. So a struct of arguments has no doc comment: it would take the place of what the command says of itself.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// See a long-running operation from start to end, in seconds: needs no network and no account.
    ///
    /// Starts an emulator inside this process, fills it with conversations, trains an issue model on them, and
    /// prints the finished operation.
    #[command(
        after_help = "Examples:\n  cci quickstart\n  cci quickstart --profile time:1s,fail=ABORTED:torn -o table"
    )]
    Quickstart(Quickstart),
    /// Serve the API from memory on this machine, until Ctrl-C or SIGTERM.
    ///
    /// The first line on stdout is `{"ready":true,"address":"127.0.0.1:PORT"}`, once calls are answered, whatever
    /// --output says. gRPC and REST are served on the one port.
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  cci emulator --port 9420\n  cci emulator --port 0 --profile time:20s --data-dir state"
    )]
    Emulator(Box<Emulator>),
    /// Pass REST calls on to the service, and write them down as a recording, until Ctrl-C or SIGTERM.
    ///
    /// Each call goes on with the Authorization that it came with; none is added. The first line on stdout is
    /// `{"ready":true,"address":"127.0.0.1:PORT"}`, once calls are taken, whatever --output says.
    Record(Record),
    /// Replay recordings against an emulator, and print the exchanges whose answers differ: exit code 1 if any does.
    ///
    /// Status and body are compared. Left open are the details of errors, times, ids that the server makes, and fields
    /// that no published proto has; the id and the number of a project stand for one project.
    Verify(Verify),
    /// Call the REST API: methods and fields that gRPC does not have, with the same credentials, endpoint and errors.
    Rest(RestArgs),
    /// Try what calls need, step by step: endpoint, credentials, network, one call; and say what to do about what fails.
    ///
    /// Lines for people, unless -o asks for a format. No secret is shown. Exit code 0 if nothing fails, else that of the
    /// worst failure.
    Doctor(Doctor),
    /// Print a script that completes commands, names of resources and running operations in a shell.
    Completions(Completions),
    /// Print the manual page, or write those of all commands.
    Man(Man),
    /// Keep defaults: project, location, endpoint, output, by profile.
    Config(Config),
    /// Get, list, wait for, cancel and decode long-running operations.
    #[command(subcommand)]
    Operations(Operations),
    /// Follow operations durably, and hand their results over: to a program, a webhook, or stdout.
    Worker(Worker),
}

#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// How the training goes: `immediate`, `polls:N` or `time:D`, then perhaps `,fail=CODE[:message]`.
    #[arg(long, value_name = "PROFILE", default_value = "time:3s")]
    pub(crate) profile: Profile,
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use self::tests::{unfolded, words};
